// Who still gets in: per door until when at the latest, those that open longest on top (PROTOCOL.md 7.5).
import { el, bdi } from "../dom.js";
import { has, say, sayCount, sayNodes } from "../words.js";
import { doorsNow } from "./rules.js";
import { when } from "./times.js";

// A caretaker's page tells nobody which list it has.
function why(door) {
  const word = door.why === "unheard" && door.door === null ? "page" : door.why;
  return has(`door_${word}`) ? say(`door_${word}`) : "";
}

function line(door, now) {
  const name = door.door === null ? say("door_caretaker") : door.door_name || say(`class_${door.class}`);
  const until = door.until !== null && door.until > now ? el("strong", { class: "open" }, say("open_until", { time: when(door.until, now) })) : el("strong", { class: "shut" }, say("open_no_more"));
  return el("li", {}, bdi(door.name || door.building, "who"), until, el("span", { class: "small" }, bdi(name), " · ", why(door)));
}

const SHOWN = 10; // of a long list; the rest is one click away

// LIST's lines, the first ones in sight.
function lines(list, now) {
  const rest = list.length > SHOWN + 2 ? list.slice(SHOWN) : [];
  return [el("ul", {}, ...list.slice(0, list.length - rest.length).map((d) => line(d, now))),
    rest.length > 0 ? el("details", {}, el("summary", {}, sayCount("and_others", rest.length)), el("ul", {}, ...rest.map((d) => line(d, now)))) : null];
}

// The list for DOORS; a sentence first.  A revoked pass: which doors have not heard yet.
export function doorsList(doors, now, revoked) {
  if (doors.length === 0) return el("p", {}, say("doors_none"));
  const { open, shut } = doorsNow(doors, now);
  const many = new Set(open.map((d) => d.building)).size;
  const last = open.length > 0 ? when(open[0].until, now) : "";
  const sentence = open.length === 0 ? say("doors_all_shut") : revoked ? sayCount("doors_still_open", open.length, { last }) : sayCount("doors_open", many, { last });
  return el("div", { class: "doors" }, el("p", { class: open.length > 0 && revoked ? "grave" : "" }, sentence),
    ...lines(open, now),
    shut.length > 0 ? el("details", { open: open.length === 0 && shut.length <= 10 }, el("summary", {}, sayCount("doors_shut", shut.length)), el("ul", {}, ...shut.map((d) => line(d, now)))) : null,
    el("p", { class: "small" }, sayNodes("doors_how")));
}
