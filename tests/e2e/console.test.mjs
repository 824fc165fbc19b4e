// The console as people meet it: real vigie-console, real Redis, real Chromium; `seed` stands in for the dispatchers.
import test, { after, afterEach, before } from "node:test";
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:net";
import { request } from "node:https";
import { connect as secure } from "node:tls";
import { Region, until } from "../console/region.mjs";
import { poorContrast } from "./lib/browser.mjs";

const { chromium } = createRequire(import.meta.url)("playwright-core");
const CHROMIUM = "/usr/bin/chromium";
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

let region;
let browser;
const trouble = []; // what no page may ever say
let number = 0;
const newId = () => (0xa0000000 + ++number).toString(16).padStart(32, "0");

before(async () => {
  region = await Region.start();
  for (const [login, role, name] of [["ctl", "control", "Salle"], ["paul", "supervisor", "Paul Girard"], ["ines", "supervisor", "Inès Moreau"],
    ["adm", "admin", "Admin"], ["aud", "auditor", "Auditeur"], ["gone", "control", "Parti"]])
    await region.put("user", { login, person: login, name, role, password: `${login}-secret`, language: "fr", disabled: login === "gone" });
  for (const id of ["paul", "ines"]) {
    await region.put("supervisor", { id, name: id === "paul" ? "Paul Girard" : "Inès Moreau", team: id === "paul" ? "nord" : "sud" });
    await region.put("duty", { id, until: Date.now() + 4 * 3600000 });
    await region.put("presence", { id, position: { lat: 45.766, lon: 4.83, accuracy_m: 9, at: Date.now() - 5000 } });
  }
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
});

after(async () => {
  await browser?.close();
  await region?.stop();
});

// Whatever a test left, also when it failed: no page and no alert stays for the next one.
const raised = new Set();
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  for (const alert of raised) await over(alert);
});

// A browser of its own, logged in; page.frames_ holds every text that came over its WebSocket.
async function open(login, options = {}, origin = region.origin) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "fr-FR", viewport: { width: 1280, height: 800 }, ...options });
  const page = await newPage(context);
  await page.goto(`${origin}/login.html`);
  await page.fill("#login", login);
  await page.fill("#password", `${login}-secret`);
  await page.click("button.primary");
  await page.waitForURL(`${origin}/`);
  await page.waitForFunction(() => document.body.dataset.role);
  await until("not blind", () => page.evaluate(() => !document.body.classList.contains("is-blind")));
  return page;
}

async function newPage(context) {
  const page = await context.newPage();
  page.frames_ = [];
  page.on("websocket", (ws) => ws.on("framereceived", ({ payload }) => page.frames_.push(payload)));
  page.on("pageerror", (error) => trouble.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => trouble.push(`dialog: ${dialog.message()}`));
  page.on("console", (m) => m.type() === "error" && !/ERR_CONNECTION_(REFUSED|RESET|CLOSED)|WebSocket connection/.test(m.text()) &&
    trouble.push(`${m.text()} ${m.location().url}`));
  page.on("request", (r) => !r.url().startsWith("https://localhost:") && !r.url().startsWith("data:") && !r.url().startsWith("wss://localhost") &&
    trouble.push(`request to ${r.url()}`));
  return page;
}

const card = (page, id) => page.locator(`.card[data-id="${id}"]`);

async function raise(fields = {}) {
  const alert = { id: newId(), version: 1, event: "raise", state: 2, carrier: "c1", carrier_name: "Léa Martin", number: "+33612345678", round: "69001-12",
    zone: "presquile", zone_name: "Presqu'île", raised_at: Date.now(), position: { lat: 45.7652, lon: 4.8345, accuracy_m: 14, at: Date.now() - 3000 }, ...fields };
  await region.put("alert", alert);
  raised.add(alert);
  return alert;
}

async function change(alert, fields) {
  Object.assign(alert, { version: alert.version + 1, raised_at: alert.raised_at, c: "", event: "update" }, fields);
  await region.put("alert", alert);
}

async function over(alert) {
  raised.delete(alert);
  if (alert.state !== 7) await change(alert, { state: 7, event: "close", close_reason: 16, closed_by: "ctl", closed_by_name: "Salle" });
}

// Press a card's button as a person does: not in the moment in which it moved (card.js).
async function press(page, alert, name) {
  await sleep(400);
  await card(page, alert.id).getByRole("button", { name }).first().click();
}
const asked = (id, fields = {}) => ({ id, name: id === "paul" ? "Paul Girard" : "Inès Moreau", distance_m: 430, ...fields });

test("a wrong password, an unknown login and a disabled user get the same words", async () => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "fr-FR" });
  const page = await newPage(context);
  await page.goto(`${region.origin}/login.html`);
  const seen = new Set();
  for (const [login, password] of [["ctl", "wrong"], ["nobody", "x"], ["gone", "gone-secret"]]) {
    await page.fill("#login", login);
    await page.fill("#password", password);
    await page.click("button.primary");
    await page.waitForFunction(() => document.getElementById("refused").textContent !== "");
    seen.add(await page.textContent("#refused"));
  }
  assert.deepEqual([...seen], ["Identifiant ou mot de passe incorrect."]);
  await page.fill("#login", "aud");
  await page.fill("#password", "aud-secret");
  await page.click("button.primary");
  await page.getByText("n'a pas encore de page").waitFor();
  await context.close();
});

test("the session cookie is for this host, TLS and no script", async () => {
  const page = await open("ctl");
  const [cookie] = await page.context().cookies();
  assert.deepEqual([cookie.name, cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.path], ["__Host-vigie", true, true, "Strict", "/"]);
  assert.match(cookie.value, /^[0-9a-f]{64}$/);
  assert.equal(await page.evaluate(() => document.cookie), "");
});

test("the snapshot has the most urgent alert first, and names are text", async () => {
  const hostile = "\u202E<script>alert(1)</script><img src=x onerror=alert(2)> 🧨";
  const drill = await raise({ marks: 4, kind: 4, carrier_name: "Exercice Sam" });
  const taken = await raise({ state: 4, owner: "paul", owner_name: "Paul Girard", taken_at: Date.now(), carrier_name: hostile, zone_name: hostile.slice(0, 20) });
  const worst = await raise({ marks: 0x40, carrier_name: "Ève Dumas", step: 4 });
  const page = await open("ctl");
  await card(page, drill.id).waitFor();
  const order = await page.locator(".card").evaluateAll((cards) => cards.map((c) => c.dataset.id));
  assert.deepEqual(order, [worst.id, taken.id, drill.id]);
  assert.equal(await card(page, taken.id).locator("h2 bdi").textContent(), hostile);
  assert.equal(await page.locator(".card script, .card img, #map img[src=x]").count(), 0);
  assert.match(await card(page, drill.id).textContent(), /EXERCICE/);
  assert.match(await card(page, worst.id).locator(".state").textContent(), /Tous appelés, personne ne vient/);
  await over(drill);
  await over(taken);
  await over(worst);
  await page.waitForFunction(() => document.querySelectorAll(".card").length === 0);
});

test("one click takes; the command says who, what and until when; the feed's change is the answer", async () => {
  const page = await open("paul");
  const alert = await raise({ asked: [asked("paul")] });
  const mine = card(page, alert.id);
  await mine.waitFor();
  assert.match(await mine.textContent(), /à 430 m de vous/);
  await press(page, alert, "Je prends");
  const command = await region.command("take");
  assert.deepEqual([command.person, command.login, command.role, command.alert, command.owner_seen], ["paul", "paul", "supervisor", alert.id, ""]);
  assert.ok(command.expires_in > 20000 && command.expires_in <= 30000);
  assert.equal(await mine.locator(".verb-take").textContent(), "Envoyé…");
  await change(alert, { state: 4, event: "take", by: "paul", c: command.c, owner: "paul", owner_name: "Paul Girard", taken_at: Date.now() });
  await mine.getByText("Vous l'avez prise").waitFor();
  for (const [name, verb, state, words] of [["Je suis en route", "en_route", 5, "Vous êtes en route"], ["Je suis sur place", "on_scene", 6, "Vous êtes sur place"]]) {
    await press(page, alert, name);
    const next = await region.command(verb);
    await change(alert, { state, event: "progress", c: next.c });
    await mine.getByText(words).waitFor();
  }
  await press(page, alert, "Clore…");
  await page.fill("#note", "tout va bien");
  await page.getByRole("button", { name: "Secouru, en sécurité" }).click();
  const closing = await region.command("close");
  assert.deepEqual([closing.reason, closing.note, closing.alert], [16, "tout va bien", alert.id]);
  await change(alert, { state: 7, event: "close", c: closing.c, close_reason: 16, closed_by: "paul", closed_by_name: "Paul Girard" });
  await page.waitForFunction(() => document.querySelectorAll(".card").length === 0);
  assert.match(await page.textContent("#closed"), /close par Paul Girard/);
});

test("who is beaten to an alert reads who took it, from the change and from the answer", async () => {
  const [one, two] = await Promise.all([open("paul"), open("ines")]);
  const alert = await raise({ asked: [asked("paul"), asked("ines")] });
  await Promise.all([card(one, alert.id).waitFor(), card(two, alert.id).waitFor()]);
  await Promise.all([one, two].map((page) => press(page, alert, "Je prends")));
  const takes = await until("two takes", async () => {
    const list = (await region.commands("take")).filter((c) => c.alert === alert.id);
    return list.length === 2 && list;
  });
  const winner = takes.find((c) => c.person === "ines");
  const loser = takes.find((c) => c.person === "paul");
  await change(alert, { state: 4, event: "take", by: "ines", c: winner.c, owner: "ines", owner_name: "Inès Moreau", taken_at: Date.now() });
  await region.put("answer", { c: loser.c, a: 1, who: "Inès Moreau" });
  await one.locator(".toast", { hasText: "Inès Moreau l'a prise." }).waitFor();
  await card(one, alert.id).getByText("Inès Moreau l'a prise").waitFor();
  await card(two, alert.id).getByText("Vous l'avez prise").waitFor();
  assert.equal(await one.locator(".toast").count(), 1);
  assert.equal(await two.locator(".toast").count(), 0);
  assert.equal(await card(one, alert.id).locator(".row-primary button").textContent(), "Je viens aussi");
  await press(one, alert, "Je viens aussi");
  const join = await region.command("join");
  await region.put("answer", { c: join.c, a: 3 });
  await one.locator(".toast", { hasText: "Prenez d'abord votre service." }).waitFor();
  await press(two, alert, "Je suis en route");
  const going = await until("ines on her way", async () => (await region.commands("en_route")).find((c) => c.person === "ines"));
  await region.put("answer", { c: going.c, a: 99 }); // a newer dispatcher's
  await two.locator(".toast", { hasText: "La demande a été refusée." }).waitFor();
});

test("`seen` is said when the alert is on a visible screen, once, and not before", async () => {
  const page = await open("paul", { viewport: { width: 1000, height: 500 } });
  const ids = (await region.commands("seen")).length;
  const alerts = [];
  for (let i = 0; i < 4; i++) alerts.push(await raise({ asked: [asked("paul")], raised_at: Date.now() + i * 1000 }));
  const seen = async () => [...new Set((await region.commands("seen")).slice(ids).map((c) => c.alert))];
  await until("the first is seen", async () => (await seen()).includes(alerts[0].id));
  await sleep(500);
  assert.ok(!(await seen()).includes(alerts[3].id), "the last one is below the screen's edge");
  await card(page, alerts[3].id).scrollIntoViewIfNeeded();
  await until("the last is seen", async () => (await seen()).includes(alerts[3].id));
  const all = (await region.commands("seen")).slice(ids);
  assert.equal(all.length, new Set(all.map((c) => c.alert)).size);
});

test("silent, forced and mistaken are told in plain words, and no link rings the phone", async () => {
  const silent = await raise({ kind: 1, marks: 1, asked: [asked("paul")] });
  const forced = await raise({ marks: 0x12, asked: [asked("paul")] });
  const mistake = await raise({ marks: 0x10, asked: [asked("paul")] });
  const page = await open("paul");
  await card(page, mistake.id).waitFor();
  for (const alert of [silent, forced]) assert.equal(await card(page, alert.id).locator("a[href^='tel:']").count(), 0);
  assert.equal(await card(page, mistake.id).locator("a[href^='tel:']").getAttribute("href"), "tel:+33612345678");
  assert.match(await card(page, silent.id).textContent(), /n'appelez pas ce téléphone/);
  assert.match(await card(page, forced.id).textContent(), /SOUS CONTRAINTE/);
  assert.doesNotMatch(await card(page, forced.id).textContent(), /erreur/);
  assert.match(await card(page, mistake.id).textContent(), /Dit que c'était une erreur/);
});

test("the map shows who, how exactly and how old; a supervisor who is not asked is told nothing", async () => {
  const alert = await raise({ asked: [asked("paul")], heard_at: Date.now() - 30000, track: [{ lat: 45.764, lon: 4.833, accuracy_m: 9, at: Date.now() - 60000 }] });
  const [control, ines] = await Promise.all([open("ctl"), open("ines")]);
  await control.locator(".carrier-label", { hasText: "Léa Martin" }).waitFor();
  assert.match(await control.textContent(".carrier-label small"), /il y a \d+ s/);
  assert.equal(await control.locator("path.accuracy").count(), 1);
  assert.equal(await control.locator("path.zone").count(), 2);
  assert.equal(await control.locator("path.track").count(), 1);
  assert.equal(await control.locator(".leaflet-control-scale").count(), 1);
  await control.locator(".person.asked .person-label", { hasText: "Paul Girard" }).waitFor();
  assert.match(await card(control, alert.id).textContent(), /Téléphone muet depuis/);
  assert.match(await card(control, alert.id).locator(".asked").textContent(), /Paul Girard.*430 m.*pas encore vu/);
  assert.equal(await ines.locator(".card").count(), 0);
  assert.ok(!ines.frames_.join("").includes("Martin"), "nothing of it came over the wire either");
  await change(alert, { position: null });
  await control.getByText("Cette alerte n'a pas de position").waitFor();
});

test("a click on a carrier of the map selects their alert; the control room takes over from an owner that it sees", async () => {
  const one = await raise({ urgency: 2 });
  const two = await raise({ carrier_name: "Zoé Noir", position: { lat: 45.7658, lon: 4.8335, accuracy_m: 9, at: Date.now() } });
  const page = await open("ctl");
  await Promise.all([one, two].map(({ id }) => card(page, id).waitFor()));
  const [other, name] = (await page.getAttribute(".card.selected", "data-id")) === one.id ? [two, "Zoé Noir"] : [one, "Léa Martin"];
  await sleep(400);
  await page.locator(".carrier", { hasText: name }).locator(".dot").click();
  await page.waitForFunction((id) => document.querySelector(".card.selected")?.dataset.id === id, other.id);
  await change(other, { state: 4, event: "take", by: "ines", owner: "ines", owner_name: "Inès Moreau", taken_at: Date.now() });
  await press(page, other, "Je prends le relais de");
  const take = await until("the take", async () => (await region.commands("take")).find((c) => c.alert === other.id));
  assert.deepEqual([take.person, take.owner_seen], ["ctl", "ines"]);
});

test("supervisors move on the map again once the positions' Redis can be read again", async () => {
  const positions = (...words) => spawnSync("redis-cli", ["-s", `${region.dir}/positions.sock`, ...words], { stdio: "ignore" });
  const page = await open("ctl");
  positions("DEL", "{test}:roster");
  positions("SET", "{test}:roster", "no stream");
  await until("it is said", () => /roster not understood/.test(region.log), 20000);
  positions("DEL", "{test}:roster");
  await until("where Ines is", async () => {
    await region.put("presence", { id: "ines", position: { lat: 45.7123, lon: 4.83, accuracy_m: 9, at: Date.now() } });
    return page.frames_.some((f) => f.includes("45.7123"));
  }, 20000);
});

test("an administrator's wire carries no position and no carrier", async () => {
  const alert = await raise({ asked: [asked("paul")] });
  await region.put("notice", { k: "overdue:presquile", kind: 1, rings: true, count: 1, zone: "presquile", zone_name: "Presqu'île", cause: "silent",
    names: [{ id: "c9", name: "Zoé Noir", number: "+33600000000" }] });
  await region.put("notice", { k: "tech:d1:disk", kind: 3, cause: "disk_full" });
  const page = await open("adm");
  await page.getByText("Un disque est plein").waitFor();
  await until("a count", () => page.frames_.some((f) => JSON.parse(f).t === "counts"));
  await change(alert, { state: 3 });
  await sleep(2500);
  const types = new Set(page.frames_.map((f) => JSON.parse(f).t));
  assert.deepEqual([...types].sort(), ["begin", "counts", "end", "hello", "notice", "tick"]);
  assert.doesNotMatch(page.frames_.join(""), /"lat"|Martin|Zoé|\+336|overdue/);
  assert.ok(!(await page.locator("#map").isVisible()));
  await region.put("notice", { k: "tech:d1:disk", over: true });
  await region.put("notice", { k: "overdue:presquile", over: true });
  await page.waitForFunction(() => document.querySelectorAll(".notice").length === 0);
});

test("a notice rings until somebody says that they have seen it", async () => {
  const page = await open("ctl");
  await region.put("notice", { k: "overdue:croix-rousse", kind: 1, rings: true, count: 2, zone: "croix-rousse", zone_name: "Croix-Rousse", cause: "silent",
    names: [{ id: "c9", name: "Zoé <b>Noir", number: "+33600000000", round: "69004-1", heard_at: Date.now() - 900000 }] });
  const notice = page.locator(".notice", { hasText: "2 agents sans nouvelles" });
  await notice.getByRole("button", { name: "J'ai vu" }).click();
  const ack = await region.command("ack");
  assert.equal(ack.notice, "overdue:croix-rousse");
  await region.put("notice", { k: "overdue:croix-rousse", kind: 1, rings: true, acked_by: "ctl", count: 2, zone_name: "Croix-Rousse", cause: "silent" });
  await page.locator("#facts .notice", { hasText: "vu par ctl" }).waitFor();
  await region.put("notice", { k: "overdue:croix-rousse", kind: 1, rings: true, acked_by: "paul", count: 2, zone_name: "Croix-Rousse", cause: "silent" });
  await page.locator("#facts .notice", { hasText: "vu par Paul Girard" }).waitFor();
  await region.put("notice", { k: "overdue:croix-rousse", over: true });
});

test("a supervisor goes on and off duty, and shares a position only between", async () => {
  await region.put("duty", { id: "paul", off: true });
  const page = await open("paul", { geolocation: { latitude: 45.7661, longitude: 4.8301, accuracy: 15 }, permissions: ["geolocation"] });
  await page.getByText("Vous n'êtes pas en service").waitFor();
  await page.fill("#until", "23:59");
  await page.getByRole("button", { name: "Commencer" }).click();
  const on = await region.command("duty_on");
  assert.ok(on.until > Date.now() - 1000 && on.until < Date.now() + 86400000);
  assert.equal(new Date(on.until).getHours(), 23);
  assert.equal((await region.commands("presence")).filter((c) => c.person === "paul" && c.has_position).length, 0);
  await region.put("duty", { id: "paul", until: on.until });
  await page.getByText("En service jusqu'à 23:59").waitFor();
  await until("presence with a position", async () => (await region.commands("presence")).some((c) => c.person === "paul" && c.has_position), 15000);
  await page.getByRole("button", { name: "Fin de service" }).click();
  await region.command("duty_off");
});

test("sound is on after the login's click; elsewhere it is off until the page was touched, and says so; the title flashes while an alert rings", async () => {
  const first = await open("paul");
  await first.locator("#sound").waitFor({ state: "hidden" });
  const page = await newPage(first.context());
  await page.goto(region.origin);
  await page.locator("#sound").waitFor();
  const alert = await raise({ asked: [asked("paul")] });
  await page.waitForFunction(() => document.title.includes("ALERTE"));
  await page.locator("#sound").click();
  await page.locator("#sound").waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Couper le son 30 s" }).click();
  await page.getByText(/Son coupé encore \d+ s/).waitFor();
  await change(alert, { state: 4, owner: "ines", owner_name: "Inès Moreau", taken_at: Date.now() });
  await page.locator("#hush").waitFor({ state: "hidden" });
  await sleep(1100);
  assert.equal(await page.title(), "Vigie");
});

test("where all are rung again it rings here too, through the 30 s of silence, and says so; why others were not asked is said in words", async () => {
  const page = await open("ctl");
  const alert = await raise({ asked: [asked("paul")], marks: 8, why_unverified: 1, passed: [{ id: "ines", reason: 9 }, { id: "zoe", reason: 3 }, { id: "max", reason: 99 }], passed_rest: 4 });
  await card(page, alert.id).waitFor();
  await page.getByRole("button", { name: "Couper le son 30 s" }).click();
  await page.getByText(/Son coupé encore \d+ s/).waitFor();
  const spoken = page.locator("#spoken p");
  assert.match(await spoken.textContent(), /^Nouvelle alerte/);
  await change(alert, { state: 3 });
  await card(page, alert.id).getByText("Vue, personne").waitFor();
  assert.equal(await page.locator("#hush").textContent(), await page.getByText(/Son coupé encore/).textContent());
  await change(alert, { rings: 1, event: "due" });
  await page.getByRole("button", { name: "Couper le son 30 s" }).waitFor();
  assert.match(await spoken.textContent(), /sonne de nouveau.*Léa Martin/);
  const words = /Tous rappelés 1 fois.*Pourquoi pas les autres.*Injoignables : zoe.*Plus loin que ceux appelés : Inès Moreau.*Autre raison : max.*Et 4 autres/s;
  await card(page, alert.id).locator(".lines", { hasText: words }).waitFor();
  assert.match(page.frames_.join("\n"), /"passed":\[\{"id":"ines","reason":"further"\},\{"id":"zoe","reason":"unreachable"\},\{"id":"max","reason":"other"\}\],"passed_rest":4/);
});

test("who cannot go says so with one click, and may still take", async () => {
  const page = await open("paul");
  const alert = await raise({ asked: [asked("paul")] });
  await card(page, alert.id).waitFor();
  await press(page, alert, "Je ne peux pas y aller");
  const command = await region.command("decline");
  assert.deepEqual([command.person, command.alert], ["paul", alert.id]);
  await change(alert, { event: "decline", by: "paul", c: command.c, asked: [asked("paul", { flags: 0x42, answer_path: 2 }), asked("ines")] });
  await card(page, alert.id).getByRole("button", { name: "Je ne peux pas y aller" }).waitFor({ state: "detached" });
  await card(page, alert.id).locator("summary").click();
  await card(page, alert.id).getByText("ne vient pas (depuis la console)").waitFor();
  await card(page, alert.id).getByRole("button", { name: "Je prends" }).waitFor();
});

test("which paths an alert, our receipt and the answers came by, how long ago, and what became of each SMS", async () => {
  const page = await open("ctl");
  const now = Date.now();
  const alert = await raise({ paths: 2, raised_at: now - 70000, sms_at: now - 65000, told_sms_state: 3, told_sms_at: now - 20000,
    asked: [asked("paul", { sms_state: 2, sms_at: now - 60000 }), asked("ines", { sms_state: 4, sms_at: now - 50000, flags: 0x40, answer_path: 3 })] });
  const ways = card(page, alert.id).locator(".ways");
  await ways.getByText(/^Reçue par SMS il y a 1 min$/).waitFor();
  await ways.getByText(/^Accusé de réception par SMS : arrivé il y a 2\d s$/).waitFor();
  const list = card(page, alert.id).locator(".asked li");
  assert.match(await list.nth(0).textContent(), /^Paul Girard430 mpas encore vuSMS envoyé à \d\d:\d\d:\d\d$/);
  assert.match(await list.nth(1).textContent(), /^Inès Moreau430 mne vient pas \(par SMS\)SMS PAS PASSÉ à \d\d:\d\d:\d\d$/);
  assert.equal(await list.locator(".failed").count(), 1);
  await change(alert, { state: 4, event: "take", by: "paul", owner: "paul", owner_name: "Paul Girard", owner_path: 3, taken_at: now, progress_at: now, paths: 3, data_at: now });
  await ways.getByText(/^Reçue par données il y a \d s, par SMS il y a 1 min$/).waitFor();
  await ways.getByText(/^Paul Girard a répondu par SMS il y a \d s$/).waitFor();
  const history = await card(page, alert.id).locator(".lines").textContent();
  for (const words of ["Alerte reçue, par données et par SMS", "Nouvelles du téléphone par données", "SMS à Inès Moreau : pas passé", "Accusé de réception arrivé par SMS",
    "Paul Girard la prend (par SMS)"]) assert.ok(history.includes(words), `${words} in ${history}`);
  await region.put("notice", { k: "tech:d1:sms_failed", kind: 3, cause: "sms_failed", count: 3 });
  await page.locator("#facts .notice", { hasText: "Des SMS ne passent pas (3)" }).waitFor();
  await region.put("notice", { k: "tech:d1:sms_failed", over: true });
});

test("keyboard alone takes an alert; focus stays while the list moves", async () => {
  const page = await open("paul");
  const alert = await raise({ asked: [asked("paul")], marks: 0 });
  await card(page, alert.id).waitFor();
  await card(page, alert.id).getByRole("button", { name: "Je prends" }).focus();
  const worse = await raise({ asked: [asked("paul")], marks: 0x42, carrier_name: "Ève Dumas" });
  await card(page, worse.id).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.closest(".card")?.dataset.id), alert.id);
  const before = (await region.commands("take")).length;
  await page.keyboard.press("Enter"); // pressed in the moment in which the list moved: ignored
  await sleep(500);
  await page.keyboard.press("Enter");
  const takes = await until("a take", async () => {
    const list = (await region.commands("take")).slice(before);
    return list.length > 0 && list;
  });
  assert.deepEqual(takes.map((c) => c.alert), [alert.id]);
});

test("every text of every state can be read: contrast, and nothing wider than its screen", async () => {
  const now = Date.now();
  await raise({ marks: 0x42, step: 4, paths: 2, sms_at: now - 5000, told_sms_state: 4, told_sms_at: now, asked: [asked("paul", { sms_state: 4, sms_at: now, flags: 0x40, answer_path: 3 })], heard_at: now - 60000 });
  await raise({ state: 4, owner: "ines", owner_name: "Inès Moreau", owner_path: 3, taken_at: now, progress_at: now, asked: [asked("paul"), asked("ines", { seen_at: now })] });
  await raise({ state: 5, owner: "paul", owner_name: "Paul Girard", taken_at: now, asked: [asked("paul")] });
  await raise({ kind: 4, marks: 4, asked: [asked("paul")], position: null });
  await raise({ marks: 0x3fb0, asked: [asked("paul")] });
  await raise({ marks: 8, why_unverified: 4 });
  await region.put("notice", { k: "overdue:x", kind: 1, rings: true, count: 20, zone_name: "Presqu'île", cause: "battery_low", names: [{ id: "c9", name: "Zoé Noir", number: "+33600000000", heard_at: now }] });
  await region.put("notice", { k: "tech:d1:x", kind: 3, cause: "sms_failed", count: 2 });
  for (const [login, width] of [["ctl", 1280], ["ctl", 390], ["paul", 390], ["paul", 320], ["adm", 390]]) {
    const page = await open(login, { viewport: { width, height: 844 } });
    const cards = login === "ctl" ? 6 : login === "paul" ? 5 : 0;
    await page.waitForFunction((n) => document.querySelectorAll(".card").length === n, cards);
    await page.locator("details").evaluateAll((all) => all.forEach((details) => (details.open = true)));
    for (let i = 0; i < Math.max(cards, 1); i++) {
      if (cards > 0) await page.locator(".card").nth(i).locator("h2").click(); // each in its turn is shown whole
      assert.deepEqual(await poorContrast(page), [], `${login} ${width}`);
    }
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, `${login} ${width}: wider than the screen`);
    await page.context().close();
  }
  for (const k of ["overdue:x", "tech:d1:x"]) await region.put("notice", { k, over: true });
});

test("English is one click away, and a phone's width is enough", async () => {
  const alert = await raise({ asked: [asked("paul")], carrier_name: "Marie-Thérèse de La Rochefoucauld-Montmorency-Laval" });
  const page = await open("paul", { viewport: { width: 360, height: 740 } });
  await card(page, alert.id).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  await page.locator("#language").click();
  await card(page, alert.id).getByRole("button", { name: "I take it" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
});

test("a person's own language comes before the browser's, also in what is drawn first", async () => {
  await region.put("user", { login: "eve", person: "eve", name: "Eve", role: "control", password: "eve-secret", language: "en" });
  const alert = await raise({ asked: [asked("paul")] });
  const page = await open("eve");
  await card(page, alert.id).waitFor();
  assert.match(await card(page, alert.id).textContent(), /Call \+33612345678Directions.*Who was asked, what happened/);
  assert.equal(await page.locator(".leaflet-control-zoom-in").getAttribute("aria-label"), "Zoom in");
});

// One WebSocket by hand: what the upgrade was answered.
function upgrade(headers) {
  return new Promise((resolve) => {
    const r = request(`${region.origin}/ws`, { rejectUnauthorized: false, headers: { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-protocol": "vigie-desk.1", origin: region.origin, ...headers } });
    r.on("upgrade", (response, socket, head) => {
      const answer = (data) => resolve({ status: response.statusCode, close: data[0] === 0x88 ? data.readUInt16BE(2) : 0, end: () => socket.destroy() });
      if (head.length > 0) answer(head);
      else socket.once("data", answer);
    });
    r.on("response", (response) => resolve({ status: response.statusCode, end: () => response.destroy() }));
    r.on("error", () => resolve({ status: 0, end: () => {} }));
    r.end();
  });
}

test("the WebSocket opens for our own pages alone, and says nothing without a session", async () => {
  for (const headers of [{ origin: "https://evil.example" }, { origin: `${region.origin}.evil` }, { origin: "null" }, { host: "evil.example" },
    { "sec-websocket-protocol": "other" }, { upgrade: "h2c", "http2-settings": "AAMAAABkAARAAAAAAAIAAAAA" }]) {
    const { status, end } = await upgrade(headers);
    assert.notEqual(status, 101, JSON.stringify(headers));
    end();
  }
  for (const headers of [{}, { cookie: `__Host-vigie=${"0".repeat(64)}` }, { cookie: "__Host-vigie=nonsense" }]) {
    const { status, close: code, end } = await upgrade(headers);
    assert.deepEqual([status, code], [101, 4401], JSON.stringify(headers));
    end();
  }
});

test("what no page of ours sends closes the socket with its reason", async () => {
  const page = await open("ctl");
  const closes = (texts) => page.evaluate((list) => Promise.all(list.map((text) => new Promise((resolve) => {
    const ws = new WebSocket(`wss://${location.host}/ws`, "vigie-desk.1");
    ws.onclose = (event) => resolve(event.code);
    ws.onmessage = () => {
      ws.onmessage = null;
      ws.send(text === "binary" ? new Uint8Array(3) : text === "long" ? "x".repeat(8193) : text);
      setTimeout(() => ws.close(4999), 1500);
    };
  }))), texts);
  const good = JSON.stringify({ t: "visible" });
  assert.deepEqual(await closes(["{", "[]", '{"t":"take"}', '{"t":"visible","x":1}', "", "binary", "long", `${" ".repeat(8192 - good.length)}${good}`]),
    [1008, 1008, 1008, 1008, 1008, 1003, 1009, 4999]);
});

// One request by hand: its status and headers.
function ask(path, options, body) {
  return new Promise((resolve) => {
    const r = request(region.origin + path, { rejectUnauthorized: false, ...options }, (response) => {
      response.resume();
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers }));
    });
    r.on("error", () => resolve({ status: 0 }));
    r.end(body);
  });
}

test("a post from elsewhere, a foreign host, a method, a path, a body too long are refused", async () => {
  const json = { origin: region.origin, "content-type": "application/json" };
  const good = JSON.stringify({ login: "nobody", password: "x" });
  assert.equal((await ask("/login", { method: "POST", headers: { "content-type": "application/json" } }, good)).status, 403);
  assert.equal((await ask("/login", { method: "POST", headers: { ...json, origin: "https://evil.example" } }, good)).status, 403);
  assert.equal((await ask("/", { headers: { host: "evil.example" } })).status, 421);
  assert.equal((await ask("/login", { method: "POST", headers: json }, "x".repeat(4097))).status, 413);
  assert.equal((await ask("/login", { method: "POST", headers: json }, "{")).status, 400);
  assert.equal((await ask("/", { method: "DELETE", headers: json })).status, 405);
  assert.equal((await ask("/login", { method: "GET" })).status, 404);
  assert.equal((await ask("/%2e%2e/%2e%2e/etc/passwd", { method: "GET" })).status, 404);
  assert.equal((await ask("/zones.json", { method: "GET" })).status, 403);
  assert.equal((await ask("/", { method: "HEAD" })).status, 200);
});

// The wait begins at a second, which a check of a password on a loaded machine may take: by the tenth failure it is a minute's.
test("guessing is made to wait", async () => {
  const statuses = [];
  for (let i = 0; i < 12 && statuses.at(-1) !== 429; i++) {
    const r = await ask("/login", { method: "POST", headers: { origin: region.origin, "content-type": "application/json" } },
      JSON.stringify({ login: "guessed", password: String(i) }));
    statuses.push(r.status);
    if (r.status === 429) assert.ok(Number(r.headers["retry-after"]) >= 1);
  }
  assert.deepEqual(statuses.slice(0, 5), [401, 401, 401, 401, 401]);
  assert.equal(statuses.at(-1), 429, String(statuses));
});

test("login works without script too", async () => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${region.origin}/login.html`);
  for (const [password, ends] of [["wrong", "/login.html?refused"], ["ctl-secret", "/"]]) {
    await page.fill("#login", "ctl");
    await page.fill("#password", password);
    await Promise.all([page.waitForURL(region.origin + ends), page.click("button.primary")]);
  }
  assert.equal((await context.cookies())[0].name, "__Host-vigie");
});

test("logging out in one tab ends the others", async () => {
  const page = await open("ctl");
  const other = await newPage(page.context());
  await other.goto(`${region.origin}/`);
  await other.waitForFunction(() => document.body.dataset.role === "control");
  await page.getByRole("button", { name: "Se déconnecter" }).click();
  await page.waitForURL("**/login.html");
  await other.waitForURL("**/login.html?ended");
  assert.deepEqual(await page.context().cookies(), []);
});

test("blind in red when the store is lost; whole again by itself, with what was missed", async () => {
  const page = await open("ctl");
  const stays = await raise({});
  const closed = await raise({});
  await card(page, closed.id).waitFor();
  await region.end(region.alerts, "SIGKILL");
  await page.locator("#blind").getByText("CETTE PAGE NE VOIT PLUS LES ALERTES").waitFor({ timeout: 6000 });
  await page.locator("#blind").getByText("La base des alertes est injoignable").waitFor();
  await press(page, stays, "Je prends");
  await page.getByText("Pas envoyé").waitFor();
  await region.restartAlerts();
  await page.locator("#blind").waitFor({ state: "hidden", timeout: 15000 });
  await card(page, stays.id).waitFor();
});

test("a closure and a take that a failover lost after they were shown: open again, rung loudest, said in words", async () => {
  const page = await open("ctl");
  const closed = await raise({ carrier_name: "Clôture Perdue" });
  const taken = await raise({ carrier_name: "Prise Perdue" });
  await raise({ carrier_name: "Toujours Ouverte" });
  await card(page, taken.id).waitFor();
  region.keepAlerts();
  await change(closed, { state: 7, event: "close", close_reason: 16, closed_by: "ctl", closed_by_name: "Salle", closed_at: Date.now() });
  await change(taken, { state: 4, event: "take", owner: "paul", owner_name: "Paul Girard", taken_at: Date.now() });
  await card(page, closed.id).waitFor({ state: "detached" });
  await page.locator("#closed li", { hasText: "Clôture Perdue" }).waitFor({ state: "attached" });
  await card(page, taken.id).locator(".state", { hasText: "Paul Girard" }).waitFor();
  await page.getByRole("button", { name: "Couper le son 30 s" }).click();
  await page.getByText(/Son coupé encore \d+ s/).waitFor();
  await region.loseSince();
  await card(page, closed.id).getByText("Cette page l'avait montrée close").waitFor({ timeout: 20000 });
  assert.equal(await page.locator("#closed li", { hasText: "Clôture Perdue" }).count(), 0);
  await card(page, taken.id).locator(".state", { hasText: "Personne ne l'a prise" }).waitFor();
  await page.getByRole("button", { name: "Couper le son 30 s" }).waitFor(); // the silence is over
  await page.waitForFunction(() => document.title.includes("3 ALERTES"));
  closed.state = taken.state = 2;
  await change(closed, { state: 4, event: "take", owner: "paul", owner_name: "Paul Girard", taken_at: Date.now() });
  await card(page, closed.id).locator(".state", { hasText: "Paul Girard" }).waitFor();
  await over(closed);
  await card(page, closed.id).waitFor({ state: "detached" });
  await page.locator("#closed li", { hasText: "Clôture Perdue" }).waitFor({ state: "attached" });
});

test("blind within 5 s when the console is gone; after its restart the same session goes on", async () => {
  const page = await open("ctl");
  const before = await raise({ carrier_name: "Avant Panne" });
  await card(page, before.id).waitFor();
  await region.end(region.console, "SIGKILL");
  await page.locator("#blind strong").waitFor({ timeout: 8000 });
  await over(before);
  const during = await raise({ carrier_name: "Pendant Panne" });
  await region.startConsole();
  await page.locator("#blind").waitFor({ state: "hidden", timeout: 15000 });
  await card(page, during.id).waitFor();
  assert.equal(await card(page, before.id).count(), 0);
  await page.getByText("close pendant que cette page était aveugle").waitFor({ state: "attached" });
});

// 96 connections that come again and again to a console with 64 places: CALL makes one.
async function crowd(small, call, during) {
  const crowd = new Set();
  let over = false;
  const come = () => {
    const socket = call().on("error", () => {});
    crowd.add(socket);
    socket.on("close", () => crowd.delete(socket) && !over && setTimeout(come, 2000));
  };
  try {
    for (let i = 0; i < 96; i++) come();
    await until("more of them than places", () => [...crowd].filter((s) => s.readyState === "open").length >= 60);
    await during();
  } finally {
    over = true;
    for (const socket of crowd) socket.destroy();
  }
}

test("connections that say nothing, before TLS or after it, keep nobody out and end nobody's page", async () => {
  const small = await Region.start({ settings: ["limits.connections=64"] });
  try {
    await small.put("user", { login: "ctl", person: "ctl", name: "Salle", role: "control", password: "ctl-secret", language: "fr" });
    for (const call of [() => connect(small.port, "127.0.0.1"), () => secure({ port: small.port, host: "127.0.0.1", rejectUnauthorized: false })])
      await crowd(small, call, async () => {
        const started = Date.now();
        const page = await open("ctl", {}, small.origin);
        assert.ok(Date.now() - started < 8000, "before their 10 s are over");
        await sleep(1500);
        assert.ok(!(await page.locator("#blind").isVisible()));
        assert.equal(page.frames_.filter((f) => JSON.parse(f).t === "hello").length, 1, "one line, never lost");
        await page.context().close();
      });
  } finally {
    await small.stop();
  }
});

test("a page whose scripts did not all come loads itself again", async () => {
  const first = await open("ctl");
  const page = await first.context().newPage(); // not watched for trouble: it is meant to have some
  let lost = 0;
  await page.route("**/board.js", (route) => (lost++ === 0 ? route.abort() : route.continue()));
  await page.goto(region.origin);
  await page.waitForFunction(() => document.body.dataset.role === "control");
  assert.equal(lost, 2);
});

test("it ends at once and cleanly when asked to, and its log names nobody", async () => {
  const page = await open("ctl");
  const started = Date.now();
  const { code } = await region.end(region.console);
  assert.equal(code, 0, region.log);
  assert.ok(Date.now() - started < 5000);
  assert.doesNotMatch(region.log, /Martin|Girard|45\.76|\+336|[0-9a-f]{64}|ERROR|runtime error/);
  await region.startConsole();
});

test("-n checks configuration and files", () => {
  const run = (...options) => spawnSync(region.binary, ["-n", "-c", `${region.dir}/console.conf`, ...options], { encoding: "utf8" });
  assert.equal(run().status, 0);
  assert.equal(run("-o", "web.origins=http://x").status, 2);
  assert.equal(run("-o", `tls.key=${region.dir}/zones.geojson`).status, 2);
  assert.equal(run("-o", "web.path=/nonexistent").status, 2);
  assert.equal(run("-o", `zones.path=${region.dir}/key.pem`).status, 2);
});

test("no page had an error, broke its policy, or asked anybody else for anything", () => {
  const expected = /status of (401|403) .*\/login$/; // passwords that a test meant to be refused
  assert.deepEqual(trouble.filter((line) => !expected.test(line)), []);
});
