// The phone's page with a daemon that is made up: `window.daemon` gives what it is told to, and remembers what it was asked.  One page
// serves all tests: a new state is one message, a fresh page one navigation.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const UI = new URL("../../../device/handset/ui/", import.meta.url).pathname;
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css", json: "application/json", svg: "image/svg+xml" };

function serve() {
  const server = createServer((request, answer) => {
    try {
      const file = readFileSync(join(UI, request.url === "/" ? "index.html" : request.url));
      answer.writeHead(200, { "content-type": TYPES[request.url.split(".").pop()] ?? TYPES.html }).end(file);
    } catch {
      answer.writeHead(request.url === "/favicon.ico" ? 204 : 404).end();
    }
  });
  return new Promise((resolve) => { server.listen(0, "127.0.0.1", () => resolve(server)); });
}

// In the page, before anything of it runs.
function daemon() {
  const setup = JSON.parse(sessionStorage.getItem("setup") ?? "{}");
  const made = { words: [], status: setup.status, answering: setup.answers, sockets: [] };
  let began = null; // the test's clock is not there yet
  const present = () => ({ ...made.status, now_ms: made.status.now_ms + Date.now() - (began ??= Date.now()) });
  window.daemon = made;
  made.give = (change) => {
    made.status = { ...made.status, ...change };
    made.sockets.at(-1).onmessage?.({ data: JSON.stringify({ status: present() }) });
  };
  window.WebSocket = class {
    constructor() {
      made.sockets.push(this);
      setTimeout(() => {
        if (made.dead) this.onclose?.();
        else {
          this.onopen?.();
          made.give({});
        }
      });
    }

    send(text) {
      const { words, n } = JSON.parse(text);
      if (words[0] !== "status") made.words.push(words.join(" "));
      if (made.answering) setTimeout(() => this.onmessage?.({ data: JSON.stringify({ ok: true, answer: n, ...(words[0] === "status" && { status: present() }) }) }));
    }

    close() {}
  };
}

const NOW = Date.UTC(2026, 4, 4, 8, 30, 0);

export class PhonePage {
  static async open(browser) {
    const made = new PhonePage();
    made.server = await serve();
    made.origin = `http://127.0.0.1:${made.server.address().port}/`;
    made.page = await browser.newPage({ viewport: { width: 360, height: 640 }, locale: "fr-FR", timezoneId: "Europe/Paris" });
    made.page.said = [];
    made.page.on("pageerror", (error) => made.page.said.push(`error: ${error.message}`));
    made.page.on("console", (message) => message.type() === "error" && made.page.said.push(`console: ${message.text()}`));
    await made.page.addInitScript(daemon);
    await made.page.clock.install({ time: NOW });
    await made.page.clock.pauseAt(NOW + 1);
    await made.page.goto(`${made.origin}icon.svg`);
    return made;
  }

  // The page afresh, at STATUS; its clock stands still but for page.clock.runFor().
  async show(status, { width = 360, height = 640, language = "fr", answers = true } = {}) {
    const { page } = this;
    page.said.length = 0;
    await page.setViewportSize({ width, height });
    await page.evaluate(([setup, lang]) => {
      sessionStorage.setItem("setup", setup);
      localStorage.clear();
      localStorage.setItem("language", lang);
    }, [JSON.stringify({ status, answers }), language]);
    await page.goto(this.origin);
    while (!await page.evaluate(() => window.daemon.sockets.length)); // its texts come first
    await page.clock.runFor(100);
    return page;
  }

  async close() {
    await this.page.close();
    await new Promise((resolve) => { this.server.close(resolve); this.server.closeAllConnections(); });
  }
}
