// The list of cards, most urgent first, and the alerts closed lately below it.
import { el, bdi, byId, fill, show } from "./dom.js";
import { say, sayCount, sayNodes } from "./words.js";
import { Card, closedText } from "./card.js";
import { byUrgency, owesSeen } from "./rules.js";

// Cards shown at once: more than anybody reads; the rest is counted.
const CARDS_MAX = 60;
const CLOSED_SHOWN = 8;

export class Cards {
  // on: { verb(card, verb), select(id), seen(alert) }
  constructor(on) {
    this.on = on;
    this.cards = new Map();
    this.list = byId("alerts");
    this.selected = null;
    this.watcher = new IntersectionObserver((entries) => this.looked(entries), { threshold: 0.4 });
    this.inView = new Set();
    this.said = new Set();
  }

  get(id) {
    return this.cards.get(id);
  }

  // Bring the list to what BOARD knows.
  update(board) {
    const sorted = [...board.alerts.values()].sort(byUrgency);
    const shown = sorted.slice(0, CARDS_MAX);
    const ids = new Set(shown.map((a) => a.id));
    for (const [id, card] of this.cards) if (!ids.has(id)) this.remove(id, card);
    if (!ids.has(this.selected)) this.selected = shown[0]?.id ?? null;
    this.me = board.me;
    shown.forEach((alert) => this.put(alert, board));
    this.order(shown);
    const rest = sorted.length - shown.length + board.rest;
    show(byId("rest"), rest > 0);
    fill(byId("rest"), sayCount("rest", rest));
    this.updateClosed(board);
    this.sayCalm(board);
  }

  put(alert, board) {
    let card = this.cards.get(alert.id);
    if (!card) {
      card = new Card(alert, { verb: this.on.verb, select: (c) => this.select(c.alert.id, board) });
      this.cards.set(alert.id, card);
      this.watcher.observe(card.element);
    }
    if (alert.id === this.selected && !card.selected) this.unfold(card);
    card.selected = alert.id === this.selected;
    card.update(alert, board);
  }

  // Where there is room, the control room reads who was asked without a click.
  unfold(card) {
    if (this.me.role === "control" && innerWidth > 820) card.more.open = true;
  }

  remove(id, card) {
    this.watcher.unobserve(card.element);
    this.inView.delete(id);
    card.element.remove();
    this.cards.delete(id);
  }

  // Put the elements in order; keep the focus on what had it.
  order(alerts) {
    const focused = document.activeElement;
    alerts.forEach((alert, i) => {
      const card = this.cards.get(alert.id);
      if (this.list.children[i] === card.element) return;
      this.list.insertBefore(card.element, this.list.children[i] ?? null);
    });
    if (focused && focused !== document.activeElement && this.list.contains(focused)) focused.focus({ preventScroll: true });
  }

  // After each drawing: which cards stand elsewhere now.  They take no click for a moment (card.js).
  noteMoves() {
    for (const card of this.cards.values()) {
      const top = card.element.offsetTop;
      if (card.top !== top) card.movedAt = performance.now();
      card.top = top;
    }
  }

  // The selected card is shown whole, the others short; it stays where it is on the screen.
  select(id, board) {
    if (this.selected === id) return;
    const { element } = this.cards.get(id);
    const top = element.getBoundingClientRect().top;
    this.selected = id;
    for (const card of this.cards.values()) {
      if (card.alert.id === id) this.unfold(card);
      card.selected = card.alert.id === id;
      card.element.classList.toggle("selected", card.selected);
    }
    const moved = element.getBoundingClientRect().top - top;
    const scroller = this.list.closest("#left");
    if (scroller.scrollHeight > scroller.clientHeight) scroller.scrollTop += moved;
    else scrollBy(0, moved);
    this.noteMoves();
    this.on.select(id, board);
  }

  // Which cards are on a screen that somebody can see.
  looked(entries) {
    for (const entry of entries) {
      if (entry.isIntersecting) this.inView.add(entry.target.dataset.id);
      else this.inView.delete(entry.target.dataset.id);
    }
    this.saySeen();
  }

  saySeen() {
    if (document.visibilityState !== "visible" || !this.me) return;
    for (const id of this.inView) {
      const alert = this.cards.get(id)?.alert;
      if (!alert || this.said.has(id) || !owesSeen(alert, this.me)) continue;
      if (this.on.seen(alert)) this.said.add(id);
    }
  }

  // What was said may have been lost with the store's last second: who still owes it says it again.
  forgetSaid() {
    this.said.clear();
  }

  tick(board) {
    for (const card of this.cards.values()) card.tick(board.now());
  }

  updateClosed(board) {
    const box = byId("closed");
    const shown = board.closed.slice(0, CLOSED_SHOWN);
    show(box, shown.length > 0);
    fill(box.querySelector("summary"), say("closed_lately", { n: shown.length }));
    fill(box.querySelector("ul"), ...shown.map((alert) => el("li", {}, bdi(alert.carrier_name ?? say("unknown_carrier"), "who"), el("span", {}, closedText(alert)))));
  }

  sayCalm(board) {
    const calm = byId("calm");
    show(calm, board.alerts.size === 0 && board.me.role !== "admin");
    fill(calm, board.whole ? sayNodes(board.me.role === "supervisor" ? "calm_supervisor" : "calm") : say("connecting"));
  }
}
