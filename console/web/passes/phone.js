// One phone at the desk: how its lock stands, a forgotten PIN, and the phone lost.
import { el, bdi, fill, show } from "../dom.js";
import { say, sayCount, sayNodes } from "../words.js";
import { field, Sure } from "./keyed.js";
import { challengeOf, nameOf } from "./rules.js";

// Where a number on file is called.
export const callLink = (number) => el("a", { href: `tel:${number}`, class: "call" }, el("span", {}, sayNodes("call", { number })));

// A forgotten PIN: call the number on file, type what the carrier reads out.
export class Unlock {
  // id: of the button, in front of the field's
  constructor(desk, id) {
    this.desk = desk;
    this.id = id;
    this.button = el("button", { type: "button", id, onclick: () => this.askCode() }, say("unlock"));
    this.element = el("div", { class: "unlock" }, this.button);
  }

  update(phone) {
    if (this.phone && this.phone.handset !== phone.handset) this.element.replaceChildren(this.button);
    this.phone = phone;
  }

  askCode() {
    const { input, element } = field(`${this.id}-code`, say("unlock_code"), { maxlength: 40, spellcheck: "false", autocapitalize: "none", class: "code", placeholder: "0000 0000 0000 0000" });
    const note = el("p", { class: "small", role: "status" });
    const send = el("button", { type: "submit", class: "main-button", disabled: true }, say("unlock_send"));
    input.addEventListener("input", () => {
      const typed = challengeOf(input.value);
      send.disabled = !typed.hex;
      fill(note, this.codeNote(typed));
    });
    const submit = (event) => {
      event.preventDefault();
      this.unlock(challengeOf(input.value).hex, note, send);
    };
    const number = this.phone.number;
    const stop = el("button", { type: "button", class: "quiet", onclick: () => this.stopCode() }, say("no_back"));
    this.element.replaceChildren(el("form", { class: "unlock-form", onsubmit: submit }, el("ol", {},
      el("li", {}, number ? callLink(number) : say("unlock_no_number"), " ", say("unlock_call")), el("li", {}, say("unlock_read"))), element, note, el("div", { class: "row" }, send, stop)));
    input.focus();
  }

  isShared() {
    return this.phone.carrier === null || this.phone.shared === true;
  }

  codeNote(typed) {
    if (typed.hex) return say("code_whole");
    if (typed.bad) return say("code_bad", { c: typed.bad });
    return typed.left > 0 ? sayCount("code_left", typed.left) : say("code_long");
  }

  stopCode() {
    this.element.replaceChildren(this.button);
    this.button.focus();
  }

  async unlock(hex, note, send) {
    if (!hex) return;
    send.disabled = true;
    const answer = await this.desk.line.give({ t: "phone_unlock", handset: this.phone.handset, challenge: hex });
    if (answer.a === "done") {
      const done = () => sayNodes(this.isShared() ? "unlock_done_shared" : "unlock_done", { name: nameOf(this.phone) });
      this.desk.tell(done()); // where this stands may go as soon as the phone has done it
      this.element.replaceChildren(el("p", { class: "done" }, done()), this.button); // once more, where the phone could not
      return;
    }
    send.disabled = false;
    fill(note, el("strong", { class: "bad" }, this.desk.sentence(answer.a)));
    this.element.querySelector("input")?.focus();
  }
}

export class PhonePart {
  constructor(desk) {
    this.desk = desk;
    this.state = el("p", { class: "phone-state" });
    this.unlock = new Unlock(desk, "unlock");
    this.lostBox = el("div");
    this.element = el("section", { class: "phone-part" }, el("h3", {}, say("phone")), this.state, el("div", { class: "row" }, this.unlock.element, this.lostBox));
  }

  // PHONE: an item of `carrier` or `phone`.
  update(phone) {
    const other = this.phone?.handset !== phone.handset;
    this.phone = phone;
    show(this.element, phone.handset !== null);
    if (phone.handset === null) return;
    fill(this.state, say(phone.revoked ? "vault_revoked" : `vault_${phone.vault}`));
    this.unlock.update(phone);
    show(this.unlock.element, this.desk.line.may("unlock") && !phone.revoked);
    if (other) this.lostBox.replaceChildren(...(this.desk.line.may("lost") ? [this.lostButton()] : []));
  }

  lostButton() {
    const phone = this.phone;
    const question = () => sayNodes("lost_sure", { name: nameOf(phone), phone: phone.phone || phone.handset });
    return new Sure({ label: say("lost"), yes: say("lost_yes"), className: "quiet-danger", question, run: () => this.lost(phone) }).element;
  }

  async lost(phone) {
    const answer = await this.desk.order({ t: "phone_lost", handset: phone.handset });
    if (answer.a !== "done" && answer.a !== "part") return;
    this.desk.steps = { handset: phone.handset, steps: answer.more?.steps ?? [] };
    location.hash = `lost/${phone.handset}`;
  }
}

export const phoneNames = (phone) => phone.carrier === null ? [el("span", { class: "who" }, sayNodes("shared_phone", { phone: phone.phone || phone.handset }))] : [bdi(nameOf(phone), "who"), phone.number ? el("span", {}, bdi(phone.number)) : null, phone.team ? el("span", {}, bdi(phone.team)) : null];
