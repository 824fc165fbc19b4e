// The caretaker's page in a real browser with a fake camera, served as plain files: a code opens, what is wrong does not, without a
// network as well.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { after, before, test } from "node:test";
import { poorContrast } from "./lib/browser.mjs";
import { film } from "./lib/camera.mjs";

const { chromium } = createRequire(import.meta.url)("playwright-core");
const BUILD = process.env.VIGIE_BUILD ?? "release";
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml", ".wasm": "application/wasm" };
const SLOT_S = 15;

let folder, camera, server, address, browser, page, scene, began, shown = 0;

function serve(request, response) {
  const path = normalize(new URL(request.url, "http://x").pathname).replace(/\/$/, "/index.html");
  const file = path.startsWith("/data/") ? join(folder, path) : join("build/web/caretaker", path);
  try {
    response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream");
    response.end(readFileSync(file));
  } catch {
    response.statusCode = 404;
    response.end();
  }
}

function listen() {
  server = createServer(serve);
  return new Promise((resolve) => server.listen(Number(new URL(address ?? "http://x:0").port), "127.0.0.1", resolve));
}

async function stop() {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

// What a phone shows now: its code changes every 15 s.  Another one each time: a page takes none twice.
const codeNow = () => scene[`code${Math.floor((Date.now() / 1000 - began) / SLOT_S)}.${shown++ % 8}`];

// Hold TEXT in front of the camera and open the page anew; gives what it says.
async function hold(text, hash = "") {
  film(camera, text);
  await page.goto("about:blank");
  await page.goto(`${address}/${hash}`);
  await page.locator("#verdict, #problem").locator("visible=true").first().waitFor({ timeout: 20000 });
  return { word: await page.locator("#word").textContent(), sentence: await page.locator("#sentence").textContent(), code: await page.locator("#code").textContent() };
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "vigie-caretaker-"));
  camera = join(folder, "camera.y4m");
  mkdirSync(join(folder, "data"));
  began = Math.floor(Date.now() / 1000);
  const lines = execFileSync(`build/${BUILD}/tests/console/scene`, [folder, String(began)], { encoding: "latin1" }).trim().split("\n");
  scene = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]));
  film(camera, null);
  await listen();
  address = `http://localhost:${server.address().port}`;
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    `--use-file-for-fake-video-capture=${camera}`] });
  const context = await browser.newContext({ locale: "fr-FR", viewport: { width: 390, height: 844 }, permissions: ["camera"] });
  page = await context.newPage();
});

after(async () => {
  await browser?.close();
  if (server?.listening)
    await stop();
  rmSync(folder, { recursive: true });
});

test("without a link, and with a spoiled one, the page says what to do", async () => {
  await page.goto(`${address}/`);
  await page.getByText("Ouvrez le lien").waitFor();
  await page.goto(`${address}/?x#${scene.link.slice(0, -4)}`);
  await page.getByText("pas complet").waitFor();
});

test("a code of now opens, and shows what was checked and a number to compare", async () => {
  const said = await hold(codeNow(), `#${scene.link}`);
  assert.equal(said.word, "OUVREZ");
  assert.match(said.code, /^\d{4}$/);
  assert.equal(await page.locator("#checked li").count(), 5);
  assert.equal(await page.locator("#building").textContent(), "12 rue de la République");
  assert.deepEqual(await poorContrast(page), []);
  if (process.env.VIGIE_SHOTS)
    await page.screenshot({ path: join(process.env.VIGIE_SHOTS, "caretaker-good.png") });
});

test("the link is remembered; the same code a second time is refused on the same page", async () => {
  const code = codeNow();
  assert.equal((await hold(code)).word, "OUVREZ");
  await page.getByRole("button", { name: "Code suivant" }).click();
  await page.getByText("déjà servi").waitFor();
});

test("the same code after a reload is refused as well", async () => {
  let again;
  do { // a slow machine takes longer than a code is good
    const code = codeNow();
    assert.equal((await hold(code)).word, "OUVREZ");
    again = await hold(code);
    assert.equal(again.word, "N’OUVREZ PAS");
  } while (/une photo/.test(again.sentence));
  assert.match(again.sentence, /déjà servi/);
});

// What the link says, with another of its octets: the building's id stands behind the region's key.
function linkElsewhere() {
  const octets = Buffer.from(scene.link, "base64url");
  octets[octets.indexOf(Buffer.from([0x58, 0x20])) + 2 + 32 + 1] ^= 1;
  return octets.toString("base64url");
}

test("another building's link asks first: who has a pass for that one could have sent it", async () => {
  await page.goto("about:blank");
  await page.goto(`${address}/#${linkElsewhere()}`);
  await page.getByText("autre immeuble").waitFor();
  assert.equal(await page.locator("#scan").isVisible(), false);
  assert.deepEqual(await poorContrast(page), []);
  if (process.env.VIGIE_SHOTS)
    await page.screenshot({ path: join(process.env.VIGIE_SHOTS, "caretaker-other.png") });
  await page.getByRole("button", { name: "Rester à cet immeuble" }).click();
  await page.locator("#scan, #verdict").locator("visible=true").first().waitFor({ timeout: 20000 });
  assert.equal((await hold(codeNow())).word, "OUVREZ"); // it stayed, and is not asked again
  await page.goto("about:blank");
  await page.goto(`${address}/#${linkElsewhere()}`);
  await page.getByRole("button", { name: "Changer d’immeuble" }).click();
  await page.getByText("d’autres immeubles").waitFor({ timeout: 20000 });
  await page.goto("about:blank");
  await page.goto(`${address}/#${scene.link}`);
  await page.getByRole("button", { name: "Changer d’immeuble" }).click();
  await page.locator("#verdict").waitFor({ timeout: 20000 });
});

test("a picture of a screen, another building, what is no pass: not opened, and why", async () => {
  assert.match((await hold(scene.old)).sentence, /une photo ne suffit pas/);
  assert.equal(await page.locator("#word").textContent(), "N’OUVREZ PAS");
  if (process.env.VIGIE_SHOTS)
    await page.screenshot({ path: join(process.env.VIGIE_SHOTS, "caretaker-bad.png") });
  assert.match((await hold(scene.elsewhere)).sentence, /d’autres immeubles/);
  assert.match((await hold("https://example.org/")).sentence, /pas un laissez-passer/);
  assert.match((await hold(`${codeNow().slice(0, -9)}000000000`)).sentence, /./);
  assert.equal(await page.locator("#word").textContent(), "N’OUVREZ PAS");
});

test("the server stopped: the page opens and judges all the same", async () => {
  await page.evaluate(() => navigator.serviceWorker.ready);
  await stop();
  assert.equal((await hold(codeNow())).word, "OUVREZ");
  assert.match((await hold(scene.old)).sentence, /une photo/);
  await listen();
});

test("revoked: refused as soon as the page has the list; an older list does not bring it back", async () => {
  copyFileSync(join(folder, "data/status"), join(folder, "data/older"));
  copyFileSync(join(folder, "data/revoked"), join(folder, "data/status"));
  assert.match((await hold(codeNow())).sentence, /annulé/);
  copyFileSync(join(folder, "data/older"), join(folder, "data/status"));
  assert.match((await hold(codeNow())).sentence, /annulé/);
});

test("what the browser kept is spoiled, or it keeps nothing: the page works with its link and the network", async () => {
  copyFileSync(join(folder, "data/older"), join(folder, "data/status"));
  await page.evaluate(() => Object.keys(localStorage).filter((key) => /status|trust|seen/.test(key)).forEach((key) => localStorage.setItem(key, "!")));
  assert.equal((await hold(codeNow())).word, "OUVREZ");
  await page.evaluate(() => localStorage.setItem("vigie.caretaker.seen", '[null, 1, ["a"], [["b"], 2], {"0": "c"}]'));
  assert.equal((await hold(codeNow())).word, "OUVREZ");
  await page.evaluate(() => localStorage.clear());
  await page.addInitScript(() => Object.defineProperty(window, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } }));
  assert.equal((await hold(codeNow(), `#${scene.link}`)).word, "OUVREZ");
  truncateSync(join(folder, "data/status"), 1 << 26);
  assert.match((await hold(codeNow(), `#${scene.link}`)).sentence, /trop ancienne/);
});

test("a browser that cannot check the region's signatures is told so", async () => {
  await page.addInitScript(() => {
    SubtleCrypto.prototype.importKey = () => Promise.reject(new DOMException("no", "NotSupportedError"));
  });
  await hold(codeNow(), `#${scene.link}`);
  assert.match(await page.locator("#problem").textContent(), /navigateur est trop ancien/);
});
