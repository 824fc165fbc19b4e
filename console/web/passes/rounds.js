// Rounds: the list, and one round with its buildings in the order they are walked.
import { el, bdi, fill, show } from "../dom.js";
import { say, sayCount, sayNodes } from "../words.js";
import { changedSince, edit, editSays } from "./edit.js";
import { field, Sure } from "./keyed.js";
import { Search } from "./search.js";
import { moved, octets, roundId, roundName } from "./rules.js";
import { stillSays } from "./still.js";
import { knownTeams, ZoneField } from "./zone.js";

const NEW = "new";
const STOPS_MAX = 1024;

export class RoundsView {
  constructor(desk) {
    this.desk = desk;
    this.element = el("div", { class: "view view-rounds" });
    this.asked = 0; // answers of before are late
  }

  async open(id) {
    this.close();
    const asked = ++this.asked;
    if (id === undefined) return this.list();
    if (id === NEW && this.desk.line.may("edit")) return this.show({ id: null, name: "", zone: "", team: "", stops: [] });
    const round = await this.desk.line.get("round", id);
    if (asked !== this.asked) return undefined; // somewhere else by now
    this.away = round === null ? id : undefined; // asked again: tick()
    if (round) this.show(round);
    else this.element.replaceChildren(el("a", { href: "#rounds" }, say("back_to_rounds")), el("p", { class: "bad", role: "alert" }, say(round === undefined ? "round_gone" : "answer_away")));
  }

  tick() {
    if (this.away !== undefined) this.open(this.away);
  }

  close() {
    this.asked++;
    this.away = undefined;
    this.search?.close();
    this.adding?.close();
  }

  list() {
    const row = (first) => {
      const a = el("a", { class: "pick", href: `#rounds/${encodeURIComponent(first.id)}` });
      return { element: el("li", {}, a), update: (r) => fill(a, bdi(roundName(r), "who"), el("span", {}, sayCount("buildings_n", r.buildings)), r.team ? el("span", {}, bdi(r.team)) : null,
        r.sensitive ? el("span", { class: "tag" }, say("sensitive_short")) : null) };
    };
    this.search = new Search(this.desk.line, { id: "round-words", what: "round", label: "find_round", none: "no_rounds", keyOf: (r) => r.id, row });
    const add = this.desk.line.may("edit") ? el("a", { class: "button", href: "#rounds/new" }, say("new_round")) : null;
    this.element.replaceChildren(el("section", { class: "block" }, el("div", { class: "block-head" }, el("h2", {}, say("view_rounds")), add), this.search.element));
    this.search.open();
    return undefined;
  }

  // ---- one round

  show(round) {
    this.round = round;
    this.stops = [...round.stops];
    const may = this.desk.line.may("edit");
    this.stopList = el("ol", { class: "stops" });
    this.stopsTitle = el("h3", {});
    const head = [el("a", { href: "#rounds" }, say("back_to_rounds")), el("h1", {}, round.id === null ? say("new_round") : bdi(roundName(round)))];
    const body = may ? this.form(round) : [el("p", {}, sayNodes("round_team", { team: round.team || "-" })), this.stopsTitle, this.stopList];
    this.element.replaceChildren(...head, ...body.filter(Boolean));
    this.drawStops();
  }

  form(round) {
    this.name = field("round-name", say("name"), { required: true, maxlength: 64, value: round.name });
    this.team = field("round-team", say("team"), { maxlength: 32, value: round.team ?? "" }, say("team_hint"));
    knownTeams(this.desk.line, this.team);
    this.zone = new ZoneField(round.zone ?? "");
    this.said = el("p", { class: "bad", role: "alert" });
    this.adding = new Search(this.desk.line, { id: "stop-words", what: "building", label: "add_building", none: "no_buildings", hidden: "all_on_round", keyOf: (b) => b.id, row: (b) => this.addRow(b),
      keep: (all) => all.filter((b) => !this.stops.some((s) => s.id === b.id)).slice(0, 8) });
    this.adding.open();
    this.question = el("div");
    const drop = round.id === null ? null : new Sure({ label: say("drop_round"), yes: say("drop_yes"), className: "quiet-danger", question: () => this.dropQuestion(round), run: () => this.drop(round) }).element;
    const submit = (event) => {
      event.preventDefault();
      this.save();
    };
    return [el("form", { class: "block edit", onsubmit: submit }, this.name.element, this.team.element, this.zone.element, this.stopsTitle, this.stopList, this.adding.element,
      this.said, this.question, el("div", { class: "row" }, (this.saveButton = el("button", { type: "submit", class: "main-button" }, say("save"))), el("a", { class: "button quiet", href: "#rounds" }, say("cancel")))), drop];
  }

  addRow(first) {
    const button = el("button", { type: "button", class: "pick" });
    let building = first;
    button.addEventListener("click", () => this.add(building));
    return { element: el("li", {}, button), update: (b) => {
      building = b;
      fill(button, el("span", { class: "plus", "aria-hidden": "true" }, "+"), bdi(b.name, "who"), b.address !== b.name ? bdi(b.address, "small") : null);
    } };
  }

  add(building) {
    if (this.stops.length >= STOPS_MAX) {
      fill(this.said, say("wrong_stops"));
      return;
    }
    this.stops.push(building);
    this.drawStops();
    this.adding.query.ask();
    this.adding.input.focus();
  }

  drawStops() {
    fill(this.stopsTitle, sayCount("stops_n", this.stops.length));
    const may = this.desk.line.may("edit");
    const rows = this.stops.map((b, i) => el("li", {}, el("div", { class: "stop-name" }, el("a", { href: `#buildings/${b.id}`, class: "who" }, bdi(b.name)), b.address && b.address !== b.name ? bdi(b.address, "small") : null,
      b.sensitive ? el("span", { class: "tag" }, say("sensitive_short")) : null), may ? this.stopButtons(b, i) : null));
    this.stopList.replaceChildren(...rows);
  }

  stopButtons(building, i) {
    const change = (stops, focus) => {
      this.stops = stops;
      this.drawStops();
      this.adding.query.ask();
      this.stopList.children[Math.min(focus, stops.length - 1)]?.querySelector("button")?.focus();
    };
    const button = (key, sign, disabled, run) => el("button", { type: "button", class: "small-button", "aria-label": say(key, { name: building.name }), title: say(`${key}_short`), disabled, onclick: run }, sign);
    return el("span", { class: "stop-buttons" }, button("stop_up", "↑", i === 0, () => change(moved(this.stops, i, i - 1), i - 1)),
      button("stop_down", "↓", i === this.stops.length - 1, () => change(moved(this.stops, i, i + 1), i + 1)),
      button("stop_off", "✕", false, () => change(this.stops.filter((_, n) => n !== i), i)));
  }

  // What is to be saved, or null: what is wrong was said.
  async row() {
    const name = this.name.input.value.trim();
    const id = this.round.id ?? roundId(name);
    if (!name || !id || octets(name) > 64) {
      fill(this.said, say("wrong_round_name"));
      return null;
    }
    const known = await this.desk.line.get("round", id);
    const why = this.round.id === null ? known && "wrong_round_known" : changedSince(this.round, known, ["name", "zone", "team", "stops"], "round_gone");
    if (known === null || why) { // null: the server could not say
      fill(this.said, say(known === null ? "answer_away" : why));
      return null;
    }
    return { id, name, zone: this.zone.input.value.trim(), team: this.team.input.value.trim(), buildings: this.stops.map((b) => b.id) };
  }

  // A building comes off while passes that were given still open it: that is said first, and asked.
  async save() {
    fill(this.said);
    this.question.replaceChildren();
    const row = await this.row();
    if (row === null) return;
    const less = this.round.stops.some((b) => !row.buildings.includes(b.id));
    const checked = less ? await edit({ check: true, rounds: [row] }) : { result: "good", still: [] };
    const still = stillSays(checked.still, () => roundName(row), this.desk.line.now());
    if (checked.result !== "good") fill(this.said, editSays(checked));
    else if (still === null) this.saved(await edit({ check: false, rounds: [row] }));
    else this.ask(still, row);
  }

  ask(still, row) {
    const stop = () => {
      this.question.replaceChildren();
      show(this.saveButton, true);
      this.saveButton.focus();
    };
    const yes = el("button", { type: "button", class: "main-button", id: "save-still", onclick: async () => {
      stop();
      this.saved(await edit({ check: false, rounds: [row] }));
    } }, say("save_still"));
    const box = el("div", { class: "sure-question amber", role: "group" }, still, el("div", { class: "row" }, yes, el("button", { type: "button", class: "quiet", onclick: stop }, say("no_back"))));
    this.question.replaceChildren(box);
    show(this.saveButton, false);
    yes.focus();
  }

  saved(answer) {
    if (answer.result === "done") {
      this.desk.tell(say("saved"));
      location.hash = "rounds";
    } else fill(this.said, editSays(answer));
  }

  async dropQuestion(round) {
    const { still } = await edit({ check: true, drop: { rounds: [round.id] } });
    return el("span", {}, sayNodes("drop_round_sure", { name: roundName(round) }), stillSays(still, () => roundName(round), this.desk.line.now()) ?? "");
  }

  async drop(round) {
    const answer = await edit({ check: false, drop: { rounds: [round.id] } });
    if (answer.result === "done") {
      this.desk.tell(say("dropped"));
      location.hash = "rounds";
    } else this.desk.tell(editSays(answer), "bad");
  }
}
