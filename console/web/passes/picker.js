// A map to pick a position on: a click or the arrow keys set it; the field beside it says the same in figures.  Without Leaflet the field is enough.
import { el, bdi } from "../dom.js";
import { say } from "../words.js";
import { positionOf } from "./rules.js";

const START = { center: [46.6, 2.5], zoom: 6 };
const NEAR_ZOOM = 17;

export class Picker {
  constructor(desk, at) {
    this.desk = desk;
    this.input = el("input", { id: "position", autocomplete: "off", placeholder: "45.7652, 4.8345", maxlength: 40, value: at ? `${at.lat}, ${at.lon}` : null, oninput: () => this.typed() });
    this.box = el("div", { class: "pick-map", role: "application", "aria-label": say("pick_map") });
    this.bad = el("p", { class: "bad", role: "status" });
    this.element = el("div", { class: "field" }, el("label", { for: "position" }, say("position_field")), this.input, this.bad, el("p", { class: "small" }, say("position_hint")), globalThis.L ? this.box : null);
  }

  // To be called when the element is in the page: Leaflet measures it.
  draw() {
    if (!globalThis.L) return;
    const at = this.value();
    this.map = L.map(this.box, { attributionControl: false, minZoom: 3, maxZoom: 19 }).setView(at ? [at.lat, at.lon] : START.center, at ? NEAR_ZOOM : START.zoom);
    for (const way of ["in", "out"]) {
      const button = this.box.querySelector(`.leaflet-control-zoom-${way}`);
      button?.setAttribute("aria-label", say(`zoom_${way}`));
      button?.setAttribute("title", say(`zoom_${way}`));
    }
    const { tiles, tiles_by: by } = this.desk.line.hello;
    if (tiles) L.tileLayer(tiles, { maxZoom: 19 }).addTo(this.map);
    if (tiles && by) this.box.append(el("p", { class: "tiles-by" }, by));
    this.map.on("click", ({ latlng }) => {
      this.input.value = `${latlng.lat.toFixed(6)}, ${latlng.wrap().lng.toFixed(6)}`;
      this.typed(false);
    });
    this.zones(at === null);
    this.mark();
  }

  // The region's zones, to find one's way on a map without tiles.
  async zones(look) {
    const response = await fetch("zones.json").catch(() => null);
    if (!response?.ok || !this.map) return;
    const { zones } = await response.json();
    const shapes = L.featureGroup().addTo(this.map);
    for (const zone of zones) {
      const shape = L.polygon(zone.shape, { className: "zone", weight: 1.5, interactive: false });
      shape.bindTooltip(() => bdi(zone.name), { permanent: true, direction: "center", className: "zone-name" });
      shapes.addLayer(shape);
    }
    shapes.bringToBack();
    if (look && !this.value() && zones.length > 0) this.map.fitBounds(shapes.getBounds(), { animate: false });
  }

  typed(look = true) {
    const at = this.value();
    this.bad.textContent = at === undefined ? say("wrong_position") : "";
    this.mark();
    if (look && at && this.map) this.map.setView([at.lat, at.lon], NEAR_ZOOM, { animate: false });
  }

  mark() {
    if (!this.map) return;
    const at = this.value();
    this.dot?.remove();
    this.dot = at ? L.circleMarker([at.lat, at.lon], { radius: 9, weight: 3, color: "#16324f", fillOpacity: 0.35, interactive: false }).addTo(this.map) : null;
  }

  // { lat, lon }, null where the field is empty, undefined where it holds no position.
  value() {
    const text = this.input.value.trim();
    return text === "" ? null : (positionOf(text) ?? undefined);
  }

  close() {
    this.map?.remove();
    this.map = null;
  }
}
