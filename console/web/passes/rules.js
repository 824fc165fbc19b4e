// What follows from what the desk knows: no DOM and no clock in here, so that plain tests reach all of it.
const QUARTER_MS = 15 * 60000;
export const HALF_HOUR_MS = 2 * QUARTER_MS;

// Letters without accents and case.
export function folded(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

export const octets = (text) => new TextEncoder().encode(text).length;

const byText = (a, b) => a.localeCompare(b, undefined, { numeric: true, sensitivity: "base" });

export const nameOf = (carrier) => carrier.name || carrier.carrier || carrier.phone || carrier.handset;
export const roundName = (round) => round.name || round.id;

// What a search may ask for: at most 64 octets, whole characters.
export function searchWords(text) {
  let out = "";
  for (const c of text.trim()) {
    if (octets(out + c) > 64) break;
    out += c;
  }
  return out;
}

// Rounds as this carrier's desk offers them: the usual one, their team's, the others.
export function offered(rounds, carrier) {
  const rank = (r) => (r.id === carrier.round ? 0 : r.team && r.team === carrier.team ? 1 : 2);
  return [...rounds].sort((a, b) => rank(a) - rank(b) || byText(roundName(a), roundName(b)));
}

// Until when a pass given at NOW lasts unless somebody says otherwise: one shift, on the quarter.
export const defaultUntil = (now, shiftMs) => Math.ceil((now + shiftMs) / QUARTER_MS) * QUARTER_MS;

// The next time that the clock says VALUE ("14:30"); null where that is no time of day.
export function untilFrom(value, now) {
  const time = /^(\d{1,2}):(\d{2})$/.exec(value);
  if (!time || Number(time[1]) > 23 || Number(time[2]) > 59) return null;
  const until = new Date(now);
  until.setHours(Number(time[1]), Number(time[2]), 0, 0);
  if (until.getTime() <= now) until.setDate(until.getDate() + 1);
  return until.getTime();
}

// Why a second person must agree: "long", "sensitive", both or neither.
export function whySecond(round, lengthMs, aloneMs) {
  return [...(lengthMs > aloneMs ? ["long"] : []), ...(round.sensitive ? ["sensitive"] : [])];
}

// What stands in the way of a pass on this phone: the word of a sentence, or null.
export function hindrance(phone) {
  if (!phone.handset) return "no_phone";
  if (phone.revoked) return "revoked";
  if (phone.carrier === null) return "shared";
  if (othersOn(phone).length > 0) return "others";
  if (phone.ready) return null;
  return { none: "no_pin", destroyed: "destroyed" }[phone.vault] ?? "unheard";
}

// Live passes of others on this carrier's phone: a phone has one carrier's at a time.
export const othersOn = (phone) => (phone.carrier === null ? [] : (phone.items ?? []).filter((p) => isLive(p) && p.carrier !== phone.carrier));

// CARRIER with the shared PHONE that they have.
export const onShared = (carrier, phone) => ({ ...carrier, handset: phone.handset, phone: phone.phone, revoked: phone.revoked, vault: phone.vault, ready: phone.ready, passes: phone.passes, items: phone.items,
  shared: true });

export const LIVE = ["waiting", "phone", "failed"];
export const isLive = (pass) => LIVE.includes(pass.state);

// Live passes, the one that ends first on top; then those that were revoked or are over, the newest first.
export function inOrder(passes) {
  const ended = (p) => p.revoked_at || p.until;
  return [...passes].sort((a, b) => Number(isLive(b)) - Number(isLive(a)) || (isLive(a) ? a.until - b.until : ended(b) - ended(a)));
}

// What was typed of a phone's 16 characters: { hex }, { left: how many are missing; negative: too many }, or { bad: what is none of them }.
export function challengeOf(text) {
  const digits = text.replace(/[\s.\-]/g, "").toLowerCase();
  const bad = /[^0-9a-f]/.exec(digits);
  if (bad) return { bad: bad[0] };
  return digits.length === 16 ? { hex: digits } : { left: 16 - digits.length };
}

// Doors, each once, by what they do: { open: those that may still take it, shut: the others }, the latest first.
export function doorsNow(doors, now) {
  const known = new Map(); // by door: of several passes the one that it takes for longest
  for (const door of doors) {
    const key = `${door.building} ${door.door}`;
    if (!known.has(key) || (door.until ?? 0) > (known.get(key).until ?? 0)) known.set(key, door);
  }
  const all = [...known.values()];
  const open = all.filter((d) => d.until !== null && d.until > now).sort((a, b) => b.until - a.until);
  return { open, shut: all.filter((d) => !open.includes(d)) };
}

// "45.7652, 4.8345" as somebody copies it from a map, or null.
export function positionOf(text) {
  const found = /^\s*(-?\d{1,2}(?:\.\d+)?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)\s*$/.exec(text);
  if (!found) return null;
  const [lat, lon] = [Number(found[1]), Number(found[2])];
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { lat, lon } : null;
}

// LIST with the thing at FROM moved to TO.
export function moved(list, from, to) {
  const out = [...list];
  out.splice(to, 0, ...out.splice(from, 1));
  return out;
}

// A round's id from what somebody calls it: letters, digits, . _ - alone, at most 32.
export const roundId = (name) => folded(name).replace(/[^a-z0-9._-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 32);
