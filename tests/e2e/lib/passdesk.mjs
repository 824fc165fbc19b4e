// The pass desk's pages with a server that is made up: it has one small region's books and answers as console/PROTOCOL.md 7 says, so that
// every state can be looked at without waiting for it.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { join, normalize } from "node:path";

const WEB = new URL("../../../build/web", import.meta.url).pathname;
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css", json: "application/json", svg: "image/svg+xml" };

export function serve(answers = {}) {
  const server = createServer((request, answer) => {
    const path = normalize(new URL(request.url, "http://x").pathname);
    if (answers[path]) {
      let body = "";
      request.on("data", (data) => { body += data; });
      request.on("end", () => answer.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answers[path](body && JSON.parse(body)))));
      return;
    }
    try {
      const file = readFileSync(join(WEB, path));
      answer.writeHead(200, { "content-type": TYPES[path.split(".").pop()] }).end(file);
    } catch {
      answer.writeHead(404).end();
    }
  });
  return new Promise((resolve) => { server.listen(0, "127.0.0.1", () => resolve(server)); });
}

// In the page, before anything of it runs: BOOKS of the region, `may` of the person.
export function server({ books, may, me, keeper }) {
  const made = { said: [], books, sockets: [], answer: {} };
  window.desk = made;
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const fits = (thing, words) => fold(words).split(/\s+/).every((w) => fold(JSON.stringify(thing)).includes(w));
  made.tell = (object) => made.sockets.at(-1).onmessage?.({ data: JSON.stringify(object) });
  made.changed = (...what) => made.tell({ t: "desk_changed", what });
  made.hear = (m) => {
    made.said.push(m);
    if (m.t === "desk_find") {
      const items = (made.books[m.what] ?? []).filter((thing) => fits(thing, m.words));
      made.tell({ t: "desk_found", c: m.c, what: m.what, items: items.slice(0, 50), rest: Math.max(0, items.length - 50) });
    } else if (m.t === "desk_get" && !made.answer.desk_get) {
      const item = (made.books[`${m.what}s`] ?? {})[m.id];
      made.tell(item ? { t: "desk_got", c: m.c, what: m.what, item } : { t: "answer", c: m.c, a: "unknown", who: null, more: null });
    } else {
      made.tell({ t: "answer", c: m.c, a: "done", who: null, more: null, ...made.answer[m.t] });
    }
  };
  window.WebSocket = class {
    static OPEN = 1;
    readyState = 1;
    constructor() {
      made.sockets.push(this);
      setTimeout(() => {
        if (made.dead) {
          this.onclose?.({ code: 1006 });
          return;
        }
        made.tell({ t: "hello", p: 1, version: "1", now: Date.now(), ends: Date.now() + 8 * 3600000, region: "lyon", me, tiles: null, tiles_by: null });
        made.tell({ t: "tick", now: Date.now(), store: true, since: null, why: null });
        made.tell({ t: "desk", may, keeper, ready: true, shift_ms: 8 * 3600000, alone_ms: 12 * 3600000, longest_ms: 24 * 3600000 });
        this.beat = setInterval(() => made.tell({ t: "tick", now: Date.now(), store: true, since: null, why: null }), 2000);
      });
    }
    send(text) { setTimeout(() => made.hear(JSON.parse(text)), 5); }
    close() { clearInterval(this.beat); this.readyState = 3; this.onclose?.({ code: 1006 }); }
  };
}
