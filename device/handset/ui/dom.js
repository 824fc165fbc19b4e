// Elements, texts and times.  Texts from outside go in as text, never as HTML.
let texts = {};

export function setTexts(all) {
  texts = all;
}

// The text for a key, with {name} filled in; a key that is missing shows itself.
export function t(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
}

// Handlers are properties, so that patch() can move them to the element that stays.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  element.handlers = [];
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) {
      element.handlers.push(name);
      element[name] = value;
    } else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ''));
  return element;
}

// The same for a picture that is drawn: SVG has elements of its own.
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// ---- drawing again without taking anything from under a finger, a keyboard or a screen reader ----------------------------------

function same(old, fresh) {
  return old.nodeName === fresh.nodeName && (old.id ?? '') === (fresh.id ?? '');
}

function become(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const name of old.handlers ?? []) old[name] = null;
  for (const name of fresh.handlers ?? []) old[name] = fresh[name];
  old.handlers = fresh.handlers;
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  patch(old, [...fresh.childNodes]);
}

// Make PARENT's children like FRESH: what is alike (tag and id) stays, and becomes like it.  What has gone goes first, so that what
// stays need not be moved: a button that is moved loses the key or finger that holds it.
export function patch(parent, fresh) {
  const nodes = fresh.map((one) => (typeof one === 'string' ? document.createTextNode(one) : one));
  const ids = new Set(nodes.map((one) => one.id).filter(Boolean));
  for (const old of [...parent.children]) if (old.id && !ids.has(old.id)) old.remove();
  let at = parent.firstChild;
  for (const child of nodes) {
    let found = at;
    while (found && !same(found, child)) found = found.nextSibling;
    if (!found || (found !== at && !child.id)) parent.insertBefore(child, at);
    else {
      if (found !== at) parent.insertBefore(found, at);
      become(found, child);
      at = found.nextSibling;
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// ---- names and times -----------------------------------------------------------------------------------------------------------

// A name from outside, kept from turning the text around it.  <bdi> alone does not: an isolate that the name opens and does not
// close (U+2066 ...) swallows the end of the <bdi>.
export function name(text) {
  return h('bdi', {}, text.replace(/[\u202a-\u202e\u2066-\u2069]/g, ''));
}

// A sentence with a name in it: the {who} of KEY is isolated.
export function withName(key, who) {
  const [before, after] = t(key, { who: '\u0000' }).split('\u0000');
  return after === undefined ? [before] : [before, name(who), after];
}

export function clock(ms) {
  return new Date(ms).toLocaleTimeString(document.documentElement.lang, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
}

export function day(ms) {
  return new Date(ms).toLocaleDateString(document.documentElement.lang, { day: 'numeric', month: 'long' });
}

// "17:05", as an <input type=time> and `duty --until` have it.
export function hourMinute(ms) {
  const at = new Date(ms);
  return `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
}

// A wait, as 0:25.
export function minutes(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}

export function ago(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 90) return t('ago_s', { n: s });
  if (s < 5400) return t('ago_min', { n: Math.round(s / 60) });
  return t('ago_h', { n: Math.round(s / 3600) });
}

export function distance(metres) {
  return metres < 1000 ? `${Math.round(metres / 10) * 10} m` : `${(metres / 1000).toFixed(1)} km`;
}

// A button that asks once more before it does something: the second tap is on another one.
export function twoTaps({ id, label, help, yes, act, kind = 'quiet' }, { local, redraw }) {
  const open = local.open === id;
  const turn = (to) => () => { local.open = to; redraw(); };
  return [h('button', { id, type: 'button', class: kind, 'aria-expanded': String(open), onclick: turn(open ? null : id) }, label),
    open ? h('div', { id: `${id}-panel`, class: 'panel' }, h('p', {}, help),
      h('button', { id: `${id}-yes`, type: 'button', class: 'wide', onclick: () => { local.open = null; act(); redraw(); } }, yes)) : null];
}
