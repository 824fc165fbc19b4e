// A phone that was lost: what was done, step by step, and which doors still take its passes.  Made to be printed.
import { el, bdi, fill, show } from "../dom.js";
import { clock, has, say, sayCount, sayNodes } from "../words.js";
import { doorsList } from "./doors.js";
import { Query } from "./line.js";
import { nameOf } from "./rules.js";

export class LostView {
  constructor(desk) {
    this.desk = desk;
    this.head = el("div");
    this.steps = el("ol", { class: "steps" });
    this.doors = el("div");
    const print = el("button", { type: "button", class: "no-print", onclick: () => globalThis.print() }, say("print"));
    const back = el("a", { href: "#passes", class: "no-print" }, say("back_to_passes"));
    this.again = el("button", { type: "button", class: "no-print", hidden: true, onclick: () => this.doAgain() }, say("lost_again"));
    this.known = el("div", { class: "view" }, el("section", { class: "block" }, el("h2", {}, say("lost_done_title")), this.steps, this.again),
      el("section", { class: "block" }, el("h2", {}, say("lost_next_title")), el("ul", { class: "plain" }, ...["lost_next_sim", "lost_next_police", "lost_next_new", "lost_next_found"]
        .map((key) => el("li", {}, say(key))))), el("section", { class: "block" }, el("h2", {}, say("lost_doors_title")), this.doors), print);
    this.element = el("div", { class: "view view-lost" }, back, this.head, this.known);
  }

  open(handset) {
    this.close();
    this.handset = handset;
    this.query = new Query(this.desk.line, ["carrier", "pass"], (l) => l.get("phone", handset), (phone) => this.show(phone));
    this.query.open();
  }

  close() {
    this.query?.close();
  }

  show(phone) {
    show(this.known, phone !== undefined);
    if (!phone) {
      fill(this.head, el("h1", {}, say("lost_unknown")));
      return;
    }
    this.phone = phone;
    const now = this.desk.line.now();
    const number = phone.phone || phone.handset;
    this.head.replaceChildren(el("h1", {}, sayNodes("lost_title", { name: nameOf(phone) })), el("p", {}, sayNodes("lost_which", { phone: number }), " · ",
      new Date(now).toLocaleDateString(document.documentElement.lang, { dateStyle: "long" }), " ", clock(now, false)));
    const told = this.desk.steps?.handset === phone.handset ? this.desk.steps.steps : [];
    this.again.hidden = !told.some((step) => !step.ok);
    this.steps.replaceChildren(...(told.length > 0 ? told.map((step) => this.step(step)) : this.facts(phone)), this.wipe(phone));
    this.doors.replaceChildren(doorsList(phone.doors ?? [], now, true));
  }

  step({ step, ok, n, why }) {
    const text = ok && n === 0 && has(`step_${step}_none`) ? say(`step_${step}_none`) : has(`step_${step}`) ? sayCount(`step_${step}`, n ?? 0) : step;
    return this.item(ok, text, ok ? null : this.desk.sentence(why));
  }

  // Looked at later: what the server still knows of it.
  facts(phone) {
    return [this.item(phone.revoked, say(phone.revoked ? "step_certificate" : "step_not_revoked"), null)];
  }

  wipe(phone) {
    return phone.wipe === "done" ? this.item(true, say("wipe_done"), null) : phone.wipe === "sent" ? this.item(null, say("wipe_sent"), null) : "";
  }

  // OK: true, false, null for what is under way.
  item(ok, text, why) {
    const word = ok === null ? "step_under_way" : ok ? "step_ok" : "step_failed";
    return el("li", { class: word.replaceAll("_", "-") }, el("strong", { class: "step-word" }, say(word)), el("span", {}, text), why ? el("span", { class: "bad" }, bdi(why)) : null);
  }

  async doAgain() {
    const answer = await this.desk.order({ t: "phone_lost", handset: this.handset });
    if (answer.more?.steps) this.desk.steps = { handset: this.handset, steps: answer.more.steps };
    this.query.ask();
  }
}
