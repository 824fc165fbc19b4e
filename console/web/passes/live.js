// Passes: the live ones first, each with what ends it; those revoked or over lately below.
import { el, bdi, fill, show } from "../dom.js";
import { say, sayNodes } from "../words.js";
import { doorsList } from "./doors.js";
import { Sure } from "./keyed.js";
import { Query } from "./line.js";
import { Search } from "./search.js";
import { inOrder, isLive } from "./rules.js";
import { when } from "./times.js";

const BY_ITSELF = "console"; // who revokes what a new PIN made useless

class PassRow {
  constructor(desk, pass) {
    this.desk = desk;
    this.pass = pass;
    this.line = el("div", { class: "pass-line" });
    this.box = el("div", { class: "doors-box" });
    this.details = el("details", {}, (this.summary = el("summary")), this.box);
    this.details.addEventListener("toggle", () => this.toggled());
    this.revoke = desk.line.may("revoke") ? this.sure() : null;
    this.query = new Query(desk.line, ["pass"], (l) => l.get("pass", this.pass.id), (item) => item && this.showDoors(item));
    this.element = el("li", { class: "pass", "data-id": pass.id }, this.line, this.revoke?.element, this.details);
  }

  sure() {
    const question = () => sayNodes("revoke_sure", { name: this.name(), round: this.pass.round_name || this.pass.round });
    return new Sure({ label: say("revoke"), yes: say("revoke_yes"), question, run: () => this.revokeIt() });
  }

  async revokeIt() {
    const answer = await this.desk.order({ t: "pass_revoke", pass: this.pass.id });
    if (answer.a !== "done") return;
    this.desk.tell(say(answer.more?.list ? "revoked_done" : "revoked_no_list"), answer.more?.list ? "" : "bad");
    this.summary.focus(); // the button goes: what comes next is who still takes it
  }

  name() {
    return this.pass.name || this.pass.carrier || this.pass.handset;
  }

  update(pass) {
    this.pass = pass;
    const now = this.desk.line.now();
    this.element.className = `pass pass-${pass.state}`;
    const until = pass.state === "revoked" ? sayNodes(pass.revoked_by === BY_ITSELF ? "revoked_again" : "revoked_line", { time: when(pass.revoked_at, now), by: pass.revoked_by ?? "?" })
      : say(isLive(pass) ? "until_time" : "was_until", { time: when(pass.until, now) });
    const times = pass.from > now && isLive(pass) ? [say("from_time", { time: when(pass.from, now) }), " "] : [];
    fill(this.line, bdi(this.name(), "who"), el("span", {}, bdi(pass.round_name || pass.round)), el("span", { class: "times" }, ...times, until),
      el("span", { class: `state state-${pass.state}` }, say(`pass_${pass.state}`)));
    if (this.revoke) show(this.revoke.element, isLive(pass));
    show(this.details, pass.state !== "over");
    fill(this.summary, say(pass.state === "revoked" ? "who_still" : "who_gets_in"));
  }

  toggled() {
    if (this.details.open) this.query.open();
    else this.query.close();
  }

  close() {
    this.query.close();
  }

  showDoors(item) {
    this.box.replaceChildren(doorsList(item.doors ?? [], this.desk.line.now(), item.state === "revoked"));
  }
}

export class LivePart {
  constructor(desk) {
    this.search = new Search(desk.line, { id: "pass-words", what: "pass", label: "find_pass", none: "no_passes", keyOf: (p) => p.id, row: (p) => new PassRow(desk, p), keep: inOrder });
    this.element = el("section", { class: "block live" }, el("h2", {}, say("live_title")), this.search.element);
  }

  open() {
    this.search.open();
  }

  close() {
    this.search.close();
  }
}
