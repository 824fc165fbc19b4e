// Without a network: the page's own files, as they were last fetched.  What is there is served at once and looked for anew behind it;
// the lists (data/) are the page's own business.
const CACHE = "vigie-caretaker";
const FILES = ["./", "app.js", "base45.js", "cbor.js", "dom.js", "icon.svg", "lists.js", "place.js", "scan.js", "seen.js", "storage.js", "style.css", "text/en.json", "text/fr.json",
  "verify.js", "words.js", "zxing/reader/index.js", "zxing/share.js", "zxing/zxing_reader.wasm"];

self.addEventListener("install", (event) => event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function answer(request, fresh) {
  const cache = await caches.open(CACHE);
  return await cache.match(request, { ignoreSearch: true }) ?? await fresh;
}

async function fetchAnew(request) {
  const response = await fetch(request);
  if (response.ok)
    await (await caches.open(CACHE)).put(request, response.clone());
  return response;
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin || url.pathname.includes("/data/"))
    return;
  const fresh = fetchAnew(event.request);
  event.waitUntil(fresh.catch(() => undefined));
  event.respondWith(answer(event.request, fresh));
});
