// What goes over the line to the pass desk's server (PROTOCOL.md 7): questions, commands, and questions that are asked again when the
// server says that their answer may have changed.  No DOM.
import { commandId } from "../link.js";

export const ANSWER_MS = 20000; // the server answers within 15 s
const AGAIN_MS = 2000;          // after "away" or "busy"

export class Line {
  // link: { send(object) -> bool }
  constructor(link) {
    this.link = link;
    this.pending = new Map(); // c -> { resolve, timer }
    this.queries = new Set();
    this.hello = null;
    this.desk = null;
    this.store = false;
    this.since = null;
    this.why = null;
    this.offset = 0; // server's clock minus ours
  }

  now() {
    return Date.now() + this.offset;
  }

  get me() {
    return this.hello?.me ?? { role: "", person: "", login: "", name: "" };
  }

  may(what) {
    return this.desk?.may.includes(what) ?? false;
  }

  // Is what this page shows what the server knows?
  isWhole() {
    return this.hello !== null && this.store && this.desk !== null && this.desk.ready;
  }

  // Take one message in; gives its type.
  take(message) {
    if (message.t === "hello") {
      this.hello = message;
      this.offset = message.now - Date.now();
    } else if (message.t === "tick") {
      const back = message.store && !this.store;
      Object.assign(this, { offset: message.now - Date.now(), store: message.store, since: message.since, why: message.why ?? null });
      if (back) this.askAll();
    } else if (message.t === "desk") {
      this.desk = message;
      this.askAll();
    } else if (message.t === "desk_changed") {
      for (const query of this.queries) if (message.what.some((what) => query.hears.includes(what))) query.ask();
    } else if (message.c !== undefined) {
      this.answered(message.c, message);
    }
    return message.t;
  }

  answered(c, answer) {
    const asked = this.pending.get(c);
    if (!asked) return;
    this.pending.delete(c);
    clearTimeout(asked.timer);
    asked.resolve(answer);
  }

  // The line is gone: nobody will answer any more.
  lost() {
    this.store = false;
    for (const c of [...this.pending.keys()]) this.answered(c, { t: "answer", a: "none" });
  }

  // Give a command.  Resolves to what answered it; "not_sent" and "none" (nobody answered: nothing is certain) are codes of our own.
  give(fields) {
    const c = commandId();
    return new Promise((resolve) => {
      this.pending.set(c, { resolve, timer: setTimeout(() => this.answered(c, { t: "answer", a: "none" }), ANSWER_MS) });
      if (!this.link.send({ ...fields, c })) this.answered(c, { t: "answer", a: "not_sent" });
    });
  }

  askAll() {
    if (this.isWhole()) for (const query of this.queries) query.ask();
  }

  // { items, rest }, or null where the server could not say.
  async find(what, words = "") {
    const found = await this.give({ t: "desk_find", what, words });
    return found.t === "desk_found" ? found : null;
  }

  // The item; null where the server could not say, undefined where there is none.
  async get(what, id) {
    const got = await this.give({ t: "desk_get", what, id });
    return got.t === "desk_got" ? got.item : got.a === "unknown" ? undefined : null;
  }
}

// A question whose answer is shown: asked now and at each change, the newest answer counts.
export class Query {
  // question(line): a promise of the answer, null where there is none yet; show(answer); hears: `what` of desk_changed that concern it
  constructor(line, hears, question, show) {
    Object.assign(this, { line, hears, question, show, asked: 0, again: null });
  }

  open() {
    this.line.queries.add(this);
    return this.ask();
  }

  close() {
    this.line.queries.delete(this);
    clearTimeout(this.again);
    this.asked++;
  }

  async ask() {
    if (!this.line.isWhole()) return;
    clearTimeout(this.again);
    const n = ++this.asked;
    const answer = await this.question(this.line);
    if (n !== this.asked || !this.line.queries.has(this)) return; // a newer one is on its way
    if (answer !== null) this.show(answer);
    else this.again = setTimeout(() => this.ask(), AGAIN_MS);
  }
}
