// What follows from an alert for the person looking: no DOM and no clock in here, so that plain tests reach all of it.

export const SILENT_AFTER_MS = 20000;
const NEWS_MS = 1000; // copies of one press that come within it are one line of the history
export const OPEN_STATES = ["raised", "asked", "seen"];

const marked = (alert, mark) => alert.marks.includes(mark);

export function isDrill(alert) {
  return alert.kind === "drill" || marked(alert, "drill");
}

export function isTaken(alert) {
  return !OPEN_STATES.includes(alert.state) && alert.state !== "closed";
}

export function isMine(alert, me) {
  return isTaken(alert) && alert.owner === me.person;
}

export function myAsked(alert, me) {
  return alert.asked.find((a) => a.id === me.person) ?? null;
}

// May nobody ring this phone?  A ringing phone betrays a carrier who is hiding or being forced.
export function doNotCall(alert) {
  return alert.kind === "silent" || marked(alert, "silent") || marked(alert, "duress");
}

// Where an owner may still get to.
const NEXT = { taken: ["en_route", "on_scene"], en_route: ["on_scene"], on_scene: [] };

// The one obvious button, and the others, as command verbs.
export function actions(alert, me) {
  if (alert.state === "closed" || me.role === "admin") return { primary: null, others: [] };
  if (alert.carrier && alert.carrier === me.person) return { primary: null, others: [] };
  const control = me.role === "control";
  const close = control ? ["close"] : [];
  const flags = myAsked(alert, me)?.flags ?? null;
  const joined = flags?.includes("joined") ?? false;
  if (!isTaken(alert)) return { primary: "take", others: flags && !flags.includes("declined") ? ["decline", ...close] : close };
  if (isMine(alert, me)) {
    if (marked(alert, "no_news")) return { primary: "take", others: [...NEXT[alert.state], "close", "release"] };
    if (alert.state === "taken") return { primary: "en_route", others: ["on_scene", "close", "release"] };
    if (alert.state === "en_route") return { primary: "on_scene", others: ["close", "release"] };
    return { primary: "close", others: ["release"] };
  }
  if (marked(alert, "no_news")) return { primary: "take", others: [...(joined || control ? [] : ["join"]), ...close] };
  if (control) return { primary: null, others: ["take", ...close] }; // it goes nowhere itself
  return { primary: joined ? null : "join", others: close };
}

// How an alert rings here: "loud", "normal", "soft", or null.
export function ringOf(alert) {
  if (alert.state === "closed") return null;
  if (isTaken(alert) && !marked(alert, "no_news")) return null;
  if (isDrill(alert) || marked(alert, "unverified")) return "soft";
  return marked(alert, "exhausted") || alert.reopened ? "loud" : "normal";
}

// Must this page ring anew, also where it was hushed?  BEFORE is the same alert as it was, or null.
export function ringsAgain(alert, before) {
  return ringOf(alert) !== null && (before === null || ringOf(before) === null || alert.rings > before.rings);
}

const LOUDNESS = { soft: 1, normal: 2, loud: 3 };

// I asked to take ALERT: has somebody else taken it since BEFORE (null: not known)?
export function isBeaten(alert, before, me) {
  return isTaken(alert) && !isMine(alert, me) && alert.owner !== (before?.owner ?? null);
}

// How a notice rings.  One of duress stands for an alert that is closed: nothing else rings for whoever is forced.
export function ringOfNotice(notice) {
  if (!notice.rings || notice.acked_by) return null;
  return notice.kind === "duress" ? "loud" : "soft";
}

// The loudest of all that rings.
export function ringOfAll(alerts, notices) {
  const rings = alerts.map(ringOf);
  rings.push(...notices.map(ringOfNotice));
  return rings.reduce((a, b) => ((LOUDNESS[b] ?? 0) > (LOUDNESS[a] ?? 0) ? b : a), null);
}

// The headline's text key, its colour, and who it names.
export function headline(alert, me) {
  const owner = { name: alert.owner_name ?? alert.owner ?? "?" };
  if (alert.state === "closed") return { key: "state_closed", tone: "closed", values: {} };
  if (isTaken(alert) && marked(alert, "no_news")) return { key: isMine(alert, me) ? "state_mine_no_news" : "state_no_news", tone: "open", values: owner };
  if (isMine(alert, me)) return { key: `state_mine_${alert.state}`, tone: "mine", values: {} };
  if (isTaken(alert)) return { key: `state_${alert.state}`, tone: "taken", values: owner };
  if (marked(alert, "exhausted")) return { key: "state_exhausted", tone: "exhausted", values: {} };
  return { key: alert.state === "seen" ? "state_seen" : "state_open", tone: "open", values: {} };
}

// Sentences under the name, most important first: [key, tone].
export function warnings(alert) {
  const out = [];
  if (alert.reopened) out.push(["warn_reopened", "grave"]);
  if (isDrill(alert)) out.push(["warn_drill", "drill"]);
  if (marked(alert, "unverified")) out.push([`warn_unverified_${alert.why_unverified ?? "unknown"}`, "unverified"]);
  if (marked(alert, "duress")) out.push(["warn_duress", "grave"]);
  else if (doNotCall(alert)) out.push(["warn_silent", "grave"]);
  if (marked(alert, "still")) out.push(["warn_still", "grave"]);
  if (marked(alert, "pressed_again")) out.push(["warn_pressed_again", "grave"]);
  if (marked(alert, "mistake") && !marked(alert, "duress")) out.push(["warn_mistake", "note"]);
  if (marked(alert, "last_words")) out.push(["warn_last_words", "note"]);
  if (marked(alert, "holder_unsure")) out.push(["warn_holder_unsure", "note"]);
  if (marked(alert, "bad_position")) out.push(["warn_bad_position", "note"]);
  if (marked(alert, "bad_time")) out.push(["warn_bad_time", "note"]);
  if (marked(alert, "restored")) out.push(["warn_restored", "note"]);
  return out;
}

// Since when the phone says nothing, or null.
export function silentSince(alert, now) {
  return alert.state !== "closed" && alert.heard_at && now - alert.heard_at > SILENT_AFTER_MS ? alert.heard_at : null;
}

// Whether the last news of the phone came by SMS: it has no data then, and 20 s without a word are nothing odd.
export function isBySms(alert) {
  return Boolean(alert.sms_at) && alert.sms_at > (alert.data_at ?? 0);
}

// The reasons offered at closing, the likeliest first.
export function closeReasons(alert) {
  if (isDrill(alert)) return ["drill_over", "helped", "other"];
  if (marked(alert, "duress")) return ["emergency_services", "helped", "no_danger", "other"];
  if (marked(alert, "mistake")) return ["mistake", "helped", "emergency_services", "no_danger", "other"];
  return ["helped", "emergency_services", "no_danger", "mistake", "other"];
}

// The paths that copies came by, the one with the newest news first: [path, at or null].
export function cameBy(alert) {
  const at = { data: alert.data_at, sms: alert.sms_at };
  return alert.paths.map((path) => [path, at[path] ?? null]).sort((a, b) => (b[1] ?? 0) - (a[1] ?? 0));
}

// What became of an SMS, as the word its text ends with.
export function smsWord(sms) {
  return ["due", "handed", "delivered", "failed"].includes(sms.state) ? sms.state : "unknown";
}

// What happened, oldest first: { at, key, values, by: how somebody answered }.
export function timeline(alert) {
  const both = alert.paths.includes("data") && alert.paths.includes("sms");
  const out = [{ at: alert.raised_at, key: both ? "line_raised_both" : alert.paths.includes("sms") ? "line_raised_sms" : "line_raised", values: {} }];
  for (const [path, at] of cameBy(alert)) if (at - alert.raised_at > NEWS_MS) out.push({ at, key: `line_news_${path}`, values: {} });
  if (alert.told_sms) out.push({ at: alert.told_sms.at, key: `line_told_${smsWord(alert.told_sms)}`, values: {} });
  for (const a of alert.asked) {
    out.push({ at: a.asked_at, key: a.distance_m === null ? "line_asked" : "line_asked_at", values: { name: a.name }, distance: a.distance_m });
    if (a.seen_at) out.push({ at: a.seen_at, key: "line_seen", values: { name: a.name } });
    if (a.sms) out.push({ at: a.sms.at, key: `line_sms_${smsWord(a.sms)}`, values: { name: a.name } });
  }
  const owner = { name: alert.owner_name ?? alert.owner ?? "?" };
  const moved = alert.progress_at && alert.progress_at !== alert.taken_at && isTaken(alert) && alert.state !== "taken";
  if (alert.taken_at) out.push({ at: alert.taken_at, key: "line_taken", values: owner, by: moved ? null : alert.owner_by });
  if (moved) out.push({ at: alert.progress_at, key: `line_${alert.state}`, values: owner, by: alert.owner_by });
  if (alert.closed) out.push({ at: alert.closed.at, key: "line_closed", values: { name: alert.closed.name || alert.closed.by } });
  return out.filter((line) => line.at).sort((a, b) => a.at - b.at);
}

const PASSED = ["unreachable", "busy", "further", "old_fix", "no_fix", "not_allowed", "off_duty", "not_manager", "asked", "carrier", "other"];

// Why others were not asked, what can be changed first: [reason, ids].
export function passedBy(alert) {
  const known = (reason) => (PASSED.includes(reason) ? reason : "other");
  return PASSED.map((reason) => [reason, alert.passed.filter((p) => known(p.reason) === reason).map((p) => p.id)]).filter(([, ids]) => ids.length > 0);
}

// Most urgent first; the server's number decides, the id settles.
export function byUrgency(a, b) {
  return b.urgency - a.urgency || (a.id < b.id ? -1 : 1);
}

// Must this page say that it has shown the alert?  A supervisor where asked and not yet seen; the control room while nobody has.
export function owesSeen(alert, me) {
  if (me.role === "control") return alert.state === "raised" || alert.state === "asked";
  const asked = myAsked(alert, me);
  return asked !== null && !asked.seen_at && alert.state !== "closed";
}
