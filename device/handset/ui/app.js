// The phone's page: draws the status that the daemon gives at each change, and says words back.  No rule lives here.
import { connect } from './line.js';
import { h, name, patch, setTexts, t } from './dom.js';
import { carrierView } from './carrier.js';
import { keep, kept } from './kept.js';
import { supervisorView } from './supervisor.js';
import { ringer, vibrate } from './sound.js';

const LANGUAGES = ['fr', 'en'];
const PATTERNS = { rising: [50, 150, 80, 120, 120, 80, 200, 50, 150], leaving: [700], received: [250, 150, 250],
  taken: [250, 120, 250, 120, 250], message: [120], ask: [200, 200, 200], stop: [0] };
const state = { status: null, skew: 0, alive: false, language: kept('language') === 'en' ? 'en' : 'fr', local: {} };
const at = (id) => document.getElementById(id);

async function load(language) {
  const answer = await fetch(`text/${language}.json`);
  setTexts(await answer.json());
  document.documentElement.lang = language;
}

function drawHeader(status) {
  patch(at('who'), [name(status.duty.state === 'on' ? status.duty.name : status.name)]);
  const bySms = status.sms.modem === 'ready' && !status.trouble.includes('no_path');
  const line = bySms && status.link !== 'welcome' && status.link !== 'up' ? 'sms' : status.link;
  at('line').textContent = status.enrolled ? t(`line_${line}`) : '';
  at('line').className = line === 'welcome' || line === 'sms' ? 'good' : status.enrolled ? 'bad' : '';
  at('language').textContent = t('language');
}

function drawBlind() {
  patch(at('blind'), [h('h1', {}, t('blind_title')), h('p', {}, t('blind')), h('a', { href: 'tel:112', class: 'call' }, t('call_112'))]);
}

// What must be seen at once is at the top: when there is something new of it, the page is.
function lookUp(status) {
  const urgent = [status.alert?.id, status.question, status.man_down_at_ms, status.missed_at_ms, status.rings[0]?.id, status.duty.state === 'asked'];
  if (urgent.some((what, i) => what && what !== state.urgent?.[i])) window.scrollTo(0, 0);
  state.urgent = urgent;
}

function draw() {
  const { status, alive } = state;
  at('blind').hidden = alive;
  at('alive').hidden = !alive || !status;
  if (!alive) drawBlind();
  ringer.level(alive && status ? status.ring : 0, alive && status?.role === 'supervisor' && status.duty.state === 'on');
  if (!status) return;
  drawHeader(status);
  const view = status.role === 'supervisor' ? supervisorView : carrierView;
  const tools = { say, local: state.local, redraw: draw, now: () => Date.now() + state.skew };
  patch(at('main'), view(status, tools).flat().filter(Boolean));
  if (document.activeElement?.id !== 'press') state.local.touching = false; // gone under the finger: not each browser says that it lost the focus
  lookUp(status);
  document.title = status.ring ? t('title_ring') : 'Vigie';
}

const line = connect({
  status(status) {
    state.status = status;
    state.skew = status.now_ms - Date.now();
    draw();
  },
  vibrate(pattern) {
    vibrate(PATTERNS[pattern] ?? [0]);
  },
  open(isOpen) {
    state.alive = isOpen;
    if (!isOpen) state.status = null; // what it was is not what it is
    draw();
  },
});

function say(...words) {
  return line.ask(words);
}

at('language').addEventListener('click', async () => {
  state.language = LANGUAGES[(LANGUAGES.indexOf(state.language) + 1) % LANGUAGES.length];
  keep('language', state.language);
  await load(state.language);
  draw();
});

ringer.bar(at('sound'), () => t('sound_off'));

// Its phone went while this page was coming: it says so, and tries again.
async function start() {
  try {
    await load(state.language);
    setInterval(draw, 1000); // ages and countdowns go on by themselves
    line.start();
  } catch {
    at('blind').hidden = false;
    patch(at('blind'), [h('h1', {}, 'Vigie'), h('a', { href: 'tel:112', class: 'call' }, 'Appelez le 112 — Call 112')]);
    setTimeout(start, 1000);
  }
}
await start();
