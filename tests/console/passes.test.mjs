// The pass desk's rules without a browser: texts, what follows for a carrier, files to import, questions over the line.
import test from "node:test";
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { Line, Query } from "../../console/web/passes/line.js";
import * as rules from "../../console/web/passes/rules.js";
import { counted, fileLines, rowsOf, ROWS_MAX, STOPS_MAX } from "../../console/web/passes/table.js";

globalThis.crypto ??= webcrypto; // Node 18
const web = new URL("../../console/web/", import.meta.url);
const read = (name) => readFileSync(new URL(name, web), "utf8");
const words = Object.fromEntries(["fr", "en"].map((l) => [l, JSON.parse(read(`passes/text/${l}.json`))]));
const shared = JSON.parse(read("text/fr.json"));
const scripts = readdirSync(new URL("passes/", web)).filter((name) => name.endsWith(".js")).map((name) => `passes/${name}`);
const source = scripts.filter((name) => !name.endsWith("/rules.js")).map(read).join("\n") + read("passes.html");

test("both languages have the same texts, with the same places for values", () => {
  assert.deepEqual(Object.keys(words.fr), Object.keys(words.en));
  for (const key of Object.keys(words.fr)) {
    const places = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();
    assert.deepEqual(places(words.fr[key]), places(words.en[key]), key);
    assert.notEqual(words.fr[key].trim(), "", key);
  }
});

test("every text that is named exists, every text is used, and none says otherwise than the board's", () => {
  const named = new Set([...source.matchAll(/(?:say|sayCount|sayNodes)\("(\w+)"/g), ...source.matchAll(/data-(?:t|label)="(\w+)"/g),
    ...source.matchAll(/(?:label|none|yes|no|key): "(\w+)"/g)].map((m) => m[1]));
  for (const key of named) assert.ok(key in words.fr || key in shared, `no text ${key}`);
  const prefixes = [...source.matchAll(/`(\w+_)\$\{/g)].map((m) => m[1]);
  for (const key of Object.keys(words.fr))
    assert.ok([key, key.replace(/_one$/, ""), key.replace(/_short$/, "")].some((k) => source.includes(`"${k}"`)) || prefixes.some((p) => key.startsWith(p)), `text ${key} is used nowhere`);
});

test("no script or page has markup from data, inline script, inline style, or words of its own", () => {
  for (const name of scripts) assert.doesNotMatch(read(name), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function/, name);
  const page = read("passes.html");
  assert.doesNotMatch(page, /\son\w+=|style=|<style|<script(?![^>]*\bsrc=)/);
  assert.equal(page.replace(/<[^>]*>/g, " ").replace(/\bVigie\b/g, "").trim(), "");
});

test("every word that the server may send has its text", () => {
  const lists = { answer_: ["not_allowed", "unknown", "own", "revoked_phone", "no_pin", "empty_round", "bad_time", "too_long", "not_now", "over", "other_carrier", "wrong_challenge", "full",
    "keeper_none", "keeper_away", "keeper_many", "keeper_full", "keeper_failed", "keeper_clock", "away", "busy", "none", "not_sent"],
    keeper_: ["none", "away", "list"], vault_: ["none", "locked", "open", "destroyed", "unknown", "revoked"], pass_: ["waiting", "phone", "failed", "over", "revoked"],
    door_: ["good", "told", "unheard", "page", "opens_old", "over"], class_: ["nfc", "scanner", "caretaker"], step_: ["passes", "list", "certificate", "sessions", "wipe", "sms"],
    wipe_: ["sent", "done"], two_: ["long", "sensitive"], hinder_: ["no_phone", "revoked", "no_pin", "destroyed", "unheard", "shared", "others"], given_: ["waiting", "phone", "failed"],
    wrong_: ["no_name", "name_long", "address_long", "position", "flag", "caretaker", "round", "twice", "stops"], rule_: ["body", "rows", "id", "name", "address", "position", "flag", "field", "caretaker", "twice", "round_id", "round", "stops", "stop_unknown", "stop_twice",
      "door_building", "door_class", "newer", "value", "drop_unknown", "drop_on_round", "memory", "other"], unlock_: ["asked", "asked_how", "destroyed", "destroyed_how", "sent", "sent_how"],
    import_: ["empty", "header", "quote", "json", "features", "long", "large", "n", "c", "s"] };
  for (const [prefix, list] of Object.entries(lists)) for (const word of list) assert.ok(`${prefix}${word}` in words.fr, prefix + word);
});

test("what stands in the way of a pass", () => {
  const phone = { handset: "a1", revoked: false, ready: true, vault: "locked" };
  assert.equal(rules.hindrance(phone), null);
  assert.equal(rules.hindrance({ ...phone, handset: null }), "no_phone");
  assert.equal(rules.hindrance({ ...phone, revoked: true }), "revoked");
  for (const [vault, word] of [["none", "no_pin"], ["destroyed", "destroyed"], ["unknown", "unheard"], ["newer", "unheard"]])
    assert.equal(rules.hindrance({ ...phone, ready: false, vault }), word);
});

test("the usual round comes first, then the team's, numbers as numbers", () => {
  const rounds = [{ id: "z", name: "Tournée 10", team: "sud" }, { id: "b", name: "Tournée 9", team: "nord" }, { id: "a", name: "Tournée 10 b", team: "nord" }, { id: "u", name: "Zoo", team: "sud" }];
  assert.deepEqual(rules.offered(rounds, { round: "u", team: "nord" }).map((r) => r.id), ["u", "b", "a", "z"]);
  assert.deepEqual(rules.offered(rounds, { round: null, team: null }).map((r) => r.id), ["b", "z", "a", "u"]);
});

test("until when: the clock's next time, a shift by itself, who must agree", () => {
  const now = new Date(2026, 4, 4, 22, 7).getTime();
  const at = (day, h, m) => new Date(2026, 4, day, h, m).getTime();
  assert.equal(rules.untilFrom("23:30", now), at(4, 23, 30));
  assert.equal(rules.untilFrom("06:15", now), at(5, 6, 15));
  assert.equal(rules.untilFrom("22:07", now), at(5, 22, 7));
  for (const bad of ["", "24:00", "12:60", "noon", "1:2"]) assert.equal(rules.untilFrom(bad, now), null, bad);
  assert.equal(rules.defaultUntil(now, 8 * 3600000), at(5, 6, 15));
  const round = { sensitive: false };
  assert.deepEqual(rules.whySecond(round, 12 * 3600000, 12 * 3600000), []);
  assert.deepEqual(rules.whySecond(round, 12 * 3600000 + 1, 12 * 3600000), ["long"]);
  assert.deepEqual(rules.whySecond({ sensitive: true }, 12 * 3600000 + 1, 12 * 3600000), ["long", "sensitive"]);
});

test("live passes first, the one that ends first on top; then the newest that ended", () => {
  const passes = [{ id: "over", state: "over", until: 50, revoked_at: null }, { id: "late", state: "phone", until: 300 }, { id: "revoked", state: "revoked", until: 900, revoked_at: 80 },
    { id: "soon", state: "waiting", until: 200 }, { id: "failed", state: "failed", until: 250 }];
  assert.deepEqual(rules.inOrder(passes).map((p) => p.id), ["soon", "failed", "late", "revoked", "over"]);
});

test("16 characters as they are read out", () => {
  assert.deepEqual(rules.challengeOf("1A2b 3c4d-5e6f.7081"), { hex: "1a2b3c4d5e6f7081" });
  assert.deepEqual(rules.challengeOf("1a2b"), { left: 12 });
  assert.deepEqual(rules.challengeOf("1a2b3c4d5e6f70811"), { left: -1 });
  assert.deepEqual(rules.challengeOf("1a2O"), { bad: "o" });
  assert.deepEqual(rules.challengeOf(""), { left: 16 });
});

test("doors that may still open, the latest first; a time that is past opens nothing", () => {
  const doors = [{ door: "a", until: null }, { door: "b", until: 200 }, { door: "c", until: 300 }, { door: "d", until: 100 }];
  const { open, shut } = rules.doorsNow(doors, 100);
  assert.deepEqual([open.map((d) => d.door), shut.map((d) => d.door)], [["c", "b"], ["a", "d"]]);
});

test("positions, ids and searches as people type them", () => {
  assert.deepEqual(rules.positionOf("45.7652, 4.8345"), { lat: 45.7652, lon: 4.8345 });
  assert.deepEqual(rules.positionOf(" -12;170.5 "), { lat: -12, lon: 170.5 });
  for (const bad of ["", "45.7", "91, 4", "45, 181", "45,7652, 4,8345", "x, y"]) assert.equal(rules.positionOf(bad), null, bad);
  assert.equal(rules.roundId(" Été / Nord 12 "), "ete-nord-12");
  assert.equal(rules.roundId("ü".repeat(40)).length, 32);
  assert.equal(rules.roundId("???"), "");
  assert.equal(rules.searchWords(`  ${"é".repeat(40)}`), "é".repeat(32));
  assert.deepEqual(rules.moved(["a", "b", "c"], 2, 0), ["c", "a", "b"]);
});

// ---- files

const rows = async (name, text) => rowsOf("lyon", fileLines(name, text));

test("a CSV as spreadsheets write it", async () => {
  const out = await rows("a.csv", "\uFEFFRef;Nom;Adresse;Lat;Lon;Sensible;Tournée;Équipe\r\nR1;\"La \"\"Tour\"\";\n2e ligne\";1 rue A;45,75;4,83;oui;69002-14;nord\r\n\r\nR2;;2 rue B;;;;69002-14;\r\n");
  assert.deepEqual(out.wrong, []);
  assert.deepEqual(out.buildings.map((b) => b.line), [2, 5]);
  const [a, b] = out.buildings.map((x) => x.row);
  assert.deepEqual({ ...a, id: "" }, { id: "", name: "La \"Tour\";\n2e ligne", address: "1 rue A", lat: 45.75, lon: 4.83, sensitive: true, qr: true, caretaker: true });
  assert.deepEqual({ ...b, id: "" }, { id: "", name: "2 rue B", address: "2 rue B", lat: null, lon: null, sensitive: false, qr: true, caretaker: true });
  assert.deepEqual(out.rounds, [{ line: 2, row: { id: "69002-14", name: "69002-14", zone: "", team: "nord", buildings: [a.id, b.id], keep: true } }]);
  // the first 8 octets of SHA-256 over "lyon/R1": the same file means the same buildings
  assert.equal(a.id, (await rows("b.csv", "ref,name\nR1,Other")).buildings[0].row.id);
  assert.equal(a.id, "c8b14b51ea43b67f");
});

test("a GeoJSON collection; its own ids stay", async () => {
  const feature = (properties, geometry = { type: "Point", coordinates: [4.8, 45.7, 170] }) => ({ type: "Feature", properties, geometry });
  const out = await rows("x.geojson", JSON.stringify({ type: "FeatureCollection", features: [feature({ id: "00000000000000AB", name: "A", qr: false }), feature({ name: "B" }, null), feature(null)] }));
  assert.deepEqual(out.buildings, [{ line: 1, row: { name: "A", address: "", lat: 45.7, lon: 4.8, sensitive: false, qr: false, caretaker: false, id: "00000000000000ab" } }]);
  assert.deepEqual(out.wrong.map((w) => [w.line, w.why]), [[2, "position"], [3, "no_name"]]);
});

test("wrong lines are named, each for one reason, and the others stand", async () => {
  const lines = ["name,address,lat,lon,sensitive,qr,caretaker,round", ",,,,,,,", "A,,91,0,,,,", "A,,45,,,,,", "A,,45,4,maybe,,,", "A,,,,,no,yes,", `${"n".repeat(65)},,,,,,,`,
    `A,${"a".repeat(129)},,,,,,`, "A,,,,,,,???", "A,,,,,,,r1", "A,,45,4,,,,r2", "A,,,,,,,r2"];
  const out = await rows("a.csv", lines.join("\n"));
  assert.deepEqual(out.wrong.map((w) => [w.line, w.why]), [[3, "position"], [4, "position"], [5, "flag"], [6, "caretaker"], [7, "name_long"], [8, "address_long"], [9, "round"], [11, "twice"]]);
  assert.equal(out.buildings.length, 1);
  assert.deepEqual(out.rounds.map((r) => [r.row.id, r.row.buildings.length]), [["r1", 1], ["r2", 1]]);
});

test("files that are none are refused whole, in words", () => {
  const cases = [["a.csv", "", "empty"], ["a.csv", "name\n", "empty"], ["a.csv", "x,y\n1,2", "header"], ["a.csv", "name\n\"open", "quote"], ["a.json", "{", "json"], ["a.json", "[]", "features"],
    ["a.json", "{\"type\":\"FeatureCollection\",\"features\":[]}", "empty"]];
  for (const [name, text, word] of cases) assert.throws(() => fileLines(name, text), { message: word }, text);
  assert.throws(() => fileLines("a.csv", "name\nA\n\"open\n"), { message: "quote", line: 3 });
  assert.equal(fileLines("a.csv", `name\n${"A\n".repeat(ROWS_MAX)}`).length, ROWS_MAX);
  assert.throws(() => fileLines("a.csv", `name\n${"A\n".repeat(ROWS_MAX + 1)}`), { message: "long" });
});

test("one building too many on a round is said, and is not on it in silence", async () => {
  const file = (n) => `ref,name,round\n${Array.from({ length: n }, (_, i) => `${i},B${i},r`).join("\n")}`;
  assert.deepEqual((await rows("a.csv", file(STOPS_MAX))).wrong, []);
  const more = await rows("a.csv", file(STOPS_MAX + 1));
  assert.deepEqual(more.wrong.map((w) => [w.line, w.why]), [[STOPS_MAX + 2, "stops"]]);
  assert.equal(more.rounds[0].row.buildings.length, STOPS_MAX); // the others can be taken
});

test("letters of what would change", () => {
  assert.deepEqual(["n", "c", "s"].map((c) => counted("nnsc", c)), [2, 1, 1]);
  assert.equal(counted(undefined, "n"), 0);
});

// ---- the line

function made() {
  const sent = [];
  const line = new Line({ send: (object) => (sent.push(object), line.open !== false) });
  line.take({ t: "hello", now: Date.now(), me: { role: "issuer" } });
  line.take({ t: "tick", now: Date.now(), store: true, since: null, why: null });
  return { line, sent, desk: (fields = {}) => line.take({ t: "desk", may: ["issue"], keeper: null, ready: true, ...fields }) };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("a command's answer finds it; a cut line answers for everybody", async () => {
  const { line, sent, desk } = made();
  desk();
  const done = line.give({ t: "pass_revoke", pass: "p" });
  const open = line.give({ t: "pass_revoke", pass: "q" });
  line.take({ t: "answer", c: sent[0].c, a: "done", more: null });
  assert.equal((await done).a, "done");
  line.lost();
  assert.equal((await open).a, "none");
  line.open = false;
  assert.equal((await line.give({ t: "pass_revoke", pass: "r" })).a, "not_sent");
  assert.equal(line.pending.size, 0);
});

test("a question is asked once the books are there, again at a change that concerns it, and only its newest answer is shown", async () => {
  const { line, sent, desk } = made();
  const shown = [];
  const query = new Query(line, ["pass"], (l) => l.find("pass", "x"), (found) => shown.push(found.items));
  query.open();
  assert.equal(sent.length, 0);
  desk({ ready: false });
  assert.equal(sent.length, 0);
  desk();
  line.take({ t: "desk_changed", what: ["round"] });
  assert.equal(sent.length, 1);
  line.take({ t: "desk_changed", what: ["round", "pass"] });
  line.take({ t: "desk_found", c: sent[1].c, what: "pass", items: ["new"], rest: 0 });
  line.take({ t: "desk_found", c: sent[0].c, what: "pass", items: ["old"], rest: 0 });
  await turn();
  assert.deepEqual(shown, [["new"]]);
  query.close();
  line.take({ t: "desk_changed", what: ["pass"] });
  assert.equal(sent.length, 2);
  query.close();
  line.lost();
});

test("a store that comes back has all asked again", () => {
  const { line, sent, desk } = made();
  desk();
  const query = new Query(line, ["pass"], (l) => l.find("pass", ""), () => {});
  query.open();
  line.take({ t: "tick", now: 1, store: false, since: 1, why: "store_away" });
  assert.equal(line.isWhole(), false);
  line.take({ t: "tick", now: 1, store: true, since: null, why: null });
  assert.equal(sent.length, 2);
  query.close();
  line.lost();
});
