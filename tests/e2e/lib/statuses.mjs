// Made-up statuses of a handset, one for each thing that its page can show.  PROTOCOL.md of device/handset/host/ has the members.
const NOW = Date.UTC(2026, 4, 4, 8, 30, 0);

const idle = {
  now_ms: NOW, enrolled: true, button: true, trouble: [], role: "carrier", touching: false, alert: null, link: "welcome", link_at_ms: NOW - 60000,
  region: "lyon", name: "Camille Roux", fix: { lat: 45.7577, lon: 4.832, accuracy_m: 12, at_ms: NOW - 4000 }, battery: 80,
  duty: { state: "off", code: 0, ends: false, person: "", round: "", name: "", since_ms: 0, until_ms: 0 },
  proof: { running: false, recorded_at_ms: 0, sent_at_ms: 0, proved_at_ms: 0, fix_at_ms: 0, sms_at_ms: 0 }, question: false,
  man_down_at_ms: 0, check_in_at_ms: 0, missed_at_ms: 0, wrong_pins: 0, refused: 0, ring: 0, rings_more: 0, rings: [], handshakes: 1, resumed: 0,
  vault: { state: "none", working: false, said: null, tries_left: 5, wait_ms: 0, open_ms: 0, challenge: null }, passes: [], shown: null, door: null, list_at_ms: 0,
  asked_pass: null, entered: "", entered_at_ms: 0, wiped_at_ms: 0, opened: [],
  sms: { modem: "none", sending: false, good_at_ms: 0, failed_at_ms: 0, code: 0, failure: null },
};
const onDuty = { state: "on", code: 0, ends: false, person: "c001", round: "bellecour-3", name: "Camille Roux", since_ms: NOW - 3600000,
  until_ms: NOW + 5 * 3600000 };
const alert = (word, more = {}) => ({ word, id: "00112233445566778899aabbccddeeff", drill: false, kind: "panic", category: "none", revision: 1,
  presses: 1, trying: ["not_sent", "sent", "kept"].includes(word), still: false, mistake: false, pressed_at_ms: NOW - 9000, sent_at_ms: NOW - 8000,
  sent_data_at_ms: word === "not_sent" ? 0 : NOW - 8000, sent_sms_at_ms: 0, received_path: ["not_sent", "sent", "kept"].includes(word) ? null : "data",
  received_at_ms: NOW - 7000, state_at_ms: ["not_sent", "sent"].includes(word) ? 0 : NOW - 5000, who: "", reason: null, ...more });
const carrier = (more = {}) => ({ ...idle, duty: onDuty, ...more });
const withAlert = (word, more) => carrier({ alert: alert(word, more) });

// When the region opened its position: in this duty, and by somebody before.
const openings = (read) => [{ at_ms: NOW - 600000, why: "overdue", read }, { at_ms: NOW - 1200000, why: "timer", read: true },
  { at_ms: NOW - 86400000, why: "alert", read: true }, { at_ms: NOW - 172800000, why: "other", read: true }];

const sms = (modem, more = {}) => ({ ...idle.sms, modem, ...more });
const noData = (modem, more = {}) => carrier({ link: "down", link_at_ms: NOW - 60000, sms: sms(modem),
  ...(modem !== "ready" && { button: false, trouble: ["no_path"] }), ...more });

const ring = (more = {}) => ({ id: "ffeeddccbbaa99887766554433221100", version: 1, level: 1, state: "asked", kind: "panic", category: "none", marks: [],
  battery: 60, pressed_at_ms: NOW - 12000, raised_at_ms: NOW - 11500, changed_at_ms: NOW - 11000, heard_at_ms: NOW - 2000,
  place: { lat: 45.76, lon: 4.83, accuracy_m: 12, at_ms: NOW - 9000 }, distance_m: 430, carrier: "Camille Roux", number: "+33600000001",
  round: "bellecour-3", zone: "Presqu’île", owner: "", closed_by: "", note: "", answer_who: "", mine: false, joined: false, seen: true, reason: null,
  asking: null, refused: null, answer: null, ...more });
const supervisor = (rings, more = {}) => ({ ...idle, role: "supervisor", name: "Paul Martin", duty: { ...onDuty, person: "s001", round: "", name: "Paul Martin" },
  rings, ring: Math.max(0, ...rings.map((r) => r.level)), ...more });

// Doors: the vault in a state, and what is in it.
const vault = (state, more = {}) => ({ ...idle.vault, state, ...more });
const building = (n, more = {}) => ({ id: `b${n}`.padEnd(16, "0"), name: `${n}, rue de la République, 69002 Lyon`, distance_m: n * 40, ...more });
const pass = (more = {}) => ({ id: "00aa11bb22cc33dd", from_ms: NOW - 3600000, until_ms: NOW + 5 * 3600000, state: "good", ways: ["caretaker", "scanner"], building_count: 20,
  buildings: Array.from({ length: 20 }, (_, i) => building(i + 1)), ...more });
const locked = (more = {}) => carrier({ vault: vault("locked"), ...more });
const open = (more = {}) => carrier({ vault: vault("open", { open_ms: 500000 }), passes: [pass()], ...more });
// As large as the code of 1,024 buildings; drawn from nothing but arithmetic.
const SIDE = 105;
const qr = Array.from({ length: SIDE }, (_, y) => Array.from({ length: SIDE }, (__, x) => ((x * x + y * 3 + x * y) % 7 < 3 ? "1" : "0")).join(""));
const shown = (more = {}) => ({ pass: "00aa11bb22cc33dd", building: building(3).id, name: building(3).name, way: "caretaker", until_ms: NOW + 9000, qr, ...more });
const door = (more = {}) => ({ held: false, waits: false, trouble: null, building: building(3).id, name: building(3).name, refusal: null, word: null, told_at_ms: 0, ...more });
export const REFUSALS = ["too_long", "malformed", "unknown_key", "wrong_use", "forged", "not_yet", "over", "revoked", "list_too_old", "other_building", "outside_hours",
  "not_so", "other_proof", "stale", "unproved", "replayed"];
export const DOOR_TROUBLES = ["no_reader", "unknown_door", "other_building", "no_vault", "no_answer"];
const four = ["2", "5", "8", "0"].map((d) => `vault-pin-${d}`);

export const HOSTILE = ["<script>document.title='taken'</script><img src=x>", "\u202egnorw \u2066\u061c", "👮🏽‍♀️💣 𝕮𝖆𝖒𝖎𝖑𝖑𝖊"];

// Each: the status, and what to do on the page before looking (clicks on ids).
export const states = {
  "button": { status: { ...idle, fix: null } },
  "button-on-duty": { status: carrier({ proof: { running: false, recorded_at_ms: NOW - 5000, sent_at_ms: NOW - 4900, proved_at_ms: NOW - 4800, fix_at_ms: NOW - 4000,
    sms_at_ms: 0 } }), key: "press" },
  "holding": { status: carrier({ touching: true }), key: "press" },
  "not-sent": { status: withAlert("not_sent"), key: "call-112" },
  "sent": { status: withAlert("sent"), key: "call-112" },
  "kept": { status: withAlert("kept"), key: "call-112" },
  "received": { status: withAlert("received"), key: "word" },
  "asked": { status: withAlert("asked", { category: "dog" }), key: "word" },
  "seen": { status: withAlert("seen"), key: "word" },
  "coming": { status: withAlert("coming", { who: "Inès Caron" }), key: "word" },
  "taken": { status: withAlert("taken", { who: "Jean-Baptiste-M" }), key: "word" },
  "en-route": { status: withAlert("en_route", { who: "Inès Caron" }), key: "word" },
  "on-scene": { status: withAlert("on_scene", { who: "Inès Caron" }), key: "word" },
  "closed": { status: withAlert("closed", { who: "Inès Caron", reason: "helped" }), key: "still" },
  "drill": { status: withAlert("asked", { drill: true, kind: "drill" }), key: "word" },
  "drill-closed": { status: withAlert("closed", { drill: true, kind: "drill", who: "Inès Caron", reason: "drill_over" }), key: "dismiss" },
  "pin": { status: withAlert("received"), clicks: ["mistake", "pin-2", "pin-4", "pin-6"], key: "pin-ok" },
  "pin-wrong": { status: withAlert("received"), clicks: ["mistake", "pin-2", "pin-4", "pin-6", "pin-8", "pin-ok"], then: { wrong_pins: 1 }, key: "pin-leave" },
  "pin-not-sent": { status: withAlert("not_sent"), clicks: ["mistake"], key: "pin-ok" },
  "mistake-told": { status: withAlert("received", { mistake: true }) },
  "silent-asked": { status: carrier(), clicks: ["silent"] },
  "duty-form": { status: { ...idle, duty: { ...idle.duty, person: "c001", round: "bellecour-3" } } },
  "duty-refused": { status: { ...idle, duty: { ...idle.duty, state: "refused", code: 2, person: "c001", round: "nowhere" } } },
  "duty-asked": { status: carrier({ link: "connecting", duty: { ...onDuty, state: "asked" }, proof: { running: true, recorded_at_ms: NOW, sent_at_ms: 0, proved_at_ms: 0,
    fix_at_ms: 0, sms_at_ms: 0 } }), key: "press" },
  "duty-ends": { status: carrier({ duty: { ...onDuty, ends: true, until_ms: NOW - 60000 } }), key: "duty-more" },
  "trouble-not-enrolled": { status: { ...idle, enrolled: false, button: false, trouble: ["not_enrolled", "trust", "no_fix"], link: "down", name: "" }, key: "call-112" },
  "trouble-no-path": { status: carrier({ button: false, trouble: ["no_path"], link: "down" }), key: "press" },
  "trouble-all": { status: carrier({ button: false, trouble: ["journal", "no_path", "key", "trust", "battery"], link: "down" }), key: "call-112" },
  "trouble-not-known": { status: carrier({ button: false, trouble: ["not_known"], link: "up" }), key: "press" },
  ...Object.fromEntries(["absent", "silent", "no_sim", "sim_locked", "no_network"].map((modem) => [`trouble-${modem}`, { status: noData(modem), key: "press" }])),
  "sms-only": { status: noData("ready"), key: "sms-only" },
  "trouble-refused": { status: noData("ready", { button: false, trouble: ["no_path"], sms: sms("ready", { failed_at_ms: NOW - 30000, code: 21, failure: "refused" }) }), key: "press" },
  "sms-no-sim": { status: carrier({ sms: sms("no_sim") }), key: "minor" },
  "sms-proof": { status: carrier({ sms: sms("ready", { good_at_ms: NOW - 86400000 * 12 }), proof: { running: false, recorded_at_ms: NOW - 5000, sent_at_ms: NOW - 4900,
    proved_at_ms: NOW - 4800, fix_at_ms: NOW - 4000, sms_at_ms: NOW - 86400000 * 12 } }), key: "press" },
  "sms-not-sent": { status: noData("ready", { alert: alert("not_sent"), sms: sms("ready", { sending: true }) }), key: "call-112" },
  "sms-refused": { status: noData("ready", { alert: alert("not_sent"), sms: sms("ready", { failed_at_ms: NOW - 3000, code: 21, failure: "refused" }) }), key: "call-112" },
  "sms-not-sent-no-sim": { status: noData("no_sim", { alert: alert("not_sent") }), key: "call-112" },
  "sms-sent": { status: noData("ready", { alert: alert("sent", { sent_data_at_ms: 0, sent_sms_at_ms: NOW - 6000 }) }), key: "call-112" },
  "sms-received": { status: noData("ready", { alert: alert("asked", { sent_data_at_ms: NOW - 8000, sent_sms_at_ms: NOW - 5000, received_path: "sms" }) }), key: "word" },
  "question": { status: carrier({ question: true }), key: "fine-question" },
  "man-down": { status: carrier({ man_down_at_ms: NOW + 24000 }), key: "fine-man-down" },
  "missed": { status: carrier({ missed_at_ms: NOW + 12000, check_in_at_ms: NOW - 1000 }), key: "fine-missed" },
  "check-in": { status: carrier({ check_in_at_ms: NOW + 1200000 }), key: "press" },
  "doors": { status: locked(), key: "press" },
  "doors-set": { status: carrier(), clicks: ["doors"], key: "vault-pin-ok" },
  "doors-set-choice": { status: carrier(), clicks: ["doors", ...four, "vault-pin-ok", ...four, "vault-pin-ok"], key: "press" },
  "doors-locked": { status: locked(), clicks: ["doors"], key: "press" },
  "doors-wrong": { status: locked({ vault: vault("locked", { said: "wrong", tries_left: 4 }) }), clicks: ["doors"], key: "vault-pin-ok" },
  "doors-waiting": { status: locked({ vault: vault("waiting", { said: "wrong", tries_left: 2, wait_ms: 119000 }) }), clicks: ["doors"], key: "press" },
  "doors-destroyed": { status: locked({ vault: vault("destroyed", { tries_left: 0 }) }), clicks: ["doors"], key: "press" },
  "doors-forgotten": { status: locked({ vault: vault("locked", { challenge: "0123456789abcdef" }) }), clicks: ["doors"], key: "press" },
  "doors-list": { status: open(), clicks: ["doors"], key: "press" },
  "doors-empty": { status: open({ passes: [] }), clicks: ["doors"], key: "press" },
  "doors-asked": { status: open({ passes: [], asked_pass: "told" }), clicks: ["doors"], key: "press" },
  "doors-early": { status: open({ passes: [pass({ state: "early" }), pass({ id: "11".repeat(8), state: "over" }), pass({ id: "22".repeat(8), state: "outside_hours" })] }), clicks: ["doors"], key: "press" },
  "doors-revoked": { status: open({ passes: [pass({ state: "revoked" }), pass({ id: "22".repeat(8) })] }), clicks: ["doors"], key: "press" },
  "opened": { status: carrier({ opened: openings(false) }), key: "press" },
  "opened-all": { status: carrier({ opened: openings(true) }), clicks: ["opened-all"], key: "press" },
  "doors-shown": { status: open({ shown: shown() }), key: "qr" },
  "doors-shown-revoked": { status: open({ passes: [pass({ state: "revoked" })], shown: shown() }), key: "shown-revoked" },
  "doors-shown-press": { status: open({ shown: shown({ way: "scanner" }) }), key: "press" },
  "doors-shown-no-path": { status: open({ shown: shown(), link: "down", button: false, trouble: ["no_path"] }), key: "press" },
  "doors-making": { status: open({ shown: shown({ qr: null }) }), key: "press" },
  "doors-in": { status: open({ shown: shown() }), clicks: ["i-am-in"], key: "timer-20" },
  "doors-held": { status: open({ door: door({ held: true }) }), key: "press" },
  "doors-asks": { status: locked({ door: door({ held: true, waits: true, name: "" }) }), key: "vault-pin-ok" },
  "doors-opened": { status: open({ door: door({ held: true, refusal: 0, word: "opened" }) }), key: "timer-20" },
  ...Object.fromEntries(["wrong_use", "list_too_old", "stale"].map((word) => [`doors-refused-${word}`, { status: open({ door: door({ held: true, refusal: REFUSALS.indexOf(word) + 1, word }) }), key: "door-again" }])),
  ...Object.fromEntries(["unknown_door"].map((trouble) => [`doors-trouble-${trouble}`, { status: open({ door: door({ held: true, trouble }) }), key: "door-again" }])),
  "entered": { status: locked({ entered: building(3).name, entered_at_ms: NOW - 60000, check_in_at_ms: NOW + 1140000 }), key: "press" },
  "wiped": { status: { ...idle, enrolled: false, button: false, trouble: ["wiped"], link: "down", name: "", wiped_at_ms: NOW - 5000 }, key: "call-112" },
  "destroyed-mistake": { status: { ...withAlert("received"), vault: vault("destroyed") }, key: "word" },
  "supervisor-off": { status: { ...supervisor([]), duty: idle.duty } },
  "supervisor-none": { status: supervisor([]), key: "ready" },
  "supervisor-deaf": { status: supervisor([], { link: "down", trouble: ["no_path"], button: false }), key: "deaf" },
  "supervisor-trouble": { status: supervisor([], { trouble: ["journal"], button: false }), key: "call-112" },
  "supervisor-ringing": { status: supervisor([ring()]), key: "take-ffeeddccbbaa99887766554433221100" },
  "supervisor-asking": { status: supervisor([ring({ asking: "take" })]) },
  "supervisor-mine": { status: supervisor([ring({ level: 0, state: "taken", owner: "Paul Martin", mine: true })]), key: "on-my-way-ffeeddccbbaa99887766554433221100" },
  "supervisor-other": { status: supervisor([ring({ level: 0, state: "en_route", owner: "Inès Caron" })]), key: "join-ffeeddccbbaa99887766554433221100" },
  "supervisor-beaten": { status: supervisor([ring({ level: 0, state: "taken", owner: "Inès Caron", refused: "take", answer: "taken_by_other", answer_who: "Inès Caron" })]) },
  "supervisor-closing": { status: supervisor([ring({ level: 0, state: "on_scene", owner: "Paul Martin", mine: true })]), clicks: ["close-ffeeddccbbaa99887766554433221100"] },
  "supervisor-closed": { status: supervisor([ring({ level: 0, state: "closed", closed_by: "Salle de contrôle", reason: "helped" })]) },
  "supervisor-duress": { status: supervisor([ring({ level: 2, marks: ["duress"], category: "aggression" })]) },
  "supervisor-silent": { status: supervisor([ring({ kind: "silent", marks: ["silent", "holder_unsure"] })]) },
  "supervisor-no-news": { status: supervisor([ring({ level: 2, state: "taken", owner: "Inès Caron", marks: ["no_news"], heard_at_ms: NOW - 90000 })]) },
  "supervisor-drill": { status: supervisor([ring({ kind: "drill", marks: ["drill"] })]) },
  "supervisor-two": { status: supervisor([ring({ marks: ["exhausted"], level: 2, place: null, distance_m: null }),
    ring({ id: "11".repeat(16), marks: ["unverified", "still", "last_words", "pressed_again"], carrier: "", kind: "unknown", category: "unknown", distance_m: null })]) },
  "supervisor-own": { status: supervisor([ring()], { alert: alert("asked") }), key: "word" },
  "supervisor-hostile": { status: supervisor(HOSTILE.map((name, i) => ring({ id: String(i).repeat(32), carrier: name, zone: name, owner: i ? name : "",
    state: i ? "taken" : "asked" }))) },
};
