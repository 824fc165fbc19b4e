// The caretaker's page: a code in front of the camera, a verdict in large words.  Everything is decided here, without a network.
import { passText } from "./base45.js";
import { byId, el, show } from "./dom.js";
import { listsFor } from "./lists.js";
import { placeKeep, placeKept, placeOf, placeSame } from "./place.js";
import { scan } from "./scan.js";
import { seenBefore } from "./seen.js";
import { storageOver } from "./storage.js";
import { DOOR, passVerify, presentationRead, REFUSALS } from "./verify.js";
import { chooseLanguage, loadWords, otherLanguage, say } from "./words.js";

const LISTS_AGAIN_MS = 60000;

const storage = storageOver(() => localStorage);

let place, lists, pause;
const seen = new Map(); // "pass counter" -> s: seen.js

const when = (s) => new Date(s * 1000).toLocaleString(document.documentElement.lang, { dateStyle: "short", timeStyle: "short" });

function problem(key) {
  byId("problem").textContent = say(key);
  show(byId("problem"), true);
  show(byId("scan"), false);
}

// Two people hold two phones: both show this number, made from the proof's signature.
async function codeOf(proof) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", proof.cose.signature));
  return String((digest[0] << 16 | digest[1] << 8 | digest[2]) % 10000).padStart(4, "0");
}

const replayed = (verdict, now) => seenBefore(`${verdict.pass.id} ${verdict.proof.counter}`, now, seen, storage);

async function judge(octets) {
  const shown = octets === null ? null : presentationRead(octets);
  const now = lists.now();
  if (shown === null)
    return { word: "no_pass" };
  const verdict = await passVerify({ ...shown, hello: new Uint8Array(), trust: lists.trust, status: lists.status, now, building: place.building,
    class: DOOR.PAGE, sensitive: place.sensitive, degradedOk: false });
  const word = REFUSALS[verdict.refusal];
  return { word: word === "good" && replayed(verdict, now) ? "replayed" : word, ...verdict };
}

async function tell(text) {
  pause(true);
  const verdict = await judge(passText(text));
  const good = verdict.word === "good";
  const box = byId("verdict");
  box.className = good ? "good" : "bad";
  byId("sign").textContent = good ? "✓" : "✕";
  byId("word").textContent = say(good ? "open" : "closed");
  byId("sentence").textContent = say(verdict.word);
  byId("code").textContent = good ? await codeOf(verdict.proof) : "";
  const checked = good ? [say("checked_region", { name: verdict.pass.region }), say("checked_building"), say("checked_times", { when: when(verdict.pass.notAfter) }),
    say("checked_status", { when: when(lists.status.issuedAt) }), say("checked_now")] : [];
  byId("checked").replaceChildren(...checked.map((line) => el("li", {}, line)));
  for (const part of ["code", "compare", "checked"])
    show(byId(part), good);
  show(byId("scan"), false);
  show(box, true);
  byId("next").focus();
}

async function refresh() {
  lists = await listsFor(place, storage);
  byId("list").textContent = lists.status === null ? "" : say("list", { when: when(lists.status.issuedAt) });
}

async function start() {
  show(byId("again"), false);
  byId("hint").textContent = say("starting");
  show(byId("scan"), true);
  try {
    pause = await scan(byId("camera"), tell);
    byId("hint").textContent = say("show");
  } catch {
    byId("hint").textContent = say("no_camera");
    show(byId("again"), true);
  }
}

// Which of the two it is: KEPT, where this page stands, or the one of the link that was opened.
async function chosen(kept, other) {
  byId("building").textContent = kept.name;
  byId("other-name").textContent = other.name;
  show(byId("other"), true);
  const change = await new Promise((resolve) => {
    byId("stay").addEventListener("click", () => resolve(false));
    byId("change").addEventListener("click", () => resolve(true));
    byId("stay").focus();
  });
  show(byId("other"), false);
  history.replaceState(null, "", location.pathname + location.search); // a reload asks no second time
  return change ? other : kept;
}

// Whether this browser knows the region's signatures at all: Ed25519 came to browsers between 2023 and 2025.
async function canVerify() {
  try {
    await crypto.subtle.importKey("raw", place.root, { name: "Ed25519" }, false, ["verify"]);
    return true;
  } catch {
    return false;
  }
}

async function open() {
  await loadWords();
  byId("language").textContent = say("other_language");
  byId("language").lang = otherLanguage();
  byId("language").addEventListener("click", () => {
    chooseLanguage(otherLanguage());
    location.reload();
  });
  try {
    place = placeOf(location.hash, storage);
  } catch {
    problem("bad_link");
    return;
  }
  if (place === null) {
    problem("no_link");
    return;
  }
  const kept = placeKept(storage);
  if (kept !== null && !placeSame(kept, place))
    place = await chosen(kept, place);
  placeKeep(place, storage);
  byId("building").textContent = place.name;
  byId("region").textContent = say("region", { name: place.region });
  if (!await canVerify()) {
    problem("old_browser");
    return;
  }
  await refresh();
  if (lists.trust === null) {
    problem("no_lists");
    return;
  }
  setInterval(refresh, LISTS_AGAIN_MS);
  byId("again").addEventListener("click", start);
  byId("next").addEventListener("click", () => {
    show(byId("verdict"), false);
    show(byId("scan"), true);
    pause(false);
  });
  await start();
}

if ("serviceWorker" in navigator)
  navigator.serviceWorker.register("worker.js");
await open();
