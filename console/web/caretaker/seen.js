// The proofs that were good here, kept over a reload: a code that is filmed a second time is refused, whatever happened to the page.
const KEY = "vigie.caretaker.seen";
export const SEEN_S = 120; // how long one is remembered: longer than it could be good again
export const SEEN_MAX = 256; // two a second for all that time, and no queue is as fast; of more the oldest go

// What was kept, where it can be read; what is spoiled is as good as nothing.
function kept(storage) {
  try {
    const pairs = JSON.parse(storage.getItem(KEY) ?? "[]");
    return pairs.slice(-SEEN_MAX).filter((pair) => typeof pair?.[0] === "string" && Number.isFinite(pair[1]));
  } catch {
    return [];
  }
}

// Whether the proof KEY was good here before NOW_S; remembered from now on in MEMORY (a Map, for a browser that keeps nothing) and STORAGE.
export function seenBefore(key, nowS, memory, storage) {
  for (const [old, at] of kept(storage))
    if (!memory.has(old))
      memory.set(old, at);
  const was = memory.has(key) && Math.abs(memory.get(key) - nowS) <= SEEN_S;
  memory.delete(key);
  memory.set(key, nowS);
  for (const [old, at] of memory)
    if (Math.abs(at - nowS) > SEEN_S || memory.size > SEEN_MAX)
      memory.delete(old);
  storage.setItem(KEY, JSON.stringify([...memory]));
  return was;
}
