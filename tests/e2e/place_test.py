#!/usr/bin/python3 -B
"""Sealed places and what follows from them, real processes: quiet timers that somebody ends, that a living phone asks about, that a dead one
leaves behind; an alert without a fix; who is not heard; who was forced to open a door.  The keeper opens what it must, when it must, and
nothing else.

All of it in one region at once: a timer's shortest minute is long.  The tests are its steps, in this order.

    VIGIE_BUILD=san tests/e2e/place_test.py [-v]"""
import os
import re
import subprocess
import sys
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
sys.path.insert(0, os.path.join(ROOT, "ops", "demolib"))

from doors import NFC_BUILDING, SCANNER_BUILDING  # noqa: E402
from inbox_test import LONG_S, Redis  # noqa: E402
from keeper_test import cbor, decode  # noqa: E402
from passes import PassDesk, good_passes  # noqa: E402
from processes import wait_for  # noqa: E402
from region import BIN, DURESS, PIN, Region  # noqa: E402
from region_test import Case  # noqa: E402

TIMER_S = 60                # the shortest
ASKED_S = 30                # a carrier is asked so long before the phone raises
QUESTION_S = 20             # longer than a scan takes to come: one dispatcher is the first
OVERDUE_S = 65              # of who was heard when a timer began: later than its end
OPEN = 5                    # of the keeper's requests
ENTRY_OVERHEAD = 32         # of its audit's (base/entry.h), and the header


class Impatient(Region):
    """With a pass desk and doors; silence and timers are told apart by their times."""

    def __init__(self):
        super().__init__(fleet=False, doors=True)
        self.dispatcher_options += [f"silence.overdue={OVERDUE_S}s", f"silence.question={QUESTION_S}s"]

    def make_people(self):
        super().make_people()
        self.vigie("carrier", "add", "c003", "--name", "Zoé Faure", "--number", "+33600000003", "--team", "lyon")

    def start_keeper(self):
        argv = [os.path.join(BIN, "vigie-keeper"), "-c", os.path.join(self.dir, "keeper.conf"), "-o", "silence.overdue=30s"]
        self.process("keeper", argv, ready=True, env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0")).start()

    def start(self):
        super().start()
        self.enrol("zoe", self.dispatcher_port, "--role", "carrier", "--person", "c003")
        self.start_handset("zoe", self.gpsd_port)


class Places(Case):
    @classmethod
    def make_region(cls):
        return Impatient()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alerts, cls.positions = Redis(cls.region), Redis(cls.region, "positions")
        cls.passes = {}
        for phone in ("colleague", "zoe"):
            cls.region.say(phone, "duty", "on", "--round", "bellecour-3", "--for", "8h")
            wait_for(f"{phone} on duty", lambda phone=phone: cls.region.status(phone)["duty"]["state"] == "on", LONG_S)
        desk = PassDesk(cls.region)
        cls.addClassCleanup(desk.close)
        for phone, person in (("carrier", "c001"), ("colleague", "c002")):
            cls.region.say(phone, "pin", "set", PIN, DURESS)
            wait_for(f"the {phone}'s PIN", lambda phone=phone: cls.region.status(phone)["vault"]["state"] == "open", LONG_S)
            given = cls.passes[phone] = desk.issue(person)
            wait_for(f"the {phone}'s pass", lambda phone=phone, given=given: given in good_passes(cls.region, phone), LONG_S)

    # ---- looking -----------------------------------------------------------------------------------------------------------------

    def handset(self, phone):
        return self.region.handsets[phone]["id"]

    def timer(self, phone):
        """What the region keeps of its quiet timer: [1, due, sealed place]; None."""
        kept = self.positions("HGET", "{lyon}:timers", self.handset(phone))
        self.assertEqual(bool(self.positions("ZSCORE", "{lyon}:timers:due", self.handset(phone))), bool(kept))
        return decode(kept)[0] if kept else None

    def heard(self, phone):
        """When the region last heard of it, in s; 0 off duty."""
        return float(self.positions("ZSCORE", "{lyon}:duty", self.handset(phone)) or 0) / 1000

    def sealed(self, phone):
        """The last place that it sealed, on duty."""
        kept = self.positions("HGET", "{lyon}:duty:info", self.handset(phone))
        return decode(kept)[0][7] if kept else None

    def opened(self, phone):
        """The keeper's audit: entries about places of PHONE that were to be opened; [4] is the answer, [19] the alert."""
        with open(os.path.join(self.region.dir, "keeper", "audit"), "rb") as file:
            data, at, found = file.read(), ENTRY_OVERHEAD, []
        while size := int.from_bytes(data[at:at + 4], "big"):
            found.append(decode(data, at + ENTRY_OVERHEAD)[0])
            at += ENTRY_OVERHEAD + size
        return [e for e in found if e[3] == OPEN and e[7].hex() == self.handset(phone)]

    def building(self, building):
        return decode(self.alerts("HGET", "{lyon}:buildings", building))[0][3]

    def overdue(self, person):
        """The fields of PERSON's name in a notice that stands, with a place; None."""
        for key in self.alerts("HKEYS", "{lyon}:notices").decode().split():
            value = self.alerts("HGET", "{lyon}:notices", key) if key.startswith("overdue:") else None
            notice = decode(value)[0] if value else None
            for name in notice[9] if notice else []:
                if name[0] == person.encode() and name[5]:
                    return name
        return None

    def assert_near(self, place, phone):
        """PLACE is where PHONE last had a fix."""
        fix = self.fixes[phone]
        self.assertLess(abs(place[0] / 1e7 - fix["lat"]) + abs(place[1] / 1e7 - fix["lon"]), 0.05, (place, fix))

    def enter(self, phone, building):
        self.region.say(phone, "entered", building, "1")
        return wait_for(f"the {phone}'s timer is with the region", lambda: self.timer(phone), LONG_S)

    # ---- the steps ---------------------------------------------------------------------------------------------------------------

    def test_1_timer_ended_in_time(self):
        began_s = time.time()
        kept = self.enter("carrier", NFC_BUILDING)
        self.assertLess(abs(kept[1] - began_s - TIMER_S), LONG_S)
        self.assertGreater(len(kept[2]), 32)
        self.assertNotIn(self.building(NFC_BUILDING)[0].to_bytes(4, "big"), kept[2])
        self.region.say("carrier", "left")
        wait_for("it is erased", lambda: self.timer("carrier") is None, LONG_S)
        self.assertEqual(self.opened("carrier"), [])

    def test_2_inside(self):
        """Timers begin, indoors, where there is no fix; one of the two phones dies there, and Zoé's too, without a timer."""
        began_s = time.time()
        for phone in ("colleague", "zoe"):
            self.region.say(phone, "duty", "off")
            wait_for(f"{phone} off duty", lambda phone=phone: not self.heard(phone), LONG_S)
            self.region.say(phone, "duty", "on", "--round", "bellecour-3", "--for", "8h")
            wait_for(f"{phone}'s heartbeat", lambda phone=phone: self.heard(phone) > began_s, LONG_S)
        for phone in ("carrier", "colleague", "zoe"):
            wait_for(f"{phone}'s sealed place", lambda phone=phone: self.sealed(phone), LONG_S)
        self.region.processes["gpsd"].kill()
        time.sleep(2)  # what it said last has come in, and is older than the entering
        cls = type(self)
        cls.fixes = {phone: self.region.status(phone)["fix"] for phone in ("carrier", "colleague", "zoe")}
        self.region.processes["zoe"].kill()
        cls.due = {phone: self.enter(phone, building)[1] for phone, building in (("carrier", NFC_BUILDING), ("colleague", SCANNER_BUILDING))}
        self.region.processes["colleague"].kill()

    def test_3_forced_at_a_door(self):
        """Two proofs, one of them under duress: the door does the same, its log reads the same, and two people learn it from the keeper."""
        region, doors, answers, seen = self.region, self.region.doors, [], []
        known = set(self.look())
        for pin in (PIN, DURESS):
            region.say("carrier", "lock")
            region.say("carrier", "unlock", pin)
            wait_for("the vault is open", lambda: region.status("carrier")["vault"]["state"] == "open", LONG_S)
            region.say("carrier", "show", self.passes["carrier"], SCANNER_BUILDING, "scanner")
            wait_for("a QR", lambda: region.status("carrier")["shown"], LONG_S)
            answers.append(doors.scan())
            seen.append(region.say("carrier", "status", "--json").replace(pin, ""))
            region.say("carrier", "hide")
        self.assertEqual(answers, ["open", "open"])
        alert = self.new_alert(known, lambda a: "duress" in a["marks"], LONG_S)  # as the region hears of it, at once
        log = [os.path.join(doors.folder("door-scanner"), "state")]
        who = ["--duress", "--keeper", os.path.join(region.folder, "keeper.sock"), "--by", "delivre"]
        rows = [line.split()[2:] for line in region.vigie("door-log", *log).splitlines() if re.match(r"\d+\s", line)]
        self.assertEqual([row[:2] for row in rows], [["open", "scanner"]] * 2)
        told = region.vigie("door-log", *log, *who, "--second", "seconde").splitlines()
        self.assertEqual([line for line in told if "DURESS" in line], ["entry 2: UNDER DURESS"], told)
        self.assertIn("2 proofs looked at for duress", told)
        for second in ([], ["--second", "delivre"]):  # not to one alone
            done = subprocess.run([os.path.join(BIN, "vigie"), "-C", region.dir, "door-log", *log, *who, *second], capture_output=True, text=True, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertNotIn("DURESS", done.stdout)
        with open(region.processes["door-scanner"].log, encoding="utf-8", errors="replace") as file:
            self.assertNotIn("duress", (file.read() + "".join(seen) + region.vigie("door-log", *log)).lower())
        self.close(alert)

    def test_4_living_phone_asks(self):
        self.assertEqual(self.opened("colleague"), [])
        self.assertLess(time.time(), self.due["carrier"])
        wait_for("the carrier is asked", lambda: self.region.status("carrier")["missed_at_ms"], TIMER_S + LONG_S)

    def test_5_timer_of_a_dead_phone(self):
        """The server's deadline, before silence alone would tell: the keeper opens where he went in, and only then."""
        name = wait_for("a notice with his place", lambda: self.overdue("c002"), TIMER_S + LONG_S)
        self.assertEqual(name[5][:2], self.building(SCANNER_BUILDING))
        self.assertEqual([(e[4], e[19]) for e in self.opened("colleague")], [(0, bytes(16))])

    def test_6_alert_without_fix(self):
        """His phone comes back with nothing but its keys: where it last was is what it had sealed."""
        known = set(self.look())
        os.remove(os.path.join(self.region.handsets["colleague"]["folder"], "journal"))
        self.region.restart("colleague")
        self.assertIsNone(self.region.status("colleague")["fix"])
        self.press(handset="colleague")
        alert = self.new_alert(known, lambda a: a["id"].startswith(self.handset("colleague")), LONG_S)
        place = self.wait("the alert has a place", lambda: self.look()[alert["id"]]["position"], LONG_S)
        self.assert_near([place["lat"] * 1e7, place["lon"] * 1e7], "colleague")
        self.assertEqual([e[19].hex() for e in self.opened("colleague")[1:]], [alert["id"]])
        self.close(alert)

    def test_7_living_phone_raises(self):
        """It has asked, and nobody said a word: the alert has the building."""
        alert = self.new_alert((), lambda a: a["kind"] == "missed_check_in", ASKED_S + LONG_S)
        self.assertGreaterEqual(alert["pressed_at"], (self.due["carrier"] + ASKED_S - 1) * 1000)
        lat, lon = self.building(NFC_BUILDING)
        self.assertEqual((round(alert["position"]["lat"] * 1e7), round(alert["position"]["lon"] * 1e7)), (lat, lon))
        wait_for("the timer is over", lambda: self.timer("carrier") is None, LONG_S)

    def test_8_overdue(self):
        name = wait_for("a notice with Zoé's place", lambda: self.overdue("c003"), OVERDUE_S + LONG_S)
        self.assert_near(name[5], "zoe")

    def test_9_told_on_their_phones(self):
        """Whose place it was sees it, when and why; read stays read across a restart; the region keeps the newest sixteen, for 30 days."""
        region, day_ms, now_ms = self.region, 86400000, int(time.time() * 1000)

        def told(phone):
            return region.status(phone)["opened"]

        wait_for(f"the colleague to be told of both; last seen {told('colleague')}",
                 lambda: {one["why"] for one in told("colleague")} >= {"timer", "alert"}, LONG_S)
        region.restart("zoe")
        wait_for("Zoé to be told", lambda: told("zoe"), LONG_S)
        one = told("zoe")[0]
        self.assertEqual((one["why"], one["read"]), ("overdue", False))
        self.assertLess(abs(one["at_ms"] - now_ms), 10 * 60000)
        region.say("zoe", "opened-read", str(one["at_ms"]))
        region.processes["zoe"].kill()
        region.restart("zoe")
        self.assertEqual(next(o["read"] for o in told("zoe") if o["at_ms"] == one["at_ms"]), True)
        key, known = "{lyon}:opened:" + self.handset("colleague"), set(self.look())
        for days in range(1, 21):
            self.alerts("HSET", key, str(now_ms - days * day_ms), data=cbor([1, now_ms - days * day_ms, 2]))
        self.press(handset="colleague")
        alert = self.new_alert(known, lambda a: a["id"].startswith(self.handset("colleague")), LONG_S)
        wait_for(f"the oldest to go; last seen {told('colleague')}", lambda: int(self.alerts("HLEN", key)) == 16, LONG_S)
        wait_for("the phone to have the same", lambda: {str(o["at_ms"]) for o in told("colleague")} == set(self.alerts("HKEYS", key).decode().split()), LONG_S)
        self.assertIn("alert", {o["why"] for o in told("colleague") if o["at_ms"] > now_ms}, told("colleague"))
        self.assertGreater(int(self.alerts("PTTL", key)), 29 * day_ms)
        self.close(alert)


if __name__ == "__main__":
    unittest.main()
