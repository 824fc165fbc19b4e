// The phone as a carrier and a supervisor meet it: real vigie-handset, real dispatcher, real Redis, real Chromium.
import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { createConnection, createServer } from "node:net";
import { request } from "node:http";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { launch } from "./lib/browser.mjs";
import { DURESS, PIN, Region, until } from "./lib/region.mjs";
import { HOSTILE, states } from "./lib/statuses.mjs";

let region;
let browser;
let away; // a port where nobody listens

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

before(async () => {
  region = await new Region().open();
  browser = await launch();
  away = await freePort();
});

after(async () => {
  await browser?.close();
  await region?.stop();
});

async function open(phone) {
  const page = await browser.newPage({ viewport: { width: 360, height: 640 } });
  page.said = [];
  page.on("pageerror", (error) => page.said.push(error.message));
  page.on("console", (message) => message.type() === "error" && page.said.push(message.text()));
  await page.goto(phone.url);
  await page.locator("#alive").waitFor();
  return page;
}

async function hold(page, ms) {
  await page.locator("#press").scrollIntoViewIfNeeded();
  const box = await page.locator("#press").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await sleep(ms);
  await page.mouse.up();
}

const shows = (page, id, text) => until(`#${id} says ${text}`, async () => text.test(await page.locator(`#${id}`).innerText({ timeout: 5000 })));

// An HTTP request to the phone's page with these headers; gives the status, 0 where it hangs up.
function knock(phone, path, headers, upgrade = false) {
  return new Promise((resolve) => {
    const asked = request({ host: "127.0.0.1", port: phone.port, path, headers: { ...headers, ...(upgrade && { Connection: "Upgrade", Upgrade: "websocket",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13" }) } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on("upgrade", (answer, socket) => { socket.destroy(); resolve(101); });
    asked.on("error", () => resolve(0));
    asked.end();
  });
}

test("a phone that is not enrolled says so, why, and offers 112", async () => {
  const phone = await region.stranger("stranger").start();
  const page = await open(phone);
  await shows(page, "trouble", /NE MARCHE PAS[^]*inscrit/);
  assert.equal(await page.locator("#call-112").getAttribute("href"), "tel:112");
  assert.equal(await page.locator("#press").count(), 0);
  assert.equal(phone.status().button, false);
  assert.deepEqual(page.said, []);
  await page.close();
});

test("with the region away: a press is shown as not sent, outlives kill -9, and 112 is offered", async () => {
  const phone = await region.phone("alone", away, ["--pin", PIN, "--duress", DURESS]).start();
  const page = await open(phone);
  await hold(page, 100); // let go too soon
  await sleep(1000);
  assert.equal(phone.word(), "none");
  await hold(page, 1200);
  await shows(page, "word", /PAS ENCORE ENVOYÉE/);
  assert.equal(await page.locator("#call-112").getAttribute("href"), "tel:112");
  const { id } = phone.status().alert;

  await phone.kill();
  await page.locator("#blind").waitFor({ timeout: 10000 });
  assert.match(await page.locator("#blind").innerText(), /112/);
  assert.ok(!(await page.locator("#word").isVisible()));

  await phone.start();
  assert.equal(phone.status().alert.id, id);
  const again = await open(phone);
  await shows(again, "word", /PAS ENCORE ENVOYÉE/);
  await page.close();
  await again.close();
  await phone.stop();
});

test("by keyboard: held it is a press, let go it is nothing; a wrong PIN is told, a right one too", async () => {
  const phone = await region.phone("keys", away, ["--pin", PIN, "--duress", DURESS]).start();
  const page = await open(phone);
  await page.locator("#press").focus();
  await page.keyboard.down("Enter");
  await sleep(100);
  await page.keyboard.up("Enter");
  await sleep(1000);
  assert.equal(phone.word(), "none");
  await page.locator("#press").focus();
  await page.keyboard.down(" ");
  await until("the press", () => phone.word() === "not_sent");
  await page.keyboard.up(" ");
  await page.locator("#mistake").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.type("1111");
  await page.keyboard.press("Enter");
  await shows(page, "pin-said", /pas le bon code/);
  assert.equal(phone.status().alert.mistake, false);
  for (const digit of PIN) await page.locator(`#pin-${digit}`).click();
  await page.locator("#pin-ok").click();
  await shows(page, "mistake-told", /erreur/);
  await page.close();
  await phone.stop();
});

test("the command line: what it prints, how it ends", async () => {
  const phone = region.phone("words", away, ["--pin", PIN]);
  assert.equal(phone.ask("press").status, 3);
  await phone.start();
  assert.deepEqual(phone.ask("press", "--silent"), { status: 0, out: "", err: "" });
  assert.equal(phone.status().alert, null);
  const pressed = phone.ask("press");
  assert.match(pressed.out, /^[0-9a-f]{32}$/);
  assert.equal(phone.status().alert.id, pressed.out);
  assert.deepEqual(phone.ask("press", "--wait=1"), { status: 4, out: `${pressed.out}\nnot received yet`, err: "" });
  assert.equal(phone.ask("press", "--loud").status, 1);
  assert.equal(phone.ask("press", "--silent", "--wait").status, 2);
  assert.equal(phone.ask("take").status, 1);
  assert.match(phone.ask("status").out, /button +works|does NOT work/);
  assert.match(phone.ask("help").out, /duty on/);
  await phone.stop();
});

test("a press whose command has ended is in the journal: kill -9 right after it", async () => {
  const phone = region.phone("sudden", away);
  const ids = new Set();
  await phone.start();
  for (let i = 0; i < 6; i += 1) {
    const id = phone.say("press");
    await phone.kill();
    await phone.start();
    assert.equal(phone.status().alert?.id, id, `round ${i}`);
    ids.add(id);
  }
  assert.equal(ids.size, 1); // pressed again: the same alert
  await phone.stop();
});

test("another site, another name, another protocol: no page, no words", async () => {
  const phone = await region.stranger("guarded").start();
  const host = `127.0.0.1:${phone.port}`;
  const own = { Host: host, Origin: `http://${host}`, "Sec-WebSocket-Protocol": "vigie-page" };
  assert.equal(await knock(phone, "/", own, true), 101);
  assert.equal(await knock(phone, "/", { ...own, Host: `localhost:${phone.port}`, Origin: `http://localhost:${phone.port}` }, true), 101);
  for (const wrong of [{ Origin: "https://evil.example" }, { Origin: "null" }, { Origin: `http://127.0.0.1:${phone.port + 1}` }, { Origin: `https://${host}` },
    { Host: `evil.example:${phone.port}` }, { Host: "127.0.0.1" }, { "Sec-WebSocket-Protocol": "other" }]) {
    assert.notEqual(await knock(phone, "/", { ...own, ...wrong }, true), 101, JSON.stringify(wrong));
  }
  const { Origin, ...withoutOrigin } = own;
  assert.ok(Origin);
  assert.notEqual(await knock(phone, "/", withoutOrigin, true), 101);
  assert.equal(await knock(phone, "/", { Host: host }), 200);
  assert.notEqual(await knock(phone, "/", { Host: `evil.example:${phone.port}` }), 200);
  assert.equal(await knock(phone, "/../../../../etc/passwd", { Host: host }) === 200, false);
  assert.notEqual(await knock(phone, "/..%2f..%2f..%2f..%2fetc%2fpasswd", { Host: host }), 200);
  await phone.stop();
});

test("the page answers by its headers for itself alone", async () => {
  const phone = await region.stranger("headers").start();
  const answer = await fetch(phone.url);
  const policy = answer.headers.get("content-security-policy");
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.match(policy, new RegExp(`connect-src 'self' ws://127\\.0\\.0\\.1:${phone.port} ws://localhost:${phone.port};`));
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  assert.equal(answer.headers.get("cross-origin-resource-policy"), "same-origin");
  await phone.stop();
});

test("whoever talks too much on the page's socket is cut off, others go on", async () => {
  const phone = await region.stranger("flood").start();
  const page = await open(phone);
  const socket = createConnection(phone.port, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  socket.on("data", () => socket.pause());
  socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${phone.port}\r\nOrigin: http://127.0.0.1:${phone.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: vigie-page\r\n\r\n");
  await sleep(200);
  const text = Buffer.from('{"words":["status"]}');
  const frame = Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]);
  for (let i = 0; i < 20000 && !socket.destroyed; i += 1) socket.write(frame);
  await Promise.race([closed, sleep(10000).then(() => assert.fail("not cut off"))]);
  assert.equal(phone.status().enrolled, false);
  await shows(page, "trouble", /NE MARCHE PAS/);
  await page.close();
  await phone.stop();
});

// ---- with the region -----------------------------------------------------------------------------------------------------------

test("carrier and supervisor, whole: duty proves the button, a press rings, is taken, closed; names are text", async () => {
  const port = await region.dispatcher();
  region.vigie("carrier", "add", "c001", "--name", HOSTILE[0], "--number", "+33600000001");
  region.vigie("supervisor", "add", "s001", "--name", "Inès Caron", "--number", "+33600000101");
  const carrier = await region.phone("carrier", port, ["--person", "c001", "--pin", PIN, "--duress", DURESS]).start();
  const chief = await region.phone("chief", port, ["--role", "supervisor", "--person", "s001"]).start();
  const page = await open(carrier);
  const desk = await open(chief);

  await shows(desk, "ready", /Aucune alerte/);
  await desk.locator("#duty-on").click();
  await shows(desk, "ready", /sonnera/);
  await page.locator("#person").fill("c001");
  await page.locator("#duty-on").click();
  await shows(page, "proof", /✓\s*Reçu et vérifié/);
  await carrier.until("on duty", (s) => s.duty.state === "on");

  await hold(page, 1150);
  await shows(page, "word", /REÇUE/);
  const { id } = carrier.status().alert;
  await shows(desk, `alert-${id}`, /ALERTE[^]*<script>/);
  assert.equal(await desk.locator("main script, main img").count(), 0);
  await shows(page, "word", /VUE/); // the supervisor's page was looked at
  await page.locator("#category-dog").click();
  await shows(desk, `alert-${id}`, /Chien/);

  await desk.locator(`[id="take-${id}"]`).click();
  await shows(page, "word", /PRISE PAR Inès Caron/);
  await desk.locator(`[id="on-my-way-${id}"]`).click();
  await shows(page, "word", /Inès Caron EST EN ROUTE/);
  await desk.locator(`[id="with-them-${id}"]`).click();
  await shows(page, "word", /SUR PLACE/);
  await desk.locator(`[id="close-${id}"]`).click();
  await desk.locator(`[id="close-helped-${id}"]`).click();
  await shows(page, "word", /FERMÉE PAR Inès Caron/);
  assert.match(await page.locator("#alert").innerText(), /aide apportée/);
  await page.locator("#dismiss").click();
  await page.locator("#press").waitFor();
  assert.deepEqual([page.said, desk.said], [[], []]);
  await page.close();
  await desk.close();
});

test("a silent press shows nothing on the phone, and rings as silent", async () => {
  const carrier = region.processes.find((p) => p.name === "carrier");
  const chief = region.processes.find((p) => p.name === "chief");
  const page = await open(carrier);
  const desk = await open(chief);
  const usual = await page.locator("main").innerText();
  await page.locator("#silent").click();
  await page.locator("#silent-yes").click();
  const ring = await chief.until("the silent one", (s) => s.rings.find((r) => r.kind === "silent" && r.state !== "closed"));
  await shows(desk, `alert-${ring.id}`, /SILENCIEUSE/);
  assert.equal(await desk.locator(`[id="alert-${ring.id}"] a[href^="tel:"]`).count(), 0);
  assert.equal(carrier.status().alert, null);
  const digits = (text) => text.replace(/\d+/g, "0");
  assert.equal(digits(await page.locator("main").innerText()), digits(usual));
  chief.say("take", ring.id);
  await chief.until("taken", (s) => s.rings.some((r) => r.id === ring.id && r.mine));
  chief.say("close", ring.id, "no-danger");
  await page.close();
  await desk.close();
});

test("the PIN under threat looks the same, and rings louder", async () => {
  const carrier = region.processes.find((p) => p.name === "carrier");
  const chief = region.processes.find((p) => p.name === "chief");
  const page = await open(carrier);
  const looks = [];
  for (const pin of [PIN, DURESS]) {
    const id = carrier.say("press", "--wait");
    await page.locator("#mistake").click();
    for (const digit of pin) await page.locator(`#pin-${digit}`).click();
    await page.locator("#pin-ok").click();
    await shows(page, "mistake-told", /erreur/);
    looks.push((await page.locator("main").innerText()).replace(/\d+/g, "0"));
    const mark = pin === PIN ? "mistake" : "duress";
    await chief.until(mark, (s) => s.rings.find((r) => r.id === id.split("\n")[0] && r.marks.includes(mark)));
    chief.say("take", id.split("\n")[0]);
    await chief.until("taken", (s) => s.rings.some((r) => id.startsWith(r.id) && r.mine));
    chief.say("close", id.split("\n")[0], "helped");
    await carrier.until("closed", (s) => s.alert?.word === "closed");
    carrier.say("dismiss");
  }
  assert.equal(looks[0], looks[1]);
  await page.close();
});

test("the region comes and goes: a press waits and leaves, sessions are resumed, a stopped server is noticed", async () => {
  const carrier = region.processes.find((p) => p.name === "carrier");
  const { port } = region.server;
  await region.server.kill();
  await carrier.until("no link", (s) => s.link !== "welcome");
  const id = carrier.say("press");
  assert.equal(carrier.word(), "not_sent");
  await carrier.kill();
  await carrier.start();
  assert.equal(carrier.status().alert.id, id);
  await region.dispatcher(port);
  await carrier.until("received", (s) => s.alert?.id === id && !s.alert.trying);
  await region.server.kill();
  await carrier.until("no link", (s) => s.link !== "welcome");
  await region.dispatcher(port);
  await carrier.until("the link again", (s) => s.link === "welcome");
  const { handshakes, resumed } = carrier.status();
  assert.ok(handshakes >= 2 && resumed >= 1, `${resumed} of ${handshakes} resumed`);
  region.server.child.kill("SIGSTOP");
  try {
    await carrier.until("the stopped server is noticed", (s) => s.link !== "welcome", 30000);
  } finally {
    region.server.child.kill("SIGCONT");
  }
  await carrier.until("the link after that", (s) => s.link === "welcome");
});

test("a journal that cannot be written: the page says so before anybody presses", async () => {
  const phone = region.phone("full", away);
  const nowhere = region.phone("nowhere", away, [], { "journal.path": "/nowhere/journal" });
  await nowhere.start();
  const page = await open(nowhere);
  await shows(page, "trouble", /enregistrer/);
  await hold(page, 1500); // "press anyway"
  await shows(page, "word", /PAS ENCORE ENVOYÉE/);
  assert.match(nowhere.say("press"), /^[0-9a-f]{32}$/);
  await page.close();
  await nowhere.stop();
  await phone.start();
  const second = new phone.constructor(region, "second", phone.config);
  await assert.rejects(second.start(), /another daemon has it/);
  await phone.stop();
});

test("PROTOCOL.md has every member of the status", () => {
  const text = readFileSync(new URL("../../device/handset/host/PROTOCOL.md", import.meta.url), "utf8");
  const [, rest] = text.split("## The status");
  const names = (object) => Object.entries(object).flatMap(([key, value]) => [key, ...(value && typeof value === "object" && !Array.isArray(value) ? names(value) : [])]);
  const made = states.taken.status;
  const real = region.processes.find((p) => p.name === "carrier").status();
  const members = new Set([...names(real), ...names(made), ...names(states["supervisor-ringing"].status.rings[0])]);
  for (const name of members) assert.match(rest, new RegExp(`\`${name}\``), name);
  // And what the made-up ones have is what the real one has.
  assert.deepEqual(Object.keys(real).sort(), Object.keys(made).sort());
  const ring = region.processes.find((p) => p.name === "chief").status().rings[0];
  assert.deepEqual(Object.keys(ring).sort(), Object.keys(states["supervisor-ringing"].status.rings[0]).sort());
});

test("no position, name, number or PIN is in any phone's log", () => {
  for (const phone of region.processes.filter((p) => p.config)) {
    const told = readFileSync(phone.log, "utf8").replace(/^ts=\S+ /gm, ""); // "45.7" is also a time of day
    assert.doesNotMatch(told, /Caron|script|\+336|\b(2468|9713)\b|\b45\.7\d|\b4\.8\d/, phone.name);
  }
});
