// The desk page: the board's messages go to the parts that show them, and what the person does goes out as commands.
import { Board } from "./board.js";
import { Cards } from "./cards.js";
import { Closing } from "./closing.js";
import { DeskMap } from "./map.js";
import { Duty } from "./duty.js";
import { Link, commandId } from "./link.js";
import { Notices } from "./notices.js";
import { Ring, Title } from "./ring.js";
import { Toasts } from "./toasts.js";
import { byId, el, fill, show } from "./dom.js";
import { chooseLanguage, clock, has, isolate, loadWords, otherLanguage, say, sayCount, sayNodes } from "./words.js";
import { isBeaten, ringOf, ringOfAll, ringOfNotice, ringsAgain } from "./rules.js";

const ANSWER_MS = 8000;
const PRESENCE_MS = 10000;
const HUSH_MS = 30000;
const ENDING_MS = 10 * 60000;
const START_MS = 4000;

await loadWords();
const board = new Board();
const toasts = new Toasts(byId("toasts"));
const ring = new Ring(() => updateSound());
const title = new Title("Vigie");
const map = new DeskMap();
const closing = new Closing((alert, fields) => command({ t: "close", alert: alert.id, ...fields }, alert));
const cards = new Cards({ verb, select: () => map.update(board, cards.selected), seen });
const duty = new Duty((fields) => command(fields));
const notices = new Notices((fields) => command(fields));
const pending = new Map(); // command id -> { verb, alert, timer }
let blind = null;          // null until known
let version = null;        // of the server that this page is from; null until somebody is logged in
let leaving = false;       // logging out: the answer to that takes us to the login page

// ---- commands

function command(fields, alert = null) {
  const c = commandId();
  if (blind !== false || !link.send({ ...fields, c })) {
    toasts.add(say("not_sent"), "bad");
    return;
  }
  const timer = setTimeout(() => answered(c, "none"), ANSWER_MS);
  pending.set(c, { verb: fields.t, alert: alert?.id ?? null, timer });
  if (alert) cards.get(alert.id)?.setPending(fields.t, board.me);
}

function verb(card, what) {
  const alert = card.alert;
  if (what === "close") closing.ask(alert);
  else if (what === "take" || what === "join") command({ t: what, alert: alert.id, owner: alert.owner ?? "" }, alert);
  else command({ t: what, alert: alert.id }, alert);
}

function seen(alert) {
  return blind === false && link.send({ t: "seen", alert: alert.id, c: commandId() });
}

// A command was answered: CODE "done" or why not; "none" when nobody did.
function answered(c, code, who = null) {
  const asked = pending.get(c);
  if (!asked) return;
  pending.delete(c);
  clearTimeout(asked.timer);
  cards.get(asked.alert)?.setPending(null, board.me);
  if (code === "done") return;
  if (code === "taken_by_other") toasts.add(sayNodes("answer_taken_by_other", { name: who ?? "?" }), "beaten");
  else toasts.add(say(has(`answer_${code}`) ? `answer_${code}` : "answer_refused"), "bad");
}

// ---- what comes in

const link = new Link({
  message: (message) => take(message),
  lost: () => updateBlind(),
  refused: (why) => leaving || location.replace(why === "role" ? "passes.html" : version === null ? "login.html" : "login.html?ended"),
});

function take(message) {
  const change = board.take(message);
  if (change.hello) onHello(message);
  if (change.tick || change.end) updateBlind();
  if (change.answer) answered(change.answer.c, change.answer.a, change.answer.who);
  if (change.alert) onAlert(change);
  if (change.end || change.counts) updateHeader();
  if (change.notice && board.whole && message.notice && ringOfNotice(message.notice) === "loud") ring.unhush();
  if (change.people && board.whole) duty.update(board);
  if (change.end) sayVisible();
  if (change.end) cards.forgetSaid();
  if (change.end || change.notice || change.alert) updateRing(); // now: a hidden tab's timers may be a minute late
  if (change.end || change.notice || change.alert || change.people) later();
}

async function onHello(message) {
  if (version !== null && version !== message.version) location.reload(); // the pages are newer than this one
  await loadWords(message.me.language);
  version = message.version;
  document.body.dataset.role = message.me.role;
  show(byId("admin"), message.me.role === "admin");
  fill(byId("me"), message.me.name || message.me.login);
  fill(byId("region"), message.region);
  byId("language").textContent = say("other_language");
  byId("language").lang = otherLanguage();
  map.words();
  map.tiles(message.tiles, message.tiles_by);
  if (message.me.role !== "admin") map.loadZones();
  later();
}

function onAlert({ alert, before, command: c }) {
  if (c) answered(c, "done");
  for (const [id, asked] of pending)
    if (asked.alert === alert.id && asked.verb === "take" && isBeaten(alert, before, board.me)) answered(id, "taken_by_other", alert.owner_name ?? alert.owner);
  if (!board.whole || !ringsAgain(alert, before)) return; // in the first snapshot nothing is new
  ring.unhush();
  const text = say(before && ringOf(before) ? "spoken_again" : "spoken_alert", { name: isolate(alert.carrier_name ?? say("unknown_carrier")), zone: isolate(alert.zone_name ?? "") });
  byId("spoken").replaceChildren(el("p", {}, text)); // a new element: the same words are spoken again
}

// ---- what is shown.  Many messages, one drawing.

let drawing = false;
function later() {
  if (drawing) return;
  drawing = true;
  const draw = () => {
    if (!drawing) return;
    drawing = false;
    drawAll();
  };
  requestAnimationFrame(draw);
  setTimeout(draw, 250); // a hidden tab draws no frames
}

function drawAll() {
  if (version === null) return; // nothing in a language that is not this person's
  cards.update(board);
  for (const { verb: what, alert } of pending.values()) cards.get(alert)?.setPending(what, board.me);
  notices.update(board);
  duty.update(board);
  map.update(board, cards.selected);
  cards.noteMoves();
  cards.saySeen();
  updateRing();
}

function updateRing() {
  const alerts = [...board.alerts.values()];
  ring.set(ringOfAll(alerts, [...board.notices.values()]));
  const ringing = alerts.filter((a) => ringOf(a) !== null).length + [...board.notices.values()].filter((n) => ringOfNotice(n) === "loud").length;
  title.set(ringing ? say(ringing === 1 ? "title_one" : "title_many", { n: ringing }) : null);
  updateSound();
}

function updateSound() {
  show(byId("sound"), ring.locked && board.me.role !== "admin");
  byId("sound").textContent = say("sound_locked");
  show(byId("hush"), ring.kind !== null && !ring.locked);
  const text = ring.hushedMs > 0 ? say("hushed", { n: Math.ceil(ring.hushedMs / 1000) }) : say("hush");
  if (byId("hush").textContent !== text) byId("hush").textContent = text;
}

byId("hush").addEventListener("click", () => {
  ring.hush(HUSH_MS);
  updateSound();
});

function updateHeader() {
  const c = board.me.role === "supervisor" ? null : board.counts;
  const parts = [];
  if (c && board.me.role === "admin") parts.push(["count_open", c.open]);
  if (c && c.on_duty !== null) parts.push(["count_on_duty", c.on_duty], ["count_quiet", c.quiet]);
  if (c) parts.push(c.reachable === null ? ["count_supervisors", c.supervisors] : ["count_reachable", c.reachable, c.supervisors]);
  fill(byId("counts"), ...parts.map(([key, n, of]) => el("span", { class: n > 0 ? key : "" }, sayCount(key, n, { of: of ?? 0 }))));
}

// Blind: no word from the server for too long, or the server has none from its store.  A short gap between two connections is not.
function updateBlind() {
  const silent = link.isSilent();
  const dark = silent || !board.store || !board.whole;
  if (!dark) {
    blind = false;
  } else if (blind === false || (blind === null && performance.now() > START_MS)) {
    blind = true;
    board.blindSince = silent || !board.lostAt ? board.now() - link.silentMs() : board.lostAt;
  }
  document.body.classList.toggle("is-blind", blind === true);
  show(byId("blind"), blind === true);
  const why = !silent && has(`cause_${board.lostWhy}`) ? el("span", {}, say(`cause_${board.lostWhy}`)) : null;
  if (blind === true) fill(byId("blind"), el("strong", {}, say("blind_title", { time: clock(board.blindSince) })), el("span", {}, say("blind_text")), why);
}

setInterval(() => {
  updateBlind();
  cards.tick(board);
  map.tick(board.now());
  title.tick();
  if (ring.kind) updateSound();
  const left = (board.hello?.ends ?? Infinity) - board.now();
  show(byId("ending"), left < ENDING_MS);
  if (left < ENDING_MS) fill(byId("ending"), say("session_ends", { time: clock(board.hello.ends, false) }));
}, 1000);

function sayVisible() {
  if (document.visibilityState === "visible" && blind === false) link.send(duty.presence());
}
setInterval(sayVisible, PRESENCE_MS);
document.addEventListener("visibilitychange", () => {
  sayVisible();
  cards.saySeen();
});
byId("logout").addEventListener("submit", () => (leaving = true));
byId("language").addEventListener("click", () => {
  chooseLanguage(otherLanguage());
  location.reload();
});
