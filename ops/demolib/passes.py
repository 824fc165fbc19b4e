"""The pass desk in the demo: what its page says and hears, and the scene of --check: issued at the desk, shown at doors, revoked."""
import os
import time

from doors import SCANNER_BUILDING
from processes import Failure, wait_for
from region import DURESS, PASSWORD, PIN
from wsclient import WebSocket, login

ROUND = "bellecour-3"
AWAY_S = 1  # pcscd looks each 0.4 s whether a card is there: a phone laid there sooner than that is taken for the one before it
LIST_S = 2.5  # somebody who passes holds the phone there so long: the door may fetch a list


class PassDesk:
    """The desk as its page sees it."""

    def __init__(self, region, user="delivre"):
        host, port, ca = "localhost", region.console_port, os.path.join(region.dir, "ca.pem")
        self.socket = WebSocket(host, port, login(host, port, user, PASSWORD, ca), ca, path="/ws/passes")
        wait_for("the pass desk", lambda: (self.last("desk") or {}).get("ready") and not self.desk["keeper"], 20, 0.01)

    def last(self, kind):
        message = self.socket.receive(1)
        if message and message["t"] == "desk":
            self.desk = message
        return message if message and message["t"] == kind else None

    def ask(self, **command):
        """Say it; give the text that answers."""
        command["c"] = os.urandom(8).hex()
        self.socket.send(command)
        return wait_for(f"an answer to {command['t']}", lambda: next(
            (m for m in [self.socket.receive(1)] if m and m.get("c") == command["c"]), None), 20, 0.01)

    def find(self, what, words=""):
        found = self.ask(t="desk_find", what=what, words=words)
        return found.get("items", [])

    def carrier(self, person):
        """The phone of PERSON, once it can be given a pass."""
        return next((item for item in self.find("carrier", person) if item["carrier"] == person and item["ready"]), None)

    def done(self, **command):
        answer = self.ask(**command)
        if answer.get("a") != "done":
            raise Failure(f"the desk answers {command['t']}: {answer.get('a')}")
        return answer.get("more") or {}

    def issue(self, person):
        phone = wait_for(f"{person}'s phone can be given a pass", lambda: self.carrier(person), 20)
        return self.done(t="pass_issue", carrier=person, handset=phone["handset"], round=ROUND)["pass"]

    def close(self):
        self.socket.close()


def good_passes(region, phone):
    return [p["id"] for p in region.status(phone).get("passes", []) if p["state"] == "good"]


def at_nfc_door(region, phone, until=lambda: True):
    """Hold PHONE to the reader until the door has answered, and UNTIL() holds."""
    try:
        answer = region.doors.next_answer("door-nfc", lambda: region.say(phone, "door"))
        wait_for("what is awaited at the NFC door", until, 10)
        return answer
    finally:
        region.say(phone, "door", "away")
        time.sleep(AWAY_S)


def give_colleague(region):
    """Sami's phone has its PIN and his pass from the start: he passes when somebody asks him to."""
    desk = PassDesk(region, "seconde")
    try:
        region.say("colleague", "pin", "set", PIN)
        wait_for("the colleague's PIN", lambda: region.status("colleague")["vault"]["state"] == "open", 20)
        given = desk.issue("c002")
        wait_for("the colleague's pass", lambda: given in good_passes(region, "colleague"), 20)
    finally:
        desk.close()


def colleague_passes(region):
    if region.status("colleague")["vault"]["state"] != "open":
        region.say("colleague", "unlock", PIN)
        wait_for("the colleague's vault", lambda: region.status("colleague")["vault"]["state"] == "open")
    region.say("carrier", "door", "away")
    end = time.monotonic() + LIST_S
    return at_nfc_door(region, "colleague", lambda: time.monotonic() > end)


def play(stage):
    """The scene; STAGE is the Play of check.py."""
    region, desk = stage.region, PassDesk(stage.region)
    doors, nfc = region.doors, not region.doors.why_no_nfc
    phones = ("carrier", "colleague") if nfc else ("carrier",)
    try:
        for phone in phones:
            region.say(phone, "pin", "set", PIN, DURESS)
        for phone, person in zip(phones, ("c001", "c002")):
            stage.until(f"the {phone}'s PIN is set", lambda phone=phone: region.status(phone)["vault"]["state"] == "open", 20)
            given = desk.issue(person)
            stage.until(f"a pass, issued at the desk, is on the {phone}'s phone", lambda given=given, phone=phone: given in good_passes(region, phone), 20)
            if phone == "carrier":
                revoked = given
        region.say("carrier", "lock")
        if nfc:
            opened = []

            def touch():
                region.say("carrier", "door")
                stage.until("at the NFC door the phone asks for the PIN", lambda: region.status("carrier")["door"]["waits"])
                region.say("carrier", "unlock", PIN)
            opened.append(doors.next_answer("door-nfc", touch))
            region.say("carrier", "door", "away")
            expect(stage, "and the door opens, over PC/SC", opened[0], "open")
        else:
            stage.leave_out("the NFC door", doors.why_no_nfc)
            region.say("carrier", "unlock", PIN)
        stage.until("the vault is open", lambda: region.status("carrier")["vault"]["state"] == "open")
        region.say("carrier", "show", revoked, SCANNER_BUILDING, "scanner")
        shown = stage.until("the phone shows a QR", lambda: region.status("carrier")["shown"])
        expect(stage, "read by the scanner of another building's door, it opens", doors.scan(shown), "open")
        expect(stage, "the same QR again does not", doors.scan(shown), "refused 16 replayed")
        more = desk.done(t="pass_revoke", **{"pass": revoked})
        stage.told(f"revoked at the desk; a list of {more['list']} says so")
        refused_after(stage, nfc, more["list"])
        for name in ("door-nfc", "door-scanner") if nfc else ("door-scanner",):
            said = doors.verify_log(name)
            if len(said) != 2:
                raise Failure(f"{name}'s log: {said}")
            stage.told(f"{said[0]}; {said[1]}")
    finally:
        desk.close()


def expect(stage, what, answer, wanted):
    if answer != wanted:
        raise Failure(f"{what}: the door said {answer!r}, not {wanted!r}")
    stage.told(what)


def refused_after(stage, nfc, list_at):
    """The doors hear of it: one by a colleague who passes, one by a file; then the revoked pass is refused."""
    region = stage.region
    if nfc:
        stage.until("the colleague's phone has the new list", lambda: region.status("colleague")["list_at_ms"] >= list_at, 20)
        def came():
            return "a newer list came by a phone" in region.processes["door-nfc"].tail()
        expect(stage, "he passes the NFC door: it opens, and takes the list from his phone", at_nfc_door(region, "colleague", came), "open")
        expect(stage, "the revoked pass is refused there", at_nfc_door(region, "carrier"), "refused 8 revoked")
    region.doors.bring_list()
    region.say("carrier", "hide")
    region.say("carrier", "show", region.status("carrier")["passes"][0]["id"], SCANNER_BUILDING, "scanner")
    wait_for("a new QR", lambda: region.status("carrier")["shown"], 20)
    expect(stage, "and by the scanner, to which somebody brought the list", region.doors.scan(), "refused 8 revoked")
