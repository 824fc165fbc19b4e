// A supervisor's own duty: on until when, off, and where: the position is asked of the browser only while on duty.
import { el, byId, fill, show } from "./dom.js";
import { say, clock } from "./words.js";

const DEFAULT_HOURS = 8;

export class Duty {
  // send(fields) gives a command; it answers false when the line is down.
  constructor(send) {
    this.send = send;
    this.box = byId("duty");
    this.until = null;
    this.position = null;
    this.refused = false;
    this.watch = null;
  }

  update(board) {
    const supervisor = board.me.role === "supervisor";
    show(this.box, supervisor);
    if (!supervisor || !board.whole) return;
    const duty = board.people.get(board.me.person)?.duty ?? null;
    const shape = `${duty?.until ?? "off"}|${this.refused}`;
    this.onDuty = duty !== null;
    this.follow(this.onDuty);
    board.here = this.position;
    if (shape === this.shape) return;
    this.shape = shape;
    this.box.className = duty ? "on-duty" : "off-duty";
    this.box.replaceChildren(...(duty ? this.on(duty) : this.off()));
  }

  on(duty) {
    const where = this.refused ? say("duty_no_position") : say("duty_position");
    return [el("span", { class: "duty-state" }, say("duty_on_until", { time: clock(duty.until, false) })), el("span", { class: "duty-where" }, where),
      el("button", { type: "button", class: "quiet", onclick: () => this.send({ t: "duty_off" }) }, say("duty_off"))];
  }

  off() {
    const time = el("input", { type: "time", id: "until", required: true });
    const end = new Date(Date.now() + DEFAULT_HOURS * 3600000);
    time.value = clock(end.getTime(), false);
    const submit = (event) => {
      event.preventDefault();
      this.begin(time.value);
    };
    return [el("span", { class: "duty-state" }, say("duty_is_off")), el("form", { onsubmit: submit }, el("label", { for: "until" }, say("duty_until")), time,
      el("button", { type: "submit" }, say("duty_on")))];
  }

  // The time of day given, today or (when it has passed) tomorrow.
  begin(value) {
    const [h, m] = value.split(":").map(Number);
    const until = new Date();
    until.setHours(h, m, 0, 0);
    if (until.getTime() <= Date.now()) until.setDate(until.getDate() + 1);
    this.send({ t: "duty_on", until: until.getTime(), ...(this.position ? { position: this.position } : {}) });
  }

  follow(on) {
    if (!navigator.geolocation || on === (this.watch !== null)) return;
    if (!on) {
      navigator.geolocation.clearWatch(this.watch);
      this.watch = null;
      this.position = null;
      return;
    }
    this.watch = navigator.geolocation.watchPosition((p) => {
      this.refused = false;
      this.position = { lat: p.coords.latitude, lon: p.coords.longitude, accuracy_m: p.coords.accuracy, at: Math.round(p.timestamp) };
    }, () => {
      this.refused = true;
      this.position = null;
      this.shape = null;
    }, { enableHighAccuracy: true, maximumAge: 10000, timeout: 30000 });
  }

  // What a visible page says every 10 s.
  presence() {
    return { t: "visible", ...(this.onDuty && this.position ? { position: this.position } : {}) };
  }
}
