// The map: zones, the carriers of open alerts, supervisors.  Leaflet draws on a plain ground; tiles come only from a configured
// server.  Without Leaflet the list says everything still.
import { el, bdi, byId, fill, show } from "./dom.js";
import { say, isolate, ago, distance } from "./words.js";
import { isDrill, isTaken } from "./rules.js";

const START = { center: [46.6, 2.5], zoom: 6 };
const ZONE_NAMES_FROM_ZOOM = 11;
const PEOPLE_NAMES_FROM_ZOOM = 14; // further out only of those who were asked
const FRESH_MS = 600000;

export class DeskMap {
  constructor() {
    this.box = byId("map");
    if (!globalThis.L) {
      this.map = null;
      return;
    }
    this.map = L.map(this.box, { zoomControl: false, attributionControl: false, zoomSnap: 0.5, minZoom: 3, maxZoom: 19 }).setView(START.center, START.zoom);
    L.control.zoom({ position: "topright" }).addTo(this.map);
    L.control.scale({ imperial: false, maxWidth: 140 }).addTo(this.map);
    this.zones = L.featureGroup().addTo(this.map);
    this.tracks = L.layerGroup().addTo(this.map);
    this.people = new Map();
    this.carriers = new Map();
    this.selected = null;
    this.moved = false;
    this.map.on("dragstart", () => this.setMoved(true));
    this.box.addEventListener("wheel", () => this.setMoved(true), { passive: true });
    this.map.on("zoomend", () => this.labels());
    byId("recentre").addEventListener("click", () => this.look());
    new ResizeObserver(() => this.map.invalidateSize({ pan: false })).observe(this.box);
  }

  setMoved(moved) {
    this.moved = moved;
    show(byId("recentre"), moved);
  }

  // What screen readers and pointers are told, in the language that is loaded now.
  words() {
    for (const way of ["in", "out"]) {
      const button = this.box.querySelector(`.leaflet-control-zoom-${way}`);
      button?.setAttribute("aria-label", say(`zoom_${way}`));
      button?.setAttribute("title", say(`zoom_${way}`));
    }
  }

  tiles(url, by) {
    if (!this.map || !url || this.tileLayer) return;
    this.tileLayer = L.tileLayer(url, { maxZoom: 19 }).addTo(this.map);
    if (by) this.box.append(el("p", { class: "tiles-by" }, by));
  }

  async loadZones() {
    if (!this.map) return;
    const response = await fetch("zones.json");
    if (!response.ok) return;
    const { zones } = await response.json();
    this.zones.clearLayers();
    this.zoneByName = new Map();
    for (const zone of zones) {
      const shape = L.polygon(zone.shape, { className: "zone", weight: 1.5, interactive: false });
      shape.bindTooltip(() => bdi(zone.name), { permanent: true, direction: "center", className: "zone-name" });
      this.zones.addLayer(shape);
      this.zoneByName.set(zone.name, shape);
    }
    this.labels();
    this.look();
  }

  labels() {
    this.box.classList.toggle("no-zone-names", this.map.getZoom() < ZONE_NAMES_FROM_ZOOM);
    this.box.classList.toggle("few-names", this.map.getZoom() < PEOPLE_NAMES_FROM_ZOOM);
  }

  update(board, selectedId) {
    if (!this.map) return;
    const changed = this.selected?.id !== selectedId;
    this.selected = board.alerts.get(selectedId) ?? null;
    this.updateCarriers(board);
    this.updatePeople(board);
    this.updateTrack(this.selected);
    this.updateZone();
    this.note(this.selected);
    if (changed) this.setMoved(false);
    if (!this.moved) this.look();
    this.tick(board.now());
  }

  updateCarriers(board) {
    for (const [id, shape] of this.carriers) {
      if (board.alerts.get(id)?.position) continue;
      shape.marker.remove();
      shape.circle.remove();
      this.carriers.delete(id);
    }
    for (const alert of board.alerts.values()) if (alert.position) this.putCarrier(alert);
  }

  putCarrier(alert) {
    const at = [alert.position.lat, alert.position.lon];
    const tone = isDrill(alert) ? "drill" : isTaken(alert) ? "taken" : "open";
    const selected = alert.id === this.selected?.id;
    let shape = this.carriers.get(alert.id);
    if (!shape) {
      const age = el("small");
      const label = el("span", { class: "carrier-label" }, bdi(alert.carrier_name ?? say("unknown_carrier")), age);
      const icon = el("span", { class: "carrier" }, el("span", { class: "dot" }), label);
      shape = { icon, age, circle: L.circle(at, { radius: 1, className: "accuracy", weight: 1.5, fillOpacity: 0.12, interactive: false }).addTo(this.map),
        marker: L.marker(at, { icon: L.divIcon({ html: icon, className: "carrier-icon", iconSize: [0, 0] }), keyboard: false, zIndexOffset: 1000 }).addTo(this.map) };
      shape.marker.on("click", () => {
        const card = byId("alerts").querySelector(`[data-id="${alert.id}"]`);
        card?.click(); // which selects it
        card?.focus();
      });
      this.carriers.set(alert.id, shape);
    }
    shape.at = alert.position.at;
    shape.icon.className = `carrier carrier-${tone}${selected ? " selected" : ""}`;
    shape.marker.setLatLng(at);
    shape.circle.setLatLng(at).setRadius(Math.max(alert.position.accuracy_m ?? 0, 1));
    shape.circle.setStyle({ color: tone === "open" ? "#b3001b" : tone === "drill" ? "#6b3fa0" : "#1c5d99" });
  }

  updatePeople(board) {
    const now = board.now();
    const wanted = new Map([...board.people.values()].filter((p) => p.position && p.duty).map((p) => [p.id, p]));
    if (board.here) wanted.set(board.me.person, { id: board.me.person, name: say("you"), position: board.here });
    for (const [id, shape] of this.people)
      if (!wanted.has(id)) {
        shape.marker.remove();
        this.people.delete(id);
      }
    for (const person of wanted.values()) this.putPerson(person, now);
  }

  putPerson(person, now) {
    const at = [person.position.lat, person.position.lon];
    const asked = this.selected?.asked.find((a) => a.id === person.id);
    const owner = this.selected?.owner === person.id;
    const old = now - person.position.at > FRESH_MS;
    let shape = this.people.get(person.id);
    if (!shape) {
      const label = el("span", { class: "person-label" });
      const icon = el("span", {}, el("span", { class: "dot" }), label);
      shape = { icon, label, marker: L.marker(at, { icon: L.divIcon({ html: icon, className: "person-icon", iconSize: [0, 0] }), keyboard: false, interactive: false }).addTo(this.map) };
      this.people.set(person.id, shape);
    }
    shape.marker.setLatLng(at);
    shape.icon.className = ["person", asked ? "asked" : "", asked?.seen_at ? "seen" : "", owner ? "owner" : "", old ? "old" : ""].filter(Boolean).join(" ");
    fill(shape.label, bdi(person.name), asked && asked.distance_m !== null ? el("small", {}, distance(asked.distance_m)) : null);
  }

  updateTrack(alert) {
    this.tracks.clearLayers();
    if (!alert?.position || alert.track.length === 0) return;
    const points = [...alert.track, alert.position].map((p) => [p.lat, p.lon]);
    this.tracks.addLayer(L.polyline(points, { className: "track", weight: 3, interactive: false, color: "#7a1020", dashArray: "2 6" }));
    for (const point of points.slice(0, -1)) this.tracks.addLayer(L.circleMarker(point, { radius: 3, weight: 0, fillOpacity: 0.8, fillColor: "#7a1020", interactive: false }));
  }

  updateZone() {
    for (const [name, shape] of this.zoneByName ?? []) {
      const here = name === this.selected?.zone_name;
      shape.getElement()?.classList.toggle("here", here);
      if (here) shape.bringToFront();
    }
  }

  note(alert) {
    const missing = alert !== null && !alert.position;
    show(byId("map-note"), missing);
    if (missing) fill(byId("map-note"), say(alert.zone_name ? "map_no_position_zone" : "map_no_position", { zone: isolate(alert.zone_name ?? "") }));
  }

  // Show the alert and who was asked; without an alert, all zones.
  look() {
    if (!this.map) return;
    this.setMoved(false);
    const alert = this.selected;
    const bounds = L.latLngBounds([]);
    if (alert?.position) {
      const around = L.latLng(alert.position.lat, alert.position.lon).toBounds(Math.max(400, 3 * (alert.position.accuracy_m ?? 0)));
      bounds.extend(around);
      for (const asked of alert.asked) {
        const person = this.people.get(asked.id);
        if (person && asked.distance_m !== null && asked.distance_m < 20000) bounds.extend(person.marker.getLatLng());
      }
    } else if (alert?.zone_name && this.zoneByName?.has(alert.zone_name)) {
      bounds.extend(this.zoneByName.get(alert.zone_name).getBounds());
    } else if (this.zones.getLayers().length > 0) {
      bounds.extend(this.zones.getBounds());
    }
    if (bounds.isValid() && this.box.clientWidth > 0) this.map.fitBounds(bounds, { padding: [50, 50], maxZoom: 17, animate: false });
  }

  tick(now) {
    for (const shape of this.carriers?.values() ?? []) fill(shape.age, say("fix_age", { age: ago(now - shape.at) }));
  }
}
