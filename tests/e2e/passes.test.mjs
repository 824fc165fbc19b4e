// The pass, the whole way, as people meet it: real console, keeper, dispatcher and phone, real Chromium.  An administrator imports a
// round; somebody at the desk gives its pass in three clicks; the carrier shows it as a code; a caretaker's page films it and opens,
// also while the console is away; revoked at the desk, the caretaker's page refuses it.
import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { poorContrast } from "./lib/browser.mjs";
import { film, filmPicture } from "./lib/camera.mjs";
import { PassRegion, PASSWORD } from "./lib/passregion.mjs";
import { until } from "./lib/region.mjs";

const { chromium } = createRequire(import.meta.url)("playwright-core");
const SLOW_MS = 30000; // for what crosses several programs on a loaded machine
const PIN = "2580"; // no digits in a row, or the vault refuses it
const NEW_PIN = "7391";
const HOUR_MS = 3600000;
const CSV = ["ref;nom;adresse;lat;lon;gardien;tournée;équipe", "A;12 rue de la République;12 rue de la République, Lyon;45.7652;4.8345;oui;bellecour-3;nord",
  "B;3 place Bellecour;3 place Bellecour, Lyon;45.7578;4.8320;oui;bellecour-3;nord", "C;quai de Saône;;95;4.8;oui;bellecour-3;nord"].join("\n");

let region, browser, camera, phone, desk, phonePage, caretaker, link;
const trouble = []; // what no page may ever say

// Steps of one way: after one that failed the others could only wait for what cannot come.
let failed = null;
const step = (name, walk) => test(name, async (t) => {
  if (failed) return t.skip(`after "${failed}"`);
  failed = name;
  await walk(t);
  failed = null;
  return undefined;
});

before(async () => {
  region = await new PassRegion().open();
  camera = join(region.dir, "camera.y4m");
  film(camera, null);
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--ignore-certificate-errors", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${camera}`] });
  phone = await region.phone("carrier", region.server.port, ["--person", "c1", "--pin", PIN, "--number", "+33600000001"]).start();
});

after(async () => {
  await browser?.close();
  await region?.stop();
});

async function newPage(options = {}) {
  const context = await browser.newContext({ locale: "fr-FR", timezoneId: "Europe/Paris", viewport: { width: 1280, height: 850 }, permissions: ["camera"], ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => trouble.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => trouble.push(`dialog: ${dialog.message()}`));
  page.on("console", (m) => m.type() === "error" && !/ERR_CONNECTION_(REFUSED|RESET|CLOSED)|ERR_FAILED|WebSocket connection/.test(m.text()) && trouble.push(`${m.text()} ${m.location().url}`));
  return page;
}

// Logged in, as the login page leads there by itself or by one link.
async function logIn(login, options) {
  const page = await newPage(options);
  await page.goto(`${region.origin}/login.html`);
  let said = "";
  await until(`${login} logged in`, async () => { // a console that has just started may not have found its store
    if (!new URL(page.url()).pathname.startsWith("/login")) return true;
    await page.fill("#login", login, { timeout: 5000 }).catch(() => {}); // each time: a page that lost a script on the way loads itself anew
    await page.fill("#password", PASSWORD, { timeout: 5000 }).catch(() => {});
    await page.click("button.primary", { timeout: 5000 }).catch(() => {});
    said = await page.locator("#refused").innerText({ timeout: 1000 }).catch(() => said);
    await page.waitForTimeout(1000);
    return false;
  }, SLOW_MS).catch((error) => { throw new Error(`${error.message}; it said: ${said}`); });
  await page.waitForLoadState();
  return page;
}

async function shot(page, name) {
  if (process.env.VIGIE_SHOTS) await page.screenshot({ path: join(process.env.VIGIE_SHOTS, `${name}.png`), fullPage: true });
}

const clock = (ms, timeZone) => new Date(ms).toLocaleTimeString("fr-FR", { hour: "2-digit", minute: "2-digit", timeZone });

const says = (page, selector, text) => until(`${selector} says ${text}`, async () => {
  const said = await page.locator(selector).allInnerTexts();
  if (said.some((line) => text.test(line))) return true;
  says.last = said.join(" | ");
  return false;
}, SLOW_MS).catch((error) => { throw new Error(`${error.message}; it said: ${says.last}`); });

step("an administrator finds the desk from the board, imports a round, and sees what was wrong with the file first", async () => {
  const page = await logIn("adm");
  await page.locator("#passes").click();
  await page.getByRole("link", { name: "Importer" }).click();
  await page.setInputFiles("#file", { name: "tournee.csv", mimeType: "text/csv", buffer: Buffer.from(CSV) });
  await says(page, ".preview", /1 ligne à corriger[^]*Ligne 4[^]*2 immeubles[^]*2 à créer[^]*1 tournée/);
  await page.click("#import-now");
  await says(page, ".preview", /C'est fait/);
  await page.setInputFiles("#file", { name: "tournee.csv", mimeType: "text/csv", buffer: Buffer.from(CSV) });
  await says(page, ".preview", /déjà pareils[^]*Rien à changer/);
  await page.getByRole("link", { name: "Immeubles" }).first().click();
  await page.getByRole("link", { name: /12 rue de la République/ }).click();
  link = await page.locator("#caretaker-link").inputValue();
  assert.match(link, new RegExp(`^${region.origin}/caretaker/#`));
  assert.deepEqual(await poorContrast(page), []);
  await page.context().close();
});

step("a pass in three clicks; the phone has it; a phone without a PIN is said to be one", async () => {
  desk = await logIn("odile");
  await desk.waitForURL(`${region.origin}/passes.html`, { timeout: SLOW_MS });
  await desk.locator(".found[data-of='carrier'] button", { hasText: "Camille Roux" }).click(); // one
  await says(desk, ".hinder", /pas encore (de code PIN|annoncé)/);
  phone.say("pin", "set", PIN);
  await says(desk, ".phone-state", /prêt à recevoir/);
  await desk.locator(".rounds label", { hasText: "bellecour-3" }).click(); // two
  await says(desk, ".sum", /Camille Roux pourra entrer dans 2 immeubles \(tournée bellecour-3\)/);
  await shot(desk, "desk-issue");
  await desk.click("#give"); // three
  await says(desk, ".said", /C'est fait/);
  await says(desk, ".pass", /Camille Roux[^]*sur le téléphone/);
  await says(desk, ".said", /Le téléphone l'a reçu/);
  assert.deepEqual(await poorContrast(desk), []);
  await shot(desk, "desk-given");
});

// The carrier's page shows the code of the building; its picture goes before the caretaker's camera.  Gives the caretaker's verdict.
async function holdUp() {
  await phonePage.locator("#qr").waitFor({ timeout: SLOW_MS });
  await caretaker.goto("about:blank");
  await filmPicture(caretaker, camera, await phonePage.locator("#qr").screenshot());
  await caretaker.goto(link);
  await caretaker.locator("#verdict, #problem").locator("visible=true").first().waitFor({ timeout: SLOW_MS });
  return caretaker.locator("#verdict, #problem").locator("visible=true").first().innerText();
}

// A code of another slot than the one before: no page takes the same twice.
async function nextCode() {
  const before = await phonePage.locator("#qr path").getAttribute("d");
  await until("the next code", async () => (await phonePage.locator("#qr path").getAttribute("d").catch(() => before)) !== before, SLOW_MS);
}

step("the carrier opens the vault, shows the code, and the caretaker's page opens", async () => {
  phonePage = await newPage({ viewport: { width: 390, height: 844 } });
  await phonePage.goto(phone.url);
  await phonePage.click("#doors");
  if (phone.status().vault.state !== "open") {
    for (const digit of PIN) await phonePage.click(`#vault-pin-${digit}`);
    await phonePage.click("#vault-ok");
  }
  await phonePage.locator("#passes button", { hasText: "12 rue de la République" }).click({ timeout: SLOW_MS });
  caretaker = await newPage({ viewport: { width: 390, height: 844 } });
  assert.match(await holdUp(), /OUVREZ/);
  await caretaker.evaluate(() => navigator.serviceWorker.ready);
});

step("the console stopped: the desk says that it is blind, and the caretaker's page opens all the same", async () => {
  await region.console.stop();
  await nextCode();
  assert.match(await holdUp(), /OUVREZ/);
  await says(desk, "#blind", /PLUS À JOUR/);
});

step("a carrier asks from the phone: one click at the desk; more than 12 hours: somebody else agrees", async () => {
  await region.console.start();
  await until("the desk sees again", async () => !(await desk.locator("body.is-blind").count()), SLOW_MS);
  phone.say("ask-pass", "bellecour-3", clock(Date.now() + 2 * HOUR_MS));
  await says(desk, "#asked", /Camille Roux demande la tournée bellecour-3/);
  await desk.locator("#asked").getByRole("button", { name: "Donner" }).click();
  await until("two passes", async () => (await desk.locator(".pass .state-phone").count()) === 2, SLOW_MS);

  await desk.locator(".found[data-of='carrier'] button", { hasText: "Camille Roux" }).click();
  await desk.locator(".rounds label", { hasText: "bellecour-3" }).click();
  await desk.fill("#until", clock(Date.now() - HOUR_MS, "Europe/Paris")); // 23 hours from now
  await says(desk, ".sum", /deuxième personne/);
  await desk.click("#give");
  await says(desk, ".said", /n'a pas encore la tournée/);
  await desk.locator("#own").getByText("Camille Roux").waitFor({ timeout: SLOW_MS });
  assert.equal(await desk.locator("#own, #consents").getByRole("button", { name: "D'accord" }).locator("visible=true").count(), 0);
  const second = await logIn("marc");
  await second.locator("#consents").getByRole("button", { name: "D'accord" }).click();
  await until("three passes", async () => (await desk.locator(".pass .state-phone").count()) === 3, SLOW_MS);
  await second.context().close();
});

step("a PIN forgotten: the control room types what the carrier reads out; a new PIN, and the passes are there again", async () => {
  phone.say("lock");
  phone.say("forgot");
  const { challenge } = await phone.until("a challenge", ({ vault }) => vault.challenge && vault, SLOW_MS);
  const page = await logIn("regie");
  await page.locator("#passes").click();
  await page.locator(".found[data-of='carrier'] button", { hasText: "Camille Roux" }).click();
  await page.locator("#unlocks").getByText("Camille Roux").waitFor({ timeout: SLOW_MS });
  await page.click("#unlock");
  await page.fill("#unlock-code", `${challenge.slice(0, 15)}${challenge[15] === "0" ? "1" : "0"}`);
  await page.getByRole("button", { name: "Débloquer" }).click();
  await says(page, ".unlock-form", /pas ce que ce téléphone affiche/);
  await page.fill("#unlock-code", challenge.match(/.{4}/g).join(" "));
  await page.getByRole("button", { name: "Débloquer" }).click();
  await says(page, ".unlock", /demande un nouveau code PIN/);
  await phone.until("no PIN", ({ vault }) => vault.state === "none", SLOW_MS);
  phone.say("pin", "set", NEW_PIN);
  const { vault } = await phone.until("a PIN", (status) => status.vault.state !== "none" && status, SLOW_MS);
  if (vault.state !== "open") phone.say("unlock", NEW_PIN);
  await phone.until("the passes again", ({ passes }) => passes.length === 3, SLOW_MS).catch((error) => {
    throw new Error(`${error.message}; it has ${JSON.stringify(phone.status().passes.map(({ id }) => id))}, vault ${JSON.stringify(phone.status().vault)}\n${region.console.told().slice(-2000)}`);
  });
  await page.context().close();
  await phonePage.locator("#passes button", { hasText: "12 rue de la République" }).click({ timeout: SLOW_MS });
  assert.match(await holdUp(), /OUVREZ/);
});

step("revoked at the desk in two clicks: refused by the caretaker's page, and the desk says which doors know", async () => {
  for (let left = await desk.locator(".pass .state-phone").count(); left > 0; left--) {
    const row = desk.locator(".pass.pass-phone").first();
    await row.getByRole("button", { name: "Annuler" }).click();
    await desk.waitForTimeout(500); // a double click revokes nothing
    await row.getByRole("button", { name: "Oui, annuler" }).click();
    await until("one fewer", async () => (await desk.locator(".pass .state-phone").count()) < left, SLOW_MS);
  }
  await says(desk, ".pass", /Camille Roux[^]*annulé/);
  await says(desk, "#toasts", /Annulé/);
  await phone.until("its passes are revoked, by the list that it has", ({ passes }) => passes.every(({ state }) => state === "revoked"), SLOW_MS);
  await phonePage.locator("#shown-revoked").waitFor({ timeout: SLOW_MS });
  await nextCode();
  assert.match(await holdUp(), /N’OUVREZ PAS[^]*annulé/);
  await desk.locator(".pass summary").first().click();
  await says(desk, ".pass", /12 rue de la République[^]*Page du gardien/);
  await shot(desk, "desk-revoked");
});

step("the phone lost: one click and a yes; each step is said, and the phone wipes itself", async () => {
  await desk.locator(".found[data-of='carrier'] button", { hasText: "Camille Roux" }).click();
  await desk.getByRole("button", { name: /perdu ou volé/ }).click();
  await says(desk, ".sure-question", /Camille Roux a perdu le téléphone \+33600000001/);
  await desk.waitForTimeout(500);
  await desk.getByRole("button", { name: "Oui, il est perdu" }).click();
  await desk.waitForURL(/#lost\//, { timeout: SLOW_MS });
  await says(desk, ".steps", /Certificat du téléphone révoqué/);
  await says(desk, ".steps", /Effacement confirmé par le téléphone/);
  assert.deepEqual(await poorContrast(desk), []);
  await shot(desk, "desk-lost");
});

test("no page said anything that it should not have said", () => assert.deepEqual(trouble, []));
