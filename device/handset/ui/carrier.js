// What a carrier sees: the button, or how far the alert is; duty; the proof of the button.
import { ago, clock, day, h, hourMinute, name, t, twoTaps, withName } from './dom.js';
import { keep, kept } from './kept.js';
import { openings } from './opened.js';
import { doors, passesView, passMode } from './passes.js';
import { pinPad } from './pin.js';

const BUTTON_TROUBLES = ['not_enrolled', 'wiped', 'journal', 'no_path', 'key', 'not_known'];
const DAY_MS = 86400000;
const DUTY_MS = 8 * 3600000;
const QUARTER_MS = 15 * 60000;

export function call112(kind = '') {
  return h('a', { id: 'call-112', href: 'tel:112', class: `call ${kind}` }, t('call_112'));
}

// ---- the button ----------------------------------------------------------------------------------------------------------------

// Held one second it is a press: the daemon counts, and its journal knows from the first moment on.
export function holdButton(status, { id, label, kind }, { say, local }) {
  const down = () => {
    local.touching = true;
    say('touch', 'down');
  };
  const up = () => {
    if (local.touching) say('touch', 'up');
    local.touching = false;
  };
  const key = (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    if (event.type === 'keyup') up();
    else if (!event.repeat) down();
  };
  const pointer = (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    event.currentTarget.focus();
    event.currentTarget.setPointerCapture(event.pointerId);
    down();
  };
  return h('button', { id, type: 'button', class: `${kind}${status.touching ? ' held' : ''}`, onpointerdown: pointer, onpointerup: up,
    onpointercancel: up, onkeydown: key, onkeyup: key, onblur: up, oncontextmenu: (event) => event.preventDefault() },
  h('span', { class: 'big' }, label), h('span', { class: 'hold' }, t(status.touching ? 'button_holding' : 'button_hold')));
}

// Whether it is shown as one that works.  Nothing moves under a finger: while it is held it stays what it was.
export function showsWorking(status, { local }) {
  if (!status.touching && !local.touching) local.works = status.button;
  return local.works ?? status.button;
}

// Why no SMS would leave; null where one would, or where no modem is configured.
function smsTrouble({ sms }) {
  if (sms.modem === 'none') return null;
  if (sms.modem !== 'ready') return t(`modem_${sms.modem}`);
  return sms.failure ? t(`sms_${sms.failure}`, { code: sms.code }) : null;
}

function reason(word, status) {
  return t(word === 'no_path' && status.sms.modem !== 'none' ? 'trouble_no_path_sms' : `trouble_${word}`);
}

export function trouble(status, tools) {
  const why = status.trouble.filter((word) => BUTTON_TROUBLES.includes(word));
  const sms = why.includes('no_path') ? smsTrouble(status) : null;
  return h('section', { id: 'trouble', class: 'trouble', role: 'alert' }, h('h1', {}, t('trouble_title')),
    ...why.map((word) => h('p', {}, reason(word, status))), sms ? h('p', { id: 'sms-trouble' }, sms) : null, call112(),
    status.enrolled ? holdButton(status, { id: 'press', label: t('try_anyway'), kind: 'anyway' }, tools) : null);
}

function position(status, { now }) {
  if (!status.fix) return h('p', { id: 'position', class: 'note' }, t('position_none'));
  return h('p', { id: 'position', class: 'note' }, t('position', { metres: status.fix.accuracy_m >= 65535 ? '?' : status.fix.accuracy_m,
    age: ago(now() - status.fix.at_ms) }));
}

function otherPresses(tools) {
  const { say } = tools;
  return h('div', { id: 'more', class: 'more' },
    twoTaps({ id: 'silent', label: t('silent'), help: t('silent_help'), yes: t('silent_yes'), act: () => say('press', '--silent') }, tools),
    twoTaps({ id: 'drill', label: t('drill'), help: t('drill_help'), yes: t('drill_yes'), act: () => say('press', '--drill') }, tools));
}

// ---- an alert ------------------------------------------------------------------------------------------------------------------

const SIGNS = { not_sent: '!', sent: '↑', kept: '↑', coming: '…', closed: '■' };
// How many of the four steps each word has behind it.
const STEPS = { not_sent: 0, sent: 1, kept: 1, received: 2, asked: 2, seen: 2, coming: 2, taken: 3, en_route: 3, on_scene: 4 };

function headline(alert) {
  if (alert.word === 'closed' && !alert.who) return [t('word_closed_nobody')];
  if (alert.word === 'sent' && !alert.sent_data_at_ms && alert.sent_sms_at_ms) return [t('word_sent_sms')];
  return withName(`word_${alert.word}`, alert.who);
}

function steps(alert) {
  const done = STEPS[alert.word];
  if (done === undefined) return null;
  return h('ol', { class: 'steps4', 'aria-hidden': 'true' }, ['sent', 'received', 'taken', 'there'].map((step, i) =>
    h('li', { class: i < done ? 'done' : '' }, h('span', {}, i < done ? '✓' : ''), t(`step_${step}`))));
}

function explanation({ alert, sms }) {
  if (alert.word === 'closed') return alert.reason ? t(`reason_${alert.reason}`) : '';
  if (alert.word === 'not_sent') return t(sms.modem === 'none' ? 'trying' : 'trying_sms');
  return alert.trying ? t('unanswered') : t(`more_${alert.word}`);
}

// Which ways it has gone, and by which the answer came: where SMS had a part in it.
function paths(alert) {
  if (!alert.sent_sms_at_ms && alert.received_path !== 'sms') return '';
  const sent = [alert.sent_data_at_ms ? t('by_data') : '', alert.sent_sms_at_ms ? t('by_sms') : ''].filter(Boolean);
  const line = [sent.length ? t('sent_by', { ways: sent.join(t('and')) }) : '', alert.received_path ? t(`received_${alert.received_path}`) : ''];
  return line.filter(Boolean).join(' · ');
}

function panel(status, brief = false) {
  const { alert } = status;
  return h('section', { id: 'alert', class: `alert ${alert.word}${alert.drill ? ' drill' : ''}${brief ? ' brief' : ''}` },
    h('p', { class: 'banner' }, t(alert.drill ? 'drill_banner' : 'alert_banner')),
    h('div', { class: 'word', role: 'alert' }, h('span', { class: 'sign', 'aria-hidden': 'true' }, SIGNS[alert.word] ?? '✓'),
      h('h1', { id: 'word' }, ...headline(alert))),
    brief ? null : [h('p', { class: 'explain' }, explanation(status)), steps(alert), h('p', { class: 'times' },
      t('pressed', { time: clock(alert.pressed_at_ms) }), alert.state_at_ms ? ` · ${t('since', { time: clock(alert.state_at_ms) })}` : ''),
    h('p', { id: 'paths', class: 'times' }, paths(alert))]);
}

function categories(alert, { say }) {
  const words = ['fall', 'aggression', 'dog', 'illness', 'other'];
  return h('section', { id: 'categories', class: 'categories' }, h('h2', {}, t('category')), h('div', {}, ...words.map((word) =>
    h('button', { id: `category-${word}`, type: 'button', 'aria-pressed': String(alert.category === word),
      onclick: () => say('category', word) }, t(`category_${word}`)))));
}

function mistake(status, tools) {
  const { local, redraw } = tools;
  if (status.vault?.state === 'destroyed' && !status.alert.mistake) return h('p', { id: 'mistake-none', class: 'note' }, t('mistake_none'));
  if (status.alert.mistake) return h('p', { id: 'mistake-told', class: 'note', role: 'status' }, t('mistake_told'));
  return h('button', { id: 'mistake', type: 'button', class: 'quiet',
    onclick: () => { local.pin = { digits: '' }; redraw(); document.getElementById('pin-pad')?.focus(); } }, t('mistake'));
}

function closed(status, tools) {
  return [status.alert.drill ? null : h('button', { id: 'still', type: 'button', class: 'wide danger', onclick: () => tools.say('still') }, t('still')),
    h('button', { id: 'dismiss', type: 'button', class: 'wide', onclick: () => tools.say('dismiss') }, t('dismiss'))];
}

export function alertView(status, tools) {
  const { alert } = status;
  if (alert.mistake || alert.word === 'closed') tools.local.pin = null;
  if (alert.word === 'closed') return [panel(status), ...closed(status, tools)];
  if (tools.local.pin) return [panel(status, true), alert.trying && !alert.drill ? call112() : null, pinPad(status, tools)];
  const sms = alert.trying ? smsTrouble(status) : null;
  return [panel(status), sms ? h('p', { id: 'sms-trouble', class: 'bad', role: 'status' }, sms) : null, alert.drill ? null : call112(alert.trying ? '' : 'small'), alert.drill ? null : categories(alert, tools),
    position(status, tools), mistake(status, tools),
    h('button', { id: 'again', type: 'button', class: 'quiet', onclick: () => tools.say('press', ...(alert.drill ? ['--drill'] : [])) }, t('again'))];
}

// ---- duty ----------------------------------------------------------------------------------------------------------------------

function proof(status) {
  const { proof: p, sms, now_ms: now } = status;
  if (!p.recorded_at_ms && !p.running) return null;
  const tick = (label, ms, otherwise) => h('li', { class: ms ? 'done' : 'waiting' }, h('span', { 'aria-hidden': 'true' }, ms ? '✓' : '…'),
    h('span', {}, t(label)), h('small', {}, !ms ? otherwise : now - ms < DAY_MS ? clock(ms) : day(ms)));
  return h('section', { id: 'proof', class: 'proof' }, h('h2', {}, t('proof')), h('ul', {}, tick('proof_recorded', p.recorded_at_ms, t('proof_waiting')),
    tick('proof_sent', p.sent_at_ms, t('proof_waiting')), tick('proof_proved', p.proved_at_ms, t('proof_waiting')),
    tick('proof_fix', p.fix_at_ms, t('proof_waiting')), tick('proof_sms', p.sms_at_ms, t(sms.modem === 'none' ? 'proof_sms_none' : 'proof_sms_never'))));
}

// The end of a day of eight hours from now, on the quarter.
const usualEnd = (now) => hourMinute(Math.round((now + DUTY_MS) / QUARTER_MS) * QUARTER_MS);

function dutyForm(status, { say, local, redraw, now }) {
  const carrier = status.role === 'carrier';
  const last = (what) => status.duty[what] || kept(what);
  const field = (id, value, type, hint = {}) => h('p', { id: `${id}-field` }, h('label', { for: id }, t(`duty_${id}`)),
    h('input', { id, type, value, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', ...hint }));
  const start = (event) => {
    event.preventDefault();
    const value = (id) => document.getElementById(id)?.value.trim() ?? '';
    const words = ['duty', 'on', '--until', value('end')];
    for (const what of ['person', 'round']) {
      if (value(what)) words.push(`--${what}`, value(what));
      if (carrier) keep(what, value(what));
    }
    document.activeElement?.blur();
    say(...words).then((answer) => { local.notStarted = !answer.ok; redraw(); });
  };
  const refused = status.duty.state === 'refused' ? `duty_refused_${status.duty.code}` : local.notStarted ? 'duty_refused_0' : null;
  return h('form', { id: 'duty-form', class: 'panel', onsubmit: start },
    refused ? h('p', { id: 'duty-refused', class: 'bad', role: 'alert' }, t(refused)) : null,
    carrier ? field('person', last('person'), 'text') : null,
    carrier ? field('round', last('round'), 'text') : null,
    field('end', usualEnd(now()), 'time'),
    h('button', { id: 'duty-on', type: 'submit', class: 'wide go' }, t('duty_start')));
}

function dutyEnds(d, { say, now }) {
  const words = ['duty', 'on', '--until', hourMinute(Math.max(now(), d.until_ms) + 3600000)];
  if (d.person) words.push('--person', d.person);
  if (d.round) words.push('--round', d.round);
  return h('div', { id: 'duty-ends', class: 'ask', role: 'alert' }, h('h1', {}, t('duty_ends')),
    h('button', { id: 'duty-more', type: 'button', class: 'wide', onclick: () => say(...words) }, t('duty_more')),
    h('button', { id: 'duty-done', type: 'button', class: 'wide', onclick: () => say('duty', 'off') }, t('duty_stop')));
}

export function duty(status, tools) {
  const d = status.duty;
  if (d.state === 'off' || d.state === 'refused') {
    return h('section', { id: 'duty', class: 'duty' }, h('h2', {}, t('duty_off')), h('p', { class: 'note' }, t('duty_off_help')), dutyForm(status, tools));
  }
  tools.local.notStarted = false;
  return h('section', { id: 'duty', class: 'duty' },
    h('h2', {}, ...(d.state === 'asked' ? [t('duty_asked')] : withName('duty_on', d.name))),
    h('p', { class: 'note' }, d.round ? [name(d.round), ' · '] : '', t('duty_until', { time: clock(d.until_ms) })),
    proof(status),
    twoTaps({ id: 'duty-off', label: t('duty_stop'), help: t('duty_off_help'), yes: t('duty_stop'), act: () => tools.say('duty', 'off') }, tools));
}

// ---- questions -----------------------------------------------------------------------------------------------------------------

export function questions(status, tools) {
  const { say, now } = tools;
  const left = (ms) => Math.max(0, Math.ceil((ms - now()) / 1000));
  const ask = (id, key, ms) => h('section', { id: `ask-${id}`, class: 'ask' }, h('h1', { role: 'alert' }, t(key)),
    ms ? h('p', { class: 'count', role: 'timer' }, t('leaves_in', { seconds: left(ms) })) : null,
    h('button', { id: `fine-${id}`, type: 'button', class: 'wide go', onclick: () => say('fine') }, t('fine')));
  return [status.question ? ask('question', 'question') : null,
    status.man_down_at_ms ? ask('man-down', 'man_down', status.man_down_at_ms) : null,
    status.missed_at_ms ? ask('missed', 'missed', status.missed_at_ms) : null,
    status.duty.ends && status.duty.state !== 'off' ? dutyEnds(status.duty, tools) : null];
}

function checkIn(status, { say }) {
  if (!status.check_in_at_ms || status.missed_at_ms || status.entered_at_ms) return null;
  return h('p', { id: 'check-in-line', class: 'row' }, h('span', {}, t('check_in', { time: clock(status.check_in_at_ms) })),
    h('button', { id: 'check-in', type: 'button', onclick: () => say('check-in', 'done') }, t('check_in_done')));
}

// What does not stop the button.  Where it does, why no SMS leaves is said there.
function minorTroubles(status) {
  const words = status.trouble.filter((word) => !BUTTON_TROUBLES.includes(word) && word !== 'no_fix').map((word) => t(`trouble_${word}`));
  if (!status.trouble.includes('no_path')) words.push(smsTrouble(status));
  const said = words.filter(Boolean).join(' ');
  return status.enrolled && said ? h('p', { id: 'minor', class: 'bad' }, said) : null;
}

// No data, and the button works all the same.
function smsOnly(status) {
  return status.sms.modem === 'ready' && (status.link === 'down' || status.link === 'connecting') && status.button
    ? h('p', { id: 'sms-only', class: 'note' }, t('sms_only')) : null;
}

// The button while the screen is for a door: always there, at the bottom.
function bar(status, tools) {
  const works = showsWorking(status, tools);
  return h('div', { id: 'bar', class: works ? 'bar' : 'bar bad' }, works ? null : h('p', {}, t('trouble_title')), works ? null : call112('small'),
    holdButton(status, { id: 'press', label: t(works ? 'button' : 'try_anyway'), kind: works ? 'low' : 'anyway' }, tools));
}

export function carrierView(status, tools) {
  const { alert } = status;
  const works = showsWorking(status, tools);
  if (alert && !alert.drill) return [questions(status, tools), alertView(status, tools)];
  if (status.enrolled && passMode(status, tools.local)) return [questions(status, tools), passesView(status, tools), bar(status, tools)];
  const button = works ? [holdButton(status, { id: 'press', label: t('button'), kind: 'round' }, tools), position(status, tools), smsOnly(status)]
    : [trouble(status, tools)];
  return [questions(status, tools), alert ? alertView(status, tools).filter((part) => part?.id !== 'position') : null, button, minorTroubles(status),
    checkIn(status, tools), openings(status, tools), doors(status, tools), alert || !status.enrolled ? null : otherPresses(tools), status.enrolled ? duty(status, tools) : null];
}
