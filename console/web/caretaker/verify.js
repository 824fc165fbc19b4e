// Whether a pass opens this door now: the order and the numbers of wire/PROTOCOL.md 13.6, as wire/pass_verify.c has them; a test
// holds the two to the same answers (tests/console/verify.test.mjs).  Signatures and SHA-256 are WebCrypto's.
import { decode, Fields, joined, Malformed, refuse, sigStructure } from "./cbor.js";

export const REFUSALS = ["good", "too_long", "malformed", "unknown_key", "wrong_use", "forged", "not_yet", "over", "revoked", "list_too_old",
  "other_building", "outside_hours", "not_so", "other_proof", "stale", "unproved", "replayed"];
const [GOOD, TOO_LONG, MALFORMED, UNKNOWN_KEY, WRONG_USE, FORGED, NOT_YET, OVER, REVOKED, LIST_TOO_OLD, OTHER_BUILDING, OUTSIDE_HOURS, NOT_SO,
  OTHER_PROOF, STALE, UNPROVED] = REFUSALS.keys();

export const DOOR = { NFC: 1, SCANNER: 2, PAGE: 3 };
export const USE = { PASS: 3, STATUS: 4 };
const POLICY = { ONE_WAY: 1, CARETAKER: 2, SENSITIVE: 4 };
const ES256 = -7n, EDDSA = -8n, ECDH = -25n;
const PASS_MAX = 291, PROOF_MAX = 304, PRESENTATION_MAX = 603, COSE_MAX = 65536, PASS_SECONDS_MAX = 24 * 3600, WINDOWS_MAX = 4;
const LEEWAY_S = 120, SLOT_S = 15, ONE_WAY_S = 2 * SLOT_S;
const STATUS_COUNT_MAX = 1 << 20, TRUST_KEYS_MAX = 64;
const U32 = 0xffffffff;
const PUBLIC_LENGTH = new Map([[ES256, 65], [EDDSA, 32], [ECDH, 32]]);
// The algorithms of each use of a key: 1 receipt, 2 order, 3 pass, 4 status list, 5 position, 6 door.
const ALGORITHMS = [[], [EDDSA], [EDDSA], [EDDSA], [EDDSA], [ECDH], [EDDSA, ES256]];

const ascii = (text) => new TextEncoder().encode(text);
const equal = (a, b) => a.length === b.length && a.every((octet, i) => octet === b[i]);

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(parts)));
}

// ---- COSE_Sign1 by our profile

function isMapOf(item, label, check) {
  return item?.pairs?.length === 1 && item.pairs[0][0] === label && check(item.pairs[0][1]);
}

function coseRead(octets) {
  if (octets.length > COSE_MAX)
    refuse("larger than 65536 octets");
  const parts = new Fields(decode(octets));
  if (parts.items.length !== 4)
    refuse("not an array of four");
  const protectedOctets = parts.bytes(0, COSE_MAX);
  const headers = decode(protectedOctets);
  const isAlgorithm = (alg) => typeof alg === "bigint" && alg !== 0n && alg <= 2n ** 63n - 1n && alg > -(2n ** 63n);
  if (!isMapOf(headers, 1n, isAlgorithm))
    refuse("protected headers other than {1: alg}");
  const unprotected = parts.next();
  if (!isMapOf(unprotected, 4n, (kid) => kid instanceof Uint8Array && kid.length === 8))
    refuse("unprotected headers other than {4: kid of 8}");
  return { alg: headers.pairs[0][1], kid: unprotected.pairs[0][1], protectedOctets, payload: parts.bytes(0, COSE_MAX), signature: parts.bytes(64) };
}

async function isSigned(cose, alg, key, aad) {
  const algorithm = alg === EDDSA ? { name: "Ed25519" } : { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  if (cose.alg !== alg)
    return false;
  try {
    const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["verify"]);
    return await crypto.subtle.verify(algorithm, imported, cose.signature, sigStructure(cose.protectedOctets, aad, cose.payload));
  } catch {
    return false; // a point off the curve
  }
}

// ---- objects

function payloadOf(cose) {
  const fields = new Fields(decode(cose.payload));
  if (fields.next() !== 1n)
    refuse("a format other than 1");
  return fields;
}

function windowRead(item) {
  const fields = new Fields(item);
  const window = { from: fields.uint(U32), to: fields.uint(U32) };
  if (window.from > window.to)
    refuse("a window that ends before it begins");
  return window;
}

export function passRead(octets) {
  const cose = coseRead(octets);
  const f = payloadOf(cose);
  const pass = { cose, region: f.text(32), subject: f.bytes(8), id: f.bytes(8), notBefore: f.uint(U32), notAfter: f.uint(U32), issuedAt: f.uint(U32),
    key: f.bytes(64), status: f.uint(U32), scope: f.bytes(16), windows: f.array(), policy: f.uint(U32) };
  if (pass.windows.length > WINDOWS_MAX || pass.notBefore > pass.notAfter || pass.notAfter - pass.notBefore > PASS_SECONDS_MAX)
    refuse("a pass that could not be");
  pass.windows = pass.windows.map(windowRead);
  return pass;
}

function proofRead(octets) {
  const cose = coseRead(octets);
  const f = payloadOf(cose);
  const proof = { cose, digest: f.bytes(16), salt: f.bytes(16), index: f.uint(1023), path: f.bytes(0, 160), time: f.uint(U32), counter: f.uint(U32),
    marker: f.bytes(8) };
  if (proof.path.length % 16 !== 0)
    refuse("a path that is no whole number of hashes");
  return proof;
}

// [1, pass, proof], as a QR carries it; null where it is none.  One that is longer than any is all pass: too_long.
export function presentationRead(octets) {
  if (octets.length > PRESENTATION_MAX)
    return { pass: octets, proof: new Uint8Array() };
  try {
    const f = payloadOf({ payload: octets });
    return { pass: f.bytes(0, U32), proof: f.bytes(0, U32) };
  } catch (error) {
    if (error instanceof Malformed)
      return null;
    throw error;
  }
}

function trustKeyRead(item) {
  const f = new Fields(item);
  const key = { kid: f.bytes(8), use: f.next(), alg: f.int(), public: f.bytes(0, COSE_MAX), notBefore: f.uint(U32), notAfter: f.uint(U32) };
  if (typeof key.use !== "bigint" || key.use < 0n)
    refuse("not a use");
  if (key.use < 1n || key.use > 6n || !PUBLIC_LENGTH.has(key.alg))
    return null; // a newer format's
  if (key.public.length !== PUBLIC_LENGTH.get(key.alg) || key.notBefore > key.notAfter)
    refuse("a key that could not be");
  if (!ALGORITHMS[Number(key.use)].includes(key.alg))
    return null; // none of its use's: a newer format's too
  return { ...key, use: Number(key.use) };
}

// The trust list in OCTETS, signed by the region's root (32 octets, Ed25519).  Throws Malformed where it is not.
export async function trustOpen(octets, root) {
  const cose = coseRead(octets);
  if (!(await isSigned(cose, EDDSA, root, ascii("vigie trust"))))
    refuse("not signed by the region's root");
  const f = payloadOf(cose);
  const trust = { number: f.uint(U32), issuedAt: f.uint(U32), region: f.text(32), keys: f.array() };
  if (trust.keys.length > TRUST_KEYS_MAX)
    refuse("more than 64 keys");
  trust.keys = trust.keys.map(trustKeyRead).filter((key) => key !== null);
  return trust;
}

// Exactly COUNT octets, or it throws: a bomb stops there.
async function inflate(packed, count) {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const next = () => reader.read().catch(() => refuse("not zlib")); // each browser says it with another error
  const octets = new Uint8Array(count);
  let at = 0;
  for (let { done, value } = await next(); !done; { done, value } = await next()) {
    if (at + value.length > count) {
      await reader.cancel();
      refuse("more bits than it says");
    }
    octets.set(value, at);
    at += value.length;
  }
  if (at < count)
    refuse("fewer bits than it says");
  return octets;
}

// The status list in OCTETS, signed by a key of TRUST at NOW_S, unpacked.  Throws where it is not one.
export async function statusOpen(octets, trust, now) {
  const cose = coseRead(octets);
  const key = keyFind(trust, cose.kid, USE.STATUS, now);
  if (key === undefined || !(await isSigned(cose, key.alg, key.public, ascii("vigie status"))))
    refuse("not signed by a key of the region for status lists");
  const f = payloadOf(cose);
  const list = { region: f.text(32), issuedAt: f.uint(U32), expires: f.uint(U32), count: f.uint(STATUS_COUNT_MAX), bits: f.bytes(1, COSE_MAX) };
  if (list.issuedAt > list.expires || list.region !== trust.region)
    refuse("a list that ends before it is issued, or another region's");
  return { ...list, bits: await inflate(list.bits, Math.ceil(list.count / 8)) };
}

// ---- the decision

function keyFind(trust, kid, use, now) {
  return trust.keys.find((key) => key.use === use && now >= key.notBefore && now <= key.notAfter && equal(key.kid, kid));
}

async function judgeKey(q, pass) {
  const key = keyFind(q.trust, pass.cose.kid, USE.PASS, q.now);
  if (key === undefined)
    return q.trust.keys.some((other) => equal(other.kid, pass.cose.kid) && other.use !== USE.PASS) ? WRONG_USE : UNKNOWN_KEY;
  if (pass.region !== q.trust.region)
    return UNKNOWN_KEY;
  return await isSigned(pass.cose, key.alg, key.public, ascii("vigie pass")) ? GOOD : FORGED;
}

function judgeTimes(q, pass) {
  if (q.now + LEEWAY_S < pass.notBefore)
    return NOT_YET;
  return q.now > pass.notAfter + LEEWAY_S ? OVER : GOOD;
}

function isOld(q) {
  return q.status === null || q.now > q.status.expires;
}

function judgeStatus(q, pass) {
  if (q.status !== null && pass.status < q.status.count && q.status.bits[pass.status >> 3] >> (pass.status & 7) & 1)
    return REVOKED;
  return isOld(q) && !q.degradedOk ? LIST_TOO_OLD : GOOD;
}

async function judgeScope(q, pass, proof) {
  let node = (await sha256([0], proof.salt, q.building)).subarray(0, 16);
  let index = proof.index;
  for (let at = 0; at < proof.path.length; at += 16, index >>= 1) {
    const other = proof.path.subarray(at, at + 16);
    node = (await sha256([1], ...(index % 2 === 0 ? [node, other] : [other, node]))).subarray(0, 16);
  }
  return index === 0 && equal(node, pass.scope) ? GOOD : OTHER_BUILDING;
}

function judgePolicy(q, pass) {
  const way = { [DOOR.NFC]: 0, [DOOR.SCANNER]: POLICY.ONE_WAY, [DOOR.PAGE]: POLICY.ONE_WAY | POLICY.CARETAKER }[q.class];
  if (pass.windows.length > 0 && !pass.windows.some((window) => q.now >= window.from && q.now <= window.to))
    return OUTSIDE_HOURS;
  if ((pass.policy & way) !== way || (q.class === DOOR.NFC) !== q.hello.length > 0)
    return NOT_SO;
  return q.sensitive && (pass.policy & POLICY.SENSITIVE) === 0 ? NOT_SO : GOOD;
}

async function judgeProof(q, pass, proof) {
  const slot = Math.floor(proof.time / SLOT_S);
  const oneWay = [q.class, slot >>> 24, slot >> 16 & 0xff, slot >> 8 & 0xff, slot & 0xff];
  if (!equal((await sha256(q.pass)).subarray(0, 16), proof.digest) || !equal(proof.cose.kid, pass.id))
    return OTHER_PROOF;
  if (q.hello.length === 0 && Math.abs(proof.time - q.now) > ONE_WAY_S)
    return STALE;
  const aad = joined([ascii("vigie proof"), await sha256(q.hello.length > 0 ? q.hello : oneWay)]);
  return await isSigned(proof.cose, ES256, joined([[4], pass.key]), aad) ? GOOD : UNPROVED;
}

// Answer Q: {pass, proof, hello (empty: one way), trust, status (or null), now (s), building, class, sensitive, degradedOk}.
// Gives {refusal, degraded, pass, proof}; the last two where they could be read.
export async function passVerify(q) {
  let pass, proof;
  if (q.pass.length > PASS_MAX || q.proof.length > PROOF_MAX)
    return { refusal: TOO_LONG, degraded: false };
  try {
    pass = passRead(q.pass);
    proof = proofRead(q.proof);
  } catch (error) {
    if (error instanceof Malformed)
      return { refusal: MALFORMED, degraded: false };
    throw error;
  }
  for (const judge of [judgeKey, judgeTimes, judgeStatus, judgeScope, judgePolicy, judgeProof]) {
    const refusal = await judge(q, pass, proof);
    if (refusal !== GOOD)
      return { refusal, degraded: false, pass, proof };
  }
  return { refusal: GOOD, degraded: isOld(q), pass, proof };
}
