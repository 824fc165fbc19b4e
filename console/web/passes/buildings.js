// Buildings: the list, and one building with its doors, the rounds that stop there and the link for its caretaker.
import { el, bdi, fill } from "../dom.js";
import { say, sayCount, sayNodes } from "../words.js";
import { changedSince, edit, editSays, newId } from "./edit.js";
import { check, field, Sure } from "./keyed.js";
import { Picker } from "./picker.js";
import { Search } from "./search.js";
import { octets } from "./rules.js";
import { when } from "./times.js";

const NEW = "new";
const CLASSES = ["nfc", "scanner", "caretaker"];

export class BuildingsView {
  constructor(desk) {
    this.desk = desk;
    this.element = el("div", { class: "view view-buildings" });
    this.asked = 0; // answers of before are late
  }

  async open(id) {
    this.close();
    const asked = ++this.asked;
    if (id === undefined) return this.list();
    if (id === NEW && this.desk.line.may("edit")) return this.show({ id: null, name: "", address: "", lat: null, lon: null, sensitive: false, qr: true, caretaker: true, doors: [], rounds: [], link: null });
    const building = await this.desk.line.get("building", id);
    if (asked !== this.asked) return undefined; // somewhere else by now
    this.away = building === null ? id : undefined; // asked again: tick()
    if (building) this.show(building);
    else this.element.replaceChildren(el("a", { href: "#buildings" }, say("back_to_buildings")), el("p", { class: "bad", role: "alert" }, say(building === undefined ? "building_gone" : "answer_away")));
  }

  tick() {
    if (this.away !== undefined) this.open(this.away);
  }

  close() {
    this.asked++;
    this.away = undefined;
    this.search?.close();
    this.picker?.close();
  }

  list() {
    const row = (first) => {
      const a = el("a", { class: "pick", href: `#buildings/${first.id}` });
      return { element: el("li", {}, a), update: (b) => fill(a, bdi(b.name, "who"), b.address !== b.name ? el("span", {}, bdi(b.address)) : null,
        b.sensitive ? el("span", { class: "tag" }, say("sensitive_short")) : null, b.lat === null ? el("span", { class: "tag" }, say("no_place_short")) : null) };
    };
    this.search = new Search(this.desk.line, { id: "building-words", what: "building", label: "find_building", none: "no_buildings", keyOf: (b) => b.id, row });
    const add = this.desk.line.may("edit") ? el("a", { class: "button", href: "#buildings/new" }, say("new_building")) : null;
    this.element.replaceChildren(el("section", { class: "block" }, el("div", { class: "block-head" }, el("h2", {}, say("view_buildings")), add), this.search.element));
    this.search.open();
    return undefined;
  }

  // ---- one building

  show(building) {
    this.building = building;
    const may = this.desk.line.may("edit");
    const title = el("h1", {}, building.id === null ? say("new_building") : bdi(building.name));
    this.element.replaceChildren(...[el("a", { href: "#buildings" }, say("back_to_buildings")), title, may ? this.form(building) : this.facts(building),
      building.id === null ? null : this.caretaker(building), building.id === null ? null : this.doors(building), building.rounds.length > 0 ? this.rounds(building) : null,
      may && building.id !== null ? this.dropButton(building) : null].filter(Boolean));
    if (may) this.picker.draw();
  }

  facts(b) {
    const lines = [b.address, b.sensitive ? say("sensitive") : null, say(b.qr ? (b.caretaker ? "policy_all" : "policy_qr") : "policy_nfc")];
    return el("section", { class: "block" }, ...lines.filter(Boolean).map((line) => el("p", {}, bdi(line))));
  }

  form(b) {
    this.name = field("building-name", say("name"), { required: true, maxlength: 64, value: b.name }, say("building_name_hint"));
    this.address = field("building-address", say("address"), { maxlength: 128, value: b.address });
    this.picker = new Picker(this.desk, b.lat === null ? null : { lat: b.lat, lon: b.lon });
    this.sensitive = check("building-sensitive", say("sensitive"), b.sensitive, say("sensitive_hint"));
    this.qr = check("building-qr", say("by_qr"), b.qr, say("by_qr_hint"));
    this.page = check("building-caretaker", say("by_caretaker"), b.caretaker, say("by_caretaker_hint"));
    const together = () => {
      this.page.input.disabled = !this.qr.input.checked;
      if (!this.qr.input.checked) this.page.input.checked = false;
    };
    this.qr.input.addEventListener("change", together);
    together();
    this.said = el("p", { class: "bad", role: "alert" });
    const submit = (event) => {
      event.preventDefault();
      this.save();
    };
    return el("form", { class: "block edit", onsubmit: submit }, this.name.element, this.address.element, this.picker.element, this.sensitive.element, this.qr.element, this.page.element, this.said,
      el("div", { class: "row" }, el("button", { type: "submit", class: "main-button" }, say("save")), el("a", { class: "button quiet", href: "#buildings" }, say("cancel"))));
  }

  async save() {
    const name = this.name.input.value.trim() || this.address.input.value.trim();
    const at = this.picker.value();
    const wrong = octets(name) > 64 ? "wrong_name_long" : octets(this.address.input.value.trim()) > 128 ? "wrong_address_long" : at === undefined ? "wrong_position" : null;
    if (wrong) {
      fill(this.said, say(wrong));
      return;
    }
    const now = this.building.id === null ? undefined : await this.desk.line.get("building", this.building.id);
    const why = now === null ? "answer_away" : this.building.id !== null && changedSince(this.building, now, ["name", "address", "lat", "lon", "sensitive", "qr", "caretaker"], "building_gone");
    if (why) {
      fill(this.said, say(why));
      return;
    }
    const id = this.building.id ?? newId();
    const row = { id, name, address: this.address.input.value.trim(), lat: at?.lat ?? null, lon: at?.lon ?? null, sensitive: this.sensitive.input.checked, qr: this.qr.input.checked,
      caretaker: this.page.input.checked };
    const answer = await edit({ check: false, buildings: [row] });
    if (answer.result !== "done") {
      fill(this.said, editSays(answer));
      return;
    }
    this.desk.tell(say("saved"));
    location.hash = this.building.id === null ? `buildings/${id}` : "buildings"; // a new one: its link and doors come next
  }

  // The link of the caretaker's page, to be sent or stuck on their wall.
  caretaker(b) {
    const box = el("section", { class: "block" }, el("h2", {}, say("caretaker_title")));
    if (!b.caretaker || !b.link) {
      box.append(el("p", {}, say(b.link ? "caretaker_off" : "caretaker_none")));
      return box;
    }
    const link = new URL(b.link, location.href).href;
    const input = el("input", { id: "caretaker-link", readonly: true, value: link, onfocus: (event) => event.target.select(), "aria-label": say("caretaker_title") });
    const copied = el("span", { class: "done", role: "status" });
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(link);
        fill(copied, say("copied"));
      } catch {
        input.focus();
        fill(copied, say("copy_by_hand"));
      }
    };
    box.append(el("p", {}, say("caretaker_how")), el("div", { class: "row link-row" }, input, el("button", { type: "button", id: "copy-link", onclick: copy }, say("copy")),
      el("a", { class: "button", href: link, target: "_blank", rel: "noopener" }, say("open_link"))), copied);
    return box;
  }

  doors(b) {
    const may = this.desk.line.may("edit");
    const line = (d) => el("li", {}, bdi(d.name, "who"), el("span", {}, say(`class_${d.class}`)), d.from === null && d.class !== "caretaker" ? el("span", { class: "tag" }, say("door_no_key")) : null,
      may ? this.dropDoor(d) : null, el("span", { class: "small" }, ...this.doorFacts(d)));
    const list = b.doors.length > 0 ? el("ul", { class: "doors-of" }, ...b.doors.map(line)) : el("p", {}, say("doors_of_none"));
    return el("section", { class: "block" }, el("h2", {}, say("doors_title")), list, may ? this.addDoor(b) : null);
  }

  // What the operator's tool told of a door: how long its mandate runs, and which list of revocations it was last seen with.
  doorFacts(d) {
    const now = this.desk.line.now();
    const list = d.list_at === null ? say("door_list_none") : say("door_list", { time: when(d.list_at, now), seen: d.seen_at === null ? "?" : when(d.seen_at, now) });
    return [d.until === null ? null : `${say("door_until", { time: when(d.until, now) })} · `, d.class === "caretaker" ? say("door_page") : list, ` · ${d.id}`].filter(Boolean);
  }

  addDoor(b) {
    const name = field("door-name", say("door_name"), { required: true, maxlength: 64 });
    const kind = el("select", { id: "door-class" }, ...CLASSES.map((c) => el("option", { value: c }, say(`class_${c}`))));
    const said = el("p", { class: "bad", role: "alert" });
    const submit = async (event) => {
      event.preventDefault();
      const answer = await edit({ check: false, doors: [{ id: newId(), building: b.id, name: name.input.value.trim(), class: kind.value }] });
      if (answer.result === "done") this.open(b.id);
      else fill(said, editSays(answer));
    };
    return el("details", {}, el("summary", {}, say("add_door")), el("form", { class: "edit", onsubmit: submit }, name.element, el("div", { class: "field" }, el("label", { for: "door-class" }, say("door_class")), kind),
      el("p", { class: "small" }, say("door_key_hint")), said, el("button", { type: "submit" }, say("add"))));
  }

  dropDoor(d) {
    return new Sure({ label: say("drop"), yes: say("drop_yes"), className: "quiet-danger", question: () => sayNodes("drop_door_sure", { name: d.name }), run: async () => {
      const answer = await edit({ check: false, drop: { doors: [d.id] } });
      if (answer.result === "done") this.open(this.building.id);
      else this.desk.tell(editSays(answer), "bad");
    } }).element;
  }

  rounds(b) {
    return el("section", { class: "block" }, el("h2", {}, sayCount("on_rounds", b.rounds.length)), el("ul", { class: "plain" }, ...b.rounds.map((r) => el("li", {}, el("a", { href: `#rounds/${encodeURIComponent(r.id)}` }, bdi(r.name || r.id))))));
  }

  dropButton(b) {
    if (b.rounds.length > 0) return el("p", { class: "small" }, say("drop_building_not"));
    return new Sure({ label: say("drop_building"), yes: say("drop_yes"), className: "quiet-danger", question: () => sayNodes("drop_building_sure", { name: b.name }), run: async () => {
      const answer = await edit({ check: false, drop: { buildings: [b.id] } });
      if (answer.result === "done") location.hash = "buildings";
      else this.desk.tell(editSays(answer), "bad");
    } }).element;
  }
}
