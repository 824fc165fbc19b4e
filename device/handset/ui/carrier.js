// What a carrier sees: the button, or how far the alert is; duty; the proof of the button.
import { ago, clock, h, memory, name, t, withName } from './dom.js';

const BUTTON_TROUBLES = ['not_enrolled', 'journal', 'no_path', 'key'];
const PIN_MAX = 8;

function call112() {
  return h('a', { href: 'tel:112', class: 'call' }, t('call_112'));
}

// ---- the button ----------------------------------------------------------------------------------------------------------------

function bigButton(status, { say, local, redraw }) {
  const down = (event) => {
    event.preventDefault();
    local.touching = true;
    event.currentTarget.setPointerCapture?.(event.pointerId);
    event.currentTarget.classList.add('held');
    say('touch', 'down');
  };
  const up = () => {
    if (!local.touching) return;
    local.touching = false;
    say('touch', 'up').then(redraw);
  };
  const key = (event) => {
    if (event.repeat || (event.key !== 'Enter' && event.key !== ' ')) return;
    event.preventDefault();
    if (event.type === 'keydown') say('touch', 'down');
    else say('touch', 'up');
  };
  return h('button', { id: 'press', type: 'button', class: status.touching ? 'held' : '', onpointerdown: down, onpointerup: up,
    onpointercancel: up, onkeydown: key, onkeyup: key, oncontextmenu: (event) => event.preventDefault() },
  h('span', { class: 'big' }, t('button')), h('span', {}, t(status.touching ? 'button_holding' : 'button_hold')));
}

function trouble(status, tools) {
  const why = status.trouble.filter((word) => BUTTON_TROUBLES.includes(word));
  return h('section', { class: 'trouble', role: 'alert' }, h('h1', {}, t('trouble_title')),
    ...why.map((word) => h('p', {}, t(`trouble_${word}`))), call112(),
    status.enrolled ? h('button', { id: 'anyway', type: 'button', class: 'quiet', onclick: () => tools.say('press') }, t('try_anyway')) : null);
}

function position(status, { now }) {
  if (!status.fix) return h('p', { class: 'note' }, t('position_none'));
  return h('p', { class: 'note' }, t('position', { metres: status.fix.accuracy_m >= 65535 ? '?' : status.fix.accuracy_m,
    age: ago(now() - status.fix.at_ms) }));
}

function otherPresses({ say, local, redraw }) {
  const open = local.more === true;
  return h('div', { class: 'more' },
    h('button', { id: 'silent', type: 'button', class: 'quiet', onclick: () => { local.more = !open; redraw(); } }, t('silent')),
    open ? h('div', { class: 'panel' }, h('p', {}, t('silent_help')),
      h('button', { id: 'silent-yes', type: 'button', onclick: () => { local.more = false; say('press', '--silent').then(redraw); } }, t('ok'))) : null,
    h('button', { id: 'drill', type: 'button', class: 'quiet', onclick: () => say('press', '--drill') }, t('drill')));
}

// ---- an alert ------------------------------------------------------------------------------------------------------------------

function headline(alert) {
  if (alert.word === 'closed' && !alert.who) return [t('word_closed_nobody')];
  return withName(`word_${alert.word}`, alert.who);
}

function categories(alert, { say }) {
  const words = ['fall', 'aggression', 'dog', 'illness', 'other'];
  return h('section', { class: 'categories' }, h('p', {}, t('category')), h('div', {}, ...words.map((word) =>
    h('button', { id: `category-${word}`, type: 'button', 'aria-pressed': String(alert.category === word),
      onclick: () => say('category', word) }, t(`category_${word}`)))));
}

function pinPad(status, { say, local, redraw }) {
  const send = (event) => {
    event.preventDefault();
    const input = document.getElementById('pin');
    local.pins = status.wrong_pins;
    local.checking = true;
    say('cancel', input.value);
    input.value = '';
    input.blur();
    redraw();
  };
  if (local.checking && (status.alert?.mistake || status.wrong_pins > local.pins)) local.checking = false;
  if (status.alert?.mistake) local.pin = false;
  return h('form', { class: 'panel', onsubmit: send },
    h('label', { for: 'pin' }, t('pin')),
    h('input', { id: 'pin', type: 'password', inputmode: 'numeric', autocomplete: 'off', maxlength: PIN_MAX }),
    h('p', { role: 'status' }, local.checking ? t('pin_checking') : status.wrong_pins > (local.pins ?? status.wrong_pins) ? t('pin_wrong') : ''),
    h('button', { type: 'submit' }, t('ok')),
    h('button', { type: 'button', class: 'quiet', onclick: () => { local.pin = false; redraw(); } }, t('cancel')));
}

function mistake(status, tools) {
  const { local, redraw } = tools;
  if (status.alert.mistake) return h('p', { class: 'note' }, t('mistake_told'));
  if (local.pin) return pinPad(status, tools);
  return h('button', { id: 'mistake', type: 'button', class: 'quiet', onclick: () => { local.pin = true; redraw(); } }, t('mistake'));
}

function closed(alert, { say }) {
  return [h('p', { class: 'reason' }, t(`reason_${alert.reason}`)),
    h('button', { id: 'still', type: 'button', class: 'wide danger', onclick: () => say('still') }, t('still')),
    h('button', { id: 'dismiss', type: 'button', class: 'quiet', onclick: () => say('dismiss') }, t('dismiss'))];
}

function alertView(status, tools) {
  const { alert } = status;
  const more = `more_${alert.word}`;
  const parts = [h('section', { class: `alert ${alert.word}${alert.drill ? ' drill' : ''}`, role: 'alert', 'aria-live': 'assertive' },
    alert.drill ? h('p', { class: 'banner' }, t('drill_banner')) : null,
    h('h1', { id: 'word' }, ...headline(alert)),
    alert.word === 'closed' ? null : h('p', { class: 'explain' }, t(more)),
    h('p', { class: 'times' }, t('pressed', { time: clock(alert.pressed_at_ms) }),
      alert.state_at_ms ? ` · ${t('since', { time: clock(alert.state_at_ms) })}` : ''))];
  if (alert.trying && !alert.drill) parts.push(call112());
  if (alert.word === 'closed') return parts.concat(closed(alert, tools));
  if (!alert.drill) parts.push(categories(alert, tools));
  parts.push(position(status, tools), mistake(status, tools),
    h('button', { id: 'again', type: 'button', class: 'quiet', onclick: () => tools.say('press', ...(alert.drill ? ['--drill'] : [])) }, t('again')));
  return parts;
}

// ---- duty ----------------------------------------------------------------------------------------------------------------------

function proof(status) {
  const p = status.proof;
  if (!p.recorded_at_ms && !p.running) return null;
  const tick = (label, ms, otherwise) => h('li', { class: ms ? 'done' : 'waiting' }, h('span', { 'aria-hidden': 'true' }, ms ? '✓' : '…'),
    ` ${t(label)} `, h('small', {}, ms ? clock(ms) : otherwise));
  return h('section', { class: 'proof' }, h('h2', {}, t('proof')), h('ul', {}, tick('proof_recorded', p.recorded_at_ms, t('proof_waiting')),
    tick('proof_sent', p.sent_at_ms, t('proof_waiting')), tick('proof_proved', p.proved_at_ms, t('proof_waiting')),
    tick('proof_fix', p.fix_at_ms, t('proof_waiting')), tick('proof_sms', p.sms_at_ms, t('proof_sms_later'))));
}

function dutyForm(status, { say, local, redraw }) {
  const value = (id) => document.getElementById(id).value.trim();
  const field = (id, label, text, type = 'text') => h('p', {}, h('label', { for: id }, t(label)), h('input', { id, type, value: text, autocomplete: 'off' }));
  const start = (event) => {
    event.preventDefault();
    const words = ['duty', 'on', '--until', value('end')];
    if (value('person')) words.push('--person', value('person'));
    if (value('round')) words.push('--round', value('round'));
    memory.set('person', value('person'));
    memory.set('round', value('round'));
    document.activeElement?.blur();
    say(...words).then((answer) => { local.why = answer.ok ? '' : answer.why; redraw(); });
  };
  return h('form', { class: 'panel duty', onsubmit: start },
    status.duty.state === 'refused' ? h('p', { class: 'bad' }, t(`duty_refused_${status.duty.code}`)) : null,
    local.why ? h('p', { class: 'bad' }, local.why) : null,
    status.role === 'carrier' ? field('person', 'duty_person', status.duty.person || memory.get('person')) : null,
    status.role === 'carrier' ? field('round', 'duty_round', status.duty.round || memory.get('round')) : null,
    status.role === 'carrier' ? null : h('input', { id: 'person', type: 'hidden', value: '' }),
    status.role === 'carrier' ? null : h('input', { id: 'round', type: 'hidden', value: '' }),
    field('end', 'duty_end', local.end ?? '17:00', 'time'),
    h('button', { id: 'duty-on', type: 'submit', class: 'wide' }, t('duty_start')));
}

export function duty(status, tools) {
  const { say, now } = tools;
  const d = status.duty;
  if (d.state === 'off' || d.state === 'refused') {
    return h('section', { class: 'duty' }, h('h2', {}, t('duty_off')), h('p', { class: 'note' }, t('duty_off_help')), dutyForm(status, tools));
  }
  const hour = () => new Date(Math.max(now(), d.until_ms) + 3600000).toTimeString().slice(0, 5);
  return h('section', { class: 'duty' },
    h('h2', {}, ...(d.state === 'asked' ? [t('duty_asked')] : t('duty_on', { name: '\u0000' }).split('\u0000').flatMap((part, i) => (i ? [name(d.name), part] : [part])))),
    h('p', { class: 'note' }, [d.round, t('duty_until', { time: clock(d.until_ms) })].filter(Boolean).join(' · ')),
    d.ends ? h('div', { class: 'panel', role: 'alert' }, h('p', {}, t('duty_ends')),
      h('button', { id: 'duty-more', type: 'button', onclick: () => say('duty', 'on', '--until', hour(), ...(d.person ? ['--person', d.person] : []), ...(d.round ? ['--round', d.round] : [])) }, t('duty_more'))) : null,
    h('button', { id: 'duty-off', type: 'button', class: 'quiet', onclick: () => say('duty', 'off') }, t('duty_stop')));
}

// ---- questions -----------------------------------------------------------------------------------------------------------------

export function questions(status, { say, now }) {
  const fine = () => h('button', { id: 'fine', type: 'button', class: 'wide', onclick: () => say('fine') }, t('fine'));
  const left = (ms) => Math.max(0, Math.round((ms - now()) / 1000));
  const list = [];
  if (status.question) list.push(h('section', { class: 'ask', role: 'alert' }, h('h1', {}, t('question')), fine()));
  if (status.man_down_at_ms) list.push(h('section', { class: 'ask', role: 'alert' }, h('h1', {}, t('man_down', { seconds: left(status.man_down_at_ms) })), fine()));
  if (status.missed_at_ms) list.push(h('section', { class: 'ask', role: 'alert' }, h('h1', {}, t('missed', { seconds: left(status.missed_at_ms) })), fine()));
  if (status.check_in_at_ms) {
    list.push(h('p', { class: 'note' }, t('check_in', { time: clock(status.check_in_at_ms) }), ' ',
      h('button', { id: 'check-in', type: 'button', class: 'quiet', onclick: () => say('check-in', 'done') }, t('check_in_done'))));
  }
  return list;
}

export function carrierView(status, tools) {
  const open = status.alert;
  const others = status.trouble.filter((word) => !BUTTON_TROUBLES.includes(word) && word !== 'no_fix');
  const parts = questions(status, tools);
  if (open) parts.push(...alertView(status, tools));
  else if (!status.button) parts.push(trouble(status, tools));
  else parts.push(bigButton(status, tools), position(status, tools));
  if (!open || open.drill) {
    if (open?.drill && status.button) parts.push(bigButton(status, tools));
    if (others.length) parts.push(h('p', { class: 'bad' }, others.map((word) => t(`trouble_${word}`)).join(' ')));
    if (!open && status.button) parts.push(otherPresses(tools));
    if (status.enrolled) parts.push(duty(status, tools), proof(status) ?? '');
  }
  return parts;
}
