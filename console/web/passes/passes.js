// The first view: what waits for an answer, a pass for a carrier, and the passes there are.
import { el } from "../dom.js";
import { LivePart } from "./live.js";
import { PersonPart } from "./person.js";
import { RequestsPart } from "./requests.js";

export class PassesView {
  constructor(desk) {
    const { line } = desk;
    this.requests = new RequestsPart(desk);
    this.parts = [this.requests, ...(line.may("live") || line.may("issue") || line.may("lost") ? [new PersonPart(desk)] : []), ...(line.may("revoke") || line.may("issue") || line.me.role === "supervisor" ? [new LivePart(desk)] : [])];
    this.element = el("div", { class: "view view-passes" }, ...this.parts.map((part) => part.element));
  }

  open() {
    for (const part of this.parts) part.open();
  }

  close() {
    for (const part of this.parts) part.close();
  }
}
