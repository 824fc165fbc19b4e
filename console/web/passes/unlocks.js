// Phones that wait for somebody to unlock them: who, which number to call, and the field for what they read out.
import { el, bdi, fill, show } from "../dom.js";
import { say, sayCount, sayNodes } from "../words.js";
import { Keyed } from "./keyed.js";
import { Query } from "./line.js";
import { callLink, Unlock } from "./phone.js";
import { nameOf } from "./rules.js";
import { when } from "./times.js";

class UnlockRow {
  constructor(desk, { handset }) {
    this.desk = desk;
    this.text = el("div", { class: "request-text" });
    this.call = el("div");
    this.unlock = new Unlock(desk, `unlock-${handset}`);
    this.element = el("li", { class: "request" }, this.text, this.call, this.unlock.element);
  }

  update(phone) {
    const shared = phone.carrier === null;
    const who = shared ? sayNodes("shared_phone", { phone: phone.phone || phone.handset }) : bdi(nameOf(phone), "who");
    const word = phone.sent ? "sent" : phone.waits;
    fill(this.text, el("p", {}, who, " ", sayNodes(`unlock_${word}`, { time: when(phone.told_at, this.desk.line.now()) })), el("p", { class: "small" }, say(`unlock_${word}_how`)));
    fill(this.call, phone.number ? callLink(phone.number) : say("unlock_no_number"));
    this.unlock.update(phone);
    show(this.unlock.element, phone.waits === "asked");
  }
}

export class UnlocksPart {
  constructor(desk) {
    this.desk = desk;
    this.list = el("ul", { class: "requests", id: "unlocks" });
    this.title = el("h2", {});
    this.rest = el("p", { class: "small" });
    this.element = el("section", { class: "block waiting-for", hidden: true }, this.title, this.list, this.rest);
    this.rows = new Keyed(this.list, (phone) => new UnlockRow(desk, phone));
    this.query = new Query(desk.line, ["unlock"], (l) => l.find("unlock"), (found) => this.show(found));
  }

  open() {
    this.query.open();
  }

  close() {
    this.query.close();
  }

  show({ items, rest }) {
    this.rows.update(items, (phone) => phone.handset);
    fill(this.title, sayCount("unlocks_n", items.length + rest));
    fill(this.rest, rest > 0 ? sayCount("and_others", rest) : "");
    show(this.element, items.length > 0);
    if (items.length + rest > (this.n ?? 0)) this.desk.speak(this.title.textContent);
    this.n = items.length + rest;
  }
}
