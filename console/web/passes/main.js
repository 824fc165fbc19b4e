// The pass desk: what comes over the line goes to the views, and what the person does goes out as commands.
import { Link } from "../link.js";
import { Toasts } from "../toasts.js";
import { byId, el, fill, show } from "../dom.js";
import { chooseLanguage, clock, has, loadWords, otherLanguage, say } from "../words.js";
import { BuildingsView } from "./buildings.js";
import { ImportView } from "./import.js";
import { Line } from "./line.js";
import { LostView } from "./lost.js";
import { PassesView } from "./passes.js";
import { RoundsView } from "./rounds.js";

const TEXTS = ["text", "passes/text"];
const ENDING_MS = 10 * 60000;
const START_MS = 4000;
const VIEWS = { passes: PassesView, rounds: RoundsView, buildings: BuildingsView, import: ImportView, lost: LostView };

await loadWords(null, TEXTS);
const toasts = new Toasts(byId("toasts"));
const views = new Map(); // name -> view, once it was looked at
let current = null;
let blind = null;        // null until known
let blindSince = 0;
let version = null;      // of the server that this page is from
let leaving = false;

const link = new Link({
  message: (message) => take(message),
  lost: () => {
    line.lost();
    updateBlind();
  },
  refused: (why) => leaving || location.replace(why === "role" ? "login.html?role" : version === null ? "login.html" : "login.html?ended"),
}, "/ws/passes");
const line = new Line({ send: (object) => blind === false && link.send(object) });

const desk = {
  line,
  // The sentence of an answer's code.
  sentence: (code) => say(has(`answer_${code}`) ? `answer_${code}` : "answer_refused"),
  tell: (content, tone = "") => toasts.add(content, tone),
  // For whoever cannot see that something came: TEXT is read aloud.
  speak: (text) => byId("spoken").replaceChildren(el("p", {}, text)),
  // Give a command and say what went wrong, if something did.  Gives its answer.
  async order(fields) {
    const answer = await line.give(fields);
    if (answer.a !== "done" && answer.a !== "consent" && answer.a !== "part") toasts.add(desk.sentence(answer.a), "bad");
    return answer;
  },
};

// ---- what comes in

function take(message) {
  const type = line.take(message);
  if (type === "hello") onHello(message);
  if (type === "tick" || type === "desk") updateBlind();
  if (type === "desk") updateFrame();
}

async function onHello(message) {
  if (version !== null && version !== message.version) location.reload(); // the pages are newer than this one
  await loadWords(message.me.language, TEXTS);
  version = message.version;
  updateFrame();
}

function updateFrame() {
  if (version === null) return;
  document.body.dataset.role = line.me.role;
  fill(byId("me"), line.me.name || line.me.login);
  fill(byId("region"), line.hello.region);
  byId("language").textContent = say("other_language");
  byId("language").lang = otherLanguage();
  show(byId("board"), line.me.role !== "issuer");
  show(byId("to-import"), line.may("edit"));
  if (current === null && line.desk !== null) turn();
  const why = line.desk?.keeper ?? null;
  show(byId("keeper"), why !== null);
  if (why !== null) fill(byId("keeper"), say(has(`keeper_${why}`) ? `keeper_${why}` : "keeper_away"));
}

// ---- which view: behind the #, so that the browser's way back works

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // typed by hand
  }
}

function turn() {
  if (version === null || line.desk === null) return;
  const [wanted, ...rest] = location.hash.slice(1).split("/");
  const name = wanted in VIEWS ? wanted : "passes";
  if (!views.has(name)) views.set(name, new VIEWS[name](desk));
  const view = views.get(name);
  if (view !== current) {
    current?.close?.();
    byId("main").replaceChildren(view.element);
    scrollTo(0, 0);
    if (current !== null) byId("main").focus({ preventScroll: true }); // whoever cannot see it is where the page now begins
  }
  current = view;
  view.open(...rest.map(decoded));
  for (const a of byId("views").querySelectorAll("a")) {
    if (a.hash === `#${name}`) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
  document.title = `${say(`view_${name}`)} · Vigie`;
  show(byId("main"), true);
  show(byId("waiting"), false);
}
addEventListener("hashchange", turn);

// ---- blind: no word from the server for too long, or the server has none from its store

function updateBlind() {
  const silent = link.isSilent();
  const dark = silent || !line.isWhole();
  if (!dark) {
    const first = blind !== false;
    blind = false;
    if (first) line.askAll();
  } else if (blind === false || (blind === null && performance.now() > START_MS)) {
    blind = true;
    blindSince = silent || !line.since ? line.now() - link.silentMs() : line.since;
  }
  document.body.classList.toggle("is-blind", blind === true);
  show(byId("blind"), blind === true);
  const why = !silent && has(`cause_${line.why}`) ? el("span", {}, say(`cause_${line.why}`)) : null;
  if (blind === true) fill(byId("blind"), el("strong", {}, say("passes_blind_title", { time: clock(blindSince) })), el("span", {}, say("passes_blind_text")), why);
}

setInterval(() => {
  updateBlind();
  if (blind === false) current?.tick?.();
  const left = (line.hello?.ends ?? Infinity) - line.now();
  show(byId("ending"), left < ENDING_MS);
  if (left < ENDING_MS) fill(byId("ending"), say("session_ends", { time: clock(line.hello.ends, false) }));
}, 1000);

byId("waiting").textContent = say("connecting");
byId("logout").addEventListener("submit", () => (leaving = true));
byId("language").addEventListener("click", () => {
  chooseLanguage(otherLanguage());
  location.reload();
});
