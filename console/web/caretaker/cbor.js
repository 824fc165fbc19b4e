// CBOR by our profile (wire/PROTOCOL.md section 1): one whole item, read strictly; what wire/cbor.c refuses is refused here.
// Gives: integer -> BigInt, byte string -> Uint8Array (a view), text -> string, array -> Array, map -> {pairs: [[key, value], ...]},
// tag -> {tag, value}, false true null -> themselves, undefined and other simple values -> {simple}, float -> {float: its bits}.

export class Malformed extends Error {}

const DEPTH_MAX = 8;
const SHORTEST = [24n, 0x100n, 0x10000n, 0x100000000n]; // the smallest argument that needs 1, 2, 4, 8 octets
const SIMPLE = new Map([[20n, false], [21n, true], [22n, null]]);
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function refuse(why) {
  throw new Malformed(why);
}

// A NaN has one form; what half or single can say exactly is not said longer (RFC 8949 4.2.2).
function floatIsShortest(octets, bits) {
  if (octets === 2)
    return (bits >> 10n & 31n) !== 31n || (bits & 0x3ffn) === 0n || bits === 0x7e00n;
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, octets === 4 ? bits << 32n : bits);
  const value = octets === 4 ? view.getFloat32(0) : view.getFloat64(0);
  if (!Number.isFinite(value))
    return false;
  return octets === 4 ? !isHalf(value) : Math.fround(value) !== value;
}

function isHalf(value) {
  const size = Math.abs(value);
  if (size > 65504)
    return false;
  const step = size < 2 ** -14 ? 2 ** -24 : 2 ** (Math.floor(Math.log2(size)) - 10);
  return Number.isInteger(size / step);
}

function compare(a, b) {
  for (let i = 0; i < a.length && i < b.length; i++)
    if (a[i] !== b[i])
      return a[i] - b[i];
  return a.length - b.length;
}

class Reader {
  constructor(octets) {
    this.octets = octets;
    this.at = 0;
  }

  take(count) {
    if (count > this.octets.length - this.at)
      refuse("truncated");
    this.at += count;
    return this.octets.subarray(this.at - count, this.at);
  }

  head() {
    const [first] = this.take(1);
    const head = { major: first >> 5, info: first & 31, arg: BigInt(first & 31) };
    if (head.info < 24)
      return head;
    if (head.info > 27)
      refuse(head.info === 31 ? "indefinite length" : "a reserved head");
    head.arg = this.take(1 << head.info - 24).reduce((sum, octet) => sum << 8n | BigInt(octet), 0n);
    if (head.major !== 7 && head.arg < SHORTEST[head.info - 24])
      refuse("an integer or length not in its shortest form");
    if (head.major === 7 && head.info === 24 && head.arg < 32n)
      refuse("a simple value in a reserved form");
    if (head.major === 7 && head.info > 24 && !floatIsShortest(1 << head.info - 24, head.arg))
      refuse("a float not in its shortest form");
    return head;
  }

  length(head) {
    if (head.arg > BigInt(this.octets.length))
      refuse("truncated");
    return Number(head.arg);
  }

  text(octets) {
    try {
      return utf8.decode(octets);
    } catch {
      return refuse("text that is not UTF-8");
    }
  }

  map(count, depth) {
    const pairs = [];
    let before;
    for (let i = 0; i < count; i++) {
      const begin = this.at;
      const key = this.item(depth);
      const octets = this.octets.subarray(begin, this.at);
      if (before !== undefined && compare(before, octets) >= 0)
        refuse("map keys not sorted");
      before = octets;
      pairs.push([key, this.item(depth)]);
    }
    return { pairs };
  }

  item(depth) {
    const head = this.head();
    if (head.major >= 4 && head.major <= 6 && ++depth > DEPTH_MAX)
      refuse("nested deeper than 8");
    switch (head.major) {
    case 0: return head.arg;
    case 1: return -1n - head.arg;
    case 2: return this.take(this.length(head));
    case 3: return this.text(this.take(this.length(head)));
    case 4: return Array.from({ length: this.length(head) }, () => this.item(depth));
    case 5: return this.map(this.length(head), depth);
    case 6: return { tag: head.arg, value: this.item(depth) };
    }
    if (head.info > 24)
      return { float: head.arg };
    return SIMPLE.has(head.arg) ? SIMPLE.get(head.arg) : { simple: head.arg };
  }
}

// The one item that OCTETS hold.  Throws Malformed.
export function decode(octets) {
  const reader = new Reader(octets);
  const item = reader.item(0);
  if (reader.at < octets.length)
    refuse("bytes after the item");
  return item;
}

// Fields of an array in their order, each with what it may be; elements behind them are a newer format's.
export class Fields {
  constructor(item) {
    if (!Array.isArray(item))
      refuse("not an array");
    this.items = item;
    this.at = 0;
  }

  next() {
    if (this.at >= this.items.length)
      refuse("an item is missing");
    return this.items[this.at++];
  }

  uint(max) {
    const value = this.next();
    if (typeof value !== "bigint" || value < 0n || value > BigInt(max))
      refuse("number out of range");
    return Number(value);
  }

  int() {
    const value = this.next();
    if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value)
      refuse("not an integer of 64 bits");
    return value;
  }

  bytes(min, max = min) {
    const value = this.next();
    if (!(value instanceof Uint8Array) || value.length < min || value.length > max)
      refuse("not a byte string of that length");
    return value;
  }

  text(max) {
    const value = this.next();
    if (typeof value !== "string" || new TextEncoder().encode(value).length > max || value.includes("\0"))
      refuse("not a text of that length");
    return value;
  }

  array() {
    const value = this.next();
    if (!Array.isArray(value))
      refuse("not an array");
    return value;
  }
}

function head(major, value) {
  if (value < 24)
    return [major << 5 | value];
  if (value < 0x100)
    return [major << 5 | 24, value];
  if (value < 0x10000)
    return [major << 5 | 25, value >> 8, value & 0xff];
  return [major << 5 | 26, value >>> 24, value >> 16 & 0xff, value >> 8 & 0xff, value & 0xff];
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

// What a COSE_Sign1 signs (RFC 9052 4.4): ["Signature1", protected, external_aad, payload].
export function sigStructure(protectedOctets, aad, payload) {
  return joined([[0x84], head(3, 10), new TextEncoder().encode("Signature1"), head(2, protectedOctets.length), protectedOctets,
    head(2, aad.length), aad, head(2, payload.length), payload]);
}

export { joined, refuse };
