// The caretaker's page judges as the door does: console/web/caretaker/verify.js and wire/pass_verify.c say the same of each pass, and
// what another implementation made (tests/wire/vectors/pass.txt) is good to both.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";
import { test } from "node:test";
import { deflateSync } from "node:zlib";

globalThis.crypto ??= webcrypto; // Node 18
const { passVerify, presentationRead, REFUSALS, statusOpen, trustOpen } = await import("../../console/web/caretaker/verify.js");
const { base45, passText } = await import("../../console/web/caretaker/base45.js");

const BUILD = process.env.VIGIE_BUILD ?? "release";
const CASES = Number(process.env.VIGIE_PASS_CASES ?? 100000);
const octets = (hex) => new Uint8Array(Buffer.from(hex === "-" ? "" : hex, "hex"));
const NOW = 1800000000;

function statusOf(text) {
  if (text === "-")
    return null;
  const [expires, count, bits] = text.split(":");
  return { expires: Number(expires), count: Number(count), bits: octets(bits) };
}

test(`${CASES} passes, most of them spoiled: the page and the door say the same`, async () => {
  const lines = execFileSync(`build/${BUILD}/tests/wire/pass_cases`, [String(CASES)], { encoding: "latin1", maxBuffer: 2 ** 31 }).trim().split("\n");
  const [, root, list] = lines.shift().split(" ");
  const trust = await trustOpen(octets(list), octets(root));
  const seen = new Set();
  assert.equal(lines.length, CASES);
  for (const line of lines) {
    const [now, kind, sensitive, degradedOk, status, building, pass, proof, hello, refusal, degraded] = line.split(" ");
    const verdict = await passVerify({ now: Number(now), class: Number(kind), sensitive: sensitive === "1", degradedOk: degradedOk === "1", trust,
      status: statusOf(status), building: octets(building), pass: octets(pass), proof: octets(proof), hello: octets(hello) });
    seen.add(verdict.refusal);
    if (REFUSALS[verdict.refusal] !== REFUSALS[refusal] || verdict.degraded !== (degraded === "1"))
      assert.fail(`page: ${REFUSALS[verdict.refusal]}, door: ${REFUSALS[refusal]}: ${line}`);
  }
  for (const often of [0, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15])
    assert.ok(seen.has(often) || CASES < 5000, `never ${REFUSALS[often]}`);
});

function vectors() {
  const lines = readFileSync("tests/wire/vectors/pass.txt", "utf8").trim().split("\n").slice(1);
  return Object.fromEntries(lines.map((line) => line.split(" ")).map(([name, hex]) => [name, octets(hex)]));
}

function rootKey() {
  const pem = readFileSync("tests/wire/vectors/root.pem", "utf8").replace(/-----.*-----/g, "");
  return new Uint8Array(Buffer.from(pem, "base64").subarray(-32));
}

test("what another implementation made is good, by hello and one way", async () => {
  const made = vectors();
  const trust = await trustOpen(made.trust, rootKey());
  const status = await statusOpen(made.status, trust, NOW);
  const q = { now: NOW, class: 1, sensitive: false, degradedOk: false, trust, status, building: new Uint8Array(8).fill(0xb3), pass: made.pass,
    proof: made.proof, hello: made.hello };
  assert.equal(REFUSALS[(await passVerify(q)).refusal], "good");
  assert.equal(REFUSALS[(await passVerify({ ...q, hello: new Uint8Array(), class: 2, proof: made["proof-one-way"] })).refusal], "good");
  status.bits[1] |= 2;
  assert.equal(REFUSALS[(await passVerify(q)).refusal], "revoked");
});

test("a trust list or status list that is spoiled is refused", async () => {
  const made = vectors();
  const trust = await trustOpen(made.trust, rootKey());
  for (let at = 0; at < made.trust.length; at++) {
    if (at >= 8 && at < 16)
      continue; // the kid is not signed; the root is known without it
    const spoiled = made.trust.slice();
    spoiled[at] ^= 4;
    await assert.rejects(trustOpen(spoiled, rootKey()), `octet ${at}`);
  }
  for (let at = 0; at < made.status.length; at++) {
    const spoiled = made.status.slice();
    spoiled[at] ^= 4;
    await assert.rejects(statusOpen(spoiled, trust, NOW));
  }
  await assert.rejects(statusOpen(made.status, trust, 1850000001)); // its key is over
});

test("a list that unpacks to more than it says stops there", async () => {
  const { subtle } = globalThis.crypto;
  const pair = await subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"]);
  const raw = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
  const trust = { region: "lyon", keys: [{ kid: new Uint8Array(8), use: 4, alg: -8n, public: raw, notBefore: 0, notAfter: 0xffffffff }] };
  const { sigStructure, joined } = await import("../../console/web/caretaker/cbor.js");
  const bytes = (b) => joined([b.length < 24 ? [0x40 | b.length] : b.length < 256 ? [0x58, b.length] : [0x59, b.length >> 8, b.length & 255], b]);
  const list = async (packed, count) => {
    const payload = joined([[0x86, 1, 0x64], Buffer.from("lyon"), [0x1a, ...new Uint8Array(Buffer.from("6b49d1c4", "hex"))],
      [0x1a, ...new Uint8Array(Buffer.from("6b49e010", "hex"))], [0x19, count >> 8, count & 255], bytes(packed)]);
    const head = [0xa1, 1, 0x27];
    const signature = new Uint8Array(await subtle.sign("Ed25519", pair.privateKey, sigStructure(new Uint8Array(head), Buffer.from("vigie status"), payload)));
    return joined([[0x84], bytes(head), [0xa1, 4, 0x48], new Uint8Array(8), bytes(payload), bytes(signature)]);
  };
  const good = await statusOpen(await list(deflateSync(Buffer.alloc(100)), 800), trust, NOW);
  assert.equal(good.bits.length, 100);
  await assert.rejects(statusOpen(await list(deflateSync(Buffer.alloc(30 * 1024 * 1024)), 800), trust, NOW), /more bits/);
  await assert.rejects(statusOpen(await list(deflateSync(Buffer.alloc(99)), 800), trust, NOW), /fewer bits/);
  await assert.rejects(statusOpen(await list(deflateSync(Buffer.alloc(100)).subarray(0, -1), 800), trust, NOW), /not zlib/);
  await assert.rejects(statusOpen(await list(Buffer.alloc(20), 800), trust, NOW), /not zlib/);
});

test("an algorithm that 64 bits do not hold spoils the trust list; a newer one's key, and one that is none of its use's, is stepped over", async () => {
  const { subtle } = globalThis.crypto;
  const pair = await subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"]);
  const root = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
  const { sigStructure, joined } = await import("../../console/web/caretaker/cbor.js");
  const list = async (alg, use = 3, length = 0) => {
    const key = joined([[0x86, 0x48], new Uint8Array(8), [use], alg, length < 24 ? [0x40 | length] : [0x58, length], new Uint8Array(length), [0, 9]]);
    const payload = joined([[0x85, 1, 7, 8, 0x64], Buffer.from("lyon"), [0x81], key]);
    const head = new Uint8Array([0xa1, 1, 0x27]);
    const signature = new Uint8Array(await subtle.sign("Ed25519", pair.privateKey, sigStructure(head, Buffer.from("vigie trust"), payload)));
    return joined([[0x84, 0x43], head, [0xa1, 4, 0x48], new Uint8Array(8), [0x58, payload.length], payload, [0x58, 64], signature]);
  };
  assert.equal((await trustOpen(await list([0x3b, 0x7f, 255, 255, 255, 255, 255, 255, 255]), root)).keys.length, 0);
  await assert.rejects(trustOpen(await list([0x3b, 0x80, 0, 0, 0, 0, 0, 0, 0]), root), /64 bits/);
  await assert.rejects(trustOpen(await list([0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0]), root), /64 bits/);
  for (let use = 1; use <= 6; use++) {
    const counts = []; // of EdDSA, ES256, ECDH-ES: each use has its own
    for (const [alg, length] of [[[0x27], 32], [[0x26], 65], [[0x38, 24], 32]])
      counts.push((await trustOpen(await list(alg, use, length), root)).keys.length);
    assert.deepEqual(counts, use === 5 ? [0, 0, 1] : [1, use === 6 ? 1 : 0, 0], `use ${use}`);
  }
});

test("what is longer than any pass and proof is too long, whatever stands behind them", async () => {
  const made = vectors();
  const trust = await trustOpen(made.trust, rootKey());
  const status = await statusOpen(made.status, trust, NOW);
  const bytes = (b) => [0x59, b.length >> 8, b.length & 255, ...b];
  const shown = (more) => new Uint8Array([0x84, 1, ...(made.pass.length < 256 ? [0x58, made.pass.length, ...made.pass] : bytes(made.pass)),
    ...(made["proof-one-way"].length < 256 ? [0x58, made["proof-one-way"].length, ...made["proof-one-way"]] : bytes(made["proof-one-way"])), ...more]);
  const judged = async (octets) => REFUSALS[(await passVerify({ ...presentationRead(octets), now: NOW, class: 2, sensitive: false, degradedOk: false,
    trust, status, building: new Uint8Array(8).fill(0xb3), hello: new Uint8Array() })).refusal];
  const room = 603 - shown([]).length;
  assert.equal(await judged(shown([0])), "good"); // a newer format's
  assert.equal(await judged(shown([0x58, room - 2, ...new Uint8Array(room - 2)])), "good");
  assert.equal(await judged(shown([0x58, room - 1, ...new Uint8Array(room - 1)])), "too_long");
  assert.equal(passText(`VG1:${"A".repeat(907)}`).length, 911);
  assert.equal(passText(`VG1:${"A".repeat(906)}`).length, 604);
});

test("RFC 9285's examples, and what is no base45", () => {
  const text = (value) => value && Buffer.from(value).toString("latin1");
  assert.equal(text(base45("BB8")), "AB");
  assert.equal(text(base45("%69 VD92EX0")), "Hello!!");
  assert.equal(text(base45("UJCLQE7W581")), "base-45");
  assert.equal(text(base45("QED8WEX0")), "ietf!");
  for (const bad of ["B", "BB88", "bb8", "GGW", "::"])
    assert.equal(base45(bad), null, bad);
  assert.equal(text(passText(" \tVG1:BB8\r\n")), "AB");
  assert.equal(passText("VG2:BB8"), null);
  assert.equal(passText("BB8"), null);
});
