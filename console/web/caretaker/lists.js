// The trust list and the status list: the newest that was ever good is kept, and goes on being used without a network.
import { joined, Malformed } from "./cbor.js";
import { statusOpen, trustOpen } from "./verify.js";

const WAIT_MS = 5000;
const LIST_MAX = 65536; // octets; no list of a region has more

function kept(storage, key) {
  try {
    const text = storage.getItem(key);
    return text === null ? null : Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    return null; // not what was kept
  }
}

function keep(storage, key, octets) {
  storage.setItem(key, btoa(Array.from(octets, (o) => String.fromCharCode(o)).join("")));
}

// What RESPONSE holds; null where it is more than any list.
async function octetsOf(response) {
  const reader = response.body.getReader();
  const parts = [];
  let size = 0;
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    size += value.length;
    if (size > LIST_MAX) {
      await reader.cancel();
      return null;
    }
    parts.push(value);
  }
  return joined(parts);
}

async function fetched(name) {
  try {
    const response = await fetch(name, { cache: "no-store", signal: AbortSignal.timeout(WAIT_MS) });
    return response.ok ? await octetsOf(response) : null;
  } catch {
    return null; // no network: what is kept will do
  }
}

// What OCTETS hold, by OPEN; null where they are null, or are not what they should be.
async function opened(octets, open) {
  try {
    return octets === null ? null : await open(octets);
  } catch (error) {
    if (error instanceof Malformed)
      return null;
    throw error;
  }
}

// The newer of the one kept and the one fetched, by what RANK says of each; kept from now on.
async function newest(storage, key, name, open, rank) {
  const old = await opened(kept(storage, key), open);
  const octets = await fetched(name);
  const fresh = await opened(octets, open);
  if (fresh === null || (old !== null && rank(fresh) <= rank(old)))
    return old;
  keep(storage, key, octets);
  return fresh;
}

// {trust, status, now()} for PLACE; trust or status are null where there is none yet.  The clock never goes below what the region signed.
export async function listsFor(place, storage) {
  const seconds = () => Math.floor(Date.now() / 1000);
  const where = `${place.region}.${[...place.root.subarray(0, 4)].join(".")}`;
  const trust = await newest(storage, `vigie.caretaker.trust.${where}`, "data/trust", async (octets) => {
    const list = await trustOpen(octets, place.root);
    return list.region === place.region ? list : null;
  }, (list) => list.number);
  if (trust === null)
    return { trust, status: null, now: seconds };
  const now = () => Math.max(seconds(), trust.issuedAt);
  const status = await newest(storage, `vigie.caretaker.status.${where}`, "data/status", (octets) => statusOpen(octets, trust, now()),
    (list) => list.issuedAt);
  return { trust, status, now: () => Math.max(now(), status?.issuedAt ?? 0) };
}
