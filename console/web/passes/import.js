// Import of buildings and rounds: a file is read here, the server says what of it would be new, changed or wrong, and only then
// it counts.
import { el, bdi, fill, show } from "../dom.js";
import { has, say, sayCount } from "../words.js";
import { edit, editSays, ruleSays } from "./edit.js";
import { stillSays } from "./still.js";
import { counted, fileLines, isJson, rowsOf } from "./table.js";

const FILE_MAX = 8 * 1024 * 1024;
const SHOWN_MAX = 30; // lines of one list

export class ImportView {
  constructor(desk) {
    this.desk = desk;
    this.file = el("input", { type: "file", id: "file", class: "unseen", accept: ".csv,.txt,.json,.geojson,text/csv,application/geo+json", onchange: () => this.file.files[0] && this.read(this.file.files[0]) });
    this.said = el("p", { role: "alert", class: "bad" });
    this.note = el("p", { role: "status", class: "small", hidden: true }, say("import_reading"));
    this.preview = el("section", { class: "block preview", "aria-live": "polite", hidden: true });
    const example = ["ref;nom;adresse;lat;lon;sensible;tournée;équipe", "R12;12 rue de la République;12 rue de la République, 69002 Lyon;45.7652;4.8345;non;69002-14;nord"].join("\n");
    this.element = el("div", { class: "view view-import" }, el("section", { class: "block" }, el("h2", {}, say("view_import")), el("p", {}, say("import_how")), el("pre", { class: "example" }, example),
      el("p", { class: "small" }, say("import_rules")), el("label", { class: "button file" }, say("import_file"), this.file), this.note, this.said), this.preview);
  }

  open() {}

  async read(file) {
    fill(this.said, "");
    show(this.preview, false);
    this.preview.replaceChildren();
    this.rows = null;
    show(this.note, true);
    try {
      if (file.size > FILE_MAX) throw new Error("large");
      const text = await this.decode(file);
      this.json = isJson(file.name, text);
      this.rows = await rowsOf(this.desk.line.hello.region, fileLines(file.name, text));
      await this.check();
    } catch (error) {
      const known = has(`import_${error.message}`);
      if (!known) console.warn(error);
      fill(this.said, say(known ? `import_${error.message}` : "import_unreadable", { line: error.line ?? "" }));
    }
    show(this.note, false);
    this.file.value = ""; // the same file may be chosen again, mended
  }

  // UTF-8, or what older spreadsheets write.
  async decode(file) {
    const octets = await file.arrayBuffer();
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(octets);
    } catch {
      return new TextDecoder("windows-1252").decode(octets);
    }
  }

  body(checkOnly) {
    return { check: checkOnly, buildings: this.rows.buildings.map((b) => b.row), rounds: this.rows.rounds.map((r) => r.row) };
  }

  async check() {
    const answer = this.rows.buildings.length + this.rows.rounds.length > 0 ? await edit(this.body(true)) : { result: "good", how: {} };
    if (answer.result === "wrong") {
      for (const { what, index, why } of answer.wrong) {
        const thing = this.rows[what]?.[index];
        this.rows.wrong.push({ line: thing?.line ?? 0, rule: why, text: thing?.row.name ?? "" });
      }
      this.more = answer.rest;
    } else if (answer.result !== "good") {
      fill(this.said, editSays(answer));
      return;
    }
    this.still = answer.still ?? [];
    this.show(answer.how ?? null);
  }

  list(things, how, letter, name) {
    const hit = things.filter((_, i) => how?.[i] === letter);
    const line = (t) => el("li", {}, el("span", { class: "small" }, say(this.json ? "feature_n" : "line_n", { n: t.line })), bdi(name(t.row), "who"));
    return hit.length === 0 ? null : el("details", {}, el("summary", {}, sayCount(`import_${letter}`, hit.length)), el("ul", { class: "plain" }, ...hit.slice(0, SHOWN_MAX).map(line),
      hit.length > SHOWN_MAX ? el("li", {}, sayCount("and_others", hit.length - SHOWN_MAX)) : null));
  }

  show(how) {
    const { buildings, rounds, wrong } = this.rows;
    const kind = (key, things, letters, name) => (things.length === 0 ? null : el("div", {}, el("h3", {}, sayCount(key, things.length)),
      ...["n", "c", "s"].map((letter) => this.list(things, letters, letter, name))));
    const changes = how ? ["n", "c"].reduce((n, c) => n + counted(how.buildings, c) + counted(how.rounds, c), 0) : 0;
    this.preview.replaceChildren(...[el("h2", {}, say("import_preview")), this.wrongList(wrong), kind("buildings_n", buildings, how?.buildings, (r) => r.name),
      kind("rounds_n", rounds, how?.rounds, (r) => r.name), how && stillSays(this.still, (id) => rounds.find(({ row }) => row.id === id)?.row.name ?? id, this.desk.line.now()), how ? this.doIt(changes, wrong.length) : el("p", { class: "bad" }, say("import_mend"))].filter(Boolean));
    show(this.preview, true);
    this.preview.scrollIntoView({ block: "start" });
  }

  wrongList(wrong) {
    if (wrong.length === 0) return null;
    const line = (w) => el("li", {}, el("strong", {}, say(this.json ? "feature_n" : "line_n", { n: w.line })), el("span", {}, w.why ? say(`wrong_${w.why}`) : ruleSays(w.rule)), bdi(w.text));
    const rest = Math.max(0, wrong.length - SHOWN_MAX) + (this.more ?? 0);
    return el("div", { class: "wrong-lines" }, el("h3", { class: "bad" }, sayCount("import_wrong", wrong.length)), el("ul", {}, ...wrong.slice(0, SHOWN_MAX).map(line), rest > 0 ? el("li", {}, sayCount("and_others", rest)) : null));
  }

  doIt(changes, wrong) {
    if (changes === 0) return el("p", {}, say(this.rows.buildings.length + this.rows.rounds.length > 0 ? "import_nothing" : "import_none_good"));
    const said = el("p", { class: "bad", role: "alert" });
    const label = sayCount(wrong > 0 ? "import_rest_now" : "import_now", changes);
    const button = el("button", { type: "button", class: "main-button", id: "import-now", onclick: async () => {
      button.disabled = true;
      fill(button, say("import_under_way"));
      const answer = await edit(this.body(false));
      if (answer.result === "done") this.preview.replaceChildren(el("p", { class: "done", role: "status" }, sayCount("imported", changes)), el("p", {}, el("a", { href: "#rounds" }, say("view_rounds")), " · ", el("a", { href: "#buildings" }, say("view_buildings"))));
      else {
        fill(said, editSays(answer));
        fill(button, label);
        button.disabled = false;
      }
    } }, label);
    return el("div", {}, wrong > 0 ? el("p", {}, say("import_without_wrong")) : null, button, said);
  }
}
