// A field to search by words, and the list of what was found below it; asked again when the server says that it changed.
import { el, fill, show } from "../dom.js";
import { say, sayCount } from "../words.js";
import { Keyed } from "./keyed.js";
import { Query } from "./line.js";
import { searchWords } from "./rules.js";

const TYPING_MS = 150;

export class Search {
  // id of the field; what is found; label and none: keys of texts; row(thing): { element, update(thing) } as Keyed; keyOf(thing); keep(things): what of it is shown, in
  // which order (optional); hidden: what is said where KEEP left nothing
  constructor(line, { id, what, label, none, hidden = none, row, keyOf, keep = (things) => things }) {
    this.keep = keep;
    Object.assign(this, { none, hidden });
    this.words = "";
    this.input = el("input", { type: "search", id, autocomplete: "off", spellcheck: "false", maxlength: 64, placeholder: say("type_letters"), oninput: () => this.typed() });
    this.list = el("ul", { class: "found", "data-of": what });
    this.note = el("p", { class: "small", role: "status" });
    this.label = el("label", { for: id }, say(label));
    this.element = el("div", { class: "search" }, this.label, this.input, this.list, this.note);
    this.keyed = new Keyed(this.list, row);
    this.keyOf = keyOf;
    this.query = new Query(line, [what], (l) => l.find(what, searchWords(this.words)), (found) => this.show(found));
  }

  open() {
    this.query.open();
  }

  close() {
    this.query.close();
  }

  // To be opened with these words.
  begin(words) {
    this.input.value = this.words = words;
  }

  typed() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.search(this.input.value), TYPING_MS);
  }

  search(words) {
    this.words = words;
    return this.query.ask();
  }

  show({ items, rest }) {
    const things = this.keep(items);
    this.things = things;
    this.keyed.update(things, this.keyOf);
    const text = things.length === 0 ? say(items.length > 0 ? this.hidden : this.words.trim() ? "none_found" : this.none) : rest > 0 ? sayCount("rest_found", rest) : "";
    fill(this.note, text);
    show(this.note, text !== "");
  }
}
