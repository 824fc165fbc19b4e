// Closing an alert: a few large choices; a note if one wishes.  One choice closes.
import { el, byId } from "./dom.js";
import { say, sayNodes } from "./words.js";
import { closeReasons } from "./rules.js";

const NOTE_OCTETS = 200;

// Cut to what the server takes, at a whole character.
function cut(text) {
  let out = "";
  let left = NOTE_OCTETS;
  for (const c of text) {
    left -= new TextEncoder().encode(c).length;
    if (left < 0) break;
    out += c;
  }
  return out;
}

export class Closing {
  constructor(close) {
    this.close = close;
    this.dialog = byId("closing");
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
  }

  ask(alert) {
    const note = el("input", { type: "text", id: "note", maxlength: NOTE_OCTETS, autocomplete: "off" });
    const choose = (reason) => {
      const text = cut(note.value.trim());
      this.dialog.close();
      this.close(alert, { reason, ...(text ? { note: text } : {}) });
    };
    const reasons = closeReasons(alert).map((reason) => el("button", { type: "button", class: `reason reason-${reason}`, onclick: () => choose(reason) }, say(`reason_${reason}`)));
    this.dialog.replaceChildren(el("h2", { id: "closing-title" }, sayNodes("close_title", { name: alert.carrier_name ?? say("unknown_carrier") })),
      el("p", {}, say("close_text")), el("label", { for: "note" }, say("close_note")), note, el("div", { class: "reasons" }, ...reasons),
      el("button", { type: "button", class: "quiet", onclick: () => this.dialog.close() }, say("close_not")));
    this.dialog.setAttribute("aria-labelledby", "closing-title");
    this.dialog.showModal();
    reasons[0].focus();
  }
}

