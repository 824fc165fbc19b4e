// The phone's page in every state, with made-up statuses: what must be seen is seen without scrolling, texts are texts, colours can be
// told apart, nothing that somebody touches goes away under the finger.  `SHOTS=FOLDER` keeps a picture of each.
import test, { after, before } from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { launch, poorContrast } from "./lib/browser.mjs";
import { PhonePage, UI } from "./lib/phonepage.mjs";
import { DOOR_TROUBLES, HOSTILE, REFUSALS, states } from "./lib/statuses.mjs";

const SIZES = [[320, 568], [390, 844]];
const shots = process.env.SHOTS;
let browser;
let phone;

before(async () => {
  browser = await launch();
  phone = await PhonePage.open(browser);
  if (shots) mkdirSync(shots, { recursive: true });
});
after(async () => {
  await phone?.close();
  await browser?.close();
});

const open = (status, options) => phone.show(status, options);
const words = (page) => page.evaluate(() => window.daemon.words);
const give = (page, change) => page.evaluate((c) => window.daemon.give(c), change);
const boxOf = (page, id) => page.locator(`[id="${id}"]`).boundingBox();

async function act(page, state) {
  for (const id of state.clicks ?? []) await page.locator(`[id="${id}"]`).click();
  if (state.then) {
    await page.clock.runFor(50);
    await give(page, state.then);
  }
}

// What is wrong with what the page shows; KEY must be on the first screen.
async function faults(page, key) {
  const found = [...page.said, ...await poorContrast(page)];
  return found.concat(await page.evaluate((id) => {
    const wrong = [];
    if (document.documentElement.scrollWidth > innerWidth) wrong.push("wider than the screen");
    const hole = document.body.innerText.match(/\b[a-z]+_[a-z_]+\b|undefined|null|NaN|Invalid|\{|\}/);
    if (hole) wrong.push(`a key or a hole shows: ${hole[0]}`);
    const box = id && document.getElementById(id)?.getBoundingClientRect();
    if (id && !(box?.height > 0 && box.top >= 0 && box.bottom <= innerHeight)) wrong.push(`${id} is not on the first screen: ${JSON.stringify(box)}`);
    for (const e of document.querySelectorAll("main button, main a.call, main input")) {
      if (e.checkVisibility() && e.getBoundingClientRect().height < 44) wrong.push(`${e.id}: too small for a finger`);
    }
    return wrong;
  }, key));
}

// One page for all of them, changed from state to state as the daemon does it; afresh only where something was tapped.
let shown = null;
for (const [name, state] of Object.entries(states)) {
  test(name, async () => {
    const page = shown ?? await open(state.status);
    await page.evaluate(() => window.scrollTo(0, 0));
    await give(page, state.status);
    await act(page, state);
    for (const language of ["fr", "en"]) {
      for (const [width, height] of SIZES) {
        await page.setViewportSize({ width, height });
        if (shots) await page.screenshot({ path: join(shots, `${name}-${language}-${width}.png`) });
        assert.deepEqual(await faults(page, state.key), [], `${language}, ${width} wide`);
      }
      await page.locator("#language").click();
      await page.locator(`html[lang=${language === "fr" ? "en" : "fr"}]`).waitFor();
    }
    shown = state.clicks ? null : page;
  });
}

test("both languages have the same texts, and every text that the code names", () => {
  const texts = Object.fromEntries(["fr", "en"].map((l) => [l, JSON.parse(readFileSync(join(UI, `text/${l}.json`)))]));
  assert.deepEqual(Object.keys(texts.fr), Object.keys(texts.en));
  for (const [key, text] of Object.entries(texts.fr)) {
    const holes = (s) => (s.match(/\{\w+\}/g) ?? []).sort().join();
    assert.equal(holes(text), holes(texts.en[key]), `${key}: other holes`);
    assert.ok(text && texts.en[key], `${key} is empty`);
  }
  const code = readdirSync(UI).filter((f) => f.endsWith(".js")).map((f) => readFileSync(join(UI, f), "utf8")).join("\n");
  const unused = new Set(Object.keys(texts.fr));
  for (const [, key] of code.matchAll(/'([a-z0-9_]+)'/g)) unused.delete(key);
  for (const [, key] of code.matchAll(/\b(?:t|withName)\('([a-z0-9_]+)'/g)) assert.ok(texts.fr[key] !== undefined, `no text ${key}`);
  // Texts named by a part: every value that the daemon can give has one.
  const parts = {
    line_: ["down", "connecting", "up", "welcome", "sms"],
    word_: ["not_sent", "sent", "kept", "received", "asked", "seen", "coming", "taken", "en_route", "on_scene", "closed"],
    more_: ["received", "asked", "seen", "coming", "taken", "en_route", "on_scene"],
    reason_: ["helped", "mistake", "emergency_services", "drill_over", "no_danger", "other"],
    category_: ["fall", "aggression", "dog", "illness", "other", "unknown"],
    kind_: ["panic", "silent", "man-down", "missed check-in", "drill", "test", "unknown"],
    trouble_: ["not_enrolled", "journal", "no_path", "key", "trust", "battery", "not_known", "wiped"],
    duty_refused_: ["0", "1", "2", "3", "4"],
    mark_: ["silent", "duress", "unverified", "mistake", "pressed_again", "exhausted", "holder_unsure", "last_words", "still", "no_news"],
    answer_: ["taken_by_other", "not_allowed", "not_on_duty", "own_alert", "closed", "unknown_alert", "expired", "not_owner", "busy", "malformed", "no_answer"],
    close_: ["helped", "mistake", "112", "drill-over", "no-danger", "other"],
    mine_: ["taken", "en_route", "on_scene"],
    step_: ["sent", "received", "taken", "there"],
    deaf_: ["not_enrolled", "no_path", "not_known"],
    modem_: ["absent", "silent", "no_sim", "sim_locked", "no_network"],
    sms_: ["refused", "number", "network", "sim", "modem", "no_answer"],
    received_: ["data", "sms"],
    door_: ["opened", "unknown", ...REFUSALS, ...DOOR_TROUBLES],
    door_next_: ["unknown", ...REFUSALS, ...DOOR_TROUBLES],
    vault_said_: ["wrong", "too_near", "simple", "shape", "lengths", "disk"],
    set_: ["new", "repeat", "duress", "duress_repeat"],
    asked_: ["asking", "told", "not_now"],
    shown_: ["caretaker", "scanner"],
    way_: ["caretaker", "scanner"],
    opened_why_: ["alert", "overdue", "timer", "other"],
  };
  for (const [part, values] of Object.entries(parts)) {
    for (const value of values) {
      assert.ok(texts.fr[part + value] !== undefined, `no text ${part}${value}`);
      unused.delete(part + value);
    }
  }
  for (const id of ["person", "round", "end"]) unused.delete(`duty_${id}`);
  assert.deepEqual([...unused], [], "texts that nobody shows");
});

test("the button: held by a finger, by a key, let go", async () => {
  const page = await open(states.button.status);
  const box = await boxOf(page, "press");
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  const first = await page.locator("#press").elementHandle();
  await give(page, { touching: true });
  await page.clock.runFor(700); // redrawn under the finger: the same button
  assert.ok(await first.evaluate((e) => e.isConnected && e.classList.contains("held")));
  await page.mouse.move(5, 5); // the finger slips off; it is still down
  assert.deepEqual(await words(page), ["touch down"]);
  await page.mouse.up();
  assert.deepEqual(await words(page), ["touch down", "touch up"]);
  await give(page, { touching: false });
  await page.locator("#press").focus();
  for (const key of ["Enter", " "]) {
    await page.keyboard.down(key);
    await page.keyboard.down(key); // repeats
    await page.keyboard.up(key);
  }
  assert.deepEqual((await words(page)).slice(2), ["touch down", "touch up", "touch down", "touch up"]);
});

test("the button stays where it is while it is held, whatever else happens", async () => {
  const page = await open(states["button-on-duty"].status);
  const box = await boxOf(page, "press");
  await page.mouse.move(box.x + 50, box.y + 100);
  await page.mouse.down();
  await give(page, { touching: true, button: false, trouble: ["no_path"], link: "down" });
  assert.deepEqual(await boxOf(page, "press"), box);
  await page.mouse.up();
  await give(page, { touching: false });
  assert.match(await page.locator("#trouble").innerText(), /NE MARCHE PAS/);
});

test("a button that does not work is held where it is, and looks no better for it", async () => {
  for (const name of ["trouble-no-path", "supervisor-none"]) {
    const page = await open({ ...states[name].status, alert: null, button: false, trouble: ["no_path"] });
    const box = await boxOf(page, "press");
    await page.mouse.move(box.x + 20, box.y + 10);
    await page.mouse.down();
    const first = await page.locator("#press").elementHandle();
    await give(page, { touching: true });
    await page.clock.runFor(700);
    assert.ok(await first.evaluate((e) => e.isConnected && e.classList.contains("anyway")), name);
    assert.ok(await page.locator("#trouble").isVisible());
    assert.deepEqual(await words(page), ["touch down"]);
    await page.mouse.up();
    assert.deepEqual(await words(page), ["touch down", "touch up"]);
  }
});

test("a press that took the button away holds nothing afterwards", async () => {
  const page = await open(states.button.status);
  await page.evaluate(() => addEventListener("blur", (event) => event.stopPropagation(), true)); // a browser that tells no blur of what has gone
  const box = await boxOf(page, "press");
  await page.mouse.move(box.x + 50, box.y + 100);
  await page.mouse.down();
  await give(page, { touching: true });
  await give(page, { touching: false, alert: states.received.status.alert });
  await page.mouse.up();
  await give(page, { alert: null, button: false, trouble: ["no_path"], link: "down" });
  assert.match(await page.locator("#trouble").innerText(), /NE MARCHE PAS/);
});

test("a supervisor's own drill takes no button away", async () => {
  const page = await open({ ...states["supervisor-none"].status, alert: { ...states.received.status.alert, drill: true } });
  assert.ok(await page.locator("#press").isVisible());
  await give(page, { alert: states.received.status.alert });
  assert.equal(await page.locator("#press").count(), 0);
});

test("a page whose phone goes while it comes says 112, and tries again", async () => {
  const page = await open(states.button.status);
  await page.route("**/text/*.json", (route) => route.abort());
  await page.goto(phone.origin);
  await page.locator("#blind").waitFor();
  await page.clock.runFor(3000);
  assert.match(await page.locator("#blind").innerText(), /Appelez le 112 — Call 112$/);
  assert.equal(await page.locator("#blind a").getAttribute("href"), "tel:112");
  await page.unroute("**/text/*.json");
  while (!await page.evaluate(() => window.daemon.sockets.length)) await page.clock.runFor(1000);
  await page.clock.runFor(100);
  assert.ok(await page.locator("#press").isVisible());
  assert.equal(await page.locator("#blind").isVisible(), false);
});

test("held by a key through questions that come and go", async () => {
  const page = await open(states.question.status);
  await page.locator("#press").focus();
  await page.keyboard.down("Enter");
  await give(page, { touching: true, question: false });
  await give(page, { man_down_at_ms: states.question.status.now_ms + 20000 });
  await give(page, { man_down_at_ms: 0 });
  assert.deepEqual(await words(page), ["touch down"]);
  await page.keyboard.up("Enter");
  assert.deepEqual(await words(page), ["touch down", "touch up"]);
});

test("what is urgent is seen, wherever the page was", async () => {
  const page = await open(states["duty-form"].status);
  await page.evaluate(() => window.scrollTo(0, 1000));
  assert.ok(await page.evaluate(() => window.scrollY > 0));
  await give(page, { question: true });
  assert.equal(await page.evaluate(() => window.scrollY), 0);
  await page.evaluate(() => window.scrollTo(0, 1000));
  await page.clock.runFor(3000);
  assert.ok(await page.evaluate(() => window.scrollY > 0), "once, not again and again");
});

test("nothing jumps while an alert goes its way", async () => {
  const page = await open(states["not-sent"].status);
  const places = async () => ({ dog: (await boxOf(page, "category-dog")).y, mistake: (await boxOf(page, "mistake")).y });
  const before_ = await places();
  for (const word of ["sent", "received", "seen", "taken", "en-route", "on-scene", "sms-sent", "sms-received"]) {
    await give(page, { alert: states[word].status.alert });
    assert.deepEqual(await places(), before_, word);
  }
});

test("a tap that a redraw falls into is a tap", async () => {
  const page = await open(states.received.status);
  const box = await boxOf(page, "category-fall");
  await page.mouse.move(box.x + 20, box.y + 20);
  await page.mouse.down();
  await page.clock.runFor(1500);
  await give(page, { alert: { ...states.received.status.alert, word: "asked" } });
  await page.mouse.up();
  assert.deepEqual(await words(page), ["category fall"]);
});

test("112 is offered while nothing is received, and nobody speaks of SMS where there is no modem", async () => {
  for (const name of ["not-sent", "sent", "kept"]) {
    const page = await open(states[name].status);
    assert.equal(await page.locator("#call-112").getAttribute("href"), "tel:112");
    assert.doesNotMatch(await page.locator("main").innerText(), /SMS/);
  }
});

test("with a modem: what it tries, what is the matter, which way it went and was answered", async () => {
  const said = async (name) => {
    const page = await open(states[name].status);
    return `${await page.locator("header").innerText()} ${await page.locator("main").innerText()}`;
  };
  assert.match(await said("sms-not-sent"), /PAS ENCORE ENVOYÉE[^]*par le réseau et par SMS/);
  assert.match(await said("sms-not-sent-no-sim"), /pas de carte SIM/);
  assert.match(await said("sms-refused"), /refusé le SMS \(code 21\)/);
  assert.match(await said("sms-sent"), /ENVOYÉE PAR SMS[^]*Pas encore de réponse[^]*Envoyée par SMS$/m);
  assert.match(await said("sms-received"), /Envoyée par réseau et SMS · reçue par SMS/);
  assert.match(await said("sms-only"), /✓?Par SMS[^]*ALERTE[^]*partirait par SMS/);
  assert.match(await said("sms-proof"), /SMS\s+22 avril/);
  assert.match(await said("trouble-refused"), /Pas de réseau[^]*NE MARCHE PAS[^]*Ni réseau ni SMS[^]*crédit épuisé/);
  assert.match(await said("trouble-sim_locked"), /NE MARCHE PAS[^]*Ni réseau ni SMS[^]*attend son code PIN/);
});

test("a supervisor's phone whose link is gone is deaf, whatever its modem says", async () => {
  const page = await open({ ...states["supervisor-none"].status, link: "down", sms: { ...states.button.status.sms, modem: "ready" } });
  assert.equal(await page.locator("#deaf").count(), 0);
  await page.clock.runFor(7000);
  assert.match(await page.locator("#deaf").innerText(), /NE SONNERA PAS/);
  await give(page, { link: "welcome" });
  assert.match(await page.locator("#ready").innerText(), /sonnera/);
});

test("the PIN: by finger and by keyboard, never shown, wrong is told", async () => {
  const page = await open(states.received.status);
  await page.locator("#mistake").click();
  for (const digit of "2468") await page.locator(`#pin-${digit}`).click();
  assert.equal(await page.locator("#pin-shown").innerText(), "●●●●");
  await page.locator("#pin-ok").click();
  await give(page, { wrong_pins: 1 });
  assert.match(await page.locator("#pin-said").innerText(), /pas le bon code/);
  for (const digit of "2468") await page.locator(`#pin-${digit}`).click();
  await page.locator("#pin-ok").click();
  await give(page, { wrong_pins: 2, vault: { ...states.received.status.vault, said: "disk" } });
  assert.match(await page.locator("#pin-said").innerText(), /n’a pas été regardé/, "not said to be wrong where nobody looked");
  await page.locator("#pin-pad").focus();
  await page.keyboard.type("1x35");
  await page.keyboard.press("Backspace");
  await page.keyboard.type("79");
  await page.keyboard.press("Enter");
  assert.deepEqual(await words(page), ["cancel 2468", "cancel 2468", "cancel 1379"]);
  assert.doesNotMatch(await page.content(), /1379|2468/);
  await give(page, { alert: { ...states.received.status.alert, mistake: true } });
  assert.equal(await page.locator("#pin-pad").count(), 0);
  assert.match(await page.locator("#mistake-told").innerText(), /erreur/);
});

test("what somebody types stays, whatever comes meanwhile", async () => {
  const page = await open(states.button.status);
  await page.locator("#person").fill("c0");
  await give(page, { battery: 12 });
  await page.clock.runFor(2500);
  await page.locator("#person").pressSequentially("01");
  await page.locator("#round").fill("bellecour-3");
  await page.locator("#end").fill("17:30");
  await page.locator("#duty-on").click();
  assert.deepEqual(await words(page), ["duty on --until 17:30 --person c001 --round bellecour-3"]);
});

test("going on duty again is one tap, for eight hours", async () => {
  const page = await open(states["duty-form"].status);
  await page.locator("#duty-on").click();
  assert.deepEqual(await words(page), ["duty on --until 18:30 --person c001 --round bellecour-3"]);
});

test("silent and drill ask once more; after a silent one the page looks as usual", async () => {
  const page = await open(states["button-on-duty"].status);
  const usual = await page.locator("main").innerText();
  await page.locator("#silent").click();
  assert.deepEqual(await words(page), []);
  await page.locator("#silent-yes").click();
  assert.equal(await page.locator("main").innerText(), usual);
  await page.locator("#drill").click();
  await page.locator("#drill-yes").click();
  assert.deepEqual(await words(page), ["press --silent", "press --drill"]);
});

test("a position that was opened: said when and why until it is read, kept behind a button; a pass that was revoked", async () => {
  const page = await open(states.opened.status);
  assert.match(await page.locator("#opened-new").innerText(), /^Votre position a été ouverte le 4 mai à \d\d:\d\d parce qu.on n.avait plus de nouvelles\.\s+J.ai lu$/i);
  await page.locator("#opened-read").click();
  assert.deepEqual(await words(page), [`opened-read ${states.opened.status.opened[0].at_ms}`]);
  await give(page, { opened: states["opened-all"].status.opened });
  assert.equal(await page.locator("#opened-new").count(), 0);
  await page.locator("#opened-all").click();
  const all = await page.locator("#opened-all-panel").innerText();
  assert.equal(all.match(/Votre position a été ouverte le/g).length, 2);
  assert.equal(all.match(/La position de ce téléphone a été ouverte le/g).length, 2, "of who had it before this duty");
  const revoked = await open(states["doors-revoked"].status);
  await revoked.locator("#doors").click();
  assert.match(await revoked.locator("#passes").innerText(), /Laissez-passer annulé/);
});

test("a supervisor: seen is said once, one tap takes, two close", async () => {
  const page = await open({ ...states["supervisor-ringing"].status, rings: [{ ...states["supervisor-ringing"].status.rings[0], seen: false }] });
  const id = states["supervisor-ringing"].status.rings[0].id;
  await page.clock.runFor(3000);
  assert.match(await page.title(), /ALERTE/);
  await page.locator(`[id="take-${id}"]`).click();
  assert.deepEqual(await words(page), [`seen ${id}`, `take ${id}`]);
  await give(page, states["supervisor-mine"].status);
  await page.locator(`[id="on-my-way-${id}"]`).click();
  await page.locator(`[id="close-${id}"]`).click();
  await page.locator(`[id="close-helped-${id}"]`).click();
  assert.deepEqual((await words(page)).slice(2), [`on-my-way ${id}`, `close ${id} helped`]);
});

test("nobody is called who must not be", async () => {
  for (const name of ["supervisor-silent", "supervisor-duress"]) {
    const page = await open(states[name].status);
    assert.equal(await page.locator('main a[href^="tel:+"]').count(), 0);
    }
  const page = await open(states["supervisor-ringing"].status);
  assert.equal(await page.locator('main a[href="tel:+33600000001"]').count(), 1);
});

test("hostile names are text, each kept to itself", async () => {
  const page = await open(states["supervisor-hostile"].status);
  const names = await page.locator("article .who bdi").allTextContents();
  assert.deepEqual(names, HOSTILE.map((name) => name.replace(/[\u202a-\u202e\u2066-\u2069]/g, "")));
  assert.doesNotMatch(await page.locator("main").innerText(), /[\u202a-\u202e\u2066-\u2069]/); // an isolate left open swallows the end of <bdi>
  assert.equal(await page.locator("main script, main img").count(), 0);
  assert.notEqual(await page.title(), "taken");
});

test("a page that has lost its phone looks dead, and comes back", async () => {
  const page = await open(states["button-on-duty"].status);
  await page.evaluate(() => {
    window.daemon.dead = true;
    window.daemon.sockets.at(-1).onclose();
  });
  await page.clock.runFor(50);
  assert.ok(await page.locator("#blind").isVisible());
  assert.ok(!(await page.locator("#press").isVisible()));
  assert.match(await page.locator("#blind").innerText(), /112/);
  assert.deepEqual(await poorContrast(page), []);
  if (shots) await page.screenshot({ path: join(shots, "blind-360.png") });
  await page.evaluate(() => { window.daemon.dead = false; });
  await page.clock.runFor(1500);
  assert.ok(await page.locator("#press").isVisible());
  assert.ok(!(await page.locator("#blind").isVisible()));
});

test("a phone that hangs is lost too", async () => {
  const page = await open(states["button-on-duty"].status, { answers: false });
  await page.clock.runFor(1900);
  assert.ok(await page.locator("#press").isVisible());
  await page.clock.runFor(3300);
  assert.ok(await page.locator("#blind").isVisible());
});
