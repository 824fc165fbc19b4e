// What the caretaker's page remembers of the codes that were good: over a reload, spoiled, full, and where the browser keeps nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { storageOver } from "../../console/web/caretaker/storage.js";
import { SEEN_MAX, SEEN_S, seenBefore } from "../../console/web/caretaker/seen.js";

const NOW_S = 1800000000;

function storageOf(text = null) {
  return { text, getItem() { return this.text; }, setItem(key, value) { this.text = value; } };
}

test("a reload forgets nothing; what could not be good again is forgotten", () => {
  const storage = storageOf();
  assert.equal(seenBefore("a 1", NOW_S, new Map(), storage), false);
  assert.equal(seenBefore("a 2", NOW_S, new Map(), storage), false);
  assert.equal(seenBefore("a 1", NOW_S + SEEN_S, new Map(), storage), true);
  assert.equal(seenBefore("a 2", NOW_S + SEEN_S + 1, new Map(), storage), false);
});

test("a browser that keeps nothing remembers as long as the page is open", () => {
  const nothing = { getItem: () => null, setItem() {} };
  const memory = new Map();
  assert.equal(seenBefore("a 1", NOW_S, memory, nothing), false);
  assert.equal(seenBefore("a 1", NOW_S + 1, memory, nothing), true);
});

test("what is spoiled breaks nothing", () => {
  for (const text of ["", "!", "null", "7", "{}", '"text"', "[null, 1, [], [1, 2], [[], 2], {}]", '[["a 1", "x"], ["a 1", null]]', '[["a 1", 1e300]]', "[".repeat(100000)]) {
    const storage = storageOf(text);
    assert.equal(seenBefore("a 1", NOW_S, new Map(), storage), false, text.slice(0, 40));
    assert.equal(seenBefore("a 1", NOW_S, new Map(), storage), true, text.slice(0, 40));
  }
});

test("it is bounded: of more than the bound the oldest goes", () => {
  const storage = storageOf(JSON.stringify(Array.from({ length: 100000 }, (_, i) => [`b ${i}`, NOW_S])));
  for (let i = 0; i <= SEEN_MAX; i++)
    seenBefore(`a ${i}`, NOW_S, new Map(), storage);
  assert.equal(JSON.parse(storage.text).length, SEEN_MAX);
  assert.equal(seenBefore("a 1", NOW_S, new Map(), storageOf(storage.text)), true);
  assert.equal(seenBefore("a 0", NOW_S, new Map(), storageOf(storage.text)), false);
});

test("what the browser does not keep is kept as long as the page is open; what it keeps is read from it", () => {
  const kept = new Map();
  let works = false;
  const local = { getItem(key) {
    if (!works) throw new Error("blocked");
    return kept.get(key) ?? null;
  }, setItem(key, value) {
    if (!works) throw new Error("full");
    kept.set(key, value);
  } };
  const storage = storageOver(() => local);
  assert.equal(storage.getItem("list"), null);
  storage.setItem("list", "1");
  assert.equal(storage.getItem("list"), "1"); // the network may be away in a minute
  works = true;
  kept.set("list", "0");
  assert.equal(storage.getItem("list"), "1"); // what could not be kept is newer than what is there
  storage.setItem("list", "2");
  kept.set("list", "3"); // another tab of this page
  assert.equal(storage.getItem("list"), "3");
});
