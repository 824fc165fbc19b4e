// What a supervisor's phone shows: what rings, and the one obvious next step for each.
import { ago, clock, distance, h, name, t, withName } from './dom.js';
import { duty, questions } from './carrier.js';

const SILENT_AFTER_MS = 20000;
const STATE_WORDS = { en_route: 'state_en_route', on_scene: 'state_on_scene' };

function facts(ring, { now }) {
  const list = [h('p', { class: 'who' }, ring.carrier ? name(ring.carrier) : t('who_unknown'))];
  list.push(h('p', {}, `${t(`kind_${ring.kind}`)}${ring.category !== 'none' ? ` : ${t(`category_${ring.category}`)}` : ''} · ${ago(now() - ring.raised_at_ms)}`));
  for (const mark of ring.marks) if (t(`mark_${mark}`)) list.push(h('p', { class: `mark ${mark}` }, t(`mark_${mark}`)));
  list.push(h('p', {}, ring.zone ? name(ring.zone) : '', ring.place ? ` · ${ring.distance_m === null ? t('distance_unknown') : t('distance', { distance: distance(ring.distance_m) })}` : t('no_place')));
  if (ring.reason === null && now() - ring.heard_at_ms > SILENT_AFTER_MS) {
    list.push(h('p', { class: 'mark' }, t('silent_since', { time: clock(ring.heard_at_ms) })));
  }
  return list;
}

function stateLine(ring) {
  if (ring.state === 'closed') return withName('state_closed', ring.closed_by);
  if (ring.mine) return [t('state_mine')];
  if (ring.owner) return withName(STATE_WORDS[ring.state] ?? 'state_owner', ring.owner);
  return [t('state_free')];
}

function links(ring) {
  const quiet = ring.marks.includes('silent') || ring.marks.includes('duress');
  return h('p', { class: 'links' },
    ring.place ? h('a', { href: `geo:${ring.place.lat.toFixed(6)},${ring.place.lon.toFixed(6)}` }, t('map')) : null,
    ring.number && !quiet ? h('a', { href: `tel:${ring.number}` }, t('call', { number: ring.number })) : null);
}

function closeChoices(ring, { say, local, redraw }) {
  const reasons = ring.kind === 'drill' ? ['drill-over'] : ['helped', 'mistake', '112', 'no-danger', 'other'];
  return h('div', { class: 'panel' }, h('p', {}, t('close_why')), ...reasons.map((reason) =>
    h('button', { id: `close-${reason}-${ring.id}`, type: 'button', onclick: () => { local.closing = null; say('close', ring.id, reason).then(redraw); } }, t(`close_${reason}`))),
  h('button', { type: 'button', class: 'quiet', onclick: () => { local.closing = null; redraw(); } }, t('cancel')));
}

function steps(ring, tools) {
  const { say, local, redraw } = tools;
  const step = (word, label, kind = '') => h('button', { id: `${word}-${ring.id}`, type: 'button', class: kind, disabled: ring.asking !== null,
    onclick: () => say(word, ring.id) }, t(label));
  if (ring.state === 'closed') return [h('button', { id: `dismiss-${ring.id}`, type: 'button', class: 'quiet', onclick: () => say('dismiss') }, t('dismiss'))];
  if (ring.mine) {
    return [ring.state === 'taken' ? step('on-my-way', 'en_route', 'wide') : null, ring.state !== 'on_scene' ? step('with-them', 'on_scene', 'wide') : null,
      local.closing === ring.id ? closeChoices(ring, tools)
        : h('button', { id: `close-${ring.id}`, type: 'button', class: 'wide', onclick: () => { local.closing = ring.id; redraw(); } }, t('close')),
      step('release', 'release', 'quiet')];
  }
  if (ring.owner && !ring.marks.includes('no_news')) return [ring.joined ? h('p', {}, t('state_joined')) : step('join', 'join')];
  return [step('take', 'take', 'wide danger')];
}

function card(ring, tools) {
  const drill = ring.marks.includes('drill');
  return h('article', { id: `alert-${ring.id}`, class: `ring level${ring.level} ${ring.state}${drill ? ' drill' : ''}`, role: 'alert' },
    h('h1', {}, t(drill ? 'ring_drill' : 'ring_title')), ...facts(ring, tools), h('p', { class: 'state' }, ...stateLine(ring)),
    ring.asking ? h('p', { class: 'note' }, t('asking')) : null,
    ring.answer ? h('p', { class: 'bad', role: 'status' }, ...withName(`answer_${ring.answer}`, ring.answer_who)) : null,
    h('div', { class: 'steps' }, ...steps(ring, tools).filter(Boolean)), links(ring));
}

// Shown on a visible page is seen.
function tellSeen(rings, { say, local }) {
  local.told ??= new Set();
  if (document.visibilityState !== 'visible') return;
  for (const ring of rings) {
    if (ring.seen || ring.state === 'closed' || local.told.has(ring.id)) continue;
    local.told.add(ring.id);
    requestAnimationFrame(() => say('seen', ring.id));
  }
}

export function supervisorView(status, tools) {
  const parts = questions(status, tools);
  tellSeen(status.rings, tools);
  if (status.rings.length === 0) parts.push(h('p', { class: 'none' }, t(status.duty.state === 'on' ? 'rings_none_on' : 'rings_none')));
  parts.push(...status.rings.map((ring) => card(ring, tools)), duty(status, tools));
  return parts;
}
