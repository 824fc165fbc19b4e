// What a supervisor's phone shows: what rings, and the one obvious next step for each.
import { ago, clock, distance, h, name, t, withName } from './dom.js';
import { alertView, duty, holdButton, questions, showsWorking, trouble } from './carrier.js';

const SILENT_AFTER_MS = 20000;
const DEAF_AFTER_MS = 5000; // with the link down so long, SMS or not
const STATE_WORDS = { en_route: 'state_en_route', on_scene: 'state_on_scene' };
const CLOSE_WORDS = ['helped', 'mistake', '112', 'no-danger', 'other'];

// ---- an alert ------------------------------------------------------------------------------------------------------------------

function marks(ring, { now }) {
  const shown = ring.marks.filter((mark) => mark !== 'drill').map((mark) => h('li', { class: mark }, t(`mark_${mark}`)));
  if (ring.state !== 'closed' && now() - ring.heard_at_ms > SILENT_AFTER_MS) {
    shown.push(h('li', { class: 'no_news' }, t('silent_since', { time: clock(ring.heard_at_ms) })));
  }
  return shown.length ? h('ul', { class: 'marks' }, shown) : null;
}

function where(ring, { now }) {
  const zone = ring.zone ? [name(ring.zone), ' · '] : [];
  if (!ring.place) return [...zone, t('no_place')];
  const far = ring.distance_m === null ? t('distance_unknown') : t('distance', { distance: distance(ring.distance_m) });
  return [...zone, h('strong', {}, far), ` (${t('place_age', { age: ago(now() - ring.place.at_ms) })})`];
}

function facts(ring, tools) {
  const what = [t(`kind_${ring.kind}`), ring.category === 'none' ? '' : t(`category_${ring.category}`), ago(tools.now() - ring.raised_at_ms)];
  return [h('p', { class: 'who' }, ring.carrier ? name(ring.carrier) : t('who_unknown')), h('p', {}, what.filter(Boolean).join(' · ')),
    marks(ring, tools), h('p', {}, where(ring, tools))];
}

function stateLine(ring) {
  if (ring.state === 'closed') return withName('state_closed', ring.closed_by);
  if (ring.mine) return [t(`mine_${ring.state}`)];
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
  const reasons = ring.marks.includes('drill') ? ['drill-over'] : CLOSE_WORDS;
  const leave = () => { local.closing = null; redraw(); };
  return h('div', { id: `closing-${ring.id}`, class: 'panel' }, h('h2', {}, t('close_why')), ...reasons.map((reason) =>
    h('button', { id: `close-${reason}-${ring.id}`, type: 'button', class: 'wide',
      onclick: () => { say('close', ring.id, reason); leave(); } }, t(`close_${reason}`))),
  h('button', { id: `close-not-${ring.id}`, type: 'button', class: 'quiet', onclick: leave }, t('cancel')));
}

function steps(ring, tools) {
  const { say, local, redraw } = tools;
  const step = (word, label, kind) => h('button', { id: `${word}-${ring.id}`, type: 'button', class: kind, disabled: ring.asking !== null,
    onclick: () => say(word, ring.id) }, t(label));
  if (ring.state === 'closed') return [h('button', { id: `dismiss-${ring.id}`, type: 'button', class: 'quiet', onclick: () => say('dismiss') }, t('dismiss'))];
  if (!ring.mine && ring.owner && !ring.marks.includes('no_news')) {
    return [ring.joined ? h('p', { class: 'state' }, t('state_joined')) : step('join', 'join', 'wide')];
  }
  if (!ring.mine) return [step('take', 'take', 'wide danger')];
  if (local.closing === ring.id) return [closeChoices(ring, tools)];
  return [ring.state === 'taken' ? step('on-my-way', 'en_route', 'wide go') : null, ring.state !== 'on_scene' ? step('with-them', 'on_scene', 'wide go') : null,
    h('button', { id: `close-${ring.id}`, type: 'button', class: 'wide', onclick: () => { local.closing = ring.id; redraw(); } }, t('close')),
    step('release', 'release', 'quiet')];
}

function card(ring, tools) {
  const drill = ring.marks.includes('drill');
  return h('article', { id: `alert-${ring.id}`, class: `ring level${ring.level} ${ring.mine ? 'mine ' : ''}${ring.state}${drill ? ' drill' : ''}` },
    h('h1', { role: 'alert' }, t(drill ? 'ring_drill' : ring.state === 'closed' ? 'ring_closed' : 'ring_title')),
    facts(ring, tools), h('p', { class: 'state', role: 'status' }, ...stateLine(ring)),
    h('p', { class: ring.answer ? 'bad' : 'note', role: 'status' }, ring.asking ? t('asking')
      : ring.answer ? withName(`answer_${ring.answer}`, ring.answer_who) : ''),
    h('div', { class: 'steps' }, steps(ring, tools)), links(ring));
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

// ---- the page ------------------------------------------------------------------------------------------------------------------

// Whether this phone would ring now; one that would not never looks like one.  SMS rings no page.
function deafness(status, { local, now }) {
  local.linkedAt = status.link === 'welcome' || local.linkedAt === undefined ? now() : local.linkedAt;
  return status.trouble.find((word) => ['not_enrolled', 'not_known', 'no_path'].includes(word)) ?? (now() - local.linkedAt > DEAF_AFTER_MS ? 'no_path' : null);
}

function readiness(status, tools) {
  const why = deafness(status, tools);
  if (why) return h('section', { id: 'deaf', class: 'trouble', role: 'alert' }, h('h1', {}, t('deaf_title')), h('p', {}, t(`deaf_${why}`)));
  if (status.rings.length) return null;
  if (status.duty.state !== 'on') return h('p', { id: 'ready', class: 'none' }, t('rings_none'));
  return h('p', { id: 'ready', class: 'none' }, t(status.link === 'welcome' ? 'rings_none_on' : 'rings_none_link'));
}

export function supervisorView(status, tools) {
  const works = showsWorking(status, tools);
  tellSeen(status.rings, tools);
  const own = status.alert && h('section', { id: 'own', class: 'own' }, h('h2', {}, t('own_alert')), ...alertView(status, tools).filter(Boolean));
  return [questions(status, tools), own, readiness(status, tools), status.rings_more ? h('p', { id: 'rings-more', class: 'bad' }, t('rings_more')) : null,
    status.rings.map((ring) => card(ring, tools)), status.enrolled ? duty(status, tools) : null,
    own && !status.alert.drill ? null : works ? holdButton(status, { id: 'press', label: t('button_own'), kind: 'anyway' }, tools)
      : trouble(status, tools)];
}
