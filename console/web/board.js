// What this page knows: the server's messages put together.  No DOM.

// Open alerts kept: far more than anybody reads.  Beyond it the least urgent is let go and counted in `rest`.
export const KEPT_MAX = 1000;
const CLOSED_MAX = 20;

export class Board {
  constructor() {
    this.alerts = new Map();
    this.closed = []; // newest first
    this.notices = new Map();
    this.people = new Map();
    this.counts = null;
    this.hello = null;
    this.rest = 0;
    this.whole = false; // a snapshot has come to its end
    this.store = false;
    this.lostAt = null;
    this.offset = 0; // server's clock minus ours
    this.here = null; // where this browser is: a supervisor on duty only
  }

  now() {
    return Date.now() + this.offset;
  }

  get me() {
    return this.hello?.me ?? { role: "", person: "", login: "", name: "" };
  }

  // Take one message in.  Says what changed: { alert?: , before?: , begin?, end? ...}.
  take(message) {
    switch (message.t) {
      case "hello":
        this.hello = message;
        this.offset = message.now - Date.now();
        return { hello: true };
      case "tick":
        this.offset = message.now - Date.now();
        this.store = message.store;
        this.lostAt = message.since;
        this.lostWhy = message.why ?? null;
        return { tick: true };
      case "begin":
        this.coming = new Set();
        this.notices.clear();
        this.people.clear();
        return {};
      case "end":
        this.rest = message.rest;
        for (const id of [...this.alerts.keys()]) if (!this.coming.has(id)) this.unseenEnd(id);
        this.coming = null;
        this.whole = true;
        return { end: true };
      case "alert":
        return this.takeAlert(message);
      case "notice":
        if (message.notice) this.notices.set(message.k, message.notice);
        else this.notices.delete(message.k);
        return { notice: message.k };
      case "people":
        for (const person of message.people) this.people.set(person.id, person);
        return { people: true };
      case "counts":
        this.counts = message;
        return { counts: true };
      case "answer":
        return { answer: message };
      default:
        return {}; // a newer server's
    }
  }

  // A snapshot is how it is, also where that is older than what was shown: a failover may take back the last second.  An alert that
  // was shown closed and is open again says so, and rings loudest, until somebody has it.
  takeAlert({ alert, e, by, c }) {
    const before = this.alerts.get(alert.id) ?? null;
    this.coming?.add(alert.id);
    if (before && before.v > alert.v && !this.coming) return {};
    if (alert.state === "closed") {
      if (!this.alerts.delete(alert.id) && this.rest > 0 && !this.closed.some((a) => a.id === alert.id)) this.rest--;
      this.keepClosed(alert);
    } else {
      const shownClosed = this.closed.find((a) => a.id === alert.id && a.closed);
      if (!before && !shownClosed && !this.coming && e !== "raise" && this.rest > 0 && this.me.role === "control") this.rest--;
      this.closed = this.closed.filter((a) => a.id !== alert.id);
      alert = { ...alert, reopened: Boolean(shownClosed ?? before?.reopened) };
      this.alerts.set(alert.id, alert);
      this.letGo();
    }
    return { alert, before, event: e, by, command: c };
  }

  letGo() {
    if (this.alerts.size <= KEPT_MAX) return;
    let least = null;
    for (const alert of this.alerts.values()) if (least === null || alert.urgency < least.urgency) least = alert;
    this.alerts.delete(least.id);
    this.rest++;
  }

  keepClosed(alert) {
    this.closed = [alert, ...this.closed.filter((a) => a.id !== alert.id)].slice(0, CLOSED_MAX);
  }

  // Open before we were blind, and not open any more: closed by somebody we did not hear of.
  unseenEnd(id) {
    const alert = this.alerts.get(id);
    this.alerts.delete(id);
    this.keepClosed({ ...alert, state: "closed", closed: null });
  }
}
