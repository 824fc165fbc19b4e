// Elements, texts and times.  Texts from outside go in as text, never as HTML.
let texts = {};

export function setTexts(all) {
  texts = all;
}

// The text for a key, with {name} filled in; a key that is missing shows itself.
export function t(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
}

export function has(key) {
  return texts[key] !== undefined;
}

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ''));
  return element;
}

// A name from outside, kept from turning the text around it.
export function name(text) {
  return h('bdi', {}, text);
}

// A sentence with a name in it: the {who} of KEY is isolated.
export function withName(key, who) {
  const [before, after] = t(key, { who: '\u0000' }).split('\u0000');
  return after === undefined ? [before] : [before, name(who), after];
}

export function clock(ms) {
  return new Date(ms).toLocaleTimeString(document.documentElement.lang, { hour: '2-digit', minute: '2-digit' });
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

// What the page remembers between visits; a browser may forbid it (a frame of another site's page), and then nothing is remembered.
export const memory = {
  get(key) {
    try {
      return localStorage.getItem(key) ?? '';
    } catch {
      return '';
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // forbidden here
    }
  },
};
