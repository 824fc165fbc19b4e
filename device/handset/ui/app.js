// The phone's page: draws the status that the daemon gives at each change, and says words back.  No rule lives here.
import { connect } from './line.js';
import { h, memory, setTexts, t } from './dom.js';
import { carrierView } from './carrier.js';
import { supervisorView } from './supervisor.js';
import { ringer } from './sound.js';

const LANGUAGES = ['fr', 'en'];
const state = { status: null, skew: 0, language: memory.get('language') === 'en' ? 'en' : 'fr', local: {} };

async function load(language) {
  const answer = await fetch(`text/${language}.json`);
  setTexts(await answer.json());
  document.documentElement.lang = language;
}

function drawHeader(status) {
  document.getElementById('who').textContent = status.duty.state === 'on' ? status.duty.name : status.name || '';
  const line = document.getElementById('line');
  line.textContent = t(`line_${status.link}`);
  line.className = status.link === 'welcome' ? 'good' : 'bad';
  document.getElementById('language').textContent = t('language');
}

function draw() {
  const status = state.status;
  if (!status) return;
  drawHeader(status);
  const view = status.role === 'supervisor' ? supervisorView : carrierView;
  const main = document.getElementById('main');
  const focus = document.activeElement?.id;
  main.replaceChildren(...view(status, { say, local: state.local, redraw: draw, now: () => Date.now() + state.skew }));
  if (focus) document.getElementById(focus)?.focus();
  ringer.level(status.ring);
}

const line = connect({
  status(status) {
    state.status = status;
    state.skew = status.now_ms - Date.now();
    // Somebody types: what they type must not vanish under their hands.
    if (!document.activeElement?.matches('input')) draw();
    else drawHeader(status);
  },
  vibrate(pattern) {
    const patterns = { rising: [50, 150, 80, 120, 120, 80, 200, 50, 150], leaving: [700], received: [250, 150, 250],
      taken: [250, 120, 250, 120, 250], message: [120], ask: [200, 200, 200], stop: [0] };
    navigator.vibrate?.(patterns[pattern] ?? [0]);
  },
  open(isOpen) {
    const blind = document.getElementById('blind');
    blind.hidden = isOpen;
    if (!isOpen) blind.replaceChildren(h('p', {}, t('blind')), h('a', { href: 'tel:112', class: 'call' }, t('call_112')));
    if (!isOpen) ringer.level(0);
  },
});

function say(...words) {
  return line.ask(words);
}

document.getElementById('language').addEventListener('click', async () => {
  state.language = LANGUAGES[(LANGUAGES.indexOf(state.language) + 1) % LANGUAGES.length];
  memory.set('language', state.language);
  await load(state.language);
  draw();
});

// Ages and countdowns go on by themselves, but not under a finger or a keyboard.
setInterval(() => {
  if (state.status && !state.local.touching && !document.activeElement?.matches('input')) draw();
}, 1000);

ringer.unlockBar(document.getElementById('sound'), () => t('sound_off'));
await load(state.language);
line.start();
