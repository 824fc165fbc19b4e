// Phones that are nobody's own: who has it now is asked, or which one a carrier takes; and the passes of whoever had it before go first.
import { el, show } from "../dom.js";
import { say, sayNodes } from "../words.js";
import { Sure } from "./keyed.js";
import { phoneNames } from "./phone.js";
import { Search } from "./search.js";
import { nameOf, onShared, othersOn } from "./rules.js";

export class SharedPart {
  // picked(both): a carrier with the shared phone that they have
  constructor(desk, carrier, picked) {
    Object.assign(this, { desk, carrier, picked });
    this.element = el("div", { class: "shared-part" });
    if (!desk.line.may("issue")) return;
    if (carrier.carrier === null && !carrier.revoked) this.find("holder", "carrier", "who_has_it", "no_carriers", (c) => onShared(c, carrier), (all) => all.filter((c) => c.carrier !== null));
    else if (!carrier.handset) this.find("which-phone", "shared", "which_shared", "no_shared", (phone) => onShared(carrier, phone), (all) => all.filter((p) => !p.revoked));
    else this.before();
  }

  find(id, what, label, none, both, keep) {
    const row = (first) => {
      let thing = first;
      const button = el("button", { type: "button", class: "pick", onclick: () => this.picked(both(thing)) });
      return { element: el("li", {}, button), update: (t) => {
        thing = t;
        button.replaceChildren(...phoneNames(t).filter(Boolean));
      } };
    };
    this.search = new Search(this.desk.line, { id, what, label, none, keyOf: (t) => `${t.carrier ?? ""} ${t.handset ?? ""}`, row, keep });
    this.element.append(this.search.element);
    this.search.open();
  }

  // Whoever had the phone before: their passes are revoked by one click and a yes.
  before() {
    this.sure = new Sure({ label: say("others_revoke"), yes: say("revoke_yes"), question: () => sayNodes("others_sure", { name: othersOn(this.carrier).map(nameOf).join(", ") }), run: () => this.revoke() });
    this.element.append(this.sure.element);
    this.update(this.carrier);
  }

  update(carrier) {
    this.carrier = carrier;
    if (this.sure) show(this.element, othersOn(carrier).length > 0);
  }

  async revoke() {
    let bad = false;
    for (const pass of othersOn(this.carrier)) {
      const answer = await this.desk.order({ t: "pass_revoke", pass: pass.id });
      if (answer.a !== "done") return; // why was said
      bad ||= !answer.more?.list;
    }
    this.desk.tell(say(bad ? "revoked_no_list" : "revoked_done"), bad ? "bad" : "");
  }

  close() {
    this.search?.close();
  }
}
