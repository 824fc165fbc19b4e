// Small helpers for making elements.  Text goes in as text, never as markup.
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "class") element.className = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((c) => c !== null && c !== undefined));
  return element;
}

export function bdi(text, className) {
  return el("bdi", { class: className }, text ?? "");
}

// Replace what is in ELEMENT only when its text would change, so that a screen reader is not told the same again.
export function fill(element, ...children) {
  const fragment = document.createDocumentFragment();
  fragment.append(...children.filter((c) => c !== null && c !== undefined && c !== ""));
  if (element.textContent === fragment.textContent && element.childElementCount === fragment.childElementCount) return;
  element.replaceChildren(fragment);
}

export function show(element, visible) {
  if (element.hidden === visible) element.hidden = !visible;
}

export const byId = (id) => document.getElementById(id);
