// Doors on the phone's page, with the real daemon, dispatcher and Redis: the PIN, a pass that comes, its code on the screen; guessing while
// the button works; the duress PIN; a PIN forgotten and unlocked; a copied folder; a wipe.  The desk is tests/device/handset/host/desk.c.
import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { launch } from "./lib/browser.mjs";
import { Phone, Region, until } from "./lib/region.mjs";

const PIN = "2580";
const DURESS = "9137";
const SLOW_MS = 30000;
let region, browser, phone, chief, page, port;
let orders = 0;

before(async () => {
  region = await new Region().open();
  port = await region.dispatcher();
  region.vigie("supervisor", "add", "s1", "--name", "Paul Martin");
  region.vigie("carrier", "add", "c1", "--name", "Camille Roux");
  phone = await region.phone("carrier", port, ["--person", "c1", "--pin", "2468"]).start();
  chief = await region.phone("chief", port, ["--person", "s1", "--role", "supervisor"]).start();
  browser = await launch();
  page = await open(phone);
});

after(async () => {
  await browser?.close();
  await region?.stop();
});

async function open(of) {
  const opened = await browser.newPage({ viewport: { width: 360, height: 640 } });
  opened.said = [];
  opened.on("pageerror", (error) => opened.said.push(error.message));
  await opened.goto(of.url);
  await opened.locator("#alive").waitFor();
  return opened;
}

const folder = () => dirname(phone.config);

function redis(input) {
  const password = /\[alerts\][^[]*password = (\w+)/.exec(readFileSync(join(region.region, "dispatcher.conf"), "utf8"))[1];
  const done = spawnSync("redis-cli", ["-s", join(region.dir, "alerts.sock"), "--user", "dispatcher", "--pass", password, "--no-auth-warning"], { input, encoding: "utf8" });
  assert.ok(done.status === 0 && !/ERR|NOPERM|WRONG/.test(done.stdout), done.stdout + done.stderr);
  return done.stdout;
}

// An order from the desk; gives the inbox that it is in.
function order(...words) {
  orders += 1;
  const desk = join(dirname(dirname(phone.program)), "tests/device/handset/host/desk");
  const made = spawnSync(desk, [region.region, folder(), String(orders), ...words], { encoding: "utf8" });
  assert.equal(made.status, 0, made.stdout + made.stderr);
  redis(made.stdout);
  return /\S+:inbox:\w+/.exec(made.stdout)[0];
}

// By the keyboard; touch() by the finger.
async function type(pin) {
  await page.locator("#vault").focus({ timeout: SLOW_MS });
  await page.keyboard.type(pin);
  await page.keyboard.press("Enter");
}

async function touch(pin) {
  for (const digit of pin) await page.locator(`#vault-pin-${digit}`).click();
  await page.locator("#vault-pin-ok").click();
}

const vault = () => phone.status().vault;
const shows = (id, text) => until(`#${id} says ${text}`, async () => text.test(await page.locator(`#${id}`).innerText({ timeout: SLOW_MS })), SLOW_MS);

async function unlock(pin) {
  if (!await page.locator("#vault").isVisible()) await page.locator("#doors").click();
  await type(pin);
}

test("the first PIN, twice, is not too simple; then a pass comes and its buildings stand there", async () => {
  await page.locator("#doors").click();
  await type("1234");
  await type("1234");
  await page.locator("#set-without").click();
  await shows("vault-pin-said", /Trop simple/);
  await type(PIN);
  await type("2581");
  await shows("vault-pin-said", /pas pareils/);
  await touch(PIN);
  await type(PIN);
  await page.locator("#set-duress").click();
  await type(DURESS);
  await type(DURESS);
  await page.locator("#no-pass").waitFor({ timeout: SLOW_MS });
  order("pass");
  await page.locator("#pass-search").fill("7 merveilles");
  await until("one building", async () => await page.locator(".buildings li").count() === 1, SLOW_MS);
  await page.locator(".buildings button").click();
  await page.locator("#qr").waitFor({ timeout: SLOW_MS });
  assert.ok(await page.locator("#press").isVisible());
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(width[0] <= width[1], `wider than the screen: ${width}`);
});

test("the code changes with each slot; the phone may be alone meanwhile", async () => {
  const first = await page.locator("#qr path").getAttribute("d");
  await region.server.kill();
  await until("another code", async () => await page.locator("#qr path").getAttribute("d") !== first, SLOW_MS);
  await until("no link", () => phone.status().link !== "welcome", SLOW_MS);
  await region.dispatcher(port);
});

test("inside: a quiet timer by one tap, ended by one tap", async () => {
  await phone.until("linked again", (s) => s.link === "welcome", SLOW_MS);
  await page.locator("#i-am-in").click();
  await page.locator("#timer-20").click();
  await shows("entered", /7, rue des Merveilles/);
  assert.ok(phone.status().check_in_at_ms > Date.now() + 19 * 60000);
  await page.locator("#timer-over").click();
  await phone.until("over", (s) => s.entered_at_ms === 0 && s.check_in_at_ms === 0);
});

test("the duress PIN: nothing shows; the supervisor's phone rings", async () => {
  phone.say("lock");
  chief.say("duty", "on");
  await chief.until("on duty", (s) => s.duty.state === "on", SLOW_MS);
  const seen = [];
  for (const pin of [PIN, DURESS]) {
    phone.say("lock");
    await unlock(pin);
    await page.locator("#pass-search").waitFor({ timeout: SLOW_MS });
    const said = await page.locator("#main").innerText();
    seen.push([said.replace(/\d+ (m|km)\b/g, ""), Object.keys(phone.status()).join(), phone.word()]);
    await page.locator("#passes-leave").click();
  }
  assert.deepEqual(seen[0], seen[1]);
  await chief.until("rings", (s) => s.rings.some(({ marks }) => marks.includes("duress")), SLOW_MS);
  assert.equal(phone.word(), "none");
  chief.say("take");
  await chief.until("taken", (s) => s.rings[0].mine && s.rings[0].state === "taken", SLOW_MS);
  chief.say("close", "helped");
  await chief.until("closed", (s) => s.rings.every(({ state }) => state === "closed"), SLOW_MS);
  chief.say("dismiss");
});

test("guessing: waits, which a restart does not shorten, and the button works all the while", async () => {
  phone.say("lock");
  for (const left of [4, 3]) {
    phone.say("unlock", "1357");
    await until("looked at", () => !vault().working && vault().tries_left === left, SLOW_MS);
  }
  assert.equal(vault().state, "waiting");
  assert.equal(phone.ask("unlock", PIN).status, 1);
  await phone.kill();
  await phone.start();
  assert.ok(vault().wait_ms > 25000, `${vault().wait_ms}`);
  assert.match(phone.ask("unlock", PIN).err, /wait/);
  phone.say("press", "--drill", "--wait");
  assert.notEqual(phone.word(), "none");
});

test("forgotten: a number for the call, the unlock, a new PIN and another key", async () => {
  await page.close();
  page = await open(phone);
  await phone.until("linked", (s) => s.link === "welcome", SLOW_MS);
  const key = readFileSync(join(folder(), "vault/public")).toString("hex");
  await page.locator("#doors").click();
  await page.locator("#forgot").click();
  await shows("challenge", /^([0-9a-f]{4} ?){4}$/);
  order("unlock", vault().challenge);
  await phone.until("unlocked", (s) => s.vault.state === "none", SLOW_MS);
  await type("8046");
  await type("8046");
  await page.locator("#set-without").click();
  await page.locator("#no-pass").waitFor({ timeout: SLOW_MS });
  assert.notEqual(readFileSync(join(folder(), "vault/public")).toString("hex"), key);
  order("pass");
  await phone.until("the pass again", (s) => s.passes.length === 1, SLOW_MS);
});

test("one PIN: the vault's says that it was a mistake, that of the enrolment no more", async () => {
  phone.say("press", "--wait");
  phone.say("cancel", "2468");
  await phone.until("another PIN", (s) => s.wrong_pins === 1 && s.vault.tries_left === 4, SLOW_MS);
  assert.equal(phone.status().alert.mistake, false);
  phone.say("cancel", "8046");
  await phone.until("a mistake", (s) => s.alert.mistake && s.vault.tries_left === 5, SLOW_MS);
  const { id } = phone.status().alert;
  const ring = (s) => s.rings.find((one) => one.id === id);
  await chief.until("rings", ring, SLOW_MS);
  chief.say("take", id);
  await chief.until("taken", (s) => ring(s).mine && ring(s).state === "taken", SLOW_MS);
  chief.say("close", id, "mistake");
  await phone.until("closed", (s) => s.alert?.id !== id || s.alert.word === "closed", SLOW_MS); // the drill is open yet, and shows
  phone.say("dismiss");
});

test("a copied folder opens on no other machine", async () => {
  const copy = join(region.dir, "copy");
  cpSync(folder(), copy, { recursive: true, filter: (path) => !path.endsWith(".sock") });
  const config = join(copy, "handset.conf");
  writeFileSync(config, readFileSync(config, "utf8").replaceAll(folder(), copy));
  writeFileSync(join(copy, "machine-id"), "another machine\n");
  const thief = region.add(new Phone(region, "thief", config, { "vault.machine": join(copy, "machine-id"), "link.addresses": "localhost:9" }));
  await thief.start();
  thief.say("unlock", "8046");
  await thief.until("wrong", (s) => s.vault.said === "wrong", SLOW_MS);
  await thief.stop();
});

test("wiped: keys and files are gone, the region has it by signature, and the page says so, also after a restart", async () => {
  writeFileSync(join(folder(), "photo"), "private");
  const key = readFileSync(join(folder(), "key.pem"), "utf8").split("\n")[2];
  const inbox = order("wipe");
  await phone.until("wiped", (s) => s.wiped_at_ms > 0, SLOW_MS);
  await shows("trouble", /effacé à distance/);
  assert.ok(await page.locator("#call-112").isVisible());
  await until("confirmed", () => redis(`XLEN ${inbox}\n`).trim() === "0", SLOW_MS);
  for (const name of ["key.pem", "certificate.pem", "journal", "vault/secret", "vault/vault", "vault/public"]) assert.ok(!existsSync(join(folder(), name)), name);
  assert.equal(readFileSync(join(folder(), "photo"), "utf8"), "private");
  for (const name of readdirSync(folder(), { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => join(e.path, e.name))) {
    const octets = readFileSync(name, "latin1");
    for (const secret of [key, "Merveilles", "8046", "scrypt$"]) assert.ok(!octets.includes(secret), `${name} holds ${secret}`);
  }
  await phone.stop();
  await phone.start();
  assert.ok(phone.status().wiped_at_ms > 0 && !phone.status().enrolled && !phone.status().button);
  assert.match(phone.ask("pin", "set", PIN).err, /wiped/);
  assert.deepEqual(page.said, []);
});
