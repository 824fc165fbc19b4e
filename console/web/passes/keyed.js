// Parts of the pages that live longer than one message: lists whose rows stay, and questions asked in place.
import { el } from "../dom.js";
import { say } from "../words.js";

// A question's "yes" takes no click in its first moment: a double click on the button before it was not meant for it.
const GUARD_MS = 400;

// A list whose rows stay for their thing's life, so that focus, clicks and open questions are never lost.  make(thing) gives
// { element, update(thing) }, and close() where a row has to end something.
export class Keyed {
  constructor(box, make) {
    this.box = box;
    this.make = make;
    this.rows = new Map();
  }

  update(things, keyOf) {
    const wanted = things.map((thing) => {
      const key = keyOf(thing);
      const row = this.rows.get(key) ?? this.make(thing);
      this.rows.set(key, row);
      row.update(thing);
      return [key, row.element];
    });
    const keys = new Set(wanted.map(([key]) => key));
    for (const [key, row] of this.rows)
      if (!keys.has(key)) {
        row.close?.();
        row.element.remove();
        this.rows.delete(key);
      }
    wanted.forEach(([, element], i) => this.box.children[i] !== element && this.box.insertBefore(element, this.box.children[i] ?? null));
  }
}

// A button that asks once, in its own place, before it does what cannot be undone.  question() and run() are called then.
export class Sure {
  // label, yes: texts; question(): a text or nodes, or a promise of them
  constructor({ label, yes, className = "", question, run }) {
    this.words = { yes };
    this.question = question;
    this.run = run;
    this.button = el("button", { type: "button", class: className, onclick: () => this.ask() }, label);
    this.element = el("div", { class: "sure" }, this.button);
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && this.asking && this.stop());
  }

  async ask() {
    this.button.disabled = true; // until it is known what there is to be asked
    const question = await this.question();
    this.button.disabled = false;
    const since = performance.now();
    const yes = el("button", { type: "button", class: "danger", onclick: () => performance.now() - since > GUARD_MS && this.go() }, this.words.yes);
    const no = el("button", { type: "button", class: "quiet", onclick: () => this.stop() }, say("no_back"));
    const text = el("div", {}, question);
    this.asking = el("div", { class: "sure-question", role: "group" }, text, el("div", { class: "row" }, yes, no));
    this.element.replaceChildren(this.asking);
    yes.focus();
  }

  stop() {
    this.asking = null;
    this.element.replaceChildren(this.button);
    this.button.focus();
  }

  async go() {
    for (const button of this.asking.querySelectorAll("button")) button.disabled = true;
    await this.run();
    this.asking = null;
    this.element.replaceChildren(this.button);
    if (document.activeElement === document.body) this.button.focus(); // the one that was clicked is gone: whoever uses the keyboard stays here
  }
}

// A labelled input: { element, input }.
export function field(id, label, attributes = {}, hint = null) {
  const input = el(attributes.rows ? "textarea" : "input", { id, autocomplete: "off", ...attributes, "aria-describedby": hint ? `${id}-hint` : null });
  return { input, element: el("div", { class: "field" }, el("label", { for: id }, label), input, hint ? el("p", { id: `${id}-hint`, class: "small" }, hint) : null) };
}

export function check(id, label, checked, hint = null) {
  const input = el("input", { type: "checkbox", id, checked, "aria-describedby": hint ? `${id}-hint` : null });
  return { input, element: el("div", { class: "field check" }, input, el("label", { for: id }, label), hint ? el("p", { id: `${id}-hint`, class: "small" }, hint) : null) };
}
