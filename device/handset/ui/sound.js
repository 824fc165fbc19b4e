// Ringing.  A browser plays nothing before somebody touched the page: until then a bar says so, before it has to ring.
let context = null;
let level = 0;
let timer = null;
let bar = null;
let barText = null;

// A browser vibrates nothing either before somebody touched the page.
export function vibrate(pattern) {
  if (navigator.userActivation?.hasBeenActive ?? true) navigator.vibrate?.(pattern);
}

function tone(at, frequency, length, loud) {
  const gain = context.createGain();
  const oscillator = context.createOscillator();
  oscillator.type = 'square';
  oscillator.frequency.value = frequency;
  gain.gain.setValueAtTime(loud, at);
  gain.gain.setValueAtTime(0, at + length);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + length);
}

function round() {
  timer = null;
  if (level === 0) return;
  if (context?.state === 'running') {
    const loud = level === 2 ? 0.5 : 0.25;
    for (let i = 0; i < (level === 2 ? 6 : 3); i += 1) tone(context.currentTime + i * 0.25, i % 2 ? 660 : 880, 0.2, loud);
  }
  vibrate([300, 200, 300]);
  timer = setTimeout(round, level === 2 ? 1600 : 2200);
}

function show(expected) {
  if (!context && expected) context = new AudioContext();
  bar.hidden = !expected || context?.state === 'running';
  bar.textContent = barText();
}

export const ringer = {
  // WANTED: 0 silent, 1 ringing, 2 loudest.  EXPECTED: it may ring any time.
  level(wanted, expected) {
    level = wanted;
    if (level > 0 && timer === null) round();
    if (bar) show(expected || level > 0);
  },
  bar(element, text) {
    bar = element;
    barText = text;
    const unlock = () => context?.resume();
    document.addEventListener('pointerdown', unlock);
    document.addEventListener('keydown', unlock);
  },
};
