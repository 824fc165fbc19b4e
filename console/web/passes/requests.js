// What waits for an answer: carriers who ask from their phones, passes that a second person must agree to.  One click each.
import { el, bdi, fill, show } from "../dom.js";
import { say, sayCount, sayNodes } from "../words.js";
import { Keyed } from "./keyed.js";
import { Query } from "./line.js";
import { when } from "./times.js";

const nameOf = (thing) => thing.name || thing.carrier || thing.handset;
const roundOf = (thing) => thing.round_name || thing.round;

class RequestRow {
  // sentence(thing): nodes; fields(thing, yes): the command; words: keys of the two buttons' texts
  constructor(desk, thing, { sentence, fields, yes, no, told }) {
    Object.assign(this, { desk, thing, sentence, fields, told });
    this.text = el("div", { class: "request-text" });
    this.yes = el("button", { type: "button", class: "main-button", onclick: () => this.answer(true) }, say(yes));
    this.no = el("button", { type: "button", onclick: () => this.answer(false) }, say(no));
    this.buttons = el("div", { class: "row" }, this.yes, this.no);
    this.element = el("li", { class: "request" }, this.text, this.buttons);
  }

  update(thing) {
    this.thing = thing;
    fill(this.text, ...this.sentence(thing));
    this.yes.disabled = this.no.disabled = this.busy === true;
    show(this.yes, !thing.own);
  }

  async answer(yes) {
    this.busy = true;
    this.update(this.thing);
    const answer = await this.desk.order(this.fields(this.thing, yes));
    this.busy = false;
    this.update(this.thing);
    if (answer.a === "done") this.desk.tell(sayNodes(yes ? this.told.yes : this.told.no, { name: nameOf(this.thing) }));
    if (answer.a === "consent") this.desk.tell(sayNodes("told_consent", { name: nameOf(this.thing) }));
  }
}

export class RequestsPart {
  constructor(desk) {
    this.desk = desk;
    this.asked = el("ul", { class: "requests", id: "asked" });
    this.consents = el("ul", { class: "requests", id: "consents" });
    this.own = el("ul", { class: "requests", id: "own" });
    this.title = el("h2", {});
    this.ownTitle = el("h2", {});
    this.ownElement = el("section", { class: "block own", hidden: true }, this.ownTitle, this.own);
    this.element = el("section", { class: "block waiting-for", hidden: true }, this.title, this.asked, this.consents);
    this.askedRows = new Keyed(this.asked, (a) => new RequestRow(desk, a, { sentence: (x) => this.askedText(x), fields: (x, yes) => ({ t: "pass_asked", handset: x.handset, yes }),
      yes: "asked_yes", no: "asked_no", told: { yes: "told_given", no: "told_refused" } }));
    const consent = (c) => new RequestRow(desk, c, { sentence: (x) => this.consentText(x), fields: (x, yes) => ({ t: "pass_consent", consent: x.id, yes }),
      yes: "consent_yes", no: c.own ? "consent_back" : "consent_no", told: { yes: "told_given", no: c.own ? "told_back" : "told_refused" } });
    this.consentRows = new Keyed(this.consents, consent);
    this.ownRows = new Keyed(this.own, consent); // one's own may be withdrawn, not agreed to: they wait for somebody else, and stand apart
    const find = (what) => (l) => l.find(what);
    this.queries = [new Query(desk.line, ["asked"], find("asked"), ({ items }) => this.show(this.askedRows, items, (a) => a.handset)),
      new Query(desk.line, ["consent"], find("consent"), ({ items }) => this.showConsents(items))];
  }

  open() {
    const { line } = this.desk;
    if (line.may("issue")) this.queries[0].open();
    if (line.may("consent") || line.may("issue")) this.queries[1].open();
  }

  close() {
    for (const query of this.queries) query.close();
  }

  showConsents(items) {
    const own = items.filter((c) => c.own);
    this.desk.consents = items;
    this.ownRows.update(own, (c) => c.id);
    fill(this.ownTitle, sayCount("own_n", own.length));
    show(this.ownElement, own.length > 0);
    this.show(this.consentRows, items.filter((c) => !c.own), (c) => c.id);
  }

  show(rows, items, keyOf) {
    rows.update(items, keyOf);
    const n = this.asked.children.length + this.consents.children.length;
    fill(this.title, sayCount("waiting_n", n));
    show(this.element, n > 0);
    if (n > (this.n ?? 0)) this.desk.speak(this.title.textContent);
    this.n = n;
  }

  askedText(a) {
    const now = this.desk.line.now();
    return [el("p", {}, bdi(nameOf(a), "who"), " ", sayNodes("asks_for", { round: roundOf(a), time: when(a.until, now) })), el("p", { class: "small" }, say("asked_when", { time: when(a.at, now) }))];
  }

  consentText(c) {
    const now = this.desk.line.now();
    const by = c.own ? null : [sayNodes("consent_by", { by: c.by_name || c.by }), " "];
    return [el("p", {}, ...(by ?? []), sayNodes("consent_what", { name: nameOf(c), round: roundOf(c), from: when(c.from, now), until: when(c.until, now) })),
      el("p", { class: "small" }, ...c.why.map((why) => `${say(`why_${why}`)} `), say("consent_ends", { time: when(c.ends, now) }))];
  }
}
