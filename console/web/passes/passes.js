// The first view: what waits for an answer, a pass for a carrier, and the passes there are.
import { el } from "../dom.js";
import { LivePart } from "./live.js";
import { PersonPart } from "./person.js";
import { RequestsPart } from "./requests.js";
import { UnlocksPart } from "./unlocks.js";

export class PassesView {
  constructor(desk) {
    const { line } = desk;
    const may = (...words) => words.some((word) => line.may(word));
    const requests = new RequestsPart(desk);
    this.live = may("revoke", "issue") || line.me.role === "supervisor" ? new LivePart(desk) : null;
    this.parts = [may("unlock") ? new UnlocksPart(desk) : null, requests, may("live", "issue", "lost") ? new PersonPart(desk) : null, this.live].filter(Boolean);
    this.element = el("div", { class: "view view-passes" }, ...this.parts.map((part) => part.element), requests.ownElement);
  }

  // WORDS: which passes are looked for at first.
  open(words) {
    if (words !== undefined) this.live?.search.begin(words);
    for (const part of this.parts) part.open();
  }

  close() {
    for (const part of this.parts) part.close();
  }
}
