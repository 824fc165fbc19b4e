// Opening doors: the vault's PIN, the buildings, the code that a caretaker or a scanner reads, what the door said, the quiet timer.
// While it is on, the whole screen is for the door but for the panic button, which is a bar at the bottom.
import { clock, day, distance, h, minutes, name, svg, t } from './dom.js';
import { keypad } from './keypad.js';

const SHOWN_MAX = 12; // buildings at once; the rest by searching
const QUIET_ZONE = 4; // modules around a QR code (ISO/IEC 18004)
const DOOR_WORDS = ['opened', 'too_long', 'malformed', 'unknown_key', 'wrong_use', 'forged', 'not_yet', 'over', 'revoked', 'list_too_old',
  'other_building', 'outside_hours', 'not_so', 'other_proof', 'stale', 'unproved', 'replayed'];

const button = (id, label, onclick, kind = 'wide', more = {}) => h('button', { id, type: 'button', class: kind, onclick, ...more }, label);
const note = (id, text, kind = 'note') => h('p', { id, class: kind, role: 'status' }, text);

const verdict = (status) => (status.door && (status.door.word || status.door.trouble) ? status.door : null);

// Whether the screen is for the door now.
export function passMode(status, local) {
  return Boolean(status.vault && (local.passes || status.shown || status.door?.held || status.door?.waits));
}

function leave({ say, local, redraw }) {
  local.passes = null;
  say('hide');
  if (local.door) say('door', 'away');
  local.door = false;
  redraw();
}

// ---- the quiet timer -----------------------------------------------------------------------------------------------------------

function entered(status, { say }) {
  if (!status.entered_at_ms) return null;
  return h('section', { id: 'entered', class: 'panel' }, h('p', {}, h('strong', {}, status.entered ? name(status.entered) : t('entered')), ' · ',
    t('entered_until', { time: clock(status.check_in_at_ms) })), button('timer-over', t('entered_over'), () => say('left'), 'wide go'));
}

function offerTimer(building, tools) {
  const { say } = tools;
  const start = (n) => () => { if (n) say('entered', building, String(n)); leave(tools); };
  return h('section', { id: 'timer', class: 'panel' }, h('h2', {}, t('timer')), h('p', { class: 'note' }, t('timer_help')),
    h('div', { class: 'three' }, ...[10, 20, 30].map((n) => button(`timer-${n}`, t('timer_minutes', { n }), start(n), 'go'))),
    button('timer-none', t('timer_none'), start(0), 'quiet'));
}

// ---- the vault -----------------------------------------------------------------------------------------------------------------

function said(vault) {
  if (vault.state === 'waiting') return t('vault_wait', { time: minutes(vault.wait_ms) });
  if (vault.said === 'wrong') return t('vault_said_wrong', { n: vault.tries_left });
  return vault.said ? t(`vault_said_${vault.said}`) : '';
}

function forgotten(vault, { say }) {
  if (!vault.challenge) return button('forgot', t('forgot'), () => say('forgot'), 'quiet');
  return h('section', { id: 'forgotten', class: 'panel' }, h('h2', {}, t('forgot_title')), h('p', {}, t('forgot_help')),
    h('p', { id: 'challenge', class: 'code' }, vault.challenge.match(/.{4}/g).join(' ')));
}

function unlock(status, tools) {
  const { say, local, redraw } = tools;
  const { vault } = status;
  const pin = local.passes.pin ??= { digits: '' };
  pin.checking = pin.sent || vault.working || vault.wait_ms > 0;
  const send = (digits) => {
    pin.sent = true;
    say('unlock', digits).then((answer) => { Object.assign(pin, { sent: false, refused: !answer.ok }); redraw(); });
    redraw();
  };
  const pad = keypad({ id: 'vault', prefix: 'vault-pin', title: t(status.door?.waits ? 'door_waits' : 'vault_pin'), pin, bad: !pin.sent && !vault.working,
    said: pin.sent || vault.working ? t('pin_checking') : pin.digits ? '' : said(vault), send, leave: () => leave(tools), redraw });
  return vault.challenge ? [forgotten(vault, tools), pad] : [pad, forgotten(vault, tools)];
}

// A PIN twice, and if the carrier wants one a duress PIN twice.
function setPin(status, tools) {
  const { say, local, redraw } = tools;
  const { vault } = status;
  const set = local.passes.set ??= { step: 'new', pin: { digits: '' } };
  const go = (step, why = '') => { Object.assign(set, { step, why, pin: { digits: '' } }); redraw(); };
  const finish = (...pins) => {
    Object.assign(set, { sent: true, first: '', duress: '' });
    say('pin', 'set', ...pins).then((answer) => {
      set.sent = false;
      if (!answer.ok) go('new', 'refused');
      else Object.assign(local.passes ?? {}, { set: null, changing: false });
      redraw();
    });
    redraw();
  };
  const take = {
    new: (digits) => { set.first = digits; go('repeat'); },
    repeat: (digits) => (digits === set.first ? go('choice') : go('new', 'differ')),
    duress: (digits) => { set.duress = digits; go('duress_repeat'); },
    duress_repeat: (digits) => (digits === set.duress ? finish(set.first, digits) : go('duress', 'differ')),
  };
  const why = set.why === 'differ' ? t('set_differ') : set.why === 'refused' ? said(vault) : '';
  if (set.sent || vault.working) return [note('set-working', t('pin_checking'))];
  if (set.step === 'choice') {
    return [h('section', { id: 'vault', class: 'panel' }, h('h2', {}, t('set_choice')), h('p', {}, t('set_choice_help')),
      button('set-without', t('set_without'), () => finish(set.first), 'wide go'), button('set-duress', t('set_with'), () => go('duress')),
      button('set-leave', t('cancel'), () => leave(tools), 'quiet'))];
  }
  return [set.step === 'new' ? h('p', { class: 'note' }, t('set_help')) : null,
    keypad({ id: 'vault', prefix: 'vault-pin', title: t(`set_${set.step}`), pin: set.pin, said: why, bad: true, send: take[set.step],
      leave: () => leave(tools), redraw })];
}

function destroyed(vault, tools) {
  return [h('section', { id: 'destroyed', class: 'ask' }, h('h1', {}, t('destroyed')), h('p', {}, t('destroyed_help'))), forgotten(vault, tools)];
}

// ---- buildings -----------------------------------------------------------------------------------------------------------------

const plain = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

// All buildings of a pass: what the status holds, or what was asked for piece by piece.
function buildingsOf(pass, { say, local, redraw }) {
  if (pass.building_count <= pass.buildings.length) return pass.buildings;
  const all = local.passes.all ??= {};
  if (!all[pass.id]) {
    const list = all[pass.id] = [];
    const more = () => say('buildings', pass.id, String(list.length)).then((answer) => {
      if (!answer.ok || !answer.buildings?.length) return;
      list.push(...answer.buildings);
      redraw();
      if (list.length < answer.building_count) more();
    });
    more();
  }
  return all[pass.id].length ? all[pass.id] : pass.buildings;
}

function choices(status, tools) {
  const found = new Map();
  for (const pass of status.passes.filter(({ state }) => state === 'good')) {
    for (const building of buildingsOf(pass, tools)) if (!found.has(building.id)) found.set(building.id, { ...building, pass });
  }
  return [...found.values()];
}

function askForm(status, { say, local, redraw }) {
  const send = (event) => {
    event.preventDefault();
    const value = (id) => document.getElementById(id).value.trim();
    say('ask-pass', value('ask-round'), value('ask-until')).then((answer) => { local.passes.notAsked = !answer.ok; redraw(); });
    document.activeElement?.blur();
  };
  const field = (id, label, type, value) => h('p', { id: `${id}-field` }, h('label', { for: id }, label), h('input', { id, type, value, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' }));
  const end = new Date(status.duty.until_ms || Date.now() + 4 * 3600000);
  return h('form', { id: 'ask-pass', class: 'panel', onsubmit: send }, h('h2', {}, t('ask_pass')),
    status.asked_pass ? note('ask-said', t(`asked_${status.asked_pass}`)) : null, local.passes.notAsked ? note('ask-not', t('asked_wrong'), 'bad') : null,
    field('ask-round', t('duty_round'), 'text', status.duty.round),
    field('ask-until', t('ask_until'), 'time', `${String(end.getHours()).padStart(2, '0')}:${String(end.getMinutes()).padStart(2, '0')}`),
    h('button', { id: 'ask-send', type: 'submit', class: 'wide' }, t('ask_send')));
}

function when(pass) {
  const words = { good: 'pass_good', early: 'pass_early', over: 'pass_over', outside_hours: 'pass_outside', revoked: 'pass_revoked' };
  return h('li', { class: pass.state }, t(words[pass.state], { from: `${day(pass.from_ms)} ${clock(pass.from_ms)}`, until: clock(pass.until_ms), n: pass.building_count }));
}

function list(status, tools) {
  const { say, local, redraw } = tools;
  const all = choices(status, tools);
  const wanted = plain(local.passes.search ?? '').split(/\s+/).filter(Boolean);
  const found = all.filter((b) => wanted.every((word) => plain(b.name).includes(word)));
  const search = (event) => { local.passes.search = event.currentTarget.value; redraw(); };
  const show = (b) => () => say('show', b.pass.id, b.id).then((answer) => { local.passes.notShown = !answer.ok; redraw(); });
  return [h('section', { id: 'passes', class: 'passes' }, h('h1', {}, t('which_building')),
    all.length ? h('input', { id: 'pass-search', type: 'search', placeholder: t('search'), 'aria-label': t('search'), autocomplete: 'off', oninput: search }) : null,
    local.passes.notShown ? note('not-shown', t('not_shown'), 'bad') : null,
    all.length ? null : note('no-pass', t(status.passes.length ? 'no_pass_now' : 'no_pass')),
    h('ul', { class: 'buildings' }, ...found.slice(0, SHOWN_MAX).map((b) => h('li', { id: `at-${b.id}` }, h('button', { id: `building-${b.id}`, type: 'button', onclick: show(b) },
      name(b.name), b.distance_m === null ? null : h('small', {}, distance(b.distance_m)))))),
    all.length && !found.length ? note('none-found', t('none_found')) : null,
    found.length > SHOWN_MAX ? note('more-found', t('more_found', { n: found.length - SHOWN_MAX })) : null,
    h('ul', { class: 'note' }, ...status.passes.map(when)),
    status.door ? button('door-hold', t('door_hold'), () => { local.door = true; say('door'); }) : null,
    all.length ? null : askForm(status, tools),
    h('p', { class: 'row' }, button('vault-lock', t('vault_lock'), () => { say('lock'); leave(tools); }, 'quiet'),
      button('vault-change', t('set_change'), () => { local.passes.set = null; local.passes.changing = true; redraw(); }, 'quiet')),
    button('passes-leave', t('cancel'), () => leave(tools)))];
}

// ---- the code ------------------------------------------------------------------------------------------------------------------

// One path for all dark modules, run by run.
function modules(rows) {
  return rows.map((row, y) => [...row.matchAll(/1+/g)].map(({ index, 0: run }) => `M${index} ${y}h${run.length}v1h-${run.length}z`).join('')).join('');
}

function code(shown) {
  const side = shown.qr.length + 2 * QUIET_ZONE;
  return svg('svg', { id: 'qr', role: 'img', 'aria-label': t('qr'), viewBox: `${-QUIET_ZONE} ${-QUIET_ZONE} ${side} ${side}`, 'shape-rendering': 'crispEdges' },
    svg('rect', { x: -QUIET_ZONE, y: -QUIET_ZONE, width: side, height: side, fill: '#fff' }), svg('path', { d: modules(shown.qr), fill: '#000' }));
}

function shownView(status, tools) {
  const { say, local, now } = tools;
  const { shown } = status;
  const pass = status.passes.find(({ id }) => id === shown.pass);
  const way = (to) => button(`way-${to}`, t(`way_${to}`), () => say('show', shown.pass, shown.building, to), 'quiet', { 'aria-pressed': String(shown.way === to) });
  return [h('section', { id: 'shown', class: 'shown-code' }, h('h1', {}, name(shown.name)), h('p', { id: 'shown-what' }, t(`shown_${shown.way}`)),
    pass?.state === 'revoked' ? note('shown-revoked', t('pass_revoked'), 'bad') : null,
    shown.qr ? code(shown) : note('qr-wait', t('qr_wait')),
    h('p', { id: 'qr-left', role: 'timer', 'aria-live': 'off' }, t('qr_left', { n: Math.max(0, Math.ceil((shown.until_ms - now()) / 1000)) })),
    h('p', { class: 'row' }, button('i-am-in', t('i_am_in'), () => { (local.passes ??= {}).entered = shown.building; say('hide'); tools.redraw(); }, 'go'),
      button('shown-leave', t('other_door'), () => { local.passes ??= {}; say('hide'); }, 'quiet')),
    pass?.ways.length > 1 ? h('p', { class: 'row ways' }, ...pass.ways.map(way)) : null,
    status.door ? button('door-hold', t('door_hold'), () => { local.door = true; say('door'); }) : null)];
}

// ---- what the door said --------------------------------------------------------------------------------------------------------

function doorView(status, tools) {
  const { door } = status;
  const { say, local } = tools;
  const away = button('door-leave', t('cancel'), () => { say('door', 'away'); local.door = false; local.passes ??= {}; tools.redraw(); }, 'quiet');
  if (!verdict(status)) return [h('section', { id: 'door', class: 'panel' }, h('h1', { role: 'status' }, t('door_held')), h('p', {}, t('door_held_help')), away)];
  if (door.word === 'opened') {
    return [h('section', { id: 'door-verdict', class: 'verdict good', role: 'status' }, h('span', { class: 'sign', 'aria-hidden': 'true' }, '✓'),
      h('h1', {}, t('door_opened')), door.name ? h('p', {}, name(door.name)) : null), offerTimer(door.building, tools)];
  }
  const word = door.word ? (DOOR_WORDS.includes(door.word) ? door.word : 'unknown') : door.trouble;
  return [h('section', { id: 'door-verdict', class: 'verdict', role: 'alert' }, h('span', { class: 'sign', 'aria-hidden': 'true' }, '✕'),
    h('h1', {}, t(`door_${word}`)), h('p', {}, t(`door_next_${word}`)), door.refusal ? h('p', { class: 'note' }, t('door_number', { n: door.refusal })) : null,
    button('door-again', t('door_again'), () => say('door'), 'wide'), away)];
}

// ---- the whole -----------------------------------------------------------------------------------------------------------------

export function passesView(status, tools) {
  const { vault, door } = status;
  const { local } = tools;
  local.passes ??= {};
  if (local.passes.entered) return [offerTimer(local.passes.entered, tools)];
  if (vault.state === 'open') local.passes.pin = null;
  if (vault.state === 'none' || (vault.state === 'open' && local.passes.changing)) return [entered(status, tools), ...setPin(status, tools)];
  if (door && (door.held || verdict(status)) && !(door.waits && vault.state !== 'open')) return [entered(status, tools), ...doorView(status, tools)];
  if (vault.state === 'destroyed') return [...destroyed(vault, tools), button('passes-leave', t('cancel'), () => leave(tools))];
  if (vault.state !== 'open') return unlock(status, tools);
  return status.shown ? shownView(status, tools) : [entered(status, tools), ...list(status, tools)];
}

// On the first screen: one button, and the timer that runs.
export function doors(status, tools) {
  const { local, redraw } = tools;
  if (!status.vault || !status.enrolled) return null;
  const words = { none: 'doors_none', destroyed: 'doors_destroyed' };
  return h('section', { id: 'doors-section', class: 'doors' }, entered(status, tools),
    button('doors', t(words[status.vault.state] ?? 'doors'), () => { local.passes = {}; redraw(); document.getElementById('vault')?.focus(); window.scrollTo(0, 0); }));
}
