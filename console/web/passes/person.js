// Pick a carrier, pick their round, done.  The same place says how the carrier's phone stands.
import { el, bdi, fill, show } from "../dom.js";
import { clock, say, sayCount, sayNodes } from "../words.js";
import { field } from "./keyed.js";
import { Query } from "./line.js";
import { callLink, phoneNames, PhonePart } from "./phone.js";
import { Search } from "./search.js";
import { SharedPart } from "./shared.js";
import { defaultUntil, hindrance, isLive, nameOf, offered, othersOn, roundName, untilFrom, whySecond } from "./rules.js";
import { when } from "./times.js";

export class PersonPart {
  constructor(desk) {
    this.desk = desk;
    this.carrier = null;
    this.search = new Search(desk.line, { id: "who", what: "carrier", label: "who", none: "no_carriers", keyOf: (c) => `${c.carrier ?? ""} ${c.handset ?? ""}`,
      row: (c) => this.row(c) });
    this.said = el("div", { class: "said", role: "status", tabindex: "-1" });
    this.panel = el("section", { class: "carrier-panel", hidden: true });
    this.element = el("section", { class: "block issue" }, el("h2", {}, say(desk.line.may("issue") ? "issue_title" : "phones_title")), this.said, this.search.element, this.panel);
    this.phoneQuery = new Query(desk.line, ["carrier", "pass"], (l) => this.askPhone(l), (phone) => this.updatePhone(phone));
    this.given = null; // { pass, text }: what was issued last, until another carrier is picked
    this.givenQuery = new Query(desk.line, ["pass"], (l) => (this.given ? l.get("pass", this.given) : null), (pass) => this.sayGiven(pass));
  }

  open() {
    this.search.open();
    if (this.carrier) this.phoneQuery.open();
    if (this.given) this.givenQuery.open();
  }

  close() {
    for (const part of [this.search, this.phoneQuery, this.givenQuery]) part.close();
    this.rounds?.close();
    this.shared?.close();
  }

  row(first) {
    const button = el("button", { type: "button", class: "pick" });
    let carrier = first;
    button.addEventListener("click", () => this.pick(carrier));
    return { element: el("li", {}, button), update: (c) => {
      carrier = c;
      const word = c.revoked ? say("vault_revoked_short") : c.passes > 0 ? sayCount("has_passes", c.passes) : c.handset ? null : say("no_phone_short");
      fill(button, ...phoneNames(c),
        word ? el("span", { class: "tag" }, word) : null);
    } };
  }

  // ---- a carrier was picked

  pick(carrier) {
    this.carrier = carrier;
    this.round = null;
    this.given = null;
    this.phoneQuery.close();
    this.givenQuery.close();
    fill(this.said);
    show(this.search.element, false);
    show(this.panel, true);
    this.rounds?.close();
    this.rounds = null;
    this.panel.replaceChildren(...this.parts(carrier));
    this.phonePart.update(carrier);
    if (carrier.handset) this.phoneQuery.open();
    this.begin(carrier);
  }

  parts(carrier) {
    const back = el("button", { type: "button", class: "quiet", id: "other", onclick: () => this.other() }, say("other_carrier"));
    const on = carrier.carrier !== null && carrier.shared ? el("p", { class: "small" }, sayNodes("on_shared", { phone: carrier.phone || carrier.handset })) : null;
    this.name = el("h3", { tabindex: "-1", id: "person-name" }, carrier.carrier === null ? sayNodes("shared_phone", { phone: carrier.phone || carrier.handset }) : bdi(nameOf(carrier)));
    this.hinder = el("p", { class: "hinder", role: "status", hidden: true });
    this.has = el("ul", { class: "has" });
    this.form = el("form", { class: "give", hidden: true });
    this.phonePart = new PhonePart(this.desk);
    this.shared?.close();
    this.shared = new SharedPart(this.desk, carrier, (both) => this.pick(both));
    return [back, el("div", { class: "person-head" }, this.name, carrier.number ? callLink(carrier.number) : null), on, this.has, this.hinder, this.shared.element, this.form, this.phonePart.element]
      .filter(Boolean);
  }

  unpick() {
    this.carrier = null;
    this.phoneQuery.close();
    this.rounds?.close();
    this.rounds = null;
    this.shared?.close();
    this.panel.replaceChildren();
    show(this.panel, false);
    show(this.search.element, true);
    this.search.input.value = "";
    this.search.search("");
  }

  other() {
    this.unpick();
    this.search.input.focus();
  }

  async askPhone(line) {
    const handset = this.carrier?.handset;
    return handset ? line.get("phone", handset) : null;
  }

  updatePhone(phone) {
    if (!phone || phone.handset !== this.carrier?.handset) return;
    const { carrier, name, number, team, round } = this.carrier; // a shared phone does not know whose it is now
    this.carrier = { ...this.carrier, ...phone, ...(this.carrier.shared ? { carrier, name, number, team, round } : {}) };
    this.phonePart.update(this.carrier);
    this.shared.update(this.carrier);
    const now = this.desk.line.now();
    const own = (p) => p.carrier === this.carrier.carrier;
    fill(this.has, ...(phone.items ?? []).filter(isLive).map((p) => el("li", {}, own(p) ? sayNodes("has_pass", { round: p.round_name || p.round, time: when(p.until, now) })
      : sayNodes("other_has_pass", { name: nameOf(p), round: p.round_name || p.round, time: when(p.until, now) }))));
    this.updateForm();
  }

  // ---- the round, and done

  begin(carrier) {
    if (this.desk.line.may("issue") && carrier.carrier !== null) {
      this.form.replaceChildren(...this.formParts());
      this.form.onsubmit = (event) => {
        event.preventDefault();
        this.issue();
      };
      this.rounds = new Search(this.desk.line, { id: "round", what: "round", label: "which_round", none: "no_rounds", keyOf: (r) => r.id, row: (r) => this.roundRow(r),
        keep: (rounds) => this.keepRounds(rounds) });
      this.roundBox.append(this.rounds.element);
      this.usual();
      this.rounds.open();
    }
    this.updateForm();
    this.name.focus();
  }

  // The usual round is chosen already; it may be none of the first that a search gives.
  async usual() {
    const { round, handset } = this.carrier;
    const item = round ? await this.desk.line.get("round", round) : null;
    if (!item || this.carrier?.handset !== handset) return;
    this.usualRound = { ...item, buildings: item.stops?.length ?? item.buildings };
    if (this.rounds.words === "") this.rounds.show({ items: this.rounds.things ?? [], rest: 0 });
    if (!this.round) this.choose(this.usualRound);
  }

  keepRounds(rounds) {
    const usual = this.usualRound?.id === this.carrier?.round && this.rounds.words === "" ? [this.usualRound] : [];
    return offered([...usual, ...rounds.filter((r) => r.id !== usual[0]?.id)], this.carrier ?? {});
  }

  formParts() {
    this.roundBox = el("div", { class: "rounds", role: "group", "aria-label": say("which_round") });
    const { input, element } = field("until", say("until"), { type: "time", required: true });
    this.until = input;
    this.until.value = clock(defaultUntil(this.desk.line.now(), this.desk.line.desk.shift_ms), false);
    this.until.addEventListener("input", () => {
      this.untilTyped = true;
      this.updateForm();
    });
    const later = field("from", say("from"), { type: "time" }, say("from_hint"));
    this.from = later.input;
    this.from.addEventListener("input", () => this.begins());
    this.untilTyped = false;
    this.sum = el("p", { class: "sum", role: "status" });
    this.give = el("button", { type: "submit", class: "primary", id: "give" });
    this.wrong = el("p", { class: "bad", role: "alert" });
    return [this.roundBox, element, el("details", { class: "later" }, el("summary", {}, say("later")), later.element), this.sum, this.give, this.wrong];
  }

  // A pass for later: one shift from then on, unless somebody said until when.
  begins() {
    const { line } = this.desk;
    if (!this.untilTyped) this.until.value = clock(defaultUntil(this.times().from ?? line.now(), line.desk.shift_ms), false);
    this.updateForm();
  }

  // { from: null is now, until: null is none }
  times() {
    const now = this.desk.line.now();
    const from = untilFrom(this.from.value, now);
    return { from, until: untilFrom(this.until.value, from ?? now) };
  }

  roundRow(first) {
    const radio = el("input", { type: "radio", name: "round" });
    const name = el("span", { class: "who" });
    const more = el("span", { class: "small" });
    let round = first;
    radio.addEventListener("change", () => this.choose(round));
    return { element: el("li", {}, el("label", { class: "pick" }, radio, name, more)), update: (r) => {
      round = r;
      radio.checked = this.round?.id === r.id;
      fill(name, bdi(roundName(r)));
      fill(more, sayCount("buildings_n", r.buildings), r.id === this.carrier?.round ? ` · ${say("usual_round")}` : "", r.sensitive ? el("span", { class: "tag" }, say("sensitive_short")) : null);
    } };
  }

  choose(round) {
    this.round = round;
    this.rounds?.show({ items: this.rounds.things ?? [round], rest: 0 });
    this.updateForm();
  }

  updateForm() {
    const { line } = this.desk;
    const stop = line.may("issue") ? hindrance(this.carrier) : null;
    show(this.hinder, stop !== null);
    if (stop !== null) fill(this.hinder, sayNodes(`hinder_${stop}`, { name: othersOn(this.carrier).map(nameOf).join(", ") }));
    const usable = line.may("issue") && stop === null;
    show(this.form, usable);
    if (!usable || !this.until) return;
    const { from, until } = this.times();
    show(this.sum, this.round !== null);
    show(this.give, this.round !== null);
    const waits = this.desk.consents?.find((c) => c.handset === this.carrier.handset && c.round === this.round?.id);
    this.give.disabled = until === null || this.round === null || this.busy || waits !== undefined;
    if (!this.round || until === null) return;
    const two = whySecond(this.round, until - (from ?? line.now()), line.desk.alone_ms);
    const values = { name: nameOf(this.carrier), round: roundName(this.round), buildings: sayCount("buildings_n", this.round.buildings), time: when(until, line.now()), from: from === null ? "" : when(from, line.now()) };
    fill(this.sum, sayNodes(from === null ? "will_get" : "will_get_later", values), ...(waits ? [el("strong", { class: "two" }, say("two_waits", { time: when(waits.ends, line.now()) }))] : two.map((why) => el("strong", { class: "two" }, say(`two_${why}`)))));
    fill(this.give, say(two.length > 0 ? "give_two" : "give"));
  }

  async issue() {
    const { line } = this.desk;
    const { from, until } = this.times();
    if (until === null || !this.round || this.busy) return;
    this.busy = true;
    this.give.disabled = true;
    fill(this.wrong);
    const { carrier, round } = this;
    const answer = await line.give({ t: "pass_issue", carrier: carrier.carrier, handset: carrier.handset, round: round.id, until, ...(from === null ? {} : { from }) });
    this.busy = false;
    const good = answer.a === "done" || answer.a === "consent";
    const values = { name: nameOf(carrier), round: roundName(round), time: when(until, line.now()) };
    if (this.carrier?.handset !== carrier.handset || this.carrier.carrier !== carrier.carrier) { // somebody else was picked meanwhile
      this.desk.tell(good ? sayNodes(answer.a === "consent" ? "given_consent" : "given", values) : el("span", {}, bdi(values.name), " : ", this.desk.sentence(answer.a)), good ? "" : "bad");
    } else if (good) {
      this.done(answer, values);
    } else {
      fill(this.wrong, this.desk.sentence(answer.a));
    }
    if (this.carrier) this.updateForm();
  }

  // One sentence, which goes on when the phone says that it has the pass; and the search for the next carrier.
  done(answer, values) {
    this.unpick();
    (matchMedia("(pointer: coarse)").matches ? this.said : this.search.input).focus(); // a phone's keyboard would hide what was said
    if (answer.a === "consent") {
      fill(this.said, el("p", { class: "done" }, sayNodes("given_consent", values)));
      return;
    }
    this.values = values;
    this.given = answer.more?.pass ?? null;
    this.sayGiven({ state: "waiting" });
    this.givenQuery.close();
    if (this.given) this.givenQuery.open();
  }

  sayGiven(pass) {
    if (!pass || !this.values) return;
    if (!isLive(pass)) { // revoked or over since: the list below says so
      fill(this.said);
      return;
    }
    const word = pass.state;
    fill(this.said, el("p", { class: word === "failed" ? "bad" : "done" }, sayNodes("given", this.values), " ", el("span", {}, say(`given_${word}`))));
  }
}
