// Changes of rounds, buildings and doors: POST /desk/edit (PROTOCOL.md 7.6), all of it or nothing.
import { has, say } from "../words.js";

// Gives { result, how, wrong, rest }; "away" also where nobody answered.
export async function edit(body) {
  try {
    const response = await fetch("desk/edit", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    if (response.status === 413) return { result: "large" };
    return await response.json();
  } catch {
    return { result: "away" };
  }
}

// Has somebody else changed a thing since it was SHOWN?  NOW: as the server has it, undefined where it has it no more.  Gives the key of a
// sentence, or null: FIELDS are as they were.
export function changedSince(shown, now, fields, gone) {
  if (now === undefined) return gone;
  const of = (thing) => JSON.stringify(fields.map((field) => (field === "stops" ? thing.stops.map((stop) => stop.id) : thing[field])));
  return of(shown) === of(now) ? null : "changed_since";
}

// Why an edit was not taken, as text.
export function editSays(answer) {
  const why = answer.wrong?.[0]?.why;
  return why ? say("edit_wrong", { why: ruleSays(why) }) : say({ away: "answer_away", large: "edit_large" }[answer.result] ?? "answer_not_allowed");
}

// The sentence of a rule that the server found broken.
export const ruleSays = (why) => (has(`rule_${why}`) ? say(`rule_${why}`) : say("rule_other", { why }));

// Eight random octets: the id of something new.
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (n) => n.toString(16).padStart(2, "0")).join("");
}
