// A phone without data, with a modem: the real daemon on a modem of tests/sms/network.py, its page in Chromium.  What becomes of the SMS
// in the region is sms_test.py's.
import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { createConnection } from "node:net";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { launch } from "./lib/browser.mjs";
import { PIN, Process, Region, until } from "./lib/region.mjs";

const NETWORK = new URL("../sms/network.py", import.meta.url).pathname;
const [PHONE, REGION, FRIEND] = ["+33600000001", "+33700900900", "+33600000099"];
const UDH = "0605043f130000"; // 16147
const AWAY = 9; // nobody listens
let region;
let browser;
let phone;
let network;

// The control socket of the network: one question, one answer.
function tell(request) {
  return new Promise((resolve, reject) => {
    const socket = createConnection(join(region.dir, "network.sock"), () => socket.write(`${JSON.stringify(request)}\n`));
    let text = "";
    socket.on("error", reject);
    socket.on("data", (data) => {
      text += data;
      if (!text.endsWith("\n")) return;
      socket.end();
      const answer = JSON.parse(text);
      if (answer.error) reject(new Error(answer.error));
      else resolve(answer);
    });
  });
}

const modem = (state, more = {}) => tell({ modem: PHONE, ...(state && { state }), ...more });
const objects = async () => (await tell({ inbox: REGION })).inbox.filter((m) => m.udh === UDH && m.from === PHONE);

before(async () => {
  region = await new Region().open();
  network = await region.add(new Process(join(region.dir, "network.log"), "/usr/bin/python3", ["-B", NETWORK, "--control", join(region.dir, "network.sock"),
    "--region", REGION, "--modem", `${PHONE}=${join(region.dir, "tty")}`], true)).start();
  phone = await region.phone("phone", AWAY, ["--pin", PIN], { "modem.device": join(region.dir, "tty"), "modem.number": REGION }).start();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await region?.stop();
});

async function open() {
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
  await page.goto(phone.url);
  await page.locator("#alive").waitFor();
  return page;
}

const shows = (page, id, text) => until(`#${id} says ${text}`, async () => text.test(await page.locator(`#${id}`).innerText({ timeout: 5000 })), 30000);

// ---- a receipt as the region signs it --------------------------------------------------------------------------------------------

function head(major, n) {
  if (n < 24) return Buffer.from([major << 5 | n]);
  if (n < 256) return Buffer.from([major << 5 | 24, n]);
  if (n < 65536) return Buffer.from([major << 5 | 25, n >> 8, n & 255]);
  const octets = Buffer.alloc(5);
  octets[0] = major << 5 | 26;
  octets.writeUInt32BE(n, 1);
  return octets;
}

function cbor(value) {
  if (typeof value === "number") return value >= 0 ? head(0, value) : head(1, -1 - value);
  if (typeof value === "string") return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (value instanceof Map) return Buffer.concat([head(5, value.size), ...[...value].flatMap(([k, v]) => [cbor(k), cbor(v)])]);
  return Buffer.concat([head(4, value.length), ...value.map(cbor)]);
}

test("idle with no data: the button works, by SMS, and the page says so", async () => {
  await phone.until("the modem", (s) => s.sms.modem === "ready");
  const page = await open();
  await shows(page, "sms-only", /Pas de données/);
  await shows(page, "line", /Par SMS/);
  assert.equal(phone.status().button, true);
  await page.close();
});

test("each thing that may be the matter with the modem has its words", async () => {
  const page = await open();
  for (const [state, name, words] of [["no_sim", "no_sim", /pas de carte SIM/], ["sim_pin", "sim_locked", /attend son code PIN/],
    ["no_network", "no_network", /pas de réseau mobile/], ["absent", "absent", /modem est absent/], ["hung", "silent", /modem ne répond pas/]]) {
    await modem(state);
    await phone.until(name, (s) => s.sms.modem === name && s.trouble.includes("no_path"), 40000);
    await shows(page, "trouble", words);
    await shows(page, "trouble", /NE MARCHE PAS[^]*Ni réseau ni SMS/);
    assert.equal(await page.locator("#call-112").getAttribute("href"), "tel:112");
    assert.match(phone.ask("status").out, new RegExp(`sms +${name}`));
  }
  await modem("ready");
  await phone.until("ready again", (s) => s.sms.modem === "ready" && s.button, 40000);
  await page.locator("#press").waitFor();
  await page.close();
});

// By the region's key on this alert: revision, version, state, who.
function receipt(id, [revision, version, state, who = ""]) {
  const key = createPrivateKey(readFileSync(join(region.region, "receipt.key")));
  const kid = createHash("sha256").update(createPublicKey(key).export({ type: "spki", format: "der" })).digest().subarray(0, 8);
  const payload = cbor([1, Buffer.from(id, "hex"), revision, version, state, Math.floor(Date.now() / 1000), who]);
  const guarded = cbor(new Map([[1, -8]]));
  const signature = sign(null, cbor(["Signature1", guarded, Buffer.from("vigie receipt"), payload]), key);
  return cbor([guarded, new Map([[4, kid]]), payload, signature]).toString("hex");
}

const answer = (id, ...fields) => tell({ send: { from: REGION, to: PHONE, hex: receipt(id, fields), udh: UDH, now: true } });

test("a press leaves at once, as one 8-bit SMS on our port", async () => {
  const page = await open();
  await tell({ send: { from: FRIEND, to: PHONE, text: "À ce soir ?", now: true } });
  const pressed = Date.now();
  const id = phone.say("press");
  const [message] = await until("the SMS", async () => (await objects()).length && objects(), 5000);
  const took = Date.now() - pressed; // half a second of it is the modem's; how fast it is on a quiet machine the bench says
  assert.ok(took < 3400, `${took} ms: it did not wait for a receipt by data first`);
  assert.equal(message.to, REGION);
  assert.ok(message.hex.length / 2 <= 133, `${message.hex.length / 2} octets`);
  assert.ok(message.hex.includes(id.slice(16)), "the alert's nonce is in it");
  await shows(page, "word", /ENVOYÉE PAR SMS/);
  await shows(page, "paths", /^Envoyée par SMS$/);
  assert.match(await page.locator("#alert").innerText(), /Pas encore de réponse/);
  assert.equal(await page.locator("#call-112").getAttribute("href"), "tel:112");
  await page.close();
});

test("the receipt by SMS shows; a forged one does not; other people's messages stay", async () => {
  const page = await open();
  const { id } = phone.status().alert;
  const { refused } = phone.status();
  const forged = receipt(id, [1, 9, 4, "Mallory"]);
  await tell({ send: { from: REGION, to: PHONE, hex: `${forged.slice(0, -2)}${forged.endsWith("00") ? "01" : "00"}`, udh: UDH, now: true } });
  await phone.until("the forged one is refused", (s) => s.refused > refused);
  assert.equal(phone.word(), "sent");
  await answer(id, 1, 1, 2);
  await shows(page, "word", /REÇUE/);
  await shows(page, "paths", /Envoyée par SMS · reçue par SMS/);
  await answer(id, 1, 2, 4, "Paul Martin");
  await shows(page, "word", /PRISE PAR Paul Martin/);
  const status = phone.status();
  assert.equal(status.alert.received_path, "sms");
  assert.ok(Date.now() - status.sms.good_at_ms < 60000 && status.proof.sms_at_ms === status.sms.good_at_ms);
  await until("ours are deleted, the friend's is not", async () => (await modem()).stored === 1);
  await answer(id, 1, 3, 16, "Paul Martin");
  await shows(page, "word", /FERMÉE PAR Paul Martin/);
  await page.locator("#dismiss").click();
  await page.locator("#press").waitFor();
  await page.close();
});

test("refused: why, and again until it is taken", async () => {
  const page = await open();
  await modem("no_credit", { code: 21 });
  const before_ = (await objects()).length;
  const id = phone.say("press");
  await shows(page, "sms-trouble", /refusé le SMS \(code 21\)/);
  await shows(page, "word", /PAS ENCORE ENVOYÉE/);
  await modem("ready");
  await shows(page, "word", /ENVOYÉE PAR SMS/);
  await until("at the network", async () => (await objects()).length > before_);
  await answer(id, 1, 1, 16);
  await phone.until("closed", (s) => s.alert?.word === "closed");
  phone.say("dismiss");
  await page.close();
});

test("unplugged, pressed, killed, started, plugged in: it leaves", async () => {
  await modem("absent");
  await phone.until("absent", (s) => s.sms.modem === "absent");
  const before_ = (await objects()).length;
  const id = phone.say("press");
  assert.equal(phone.word(), "not_sent");
  await phone.kill();
  await phone.start();
  assert.equal(phone.status().alert.id, id);
  await modem("ready");
  const all = await until("the SMS", async () => { const o = await objects(); return o.length > before_ && o; }, 20000);
  assert.ok(all.at(-1).hex.includes(id.slice(16)));
  await phone.until("sent", (s) => s.alert.sent_sms_at_ms > 0);
});

test("no modem that hangs holds a press, the page or the end", async () => {
  await modem("slow"); // an SMS is under way for 6 s
  phone.say("press");
  await sleep(500);
  await modem("hung");
  const begun = Date.now();
  assert.match(phone.say("press"), /^[0-9a-f]{32}$/);
  const page = await open();
  await page.close();
  assert.ok(Date.now() - begun < 5000);
  const stopped = Date.now();
  const { code } = await phone.stop();
  assert.equal(code, 0);
  assert.ok(Date.now() - stopped < 5000, `${Date.now() - stopped} ms`); // the modem may be silent for a minute
});

test("neither number nor message is in the log", () => {
  assert.doesNotMatch(phone.told(), /\+33|soir/);
});
