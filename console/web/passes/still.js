// What an edit takes off rounds while passes that were given before still open it (PROTOCOL.md 7.6, `still`).
import { el } from "../dom.js";
import { say, sayCount, sayNodes } from "../words.js";
import { when } from "./times.js";

// One sentence a round, and what to do; null: no live pass is concerned.  nameOf(round id): what people call it.
export function stillSays(still, nameOf, now) {
  if (!still?.length) return null;
  const line = ({ round, buildings, passes, until }) => el("li", {}, el("span", {}, sayNodes("still_round", { name: nameOf(round), buildings: sayCount("buildings_n", buildings), passes: sayCount("still_passes", passes),
    time: when(until, now) })), el("a", { href: `#passes/${encodeURIComponent(round)}` }, say("still_look")));
  return el("div", { class: "still" }, el("strong", {}, say("still_title")), el("ul", { class: "plain" }, ...still.map(line)), el("p", {}, say("still_how")));
}
