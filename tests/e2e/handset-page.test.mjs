// The phone's page in every state, with made-up statuses: what must be seen is seen without scrolling, texts are texts, colours can be
// told apart, nothing that somebody touches goes away under the finger.  `SHOTS=FOLDER` keeps a picture of each.
import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { launch, poorContrast } from "./lib/browser.mjs";
import { HOSTILE, states } from "./lib/statuses.mjs";

const UI = new URL("../../device/handset/ui/", import.meta.url).pathname;
const ORIGIN = "http://127.0.0.1:8480";
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css", json: "application/json", svg: "image/svg+xml" };
const SIZES = [[360, 640], [420, 800]];
const shots = process.env.SHOTS;
let browser;

before(async () => {
  browser = await launch();
  if (shots) mkdirSync(shots, { recursive: true });
});
after(() => browser?.close());

// A page whose daemon is `window.daemon`: it remembers what it was told, and gives what it is told to.
async function open(status, { width = 360, height = 640, language = "fr", answers = true } = {}) {
  const page = await browser.newPage({ viewport: { width, height }, locale: "fr-FR", timezoneId: "Europe/Paris" });
  page.said = [];
  page.on("pageerror", (error) => page.said.push(`error: ${error.message}`));
  page.on("console", (message) => message.type() === "error" && page.said.push(`console: ${message.text()}`));
  await page.route("**/*", (route) => {
    const path = new URL(route.request().url()).pathname;
    const file = join(UI, path === "/" ? "index.html" : path);
    return route.fulfill({ body: readFileSync(file), contentType: TYPES[file.split(".").pop()] });
  });
  await page.clock.install({ time: status.now_ms });
  await page.addInitScript(({ first, lang, answering }) => {
    localStorage.setItem("language", lang);
    const daemon = { words: [], status: first, answering, sockets: [] };
    window.daemon = daemon;
    daemon.give = (change) => {
      daemon.status = { ...daemon.status, ...change };
      daemon.sockets.at(-1).onmessage?.({ data: JSON.stringify({ status: daemon.status }) });
    };
    window.WebSocket = class {
      constructor() {
        daemon.sockets.push(this);
        setTimeout(() => {
          if (daemon.dead) this.onclose?.();
          else {
            this.onopen?.();
            daemon.give({});
          }
        });
      }

      send(text) {
        const { words, n } = JSON.parse(text);
        if (words[0] !== "status") daemon.words.push(words.join(" "));
        if (daemon.answering) setTimeout(() => this.onmessage?.({ data: JSON.stringify({ ok: true, answer: n, ...(words[0] === "status" && { status: daemon.status }) }) }));
      }

      close() {}
    };
  }, { first: status, lang: language, answering: answers });
  await page.goto(ORIGIN);
  await page.clock.runFor(100);
  return page;
}

const words = (page) => page.evaluate(() => window.daemon.words);
const give = (page, change) => page.evaluate((c) => window.daemon.give(c), change);
const boxOf = (page, id) => page.locator(`[id="${id}"]`).boundingBox();

async function show(page, state) {
  for (const id of state.clicks ?? []) await page.locator(`[id="${id}"]`).click();
  if (state.then) {
    await page.clock.runFor(50);
    await give(page, state.then);
  }
}

for (const [name, state] of Object.entries(states)) {
  for (const [width, height] of SIZES) {
    test(`${name} at ${width}`, async () => {
      const page = await open(state.status, { width, height });
      await show(page, state);
      if (shots) await page.screenshot({ path: join(shots, `${name}-${width}.png`), fullPage: true });
      assert.deepEqual(page.said, []);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "wider than the screen");
      assert.deepEqual(await poorContrast(page), []);
      const text = await page.locator("body").innerText();
      assert.doesNotMatch(text, /\b[a-z]+_[a-z_]+\b|undefined|null|NaN|Invalid|\{|\}/, "a key or a hole shows");
      if (state.key) {
        const box = await boxOf(page, state.key);
        assert.ok(box && box.y >= 0 && box.y + box.height <= height, `${state.key} is not on the first screen: ${JSON.stringify(box)}`);
      }
      const small = await page.evaluate(() => [...document.querySelectorAll("main button, main a.call, main input")].filter((e) => e.checkVisibility() &&
        e.getBoundingClientRect().height < 44).map((e) => e.id));
      assert.deepEqual(small, [], "too small for a finger");
      await page.close();
    });
  }
}

test("in English too", async () => {
  for (const state of Object.values(states)) {
    const page = await open(state.status, { language: "en" });
    await show(page, state);
    assert.doesNotMatch(await page.locator("body").innerText(), /\b[a-z]+_[a-z_]+\b|undefined|\{/);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await page.close();
  }
});

test("both languages have the same texts, and every text that the code names", () => {
  const texts = Object.fromEntries(["fr", "en"].map((l) => [l, JSON.parse(readFileSync(join(UI, `text/${l}.json`)))]));
  assert.deepEqual(Object.keys(texts.fr), Object.keys(texts.en));
  for (const [key, text] of Object.entries(texts.fr)) {
    const holes = (s) => (s.match(/\{\w+\}/g) ?? []).sort().join();
    assert.equal(holes(text), holes(texts.en[key]), `${key}: other holes`);
    assert.ok(text && texts.en[key], `${key} is empty`);
  }
  const code = readdirSync(UI).filter((f) => f.endsWith(".js")).map((f) => readFileSync(join(UI, f), "utf8")).join("\n");
  const unused = new Set(Object.keys(texts.fr));
  for (const [, key] of code.matchAll(/'([a-z0-9_]+)'/g)) unused.delete(key);
  for (const [, key] of code.matchAll(/\b(?:t|withName)\('([a-z0-9_]+)'/g)) assert.ok(texts.fr[key] !== undefined, `no text ${key}`);
  // Texts named by a part: every value that the daemon can give has one.
  const parts = {
    line_: ["down", "connecting", "up", "welcome"],
    word_: ["not_sent", "sent", "kept", "received", "asked", "seen", "coming", "taken", "en_route", "on_scene", "closed"],
    more_: ["received", "asked", "seen", "coming", "taken", "en_route", "on_scene"],
    reason_: ["helped", "mistake", "emergency_services", "drill_over", "no_danger", "other"],
    category_: ["fall", "aggression", "dog", "illness", "other", "unknown"],
    kind_: ["panic", "silent", "man-down", "missed check-in", "drill", "test", "unknown"],
    trouble_: ["not_enrolled", "journal", "no_path", "key", "trust", "battery"],
    duty_refused_: ["0", "1", "2", "3", "4"],
    mark_: ["silent", "duress", "unverified", "mistake", "pressed_again", "exhausted", "holder_unsure", "last_words", "still", "no_news"],
    answer_: ["taken_by_other", "not_allowed", "not_on_duty", "own_alert", "closed", "unknown_alert", "expired", "not_owner", "busy", "malformed", "no_answer"],
    close_: ["helped", "mistake", "112", "drill-over", "no-danger", "other"],
    mine_: ["taken", "en_route", "on_scene"],
    step_: ["sent", "received", "taken", "there"],
    deaf_: ["not_enrolled", "no_path"],
  };
  for (const [part, values] of Object.entries(parts)) {
    for (const value of values) {
      assert.ok(texts.fr[part + value] !== undefined, `no text ${part}${value}`);
      unused.delete(part + value);
    }
  }
  for (const id of ["person", "round", "end"]) unused.delete(`duty_${id}`);
  assert.deepEqual([...unused], [], "texts that nobody shows");
});

test("the button: held by a finger, by a key, let go", async () => {
  const page = await open(states.button.status);
  const box = await boxOf(page, "press");
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  const first = await page.locator("#press").elementHandle();
  await give(page, { touching: true });
  await page.clock.runFor(700); // redrawn under the finger: the same button
  assert.ok(await first.evaluate((e) => e.isConnected && e.classList.contains("held")));
  await page.mouse.move(5, 5); // the finger slips off; it is still down
  assert.deepEqual(await words(page), ["touch down"]);
  await page.mouse.up();
  assert.deepEqual(await words(page), ["touch down", "touch up"]);
  await give(page, { touching: false });
  await page.locator("#press").focus();
  for (const key of ["Enter", " "]) {
    await page.keyboard.down(key);
    await page.keyboard.down(key); // repeats
    await page.keyboard.up(key);
  }
  assert.deepEqual((await words(page)).slice(2), ["touch down", "touch up", "touch down", "touch up"]);
  await page.close();
});

test("the button stays where it is while it is held, whatever else happens", async () => {
  const page = await open(states["button-on-duty"].status);
  const box = await boxOf(page, "press");
  await page.mouse.move(box.x + 50, box.y + 100);
  await page.mouse.down();
  await give(page, { touching: true, button: false, trouble: ["no_path"], link: "down" });
  assert.deepEqual(await boxOf(page, "press"), box);
  await page.mouse.up();
  await give(page, { touching: false });
  assert.match(await page.locator("#trouble").innerText(), /NE MARCHE PAS/);
  await page.close();
});

test("held by a key through questions that come and go", async () => {
  const page = await open(states.question.status);
  await page.locator("#press").focus();
  await page.keyboard.down("Enter");
  await give(page, { touching: true, question: false });
  await give(page, { man_down_at_ms: states.question.status.now_ms + 20000 });
  await give(page, { man_down_at_ms: 0 });
  assert.deepEqual(await words(page), ["touch down"]);
  await page.keyboard.up("Enter");
  assert.deepEqual(await words(page), ["touch down", "touch up"]);
  await page.close();
});

test("what is urgent is seen, wherever the page was", async () => {
  const page = await open(states["duty-form"].status);
  await page.evaluate(() => window.scrollTo(0, 1000));
  assert.ok(await page.evaluate(() => window.scrollY > 0));
  await give(page, { question: true });
  assert.equal(await page.evaluate(() => window.scrollY), 0);
  await page.evaluate(() => window.scrollTo(0, 1000));
  await page.clock.runFor(3000);
  assert.ok(await page.evaluate(() => window.scrollY > 0), "once, not again and again");
  await page.close();
});

test("nothing jumps while an alert goes its way", async () => {
  const page = await open(states["not-sent"].status);
  const places = async () => ({ dog: (await boxOf(page, "category-dog")).y, mistake: (await boxOf(page, "mistake")).y });
  const before_ = await places();
  for (const word of ["sent", "received", "seen", "taken", "en-route", "on-scene"]) {
    await give(page, { alert: states[word].status.alert });
    assert.deepEqual(await places(), before_, word);
  }
  await page.close();
});

test("a tap that a redraw falls into is a tap", async () => {
  const page = await open(states.received.status);
  const box = await boxOf(page, "category-fall");
  await page.mouse.move(box.x + 20, box.y + 20);
  await page.mouse.down();
  await page.clock.runFor(1500);
  await give(page, { alert: { ...states.received.status.alert, word: "asked" } });
  await page.mouse.up();
  assert.deepEqual(await words(page), ["category fall"]);
  await page.close();
});

test("112 is offered while nothing is received, and nobody speaks of SMS", async () => {
  for (const name of ["not-sent", "sent", "kept"]) {
    const page = await open(states[name].status);
    assert.equal(await page.locator("#call-112").getAttribute("href"), "tel:112");
    assert.doesNotMatch(await page.locator("main").innerText(), /SMS/);
    await page.close();
  }
});

test("the PIN: by finger and by keyboard, never shown, wrong is told", async () => {
  const page = await open(states.received.status);
  await page.locator("#mistake").click();
  for (const digit of "2468") await page.locator(`#pin-${digit}`).click();
  assert.equal(await page.locator("#pin-shown").innerText(), "●●●●");
  await page.locator("#pin-ok").click();
  await give(page, { wrong_pins: 1 });
  assert.match(await page.locator("#pin-said").innerText(), /pas le bon code/);
  await page.locator("#pin-pad").focus();
  await page.keyboard.type("1x35");
  await page.keyboard.press("Backspace");
  await page.keyboard.type("79");
  await page.keyboard.press("Enter");
  assert.deepEqual(await words(page), ["cancel 2468", "cancel 1379"]);
  assert.doesNotMatch(await page.content(), /1379|2468/);
  await give(page, { alert: { ...states.received.status.alert, mistake: true } });
  assert.equal(await page.locator("#pin-pad").count(), 0);
  assert.match(await page.locator("#mistake-told").innerText(), /erreur/);
  await page.close();
});

test("what somebody types stays, whatever comes meanwhile", async () => {
  const page = await open(states.button.status);
  await page.locator("#person").fill("c0");
  await give(page, { battery: 12 });
  await page.clock.runFor(2500);
  await page.locator("#person").pressSequentially("01");
  await page.locator("#round").fill("bellecour-3");
  await page.locator("#end").fill("17:30");
  await page.locator("#duty-on").click();
  assert.deepEqual(await words(page), ["duty on --until 17:30 --person c001 --round bellecour-3"]);
  await page.close();
});

test("going on duty again is one tap, for eight hours", async () => {
  const page = await open(states["duty-form"].status);
  await page.locator("#duty-on").click();
  assert.deepEqual(await words(page), ["duty on --until 18:30 --person c001 --round bellecour-3"]);
  await page.close();
});

test("silent and drill ask once more; after a silent one the page looks as usual", async () => {
  const page = await open(states["button-on-duty"].status);
  const usual = await page.locator("main").innerText();
  await page.locator("#silent").click();
  assert.deepEqual(await words(page), []);
  await page.locator("#silent-yes").click();
  assert.equal(await page.locator("main").innerText(), usual);
  await page.locator("#drill").click();
  await page.locator("#drill-yes").click();
  assert.deepEqual(await words(page), ["press --silent", "press --drill"]);
  await page.close();
});

test("a supervisor: seen is said once, one tap takes, two close", async () => {
  const page = await open({ ...states["supervisor-ringing"].status, rings: [{ ...states["supervisor-ringing"].status.rings[0], seen: false }] });
  const id = states["supervisor-ringing"].status.rings[0].id;
  await page.clock.runFor(3000);
  assert.match(await page.title(), /ALERTE/);
  await page.locator(`[id="take-${id}"]`).click();
  assert.deepEqual(await words(page), [`seen ${id}`, `take ${id}`]);
  await give(page, states["supervisor-mine"].status);
  await page.locator(`[id="on-my-way-${id}"]`).click();
  await page.locator(`[id="close-${id}"]`).click();
  await page.locator(`[id="close-helped-${id}"]`).click();
  assert.deepEqual((await words(page)).slice(2), [`on-my-way ${id}`, `close ${id} helped`]);
  await page.close();
});

test("nobody is called who must not be", async () => {
  for (const name of ["supervisor-silent", "supervisor-duress"]) {
    const page = await open(states[name].status);
    assert.equal(await page.locator('main a[href^="tel:+"]').count(), 0);
    await page.close();
  }
  const page = await open(states["supervisor-ringing"].status);
  assert.equal(await page.locator('main a[href="tel:+33600000001"]').count(), 1);
  await page.close();
});

test("hostile names are text, each kept to itself", async () => {
  const page = await open(states["supervisor-hostile"].status);
  const names = await page.locator("article .who bdi").allTextContents();
  assert.deepEqual(names, HOSTILE.map((name) => name.replace(/[\u202a-\u202e\u2066-\u2069]/g, "")));
  assert.doesNotMatch(await page.locator("main").innerText(), /[\u202a-\u202e\u2066-\u2069]/); // an isolate left open swallows the end of <bdi>
  assert.equal(await page.locator("main script, main img").count(), 0);
  assert.notEqual(await page.title(), "taken");
  await page.close();
});

test("a page that has lost its phone looks dead, and comes back", async () => {
  const page = await open(states["button-on-duty"].status);
  await page.evaluate(() => {
    window.daemon.dead = true;
    window.daemon.sockets.at(-1).onclose();
  });
  await page.clock.runFor(50);
  assert.ok(await page.locator("#blind").isVisible());
  assert.ok(!(await page.locator("#press").isVisible()));
  assert.match(await page.locator("#blind").innerText(), /112/);
  assert.deepEqual(await poorContrast(page), []);
  if (shots) await page.screenshot({ path: join(shots, "blind-360.png") });
  await page.evaluate(() => { window.daemon.dead = false; });
  await page.clock.runFor(1500);
  assert.ok(await page.locator("#press").isVisible());
  assert.ok(!(await page.locator("#blind").isVisible()));
  await page.close();
});

test("a phone that hangs is lost too", async () => {
  const page = await open(states["button-on-duty"].status, { answers: false });
  await page.clock.runFor(1900);
  assert.ok(await page.locator("#press").isVisible());
  await page.clock.runFor(3300);
  assert.ok(await page.locator("#blind").isVisible());
  await page.close();
});
