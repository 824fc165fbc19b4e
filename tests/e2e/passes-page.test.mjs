// The pass desk's pages alone, in a real browser, with a made-up server: what they say at answers that are rare, who sees what, names
// that are hostile, keyboard, contrast and a phone's width.  The whole way is in passes.test.mjs.
import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { launch, poorContrast } from "./lib/browser.mjs";
import { serve, server } from "./lib/passdesk.mjs";

const HOUR = 3600000;
const HOSTILE = "\u202E<img src=x onerror=alert(1)> 🧨";
const ALL = ["issue", "consent", "revoke", "unlock", "lost", "live", "edit"];
let http, browser, edits;

before(async () => {
  http = await serve({ "/zones.json": () => ({ zones: [], ids: [{ id: "presquile", name: "Presqu'île" }, { id: "z", name: "z" }] }),
    "/desk/edit": (body) => { edits.push(body); return edits.answer ?? { result: body.check ? "good" : "done", how: { buildings: "n".repeat(body.buildings?.length ?? 0), rounds: "" } }; } });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  http?.close();
  http?.closeAllConnections();
});

function books() {
  const now = Date.now();
  const person = (carrier, name, fields = {}) => ({ carrier, name, number: "+33612345678", team: "nord", round: "b14", handset: carrier.repeat(16).slice(0, 16), phone: "+33690000001", revoked: false,
    vault: "locked", ready: true, passes: 0, ...fields });
  const carrier = [person("a", "Camille Roux"), person("b", HOSTILE, { vault: "none", ready: false }), person("c", "Sam Petit", { handset: null, phone: null, vault: "unknown", ready: false, round: null })];
  const building = [1, 2, 3].map((n) => ({ id: String(n).repeat(16), name: n === 3 ? HOSTILE : `${n} rue A`, address: "", lat: 45, lon: 4, sensitive: false, qr: true, caretaker: true }));
  const round = [{ id: "a1", name: "Autre", zone: "", team: "sud", buildings: 2, sensitive: true }, { id: "b14", name: "Bellecour 14", zone: "", team: "nord", buildings: 3, sensitive: false }];
  const pass = [{ id: "1".repeat(16), handset: "a".repeat(16), carrier: "a", name: "Camille Roux", team: "nord", round: "b14", round_name: "Bellecour 14", by: "o", second: null, from: now - HOUR,
    until: now + 3 * HOUR, issued_at: now - HOUR, state: "phone", revoked_at: null, revoked_by: null, buildings: 3 }];
  return { carrier, building, round, pass, consent: [], asked: [], phones: Object.fromEntries(carrier.map((c) => [c.handset, { ...c, challenge: null, told_at: now, wipe: null, items: [], doors: [] }])),
    passs: Object.fromEntries(pass.map((p) => [p.id, { ...p, doors: [] }])), rounds: Object.fromEntries(round.map((r) => [r.id, { ...r, stops: building }])),
    buildings: Object.fromEntries(building.map((b) => [b.id, { ...b, doors: [], rounds: [], link: "/caretaker/#x" }])) };
}

async function open(t, { hash = "", may = ALL, role = "issuer", width = 1280, keeper = null, language = "fr", change = () => {} } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 800 }, locale: language });
  const page = await context.newPage();
  page.said = [];
  edits = [];
  page.on("pageerror", (error) => page.said.push(error.message));
  page.on("dialog", (dialog) => page.said.push(dialog.message()));
  page.on("console", (m) => m.type() === "error" && !/zones.json|404/.test(m.text() + m.location().url) && page.said.push(m.text()));
  const made = books();
  change(made);
  await page.addInitScript(server, { books: made, may, me: { login: "o", person: "o", name: "Odile", role, language }, keeper });
  await page.goto(`http://127.0.0.1:${http.address().port}/passes.html${hash}`);
  await page.locator("#main").waitFor();
  t.after(async () => {
    await context.close();
    assert.deepEqual(page.said, []);
  });
  return page;
}

const commands = (page, type) => page.evaluate((t) => window.desk.said.filter((m) => m.t === t), type);
const answer = (page, type, fields) => page.evaluate(([t, f]) => { window.desk.answer[t] = f; }, [type, fields]);
const pick = (page, name) => page.locator(".found[data-of='carrier'] button", { hasText: name }).click();

test("the usual round is chosen: two clicks give the pass, once, and the sentence follows the phone", async (t) => {
  const page = await open(t);
  await answer(page, "pass_issue", { more: { pass: "1".repeat(16) } });
  await page.evaluate(() => { window.desk.books.passs["1".repeat(16)].state = "waiting"; });
  await pick(page, "Camille");
  await page.locator(".rounds input:checked").waitFor();
  assert.match(await page.locator(".rounds .found label").first().innerText(), /Bellecour 14/);
  await page.locator("#give").dblclick();
  await page.getByText("n'a pas encore confirmé").waitFor();
  const [given, ...more] = await commands(page, "pass_issue");
  assert.deepEqual([given.carrier, given.handset, given.round, more.length], ["a", "a".repeat(16), "b14", 0]);
  assert.ok(given.until > Date.now() + 7 * HOUR && given.until < Date.now() + 9 * HOUR);
  await page.evaluate(() => { window.desk.books.passs["1".repeat(16)].state = "phone"; window.desk.changed("pass"); });
  await page.getByText("Le téléphone l'a reçu").waitFor();
});

// From now on what the page sends of TYPE is kept in window.desk.held, and answered by whoever calls release().
const hold = (page, type) => page.evaluate((t) => {
  const { hear } = window.desk;
  window.desk.held = [];
  window.desk.hear = (m) => (m.t === t ? (window.desk.said.push(m), window.desk.held.push(m)) : hear(m));
  window.desk.release = () => { window.desk.hear = hear; for (const m of window.desk.held) hear(m); };
}, type);
const release = (page) => page.evaluate(() => window.desk.release());

test("an answer that comes when somebody else is picked says whose it is, and takes nobody away", async (t) => {
  const page = await open(t, { change: (b) => {
    b.carrier.push({ ...b.carrier[0], carrier: "d", name: "Dana Noir", handset: "d".repeat(16) });
    b.phones["d".repeat(16)] = { ...b.phones["a".repeat(16)], ...b.carrier.at(-1) };
  } });
  for (const [a, words] of [["keeper_away", /Camille Roux.*ne répond pas/], ["done", /Camille Roux a la tournée/]]) {
    await answer(page, "pass_issue", { a, more: a === "done" ? { pass: "1".repeat(16) } : null });
    await pick(page, "Camille");
    await page.locator(".rounds input:checked").waitFor();
    await hold(page, "pass_issue");
    await page.click("#give");
    await page.waitForFunction(() => window.desk.held.length === 1);
    await page.click("#other");
    await pick(page, "Dana");
    await page.locator(".rounds input:checked").waitFor();
    await release(page);
    await page.locator("#toasts", { hasText: words }).waitFor();
    assert.equal(await page.innerText("#person-name"), "Dana Noir");
    assert.ok(await page.locator("#give").isEnabled());
    await page.click("#other");
  }
});

test("a sensitive round and a long pass ask for a second person, and say so before", async (t) => {
  const page = await open(t);
  await answer(page, "pass_issue", { a: "consent", more: { consent: "2".repeat(16), why: ["sensitive"] } });
  await pick(page, "Camille");
  await page.locator(".rounds label", { hasText: "Autre" }).click();
  await page.getByText("Un immeuble est sensible").waitFor();
  assert.match(await page.locator("#give").innerText(), /accord/);
  const before = new Date(Date.now() - 60000); // a minute ago: tomorrow, 23 h 59 from now
  await page.fill("#until", `${String(before.getHours()).padStart(2, "0")}:${String(before.getMinutes()).padStart(2, "0")}`);
  await page.getByText("Plus de 12 heures").waitFor();
  await page.click("#give");
  await page.getByText("n'a pas encore la tournée").waitFor();
});

test("a pass for later: one shift from then on, unless somebody says until when", async (t) => {
  const page = await open(t);
  const at = (ms) => new Date(ms).toTimeString().slice(0, 5);
  const from = Math.ceil((Date.now() + 6 * HOUR) / (HOUR / 4)) * (HOUR / 4);
  await pick(page, "Camille");
  await page.locator(".rounds input:checked").waitFor();
  await page.locator(".later summary").click();
  await page.fill("#from", at(from));
  assert.equal(await page.inputValue("#until"), at(from + 8 * HOUR));
  assert.equal(await page.locator("#give").innerText(), "Donner le laissez-passer"); // 8 hours, whenever they begin
  await page.fill("#until", at(from + 13 * HOUR));
  await page.getByText("Plus de 12 heures").waitFor();
  await page.fill("#from", at(from + 2 * HOUR));
  await page.click("#give");
  await page.waitForFunction(() => window.desk.said.some((m) => m.t === "pass_issue"));
  const [given] = await commands(page, "pass_issue");
  assert.deepEqual([given.from, given.until].map((ms) => Math.round((ms - from) / HOUR)), [2, 13]);
});

test("what stands in the way is said before anybody can click, and each refusal has a sentence with what to do", async (t) => {
  const page = await open(t);
  await pick(page, "onerror");
  await page.getByText("n'a pas encore de code PIN").waitFor();
  assert.equal(await page.locator("#give").isVisible(), false);
  await page.click("#other");
  await pick(page, "Sam");
  await page.getByText("n'a pas de téléphone à son nom").waitFor();
  await page.click("#other");
  await pick(page, "Camille");
  await page.locator(".rounds input:checked").waitFor();
  for (const [code, text] of [["keeper_away", /ne répond pas\. Appelez/], ["empty_round", /aucun immeuble\. Ajoutez/], ["full", /Appelez l'agent/], ["a_newer_word", /refusée/]]) {
    await answer(page, "pass_issue", { a: code, more: null });
    await page.click("#give");
    await page.locator(".give .bad", { hasText: text }).waitFor();
  }
});

test("revoking asks once, in its place: Escape goes back, a double click does nothing", async (t) => {
  const page = await open(t);
  const row = page.locator(".pass").first();
  await row.getByRole("button", { name: "Annuler" }).click();
  await page.keyboard.press("Escape");
  await row.getByRole("button", { name: "Annuler" }).click();
  await row.getByRole("button", { name: "Oui, annuler" }).click({ delay: 0 }); // within the guard: meant for the button before
  assert.deepEqual(await commands(page, "pass_revoke"), []);
  await page.waitForTimeout(500);
  await answer(page, "pass_revoke", { more: { list: null } });
  await row.getByRole("button", { name: "Oui, annuler" }).click();
  await page.getByText("les portes ne le savent pas encore").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "SUMMARY");
  assert.equal((await commands(page, "pass_revoke")).length, 1);
});

test("requests and consents are answered by one click; nobody agrees to their own", async (t) => {
  const now = Date.now();
  const common = { handset: "a".repeat(16), carrier: "a", name: HOSTILE, team: "nord", round: "b14", round_name: "Bellecour 14", until: now + HOUR };
  const page = await open(t, { change: (b) => {
    b.asked.push({ ...common, at: now });
    for (const own of [false, true]) b.consent.push({ ...common, id: String(own ? 2 : 1).repeat(16), by: "x", by_name: "Marc", at: now, ends: now + HOUR, from: now, why: ["long"], own });
  } });
  await page.locator("#main").getByText("2 demandes attendent").waitFor();
  assert.match(await page.locator("#spoken").innerText(), /2 demandes attendent/);
  await page.getByText("1 de vos demandes attend l'accord").waitFor();
  await page.locator("#asked").getByRole("button", { name: "Donner" }).click();
  await page.waitForFunction(() => window.desk.said.some((m) => m.t === "pass_asked"));
  assert.deepEqual((await commands(page, "pass_asked")).map((m) => [m.handset, m.yes]), [["a".repeat(16), true]]);
  const own = page.locator("#own li").first();
  assert.equal(await own.getByRole("button", { name: "D'accord" }).count(), 0);
  await own.getByRole("button", { name: "Retirer" }).click();
  await page.locator("#consents li").first().getByRole("button", { name: "D'accord" }).click();
  await page.waitForFunction(() => window.desk.said.filter((m) => m.t === "pass_consent").length === 2);
  assert.deepEqual((await commands(page, "pass_consent")).map((m) => [m.consent[0], m.yes]), [["2", false], ["1", true]]);
});

test("phones that wait for an unlock: who, which number to call, what to do; what is under way offers nothing to do", async (t) => {
  const page = await open(t, { role: "control", may: ["revoke", "unlock", "lost", "live"], change: (b) => {
    const phone = (name, fields) => ({ ...b.carrier[0], carrier: name, name, handset: `${b.unlock.length}`.repeat(16), waits: "asked", sent: false, told_at: Date.now(), ...fields });
    b.unlock = [];
    b.unlock.push(phone(HOSTILE, {}));
    b.unlock.push(phone("Sam", { waits: "destroyed" }));
    b.unlock.push(phone("Lou", { sent: true, waits: "destroyed" }));
    b.unlock.push(phone("x", { carrier: null, name: null, number: null }));
  } });
  await page.locator("#main").getByText("4 téléphones à débloquer").waitFor();
  assert.match(await page.locator("#spoken").innerText(), /4 téléphones à débloquer/);
  const row = page.locator("#unlocks > li");
  assert.equal(await row.nth(0).locator(".call").getAttribute("href"), "tel:+33612345678");
  assert.match(await row.nth(1).innerText(), /trop de codes PIN faux[^]*peut-être volé/);
  assert.match(await row.nth(2).innerText(), /pas encore confirmé/);
  assert.match(await row.nth(3).innerText(), /Téléphone partagé[^]*voyez la personne/);
  assert.deepEqual(await Promise.all([0, 1, 2, 3].map((n) => row.nth(n).getByRole("button").isVisible())), [true, false, false, true]);
  await row.nth(0).getByRole("button").click();
  await row.nth(0).locator("input").fill("00112233 44556677");
  await page.keyboard.press("Enter");
  await row.nth(0).getByText("demande un nouveau code PIN").waitFor();
  assert.deepEqual((await commands(page, "phone_unlock")).map((m) => [m.handset[0], m.challenge]), [["0", "0011223344556677"]]);
});

test("a shared phone: who has it is asked, and whoever had it before loses their pass first", async (t) => {
  const phone = "5".repeat(16);
  const page = await open(t, { change: (b) => {
    const shared = { ...b.carrier[0], carrier: null, name: null, number: null, team: null, round: null, handset: phone, phone: "+33690000005" };
    b.carrier.push(shared);
    b.shared = [shared];
    b.phones[phone] = { ...shared, challenge: null, wipe: null, doors: [], items: [{ ...b.pass[0], id: "8".repeat(16), handset: phone }] };
  } });
  await pick(page, "Téléphone partagé");
  await page.getByText("Camille Roux : tournée Bellecour 14").waitFor();
  await page.locator(".shared-part .found button", { hasText: "Sam Petit" }).click();
  await page.locator(".hinder", { hasText: "encore un laissez-passer de Camille Roux" }).waitFor();
  assert.equal(await page.locator("#give").isVisible(), false);
  await page.getByRole("button", { name: "Annuler ces laissez-passer" }).click();
  await page.waitForTimeout(500);
  await answer(page, "pass_revoke", { a: "keeper_away" });
  await page.getByRole("button", { name: "Oui, annuler" }).click();
  await page.locator("#toasts", { hasText: "ne répond pas" }).waitFor();
  assert.doesNotMatch(await page.locator("#toasts").innerText(), /Annulé/i);
  assert.equal(await page.evaluate(() => document.activeElement.innerText), "Annuler ces laissez-passer"); // to try again
  await page.keyboard.press("Enter");
  await page.waitForTimeout(500);
  await page.evaluate((id) => { window.desk.answer.pass_revoke = { a: "done", more: { list: Date.now() } }; window.desk.books.phones[id].items[0].state = "revoked"; }, phone);
  await page.getByRole("button", { name: "Oui, annuler" }).click();
  await page.waitForFunction(() => window.desk.said.some((m) => m.t === "pass_revoke" && m.pass === "8".repeat(16)));
  await page.evaluate(() => window.desk.changed("pass"));
  await page.locator(".rounds label", { hasText: "Bellecour" }).click();
  await page.click("#give");
  await page.locator(".said", { hasText: "Sam Petit" }).waitFor();
  await pick(page, "Sam"); // the other way about: a carrier takes a phone
  await page.locator(".shared-part .found button", { hasText: "+33690000005" }).click();
  await page.locator(".rounds label", { hasText: "Autre" }).click();
  await page.click("#give");
  await page.waitForFunction(() => window.desk.said.filter((m) => m.t === "pass_issue").length === 2);
  assert.deepEqual((await commands(page, "pass_issue")).map((m) => [m.carrier, m.handset, m.round]), [["c", phone, "b14"], ["c", phone, "a1"]]);
});

test("a building comes off a round: what still opens it is said, until when, and asked; a round is deleted likewise", async (t) => {
  const page = await open(t, { role: "admin", hash: "#rounds/b14" });
  const until = new Date(2030, 0, 1, 18, 17).getTime();
  edits.answer = { result: "good", how: {}, still: [{ round: "b14", buildings: 1, passes: 2, until }] };
  await page.getByRole("button", { name: "Retirer 1 rue A de la tournée" }).click();
  await page.getByRole("button", { name: "Enregistrer" }).click();
  await page.getByText(/1 immeuble en moins : 2 laissez-passer les ouvrent encore, au plus tard jusqu'à 1 janv. 18:17/).waitFor();
  await page.getByRole("button", { name: "Non, revenir" }).click();
  assert.deepEqual(edits.map((e) => e.check), [true]);
  await page.getByRole("button", { name: "Supprimer cette tournée" }).click();
  await page.locator(".sure-question", { hasText: "ouvrent encore" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Enregistrer" }).click();
  await page.locator("#save-still").waitFor();
  edits.answer = { result: "done", how: {}, still: [] };
  await page.click("#save-still");
  await page.getByText("Enregistré.").waitFor();
  assert.deepEqual(edits.map((e) => e.check), [true, true, true, false]);
});

test("what somebody else changed meanwhile is not overwritten: it is said, for a round and a building", async (t) => {
  const page = await open(t, { role: "admin", hash: "#rounds/b14" });
  await page.getByRole("button", { name: "Retirer 1 rue A de la tournée" }).click();
  await page.evaluate(() => { window.desk.books.rounds.b14 = { ...window.desk.books.rounds.b14, team: "sud" }; });
  await page.getByRole("button", { name: "Enregistrer" }).click();
  await page.locator(".edit .bad", { hasText: "entre-temps" }).waitFor();
  await page.evaluate(() => { location.hash = `buildings/${"1".repeat(16)}`; });
  await page.fill("#building-name", "Un autre nom");
  await page.evaluate(() => { const all = window.desk.books.buildings; all["1".repeat(16)] = { ...all["1".repeat(16)], qr: false, caretaker: false }; });
  await page.getByRole("button", { name: "Enregistrer" }).click();
  await page.locator(".edit .bad", { hasText: "entre-temps" }).waitFor();
  assert.deepEqual(edits, []);
  await page.evaluate(() => { location.hash = "rounds/a1"; });
  await page.locator("h1", { hasText: "Autre" }).waitFor();
  await hold(page, "desk_get");
  await page.evaluate(() => { location.hash = "rounds/b14"; });
  await page.waitForFunction(() => window.desk.held.length === 1);
  await page.evaluate(() => { location.hash = "rounds"; });
  await page.locator("#round-words").waitFor();
  await release(page);
  await page.waitForTimeout(300);
  assert.ok(await page.locator("#round-words").isVisible(), "an answer that is late opens nothing");
});

test("a round or building that could not be had is had as soon as it can be", async (t) => {
  const page = await open(t, { role: "admin" });
  await answer(page, "desk_get", { a: "away" });
  for (const [hash, title] of [["rounds/b14", "Bellecour 14"], [`buildings/${"1".repeat(16)}`, "1 rue A"]]) {
    await page.evaluate(() => { window.desk.answer.desk_get = { a: "away" }; });
    await page.evaluate((h) => { location.hash = h; }, hash);
    await page.locator("#main .bad", { hasText: "ne répond pas" }).waitFor();
    await page.evaluate(() => { delete window.desk.answer.desk_get; });
    await page.locator("#main h1", { hasText: title }).waitFor();
  }
});

test("a file that cannot be read is said", async (t) => {
  const page = await open(t, { role: "admin", hash: "#import" });
  await page.evaluate(() => { File.prototype.arrayBuffer = () => Promise.reject(new DOMException("gone", "NotReadableError")); });
  await page.setInputFiles("#file", { name: "a.csv", mimeType: "text/csv", buffer: Buffer.from("nom\nA\n") });
  await page.getByText("ne peut pas être lu").waitFor();
  assert.equal(await page.getByText("Lecture du fichier").isVisible(), false);
});

test("a new round: the zone from a list, the team from those known; nothing of the page's inside shows", async (t) => {
  const page = await open(t, { role: "admin", hash: "#rounds/new" });
  await page.locator("#round-zone option", { hasText: "Presqu'île (presquile)" }).waitFor({ state: "attached" });
  await page.fill("#round-name", "Été 1");
  await page.selectOption("#round-zone", "presquile");
  assert.deepEqual(await page.locator("#teams option").evaluateAll((all) => all.map((o) => o.value)), ["nord", "sud"]);
  assert.doesNotMatch(await page.locator("#main").innerText(), /null|undefined|\{/);
  await answer(page, "desk_get", { a: "away" }); // whether there is such a round already is not known: nothing is overwritten
  await page.getByRole("button", { name: "Enregistrer" }).click();
  await page.locator(".edit .bad").filter({ visible: true }).waitFor();
  assert.deepEqual(edits, []);
  await page.evaluate(() => { delete window.desk.answer.desk_get; });
  await page.getByRole("button", { name: "Enregistrer" }).click();
  await page.getByText("Enregistré.").waitFor();
  assert.deepEqual([edits.at(-1).rounds[0].id, edits.at(-1).rounds[0].zone], ["ete-1", "presquile"]);
});

test("a file of which no line is good offers nothing", async (t) => {
  const page = await open(t, { role: "admin", hash: "#import" });
  await page.setInputFiles("#file", { name: "a.geojson", mimeType: "application/json", buffer: Buffer.from('{"type":"FeatureCollection","features":[7,null]}') });
  await page.getByText("Rien à importer").waitFor();
  assert.equal(await page.locator("#import-now").count(), 0);
  assert.deepEqual(edits, []);
});

test("a forgotten PIN: the number on file, 16 characters, and what to do when they are wrong", async (t) => {
  const page = await open(t, { role: "supervisor", may: ["consent", "unlock", "live"] });
  await pick(page, "Camille");
  await page.click("#unlock");
  assert.equal(await page.locator(".unlock-form .call").getAttribute("href"), "tel:+33612345678");
  await page.fill("#unlock-code", "1a2b 3c4d 5e6f 70o");
  await page.getByText("« o » n'y est jamais").waitFor();
  await page.fill("#unlock-code", "1A2B 3C4D 5E6F 7081");
  await answer(page, "phone_unlock", { a: "wrong_challenge" });
  await page.getByRole("button", { name: "Débloquer" }).click();
  await page.getByText("Faites relire").waitFor();
  await answer(page, "phone_unlock", { a: "done" });
  await page.keyboard.press("Enter");
  await page.locator(".unlock .done", { hasText: "demande un nouveau code PIN" }).waitFor();
  assert.equal((await commands(page, "phone_unlock")).at(-1).challenge, "1a2b3c4d5e6f7081");
  await page.click("#unlock"); // it did not help, or the phone shows another one: once more
  await page.locator("#unlock-code").waitFor();
});

test("a phone lost where steps fail: which, why, and once more", async (t) => {
  const page = await open(t);
  await answer(page, "phone_lost", { a: "part", more: { steps: [{ step: "passes", ok: false, n: 0, why: "keeper_away" }, { step: "certificate", ok: true, n: 1, why: null }, { step: "newer", ok: true, n: 0, why: null }] } });
  await pick(page, "Camille");
  await page.getByRole("button", { name: /perdu ou volé/ }).click();
  await page.getByText("Camille Roux a perdu le téléphone +33690000001").waitFor();
  await page.waitForTimeout(500);
  await page.getByRole("button", { name: "Oui, il est perdu" }).click();
  await page.locator(".step-failed", { hasText: "ne répond pas" }).waitFor();
  await answer(page, "phone_lost", { a: "done", more: { steps: [{ step: "passes", ok: true, n: 2, why: null }] } });
  await page.getByRole("button", { name: "Recommencer" }).click();
  await page.getByText("2 laissez-passer annulés").waitFor();
  assert.equal(await page.getByRole("button", { name: "Recommencer" }).isVisible(), false);
});

test("who still gets in: each door once, at its latest, the first ten in sight; what was replaced is not said to be somebody's doing", async (t) => {
  const now = Date.now();
  const doors = [...Array(40).keys()].flatMap((n) => [HOUR, 2 * HOUR].map((ms) => ({ building: `${n}`.padStart(16, "0"), name: `Immeuble ${n}`, door: null, door_name: null, class: "caretaker", pass: "1".repeat(16),
    until: now + ms, why: "unheard" })));
  const page = await open(t, { change: (b) => {
    Object.assign(b.pass[0], { state: "revoked", revoked_at: now, revoked_by: "console" });
    Object.assign(b.passs["1".repeat(16)], { state: "revoked", revoked_at: now, revoked_by: "console", doors });
  } });
  await page.getByText("remplacé après un nouveau code PIN").waitFor();
  await page.locator(".pass summary").first().click();
  await page.getByText("40 portes peuvent encore").waitFor();
  assert.equal(await page.locator(".doors li").locator("visible=true").count(), 10);
  await page.getByText("Et 30 autres").click();
  assert.equal(await page.locator(".doors li").locator("visible=true").count(), 40);
});

test("the line lost: the page says that it is out of date, sends nothing, and comes back by itself", async (t) => {
  const page = await open(t);
  await page.evaluate(() => { window.desk.dead = true; window.desk.sockets.at(-1).close(); });
  await page.locator("#blind", { hasText: "PLUS À JOUR" }).waitFor({ timeout: 15000 });
  await page.locator(".pass").first().getByRole("button", { name: "Annuler" }).click();
  await page.waitForTimeout(500);
  await page.getByRole("button", { name: "Oui, annuler" }).click();
  await page.getByText("la ligne est coupée").waitFor();
  assert.deepEqual(await commands(page, "pass_revoke"), []);
  await page.evaluate(() => { window.desk.dead = false; });
  await page.locator("#blind").waitFor({ state: "hidden", timeout: 15000 });
});

test("a keeper that is away is said on top; what a role may not do is not offered", async (t) => {
  const page = await open(t, { role: "control", may: ["revoke", "unlock", "lost", "live"], keeper: "away" });
  await page.locator("#keeper", { hasText: "ne répond pas" }).waitFor();
  assert.equal(await page.locator("#to-import").isVisible(), false);
  assert.equal(await page.locator("#board").isVisible(), true);
  await pick(page, "Camille");
  await page.locator(".phone-state").waitFor();
  assert.equal(await page.locator("#give").count(), 0);
  await page.goto(`${page.url().split("#")[0]}#rounds/b14`);
  await page.locator(".stops li").nth(2).waitFor();
  assert.equal(await page.locator("#main input").count(), 0);
});

test("a round's buildings are added, moved and taken off by keyboard, and saved in that order", async (t) => {
  const page = await open(t, { role: "admin", hash: "#rounds/b14" });
  await page.getByRole("button", { name: "Monter 2 rue A" }).press("Enter");
  await page.getByRole("button", { name: "Retirer 1 rue A de la tournée" }).press("Enter");
  await page.locator(".found[data-of='building'] button", { hasText: "1 rue A" }).press("Enter");
  await page.getByRole("button", { name: "Enregistrer" }).click();
  await page.getByText("Enregistré").waitFor();
  assert.deepEqual(edits.at(-1).rounds[0].buildings.map((id) => id[0]), ["2", "3", "1"]);
});

test("a building's position is picked on the map; a bad one is refused; the server's refusal is shown", async (t) => {
  const page = await open(t, { role: "admin", hash: "#buildings/new" });
  await page.fill("#building-name", "Nouveau");
  await page.locator(".pick-map").click({ position: { x: 100, y: 100 } });
  const picked = await page.inputValue("#position");
  assert.match(picked, /^-?\d+\.\d{6}, -?\d+\.\d{6}$/);
  await page.fill("#position", "45.7");
  await page.getByRole("button", { name: "Enregistrer" }).click();
  assert.deepEqual(edits, []);
  await page.fill("#position", "45.7652, 4.8345");
  edits.answer = { result: "wrong", wrong: [{ what: "buildings", index: 0, why: "name" }], rest: 0 };
  await page.getByRole("button", { name: "Enregistrer" }).click();
  await page.getByText("Refusé : le nom manque").waitFor();
  const [row] = edits.at(-1).buildings;
  assert.deepEqual({ ...row, id: row.id.length }, { id: 16, name: "Nouveau", address: "", lat: 45.7652, lon: 4.8345, sensitive: false, qr: true, caretaker: true });
});

test("an import that the server finds wrong changes nothing and names the line", async (t) => {
  const page = await open(t, { role: "admin", hash: "#import" });
  edits.answer = { result: "wrong", wrong: [{ what: "buildings", index: 1, why: "address" }], rest: 3 };
  await page.setInputFiles("#file", { name: "a.csv", mimeType: "text/csv", buffer: Buffer.from("name\nA\n\nB\n") });
  await page.locator(".wrong-lines", { hasText: /Ligne 4[^]*plus de 128 signes/ }).waitFor();
  assert.equal(await page.locator("#import-now").count(), 0);
  assert.deepEqual(edits.map((e) => e.check), [true]);
});

test("every view: contrast, no wider than a phone, names are text, in both languages", async (t) => {
  for (const [language, width] of [["fr", 390], ["en", 320], ["fr", 1280]]) {
    const page = await open(t, { width, language });
    for (const hash of ["", "#lost/aaaaaaaaaaaaaaaa", "#rounds", "#rounds/b14", "#rounds/new", "#buildings", "#buildings/3333333333333333", "#buildings/new", "#import", "#rounds/gone", "#nonsense/%zz", "#rounds/%zz", "#passes/Bellecour"]) {
      await page.evaluate((to) => { location.hash = to; }, hash);
      await page.waitForTimeout(150);
      if (!hash) await pick(page, "onerror");
      assert.deepEqual(await poorContrast(page), [], `${hash} ${width}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${hash} is wider than ${width}`);
      assert.equal(await page.locator("img[src='x']").count(), 0);
    }
  }
});
