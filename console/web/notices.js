// Notices: carriers not heard of, senders that are limited, technical facts.  Each stands until it is over; "I have seen it" stops the
// ringing for everybody.
import { el, bdi, byId } from "./dom.js";
import { say, sayCount, sayNodes, accuracyText, clock, has } from "./words.js";
import { ringOfNotice } from "./rules.js";

const KINDS = ["overdue", "unverified", "technical", "duress"];

function title(notice) {
  const cause = has(`cause_${notice.cause}`) ? say(`cause_${notice.cause}`) : notice.cause;
  if (notice.kind === "technical") return el("strong", {}, cause, notice.count > 1 ? ` (${notice.count})` : "");
  if (notice.kind === "duress") return el("strong", {}, cause);
  const key = `notice_${KINDS.includes(notice.kind) ? notice.kind : "technical"}${notice.count === 1 ? "_one" : ""}`;
  const where = notice.zone_name ? [" · ", bdi(notice.zone_name)] : [];
  const why = notice.kind === "overdue" && notice.cause !== "silent" ? [" · ", cause] : [];
  return el("strong", {}, sayNodes(key, { n: String(notice.count) }), ...where, ...why);
}

function names(notice) {
  if (notice.names.length === 0) return null;
  const line = (n) => el("li", {}, bdi(n.name, "who"), n.round ? el("span", {}, sayNodes("round", { round: n.round })) : null,
    n.heard_at ? el("span", {}, say("heard_at", { time: clock(n.heard_at, false) })) : null,
    n.position ? el("span", {}, say("position_at", { time: clock(n.position.at, false), accuracy: accuracyText(n.position) })) : null,
    n.position ? el("a", { href: `geo:${n.position.lat},${n.position.lon}?q=${n.position.lat},${n.position.lon}`, class: "geo" }, say("open_in_maps")) : null,
    n.number ? el("a", { href: `tel:${n.number}` }, el("span", {}, sayNodes("call", { number: n.number }))) : null);
  const rest = notice.count - notice.names.length;
  return el("details", {}, el("summary", {}, say("notice_names")), el("ul", {}, ...notice.names.map(line),
    rest > 0 ? el("li", {}, sayCount("and_others", rest)) : null));
}

export class Notices {
  constructor(send) {
    this.send = send;
    this.ringing = byId("notices"); // above the alerts: somebody must read them
    this.standing = byId("facts");  // below: read already, or not urgent
    this.made = new Map();
  }

  update(board) {
    const rank = (n) => ["soft", "loud"].indexOf(ringOfNotice(n));
    const sorted = [...board.notices].sort(([, a], [, b]) => rank(b) - rank(a) || b.since - a.since);
    const nameOf = (id) => board.people.get(id)?.name ?? id;
    for (const key of [...this.made.keys()]) if (!board.notices.has(key)) this.made.delete(key);
    const boxes = [[], []];
    for (const [key, notice] of sorted) {
      const by = notice.acked_by ? nameOf(notice.acked_by) : null;
      const text = JSON.stringify([notice, by]);
      const made = this.made.get(key);
      if (made?.text !== text) {
        const element = this.element(key, notice, by);
        if (made?.element.querySelector("details")?.open) element.querySelector("details")?.setAttribute("open", "");
        this.made.set(key, { text, element });
      }
      boxes[ringOfNotice(notice) !== null ? 0 : 1].push(this.made.get(key).element);
    }
    [this.ringing, this.standing].forEach((box, i) => {
      const elements = boxes[i];
      if (elements.length !== box.children.length || elements.some((e, n) => box.children[n] !== e)) box.replaceChildren(...elements);
    });
  }

  element(key, notice, by) {
    const rings = ringOfNotice(notice) !== null;
    const acked = by !== null ? el("span", { class: "small" }, sayNodes("acked_by", { name: by })) : null;
    const button = rings ? el("button", { type: "button", onclick: () => this.send({ t: "ack", notice: key }) }, say("ack")) : null;
    const line = el("p", {}, title(notice), el("span", { class: "small" }, say("since", { time: clock(notice.since, false) })), acked, button);
    return el("article", { class: `notice notice-${notice.kind}${rings ? " rings" : ""}` }, line, names(notice));
  }
}
