// Where this page stands: the building and the region's root key, from the link that the desk gave (behind its #, so that no server
// sees it), kept for the next time.  Nobody has signed it: once there is a place, another one is taken only when the caretaker says so.  [1, region, root key 32, building id 8, building name, sensitive] in CBOR and base64url.
import { decode, Fields, Malformed } from "./cbor.js";

const KEY = "vigie.caretaker.place";

function read(text) {
  const f = new Fields(decode(Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0))));
  if (f.next() !== 1n)
    throw new Malformed("a format other than 1");
  const place = { region: f.text(32), root: f.bytes(32), building: f.bytes(8), name: f.text(200), sensitive: f.next() };
  if (typeof place.sensitive !== "boolean")
    throw new Malformed("neither true nor false");
  return place;
}

// The place of the link in HASH ("#..."), else the one that was kept; null where there is none.  Throws where a link is spoiled.
export function placeOf(hash, storage) {
  const text = hash.slice(1) || storage.getItem(KEY);
  return text ? { ...read(text), text } : null;
}

// The place that was kept; null where there is none, or none that can be read.
export function placeKept(storage) {
  try {
    return placeOf("", storage);
  } catch {
    return null;
  }
}

export function placeKeep(place, storage) {
  storage.setItem(KEY, place.text);
}

// Whether both are the same building under the same key: a link that is not was perhaps sent by somebody who has a pass for another one.
export function placeSame(a, b) {
  const of = (place) => [place.region, place.root, place.building, place.sensitive].join();
  return of(a) === of(b);
}
