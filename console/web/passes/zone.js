// A round's zone from those that the region has, and its team from those that are known.
import { el } from "../dom.js";
import { say } from "../words.js";

export class ZoneField {
  constructor(zone) {
    const hint = el("p", { id: "round-zone-hint", class: "small" }, say("zone_hint"));
    this.input = el("select", { id: "round-zone", "aria-describedby": "round-zone-hint" }, el("option", { value: "" }, say("zone_none")));
    if (zone) this.input.append(el("option", { value: zone, selected: true }, zone));
    this.element = el("div", { class: "field" }, el("label", { for: "round-zone" }, say("zone")), this.input, hint);
    this.load(zone);
  }

  // Until the zones are here, and where they cannot be had, the one that the round has stays.
  async load(zone) {
    const response = await fetch("zones.json").catch(() => null);
    if (!response?.ok) return;
    const { ids } = await response.json();
    const chosen = this.input.value;
    const name = (z) => (z.name && z.name !== z.id ? `${z.name} (${z.id})` : z.id);
    const all = [...ids].sort((a, b) => (a.name || a.id).localeCompare(b.name || b.id)).map((z) => el("option", { value: z.id }, name(z)));
    const gone = zone && !ids.some((z) => z.id === zone) ? [el("option", { value: zone }, say("zone_unknown", { zone }))] : [];
    this.input.replaceChildren(this.input.options[0], ...gone, ...all);
    this.input.value = chosen;
  }
}

// FIELD offers the teams of the carriers and rounds that a first look finds; another one may be typed.
export async function knownTeams(line, { input, element }) {
  const found = await Promise.all([line.find("carrier"), line.find("round")]);
  const teams = new Set(found.flatMap((f) => f?.items ?? []).map((thing) => thing.team).filter(Boolean));
  input.setAttribute("list", "teams");
  element.append(el("datalist", { id: "teams" }, ...[...teams].sort().map((value) => el("option", { value }))));
}
