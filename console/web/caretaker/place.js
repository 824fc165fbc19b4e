// Where this page stands: the building and the region's root key, from the link that the desk gave (behind its #, so that no server
// sees it), kept for the next time.  [1, region, root key 32, building id 8, building name, sensitive] in CBOR and base64url.
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
  if (!text)
    return null;
  const place = read(text);
  storage.setItem(KEY, text);
  return place;
}
