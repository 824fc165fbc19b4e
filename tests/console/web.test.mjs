// The pages' rules without a browser: texts, buttons, rings, order, the board.
import test from "node:test";
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { Board, KEPT_MAX } from "../../console/web/board.js";
import { BLIND_MS, Link } from "../../console/web/link.js";
import * as rules from "../../console/web/rules.js";

const web = new URL("../../console/web/", import.meta.url);
const read = (name) => readFileSync(new URL(name, web), "utf8");
const words = Object.fromEntries(["fr", "en"].map((l) => [l, JSON.parse(read(`text/${l}.json`))]));
const scripts = readdirSync(web).filter((name) => name.endsWith(".js"));

const control = { role: "control", person: "ctl" };
const paul = { role: "supervisor", person: "paul" };
const alert = (fields = {}) => ({ id: "a", v: 1, state: "asked", kind: "panic", category: "none", marks: [], paths: ["data"], urgency: 1, raised_at: 1000, rings: 0,
  heard_at: 1000, carrier: "c1", owner: null, owner_name: null, taken_at: null, progress_at: null, asked: [], passed: [], passed_rest: 0, closed: null, ...fields });
const askedPaul = (fields = {}) => ({ id: "paul", name: "Paul", step: 0, flags: [], asked_at: 1000, seen_at: null, distance_m: 10, ...fields });

test("both languages have the same texts, with the same places for values", () => {
  assert.deepEqual(Object.keys(words.fr).sort(), Object.keys(words.en).sort());
  for (const key of Object.keys(words.fr)) {
    const places = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();
    assert.deepEqual(places(words.fr[key]), places(words.en[key]), key);
    assert.notEqual(words.fr[key].trim(), "", key);
  }
});

test("every text that a script or page names exists, and every text is used", () => {
  const source = scripts.map(read).join("\n") + read("index.html") + read("login.html");
  const named = new Set([...source.matchAll(/(?:say|sayCount|sayNodes)\("(\w+)"/g), ...source.matchAll(/data-(?:t|label)="(\w+)"/g)].map((m) => m[1]));
  for (const key of named) assert.ok(key in words.fr, `no text ${key}`);
  const prefixes = [...source.matchAll(/`(\w+_)\$\{/g)].map((m) => m[1]);
  for (const key of Object.keys(words.fr))
    assert.ok([key, key.replace(/_one$/, "")].some((k) => source.includes(`"${k}"`)) || prefixes.some((p) => key.startsWith(p)), `text ${key} is used nowhere`);
});

test("no page or script has markup from data, inline script, inline style, or words of its own", () => {
  for (const name of scripts) assert.doesNotMatch(read(name), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function/, name);
  for (const name of ["index.html", "login.html"]) {
    assert.doesNotMatch(read(name), /\son\w+=|style=|<style|<script(?![^>]*\bsrc=)/, name);
    assert.equal(read(name).replace(/<[^>]*>/g, " ").replace(/\bVigie\b/g, "").trim(), "", `${name} has words in it`);
  }
});

test("every word the server may send has its text", () => {
  const lists = { state_: ["open", "seen", "exhausted", "no_news", "taken", "en_route", "on_scene", "closed"],
    state_mine_: ["taken", "en_route", "on_scene", "no_news"], kind_: ["panic", "silent", "man_down", "missed_check_in", "drill", "test", "unknown"],
    category_: ["fall", "aggression", "dog", "illness", "other"],
    warn_: ["drill", "silent", "duress", "mistake", "still", "pressed_again", "last_words", "holder_unsure", "bad_position", "bad_time", "restored"],
    warn_unverified_: ["unknown", "revoked", "expired", "signature", "malformed"],
    answer_: ["taken_by_other", "not_allowed", "not_on_duty", "own_alert", "closed", "unknown_alert", "expired", "not_owner", "busy", "malformed", "none"],
    reason_: ["helped", "mistake", "emergency_services", "drill_over", "no_danger", "other"], notice_: ["overdue", "unverified", "technical"],
    passed_: ["carrier", "not_manager", "off_duty", "unreachable", "asked", "not_allowed", "busy", "no_fix", "old_fix", "further", "other"],
    cause_: ["store_away", "positions_away", "disk_full", "clock", "snapshot", "mass_silence", "flood", "silent", "no_coverage", "battery_low", "power_off",
      "sms_failed", "sms_unknown", "duress_after_close", "fenced"],
    sms_: ["due", "handed", "delivered", "failed", "unknown"], told_: ["due", "handed", "delivered", "failed", "unknown"],
    line_sms_: ["due", "handed", "delivered", "failed", "unknown"], line_told_: ["due", "handed", "delivered", "failed", "unknown"],
    path_: ["data", "sms", "ago"], line_news_: ["data", "sms"], by_: ["handset", "console", "sms"], asked_: ["joined", "declined"],
    do_: ["decline", "take", "take_over", "join", "release", "en_route", "on_scene", "close"], login_: ["wrong", "wait", "busy", "away", "role"] };
  for (const [prefix, list] of Object.entries(lists)) for (const word of list) assert.ok(`${prefix}${word}` in words.fr, prefix + word);
});

test("the one obvious button", () => {
  const cases = [
    [alert(), paul, "take"],
    [alert(), control, "take"],
    [alert({ state: "seen" }), paul, "take"],
    [alert({ carrier: "paul" }), paul, null],
    [alert({ state: "taken", owner: "paul" }), paul, "en_route"],
    [alert({ state: "en_route", owner: "paul" }), paul, "on_scene"],
    [alert({ state: "on_scene", owner: "paul" }), paul, "close"],
    [alert({ state: "taken", owner: "ines" }), paul, "join"],
    [alert({ state: "taken", owner: "ines", asked: [askedPaul({ flags: ["joined"] })] }), paul, null],
    [alert({ state: "taken", owner: "ines", marks: ["no_news"] }), paul, "take"],
    [alert({ state: "closed" }), paul, null],
    [alert(), { role: "admin", person: "adm" }, null],
  ];
  for (const [a, me, expected] of cases) assert.equal(rules.actions(a, me).primary, expected, JSON.stringify([a.state, a.owner, a.marks, me.person]));
  assert.deepEqual(rules.actions(alert(), paul).others, []);
  assert.deepEqual(rules.actions(alert({ asked: [askedPaul()] }), paul).others, ["decline"]);
  assert.deepEqual(rules.actions(alert({ asked: [askedPaul({ flags: ["declined"] })] }), paul), { primary: "take", others: [] });
  assert.deepEqual(rules.actions(alert(), control).others, ["close"]);
  assert.deepEqual(rules.actions(alert({ state: "taken", owner: "paul" }), paul).others, ["on_scene", "close", "release"]);
});

test("the control room is on no round: it takes over, and does not come as well", () => {
  assert.deepEqual(rules.actions(alert({ state: "en_route", owner: "ines" }), control), { primary: null, others: ["take", "close"] });
  assert.deepEqual(rules.actions(alert({ state: "en_route", owner: "ines", marks: ["no_news"] }), control), { primary: "take", others: ["close"] });
});

test("who has it and was not heard of is asked, and can say so, also on the scene", () => {
  const silent = (state) => alert({ state, owner: "paul", marks: ["no_news"] });
  assert.deepEqual(rules.actions(silent("taken"), paul), { primary: "take", others: ["en_route", "on_scene", "close", "release"] });
  assert.deepEqual(rules.actions(silent("en_route"), paul), { primary: "take", others: ["on_scene", "close", "release"] });
  assert.deepEqual(rules.actions(silent("on_scene"), paul), { primary: "take", others: ["close", "release"] });
  assert.equal(rules.headline(silent("on_scene"), paul).key, "state_mine_no_news");
  assert.equal(rules.headline(silent("on_scene"), control).key, "state_no_news");
});

test("who asked to take it is beaten by another's take, and by nothing that happens to who had it before", () => {
  const ines = alert({ state: "taken", owner: "ines", marks: ["no_news"] });
  assert.equal(rules.isBeaten(alert({ state: "taken", owner: "ines" }), alert(), paul), true);
  assert.equal(rules.isBeaten(alert({ ...ines, battery: 7 }), ines, paul), false);
  assert.equal(rules.isBeaten(alert({ state: "taken", owner: "zoe" }), ines, paul), true);
  assert.equal(rules.isBeaten(alert({ state: "taken", owner: "paul" }), ines, paul), false);
  assert.equal(rules.isBeaten(alert(), ines, paul), false);
});

test("what rings, and how loud", () => {
  const cases = [
    [{}, "normal"], [{ state: "seen" }, "normal"], [{ marks: ["exhausted"] }, "loud"], [{ state: "taken", owner: "x" }, null],
    [{ state: "en_route", owner: "x", marks: ["no_news"] }, "normal"], [{ kind: "drill" }, "soft"], [{ marks: ["drill", "exhausted"] }, "soft"],
    [{ marks: ["unverified"] }, "soft"], [{ state: "closed" }, null], [{ marks: ["mistake"] }, "normal"], [{ marks: ["silent"] }, "normal"],
  ];
  for (const [fields, expected] of cases) assert.equal(rules.ringOf(alert(fields)), expected, JSON.stringify(fields));
  assert.equal(rules.ringOfAll([alert({ kind: "drill" }), alert({ marks: ["exhausted"] }), alert()], []), "loud");
  assert.equal(rules.ringOfAll([], [{ rings: true, acked_by: null }]), "soft");
  assert.equal(rules.ringOfAll([alert()], [{ kind: "duress", rings: true, acked_by: null }]), "loud", "somebody is forced, and their alert is closed: nothing else rings for them");
  assert.equal(rules.ringOfAll([], [{ kind: "duress", rings: true, acked_by: "ctl" }]), null);
  assert.equal(rules.ringOfAll([], [{ rings: true, acked_by: "ctl" }, { rings: false, acked_by: null }]), null);
});

test("it rings anew when it begins to ring, and each time all are rung again", () => {
  const cases = [
    [{}, null, true], [{ rings: 1 }, {}, true], [{ rings: 1 }, { rings: 1 }, false], [{}, { state: "taken", owner: "x" }, true],
    [{ marks: ["unverified"], rings: 2 }, { marks: ["unverified"], rings: 1 }, true], [{ state: "taken", owner: "x", rings: 1 }, {}, false],
    [{ state: "taken", owner: "x", marks: ["no_news"], rings: 2 }, { state: "taken", owner: "x", marks: ["no_news"], rings: 1 }, true],
    [{ state: "closed", rings: 1 }, {}, false],
  ];
  for (const [now, before, expected] of cases) assert.equal(rules.ringsAgain(alert(now), before && alert(before)), expected, JSON.stringify([now, before]));
});

test("why others were not asked is grouped, what can be changed first, and a newer reason is not lost", () => {
  const passed = [["a", "further"], ["b", "unreachable"], ["c", "further"], ["d", "in_orbit"]].map(([id, reason]) => ({ id, reason }));
  assert.deepEqual(rules.passedBy(alert({ passed })), [["unreachable", ["b"]], ["further", ["a", "c"]], ["other", ["d"]]]);
  assert.deepEqual(rules.passedBy(alert()), []);
});

test("nobody is told to call a phone that must not ring", () => {
  for (const fields of [{ kind: "silent" }, { marks: ["silent"] }, { marks: ["duress", "mistake"] }]) assert.ok(rules.doNotCall(alert(fields)));
  assert.ok(!rules.doNotCall(alert({ marks: ["mistake"] })));
  const forced = rules.warnings(alert({ marks: ["duress", "mistake", "silent"] })).map(([key]) => key);
  assert.deepEqual(forced, ["warn_duress"]);
  assert.ok(!rules.closeReasons(alert({ marks: ["duress", "mistake"] })).includes("mistake"));
  assert.equal(rules.closeReasons(alert({ marks: ["mistake"] }))[0], "mistake");
  assert.ok(!rules.closeReasons(alert()).includes("drill_over"));
});

test("a phone is called silent 20 s after it was last heard", () => {
  assert.equal(rules.silentSince(alert({ heard_at: 5000 }), 25000), null);
  assert.equal(rules.silentSince(alert({ heard_at: 5000 }), 25001), 5000);
  assert.equal(rules.silentSince(alert({ heard_at: 5000, state: "closed" }), 99999), null);
  const came = (fields) => rules.isBySms(alert(fields)); // then it is said otherwise
  assert.deepEqual([came({ sms_at: 9 }), came({ sms_at: 9, data_at: 5 }), came({ sms_at: 5, data_at: 9 }), came({ data_at: 9 }), came({})], [true, true, false, false, false]);
});

test("seen is owed by those asked, and by the control room while nobody has seen it", () => {
  assert.ok(rules.owesSeen(alert({ asked: [askedPaul()] }), paul));
  assert.ok(!rules.owesSeen(alert({ asked: [askedPaul({ seen_at: 5 })] }), paul));
  assert.ok(!rules.owesSeen(alert(), paul));
  assert.ok(rules.owesSeen(alert(), control));
  assert.ok(!rules.owesSeen(alert({ state: "seen" }), control));
});

test("what happened, in order", () => {
  const lines = rules.timeline(alert({ state: "en_route", owner: "paul", owner_name: "Paul", taken_at: 4000, progress_at: 9000, raised_at: 1000,
    asked: [askedPaul({ asked_at: 1500, seen_at: 3000 }), askedPaul({ name: "Inès", asked_at: 2000, distance_m: null })] }));
  assert.deepEqual(lines.map((l) => l.key), ["line_raised", "line_asked_at", "line_asked", "line_seen", "line_taken", "line_en_route"]);
});

test("an alert's paths, the newest news first, and what came by SMS in the history", () => {
  assert.deepEqual(rules.cameBy(alert({ paths: ["data", "sms"], data_at: 1000, sms_at: 9000 })), [["sms", 9000], ["data", 1000]]);
  assert.deepEqual(rules.cameBy(alert({ data_at: null, sms_at: null })), [["data", null]]); // an older dispatcher's
  const lines = rules.timeline(alert({ state: "taken", paths: ["data", "sms"], data_at: 2000, sms_at: 9000, owner: "paul", owner_name: "Paul", owner_by: "sms",
    taken_at: 20000, progress_at: 20000, told_sms: { state: "delivered", at: 12000 },
    asked: [askedPaul({ asked_at: 1500, sms: { state: "failed", at: 7000 } }), askedPaul({ name: "Inès", asked_at: 1600, sms: { state: "beamed", at: 8000 } })] }));
  assert.deepEqual(lines.map((l) => [l.key, l.by ?? null]), [["line_raised_both", null], ["line_asked_at", null], ["line_asked_at", null],
    ["line_sms_failed", null], ["line_sms_unknown", null], ["line_news_sms", null], ["line_told_delivered", null], ["line_taken", "sms"]]);
  assert.equal(rules.timeline(alert({ paths: ["sms"], sms_at: 1000 }))[0].key, "line_raised_sms");
  const going = rules.timeline(alert({ state: "en_route", owner: "paul", owner_by: "console", taken_at: 2000, progress_at: 3000 }));
  assert.deepEqual(going.map((l) => [l.key, l.by ?? null]), [["line_raised", null], ["line_taken", null], ["line_en_route", "console"]]);
});

test("a flood leaves the most urgent, and the number of the others", () => {
  const board = new Board();
  for (let i = 0; i <= KEPT_MAX; i++) board.take({ t: "alert", alert: alert({ id: `x${i}`, urgency: i }) });
  assert.equal(board.alerts.size, KEPT_MAX);
  assert.ok(!board.alerts.has("x0") && board.alerts.has(`x${KEPT_MAX}`));
  assert.equal(board.rest, 1);
  board.take({ t: "alert", alert: alert({ id: "x0", v: 2, state: "closed", closed: { by: "c", name: "", reason: "helped", at: 1 } }) });
  assert.equal(board.rest, 0);
  board.rest = 3;
  board.take({ t: "alert", alert: alert({ id: "x0", v: 3, state: "closed", closed: { by: "c", name: "", reason: "helped", at: 1 } }) });
  assert.equal(board.rest, 3, "what became of an SMS after the closure is no other alert");
});

test("the control room: an alert of the rest that changes is counted once; a new one was none of the rest", () => {
  const board = new Board();
  board.take({ t: "hello", now: Date.now(), me: control });
  board.take({ t: "begin" });
  board.take({ t: "end", rest: 2 });
  board.take({ t: "alert", e: "raise", alert: alert({ id: "new" }) });
  assert.equal(board.rest, 2);
  board.take({ t: "alert", e: "update", alert: alert({ id: "of the rest", v: 5 }) });
  board.take({ t: "alert", e: "update", alert: alert({ id: "of the rest", v: 6 }) });
  assert.equal(board.rest, 1);
});

test("the board keeps the newest version, and a snapshot replaces what was open", () => {
  const board = new Board();
  board.take({ t: "hello", now: Date.now(), me: control });
  board.take({ t: "begin" });
  board.take({ t: "alert", alert: alert({ id: "a", v: 3 }) });
  board.take({ t: "alert", alert: alert({ id: "b" }) });
  board.take({ t: "end", rest: 0 });
  board.take({ t: "alert", alert: alert({ id: "a", v: 2, state: "taken" }) });
  assert.equal(board.alerts.get("a").state, "asked");
  board.take({ t: "begin" });
  board.take({ t: "alert", alert: alert({ id: "b", v: 2 }) });
  board.take({ t: "end", rest: 4 });
  assert.deepEqual([...board.alerts.keys()], ["b"]);
  assert.deepEqual(board.closed.map((a) => [a.id, a.closed]), [["a", null]]);
  assert.equal(board.rest, 4);
  board.take({ t: "alert", alert: alert({ id: "b", v: 3, state: "closed", closed: { by: "ctl", name: "", reason: "helped", at: 1 } }) });
  assert.equal(board.alerts.size, 0);
  assert.equal(board.closed[0].id, "b");
});

test("what a snapshot says is so, also where more was shown; closed and open again is said, and rings loudest until somebody has it", () => {
  const board = new Board();
  const closed = { by: "ctl", name: "", reason: "helped", at: 1 };
  const snapshot = (...alerts) => [{ t: "begin" }, ...alerts.map((a) => ({ t: "alert", alert: a })), { t: "end", rest: 0 }].map((m) => board.take(m));
  snapshot(alert({ id: "a", v: 3 }), alert({ id: "b", v: 3 }), alert({ id: "c", v: 3 }));
  board.take({ t: "alert", alert: alert({ id: "a", v: 4, state: "closed", closed }) });
  board.take({ t: "alert", alert: alert({ id: "b", v: 4, state: "taken", owner: "paul" }) });
  snapshot(); // nothing of it is there: closed by nobody knows whom
  const back = snapshot(alert({ id: "a", v: 3 }), alert({ id: "b", v: 3 }));
  assert.deepEqual(back.filter((c) => c.alert).map((c) => [c.alert.id, rules.ringOf(c.alert), rules.ringsAgain(c.alert, c.before)]), [["a", "loud", true], ["b", "normal", true]]);
  assert.deepEqual(board.closed.map((a) => a.id), ["c"]);
  assert.deepEqual(rules.warnings(board.alerts.get("a"))[0], ["warn_reopened", "grave"]);
  assert.deepEqual(rules.warnings(board.alerts.get("b")), []);
  board.take({ t: "alert", alert: alert({ id: "a", v: 5, state: "seen" }) });
  assert.equal(rules.ringOf(board.alerts.get("a")), "loud");
  board.take({ t: "alert", alert: alert({ id: "a", v: 6, state: "taken", owner: "paul" }) });
  assert.equal(rules.ringOf(board.alerts.get("a")), null);
  board.take({ t: "alert", alert: alert({ id: "a", v: 7, state: "closed", closed }) });
  assert.deepEqual([board.alerts.has("a"), board.closed[0].id], [false, "a"]);
});

// ---- the line, with a clock and sockets of the test's

function lines() {
  const made = { sockets: [], now: 1000 };
  class Fake {
    static OPEN = 1;
    constructor() {
      this.readyState = 0;
      made.sockets.push(this);
    }
    close() {
      this.readyState = 2;
    }
  }
  Object.assign(globalThis, { WebSocket: Fake, location: { host: "h" } });
  made.link = new Link({ message() {}, lost() {}, refused() {} });
  made.opened = () => {
    made.sockets.at(-1).readyState = 1;
    made.sockets.at(-1).onopen?.();
  };
  return made;
}

test("a line that has just been opened is given its time to speak; one that is dead, or never opens, is closed", (t) => {
  const made = lines();
  t.mock.method(performance, "now", () => made.now);
  const [socket] = made.sockets;
  made.now += 60000; // the machine slept, or the network was away: this one opened late
  made.opened();
  assert.equal(made.link.isSilent(), true, "nothing was heard yet: the page is blind");
  assert.equal(socket.readyState, 1, "but its first word is on its way");
  made.now += BLIND_MS + 1;
  made.link.isSilent();
  assert.equal(socket.readyState, 2);
  const hung = lines();
  made.now += BLIND_MS + 1;
  hung.link.isSilent();
  assert.equal(hung.sockets[0].readyState, 0, "a slow network takes its time to open");
  made.now += 3 * BLIND_MS;
  hung.link.isSilent();
  assert.equal(hung.sockets[0].readyState, 2, "but not for ever");
});
