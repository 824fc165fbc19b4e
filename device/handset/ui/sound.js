// Ringing.  A browser plays nothing before somebody touched the page: until then a bar says so.
let context = null;
let level = 0;
let timer = null;

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
  navigator.vibrate?.([300, 200, 300]);
  timer = setTimeout(round, level === 2 ? 1600 : 2200);
}

export const ringer = {
  level(wanted) {
    level = wanted;
    if (level > 0 && timer === null) round();
  },
  unlockBar(bar, text) {
    const show = () => {
      bar.hidden = context?.state === 'running' || level === 0;
      bar.textContent = text();
    };
    const unlock = () => {
      context ??= new AudioContext();
      context.resume().then(show);
    };
    document.addEventListener('pointerdown', unlock);
    document.addEventListener('keydown', unlock);
    setInterval(show, 500);
  },
};
