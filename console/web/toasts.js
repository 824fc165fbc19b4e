// Short answers at the edge of the screen.  They stay long enough to be read, and are read aloud.
import { el } from "./dom.js";

const STAY_MS = 9000;
const SHOWN_MAX = 4;

export class Toasts {
  constructor(box) {
    this.box = box;
  }

  add(content, tone = "") {
    const toast = el("p", { class: `toast toast-${tone}`, onclick: () => toast.remove() }, content);
    this.box.append(toast);
    while (this.box.children.length > SHOWN_MAX) this.box.firstChild.remove();
    setTimeout(() => toast.remove(), STAY_MS);
  }
}
