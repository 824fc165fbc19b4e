"""The outside observer.  It knows three things, and nothing from inside the region:

    pressed   which alerts were pressed (each phone writes that down before anything leaves it)
    told      what phones were told: receipts that the region's key signed, as the phones verified and wrote them down
    shown     what the consoles show to a control room that is logged in, and what they answered it

and from these it says whether the promise was kept:

    lost        told *received*, and at the end neither shown as open nor closed by us
    unanswered  pressed, and at the end not told *received* though everything is up again
    doubled     shown, and nobody pressed it; or shown twice in one snapshot; or raised twice
    reopened    told or shown closed, and later told or shown open in a higher version; or told closed, and shown open at the end
                (what a console alone showed closed, with the commit and before a replica had it, a failover may take back: DESIGN section 6.  That is
                counted apart, and what is taken back has to be closed again)
    unasked     closed, and nobody had asked for that
    torn        two consoles, or a console and a phone, do not agree at the end on state or owner

One alert is one press: whoever presses again does so only when his last one was closed."""
import threading
import time
from dataclasses import dataclass, field

KEPT, TAKEN, CLOSED, COMING, PROVED = 0, 4, 7, 8, 9  # states of a receipt: wire/receipt.h
GONE_S = 5
OWNED = ("taken", "en_route", "on_scene")


def is_closed(state):
    return state == CLOSED or state >= 16


def is_received(state):
    return state not in (KEPT, COMING)


@dataclass
class Alert:
    planned_us: int = 0  # when the thumb was to come down
    pressed: bool = False
    received_us: int = 0  # first told that it is received
    told_version: int = -1  # of the receipt with the highest one
    told_state: int = -1
    told_who: str = ""
    told_closed: int = -1  # version of the first receipt that said closed
    shown: dict = field(default_factory=dict)  # by console: what it showed last: (version, state, owner_name, owner)
    raised: dict = field(default_factory=dict)  # by console: when it called it raised
    shown_closed: int = -1  # in which version a console first showed it closed, and when
    shown_closed_s: float = 0
    taken_back: bool = False  # shown closed by a console alone, before a replica had it, and a failover lost that
    asked_to_close: bool = False
    gone_s: float = 0  # when a console last showed it open, or did not show all
    away: bool = False  # its phone is dead: only the region knows of it


class Observer:
    def __init__(self, failover_s=0):
        """FAILOVER_S: where replicas take over, an alert of the last moments may be raised again out of a journal, so long after."""
        self.failover_s = failover_s
        self.lock = threading.RLock()
        self.alerts = {}
        self.rings = {}  # supervisors' phones: (person, id) -> (version, state, mine)
        self.wrong = []  # (what, sentence), as they were seen
        self.seen = threading.Event()  # something new is shown

    def alert(self, id):
        return self.alerts.setdefault(id, Alert())

    def say(self, what, id, sentence):
        if (what, id) not in {(w, i) for w, i, _ in self.wrong}:
            self.wrong.append((what, id, sentence))

    # ---- what phones wrote down ------------------------------------------------------------------------------------------------

    def phone_says(self, line):
        """One line of tests/fleet/phone.h."""
        us, what, *rest = line.split()
        with self.lock:
            getattr(self, "phone_" + what)(int(us), *rest)

    def phone_press(self, us, id, planned_us):
        alert = self.alert(id)
        alert.pressed, alert.planned_us = True, int(planned_us)

    def phone_told(self, us, id, version, revision, state, *who):
        alert, version, state = self.alert(id), int(version), int(state)
        if not alert.pressed:
            self.say("doubled", id, "a phone was told of it, and nobody pressed it")
        if is_received(state) and not alert.received_us:
            alert.received_us = us
        if is_closed(state):
            alert.told_closed = version if alert.told_closed < 0 else min(version, alert.told_closed)
            if not alert.asked_to_close:
                self.say("unasked", id, "its phone was told that it is closed")
        elif 0 <= alert.told_closed < version:
            self.say("reopened", id, f"told closed in version {alert.told_closed}, then state {state} in version {version}")
        if version > alert.told_version or (version == alert.told_version and is_closed(state)):
            alert.told_version, alert.told_state, alert.told_who = version, state, " ".join(who)

    def phone_ring(self, us, person, id, version, state, mine):
        self.rings[person, id] = (int(version), int(state), mine == "1")

    def daemon_says(self, id, word, who):
        """What `vigie-handset status` says of its own alert: no versions there."""
        with self.lock:
            alert, now_us = self.alert(id), time.monotonic_ns() // 1000
            alert.pressed = True  # planned_us stays 0: we do not know to the millisecond when
            if word not in ("none", "not_sent", "sent", "kept", "coming") and not alert.received_us:
                alert.received_us = now_us
            if word == "closed":
                alert.told_closed = max(alert.told_closed, 0)
                if not alert.asked_to_close:
                    self.say("unasked", id, "its phone says that it is closed")
            elif alert.told_closed >= 0:
                self.say("reopened", id, f"its phone said closed, then {word}")

    def phone_away(self, us, id):
        self.alert(id).away = True

    def phone_back(self, us, id):
        self.alert(id).away = False

    # ---- what consoles show ----------------------------------------------------------------------------------------------------

    def console_shows(self, console, shown, event):
        """The `alert` of a text (console/PROTOCOL.md 4); EVENT is null in what was read from the store."""
        with self.lock:
            alert, version = self.alert(shown["id"]), shown["v"]
            before = alert.shown.get(console)
            if event == "raise":
                now_s = time.monotonic()
                if now_s - alert.raised.setdefault(console, now_s) > self.failover_s:
                    self.say("doubled", shown["id"], f"raised again after {now_s - alert.raised[console]:.1f} s: it had been lost")
            if shown["state"] == "closed":
                if alert.shown_closed < 0:
                    alert.shown_closed_s = time.monotonic()
                alert.shown_closed = version if alert.shown_closed < 0 else min(version, alert.shown_closed)
                if not alert.asked_to_close:
                    self.say("unasked", shown["id"], f"{console} shows it closed")
            elif 0 <= alert.shown_closed < version and alert.told_closed < 0 and time.monotonic() - alert.shown_closed_s < self.failover_s:
                alert.taken_back, alert.shown_closed = True, -1
            elif 0 <= alert.shown_closed < version:
                self.say("reopened", shown["id"], f"shown closed in version {alert.shown_closed}, then {shown['state']} in version {version}")
            if before is None or version >= before[0]:
                alert.shown[console] = (version, shown["state"], shown["owner_name"] or "", shown["owner"] or "")
        self.seen.set()

    def console_lists(self, console, ids):
        """A whole snapshot: the ids of what is open."""
        with self.lock:
            for id in {i for i in ids if ids.count(i) > 1}:
                self.say("doubled", id, f"twice in one snapshot of {console}")

    def we_close(self, id):
        with self.lock:
            self.alert(id).asked_to_close = True
            self.alert(id).gone_s = time.monotonic()

    # ---- while it runs -----------------------------------------------------------------------------------------------------------

    def counts(self):
        """(pressed, received, open by what phones were told)"""
        with self.lock:
            pressed = [a for a in self.alerts.values() if a.pressed]
            return len(pressed), sum(a.received_us > 0 for a in pressed), sum(a.told_closed < 0 for a in pressed)

    def may_live(self, whole, open_ids):
        """The dead phones whose alert we closed: they may live again.  Not before: their offer would hide that it was lost.
        WHOLE: both consoles show a whole picture, of which OPEN_IDS are open.  Who was not looking when it was closed sees it gone after
        a while; then its phone lives, and is told that it is closed, or raises it again (doubled)."""
        now_s, found = time.monotonic(), []
        with self.lock:
            for id, alert in self.alerts.items():
                if not alert.away or not alert.asked_to_close:
                    continue
                if not whole or id in open_ids:
                    alert.gone_s = now_s
                if alert.shown_closed >= 0 or alert.told_closed >= 0 or now_s - alert.gone_s > GONE_S:
                    found.append(id)
        return found

    def taken_back(self):
        with self.lock:
            return sum(a.taken_back for a in self.alerts.values())

    def doubts(self):
        """Closed by us and gone, and nobody saw it closed or was told so yet."""
        with self.lock:
            return [i for i, a in self.alerts.items() if a.pressed and a.asked_to_close and a.told_closed < 0 and a.shown_closed < 0]

    # ---- the end: everything is up, nobody presses any more ----------------------------------------------------------------------

    def judge(self, snapshots):
        """SNAPSHOTS: by console, {id: alert} of a fresh look at all that is open."""
        with self.lock:
            for id, alert in self.alerts.items():
                self._judge_one(id, alert, any(id in s for s in snapshots.values()))

    def _judge_one(self, id, alert, is_open):
        if not alert.pressed:
            if is_open or alert.shown:
                self.say("doubled", id, "shown, and nobody pressed it")
            return
        if not alert.received_us:
            self.say("unanswered", id, "pressed, and its phone was never told that it is received")
        if is_open and (alert.told_closed >= 0 or alert.shown_closed >= 0):
            self.say("reopened", id, "it was closed, and is shown open at the end")
        ours = alert.asked_to_close and (alert.shown_closed >= 0 or alert.told_closed >= 0)
        if alert.received_us and not is_open and not ours:
            self.say("lost", id, "its phone was told that it is received; no console shows it, and nobody closed it")

    def torn(self, snapshots):
        """What does not agree in SNAPSHOTS and on the phones: {id: sentence}.  They are not of one instant: look again before you say so."""
        found = {}
        with self.lock:
            for id in {i for s in snapshots.values() for i in s}:
                shown = [s.get(id) for s in snapshots.values()]
                looks = {s and (s["v"], s["state"], s["owner"]) for s in shown}
                s, alert = next(s for s in shown if s), self.alert(id)
                if len(looks) > 1:
                    found[id] = f"the consoles show {sorted(map(str, looks))}"
                elif s["state"] in OWNED and alert.told_version >= 0 and not alert.away and not self._phone_agrees(alert, s):
                    found[id] = f"{s['owner_name']} has it by the consoles ({s['state']}), {alert.told_who!r} by the phone ({alert.told_state})"
            for (person, id), (version, state, mine) in self.rings.items():
                for s in (s[id] for s in snapshots.values() if id in s):
                    if mine and s["owner"] != person:
                        found[id] = f"the phone of {person} says that it is theirs, the consoles say {s['owner']}"
        return found

    @staticmethod
    def _phone_agrees(alert, shown):
        name = (shown["owner_name"] or "").encode()[:15].decode(errors="ignore")
        return TAKEN <= alert.told_state < CLOSED and name == alert.told_who
