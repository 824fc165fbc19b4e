// Texts: text/fr.json and text/en.json hold every word that people see.  Names of others come in as <bdi>, so that no mark of
// direction in a name reaches the sentence around it.
let texts = {};
let language = null; // until texts are loaded
const LANGUAGES = ["fr", "en"];
const KEY = "vigie.language";
const AGAIN_MS = 1000;

export function otherLanguage() {
  return LANGUAGES.find((l) => l !== language);
}

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // no storage: the browser's language it is
  }
}

export function chooseLanguage(value) {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // not remembered, then
  }
}

async function fetchTexts(name, folders) {
  const all = {};
  for (const folder of folders) {
    const response = await fetch(`${folder}/${name}.json`);
    if (!response.ok) throw new Error(`texts: ${response.status}`);
    Object.assign(all, await response.json());
  }
  return all;
}

// Load the texts: the language chosen on this browser, else the one wanted (the user's), else the browser's.  Until there are any it
// tries again; texts that are there stay where others cannot be had: a page in the wrong language is better than none.  FOLDERS: where
// the page's texts are, a later one's before an earlier one's.
export async function loadWords(wanted, folders = ["text"]) {
  const candidates = [remembered(), wanted, ...(navigator.languages ?? []).map((l) => l.slice(0, 2))];
  const name = candidates.find((l) => LANGUAGES.includes(l)) ?? "fr";
  while (name !== language) {
    try {
      texts = await fetchTexts(name, folders);
      language = name;
    } catch (error) {
      if (language) return;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = say(element.dataset.t);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label));
}

// The text KEY with {names} filled in: plain text.  What others wrote (names) must come isolated.
export function say(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}

// The text KEY for the number N: KEY_one where the language counts N as one (French: 0 as well).
export function sayCount(key, n, values = {}) {
  const one = `${key}_one`;
  return say(one in texts && new Intl.PluralRules(language).select(n) === "one" ? one : key, { ...values, n });
}

// A name for plain text: its marks of direction end with it.
export function isolate(name) {
  return `\u2068${name}\u2069`;
}

// The same as nodes: text, and a <bdi> for each value.
export function sayNodes(key, values = {}) {
  const fragment = document.createDocumentFragment();
  for (const part of (texts[key] ?? key).split(/(\{\w+\})/)) {
    const name = part.match(/^\{(\w+)\}$/)?.[1];
    if (name !== undefined && name in values) {
      const bdi = document.createElement("bdi");
      bdi.textContent = values[name];
      fragment.append(bdi);
    } else if (part) {
      fragment.append(part);
    }
  }
  return fragment;
}

export function has(key) {
  return key in texts;
}

const two = (n) => String(n).padStart(2, "0");

// How long ago, in units that need no reading twice and are the same in both languages: "12 s", "3 min", "1 h 05".
export function ago(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60);
  return min < 60 ? `${min} min` : `${Math.floor(min / 60)} h ${two(min % 60)}`;
}

// A running clock, for what is counted in seconds: "02:13", "1:02:13".
export function stopwatch(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const h = Math.floor(s / 3600);
  return `${h ? `${h}:` : ""}${h ? two(Math.floor(s / 60) % 60) : two(Math.floor(s / 60))}:${two(s % 60)}`;
}

export function clock(ms, seconds = true) {
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}${seconds ? `:${two(d.getSeconds())}` : ""}`;
}

// How exact a position is.
export function accuracyText({ accuracy_m: m }) {
  return m === null ? say("accuracy_unknown") : say("accuracy", { distance: distance(m) });
}

export function distance(m) {
  if (m === null || m === undefined) return "";
  if (m < 1000) return `${m < 100 ? Math.round(m) : Math.round(m / 10) * 10} m`;
  return `${(m / 1000).toLocaleString(language, { maximumFractionDigits: m < 10000 ? 1 : 0 })} km`;
}
