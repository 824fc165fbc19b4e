// One alert as a card.  The elements stay for the alert's life and are filled anew, so that focus and clicks are never lost.
import { el, bdi, fill, show } from "./dom.js";
import { say, sayCount, sayNodes, isolate, accuracyText, ago, stopwatch, clock, distance, has } from "./words.js";
import * as rules from "./rules.js";

// A card that has just moved takes no click: the person aimed at another one.
const MOVED_MS = 350;

export class Card {
  // on: { verb(card, verb), select(card) }
  constructor(alert, on) {
    this.on = on;
    this.pending = null;
    this.movedAt = 0;
    this.buttons = new Map();
    this.head = el("p", { class: "state" }, (this.headText = el("span")), (this.watch = el("time", { class: "watch" })));
    this.name = el("h2", { id: `name-${alert.id}` });
    this.where = el("p", { class: "where" });
    this.warn = el("ul", { class: "warnings" });
    this.silent = el("p", { class: "silence" });
    this.place = el("p", { class: "place" });
    this.ways = el("ul", { class: "ways" });
    this.primary = el("div", { class: "row-primary" });
    this.others = el("div", { class: "row-others" });
    this.contact = el("p", { class: "contact" });
    this.more = el("details", { class: "more" }, el("summary", {}, say("details")), (this.asked = el("ul", { class: "asked" })),
      (this.lines = el("ol", { class: "lines" })));
    this.element = el("li", { class: "card", "data-id": alert.id, tabindex: "-1" }, this.head, this.name, this.where, this.warn, this.silent,
      this.place, this.ways, this.primary, this.others, this.contact, this.more);
    this.element.addEventListener("click", () => this.on.select(this));
    // By keyboard only: what moves while a finger is down would take the click away from what was aimed at.
    this.element.addEventListener("focusin", (event) => event.target.matches(":focus-visible") && this.on.select(this));
  }

  update(alert, board) {
    const me = board.me;
    this.alert = alert;
    this.me = me;
    const { key, tone, values } = rules.headline(alert, me);
    const classes = ["card", `tone-${tone}`, rules.isDrill(alert) ? "drill" : "", alert.marks.includes("unverified") ? "unverified" : "",
      this.selected ? "selected" : ""];
    this.element.className = classes.filter(Boolean).join(" ");
    fill(this.headText, rules.isDrill(alert) ? el("strong", { class: "tag" }, say("drill_word")) : null, sayNodes(key, values));
    fill(this.name, bdi(alert.carrier_name ?? alert.carrier ?? say("unknown_carrier")));
    this.updateWhere(alert, me);
    fill(this.warn, ...rules.warnings(alert).map(([text, kind]) => el("li", { class: `warn-${kind}` }, say(text))));
    this.updateActions(alert, me);
    this.updateContact(alert);
    this.updateMore(alert, board.people);
    this.tick(board.now());
  }

  updateWhere(alert, me) {
    const parts = [say(`kind_${alert.kind}`)];
    if (alert.category !== "none") parts.push(say(`category_${alert.category}`));
    const mine = rules.myAsked(alert, me);
    const place = [alert.zone_name ? bdi(alert.zone_name) : say("no_zone"), alert.round ? sayNodes("round", { round: alert.round }) : null,
      mine && mine.distance_m !== null ? sayNodes("from_you", { distance: distance(mine.distance_m) }) : null];
    fill(this.where, el("span", { class: "kind" }, parts.join(", ")), ...place.filter(Boolean).map((p) => el("span", {}, p)));
  }

  updateActions(alert, me) {
    const { primary, others } = rules.actions(alert, me);
    const owner = { name: isolate(alert.owner_name ?? alert.owner ?? "?") };
    const take = rules.isMine(alert, me) ? "do_still" : rules.isTaken(alert) ? "do_take_over" : "do_take";
    const label = (verb) => (verb === "take" ? say(take, owner) : say(`do_${verb}`));
    this.place_(this.primary, primary ? [primary] : [], label, "primary");
    this.place_(this.others, others, label, "");
  }

  // Put exactly these verbs' buttons into ROW, keeping the ones that are there.
  place_(row, verbs, label, className) {
    const wanted = verbs.map((verb) => {
      const button = this.buttons.get(verb) ?? this.button(verb);
      button.className = `${className} verb-${verb}`;
      button.disabled = this.pending !== null;
      const text = this.pending === verb ? say("sent_waiting") : label(verb);
      if (button.textContent !== text) button.textContent = text;
      return button;
    });
    for (const child of [...row.children]) if (!wanted.includes(child)) child.remove();
    wanted.forEach((button, i) => row.children[i] !== button && row.insertBefore(button, row.children[i] ?? null));
  }

  button(verb) {
    const click = () => performance.now() - this.movedAt > MOVED_MS && this.on.verb(this, verb);
    const button = el("button", { type: "button", onclick: click, "aria-describedby": this.name.id });
    this.buttons.set(verb, button);
    return button;
  }

  updateContact(alert) {
    const parts = [];
    const id = `${alert.number}|${rules.doNotCall(alert)}|${JSON.stringify(alert.position)}`;
    if (id === this.contactId) return;
    this.contactId = id;
    if (alert.number && rules.doNotCall(alert)) parts.push(el("span", { class: "no-call" }, sayNodes("do_not_call", { number: alert.number })));
    else if (alert.number) parts.push(el("a", { href: `tel:${alert.number}`, class: "call" }, el("span", {}, sayNodes("call", { number: alert.number }))));
    if (alert.position) {
      const { lat, lon } = alert.position;
      const text = `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
      parts.push(el("a", { href: `geo:${lat},${lon}?q=${lat},${lon}`, class: "geo" }, say("open_in_maps")), el("span", { class: "coordinates" }, text));
    }
    this.contact.replaceChildren(...parts);
  }

  updateMore(alert, people) {
    fill(this.asked, ...alert.asked.map((a) => {
      return el("li", {}, bdi(a.name, "who"), el("span", {}, a.distance_m === null ? say("asked_far") : distance(a.distance_m)), el("span", {}, this.askedState(a)),
        a.sms ? el("span", { class: a.sms.state === "failed" ? "failed" : null }, say(`sms_${rules.smsWord(a.sms)}`, { time: a.sms.at ? clock(a.sms.at) : "" })) : null);
    }));
    fill(this.lines, ...rules.timeline(alert).map((line) => el("li", {}, el("time", {}, clock(line.at)), el("span", {},
      sayNodes(line.key, { ...line.values, ...(line.distance !== undefined ? { distance: distance(line.distance) } : {}) }), this.by(line.by)))),
      ...this.facts(alert), ...this.passed(alert, people));
  }

  // How somebody answered, behind what they did.
  by(path) {
    return path && has(`by_${path}`) ? ` (${say(`by_${path}`)})` : "";
  }

  askedState(a) {
    const answer = ["joined", "declined"].find((flag) => a.flags.includes(flag));
    if (answer) return say(`asked_${answer}`) + this.by(a.answered_by);
    if (a.seen_at) return say("asked_seen", { time: clock(a.seen_at) });
    return say(a.flags.includes("sms_due") && !a.sms ? "asked_sms_due" : "asked_not_seen");
  }

  // Which paths the alert, our receipt and the answer came by, and how long ago.
  waysText(alert, now) {
    const since = (key, at) => (at ? say("path_ago", { path: say(key), age: ago(now - at) }) : say(key));
    const out = [el("li", {}, say("came", { paths: rules.cameBy(alert).map(([path, at]) => since(`path_${path}`, at)).join(", ") }))];
    if (alert.told_sms) out.push(el("li", { class: alert.told_sms.state === "failed" ? "failed" : null }, since(`told_${rules.smsWord(alert.told_sms)}`, alert.told_sms.at)));
    if (rules.isTaken(alert) && alert.owner_by && !rules.isMine(alert, this.me))
      out.push(el("li", {}, sayNodes("answered", { name: alert.owner_name ?? alert.owner ?? "?", how: since(`by_${alert.owner_by}`, alert.progress_at) })));
    return out;
  }

  // Why others were not asked: one line for each reason.
  passed(alert, people) {
    const names = (ids) => ids.flatMap((id, i) => [i > 0 ? ", " : "", bdi(people.get(id)?.name ?? id)]);
    const lines = rules.passedBy(alert).map(([reason, ids]) => el("li", { class: "fact" }, el("span", {}, say(`passed_${reason}`), " ", ...names(ids))));
    if (alert.passed_rest > 0) lines.push(el("li", { class: "fact" }, sayCount("and_others", alert.passed_rest)));
    return lines.length > 0 ? [el("li", { class: "passed-title" }, say("passed_title")), ...lines] : [];
  }

  facts(alert) {
    const out = [];
    if (alert.battery !== null) out.push(el("li", { class: "fact" }, say("battery", { n: alert.battery })));
    if (alert.presses > 1) out.push(el("li", { class: "fact" }, say("presses", { n: alert.presses })));
    if (alert.rings > 0) out.push(el("li", { class: "fact" }, say("rung_again", { n: alert.rings })));
    return out;
  }

  // What changes by itself: ages.
  tick(now) {
    const alert = this.alert;
    const text = say("for_time", { time: stopwatch(now - alert.raised_at) });
    if (this.watch.textContent !== text) this.watch.textContent = text;
    const silent = rules.silentSince(alert, now);
    show(this.silent, silent !== null);
    if (silent !== null) fill(this.silent, say(rules.isBySms(alert) ? "sms_since" : "silent_since", { time: clock(silent) }));
    fill(this.place, alert.position ? this.positionText(alert.position, now) : say("no_position"));
    this.place.classList.toggle("none", !alert.position);
    fill(this.ways, ...this.waysText(alert, now));
  }

  positionText(position, now) {
    return say("position", { age: ago(now - position.at), accuracy: accuracyText(position) });
  }

  // A command went out, or was answered.
  setPending(verb, me) {
    this.pending = verb;
    this.updateActions(this.alert, me);
  }
}

export function closedText(alert) {
  if (!alert.closed) return say("closed_unseen");
  const reason = has(`reason_${alert.closed.reason}`) ? say(`reason_${alert.closed.reason}`) : say("reason_other");
  return sayNodes("closed_line", { name: alert.closed.name || alert.closed.by, reason, time: clock(alert.closed.at, false) });
}
