#!/usr/bin/python3 -B
"""The whole region, real processes: what must hold when something dies, lies or comes back from the past.

    VIGIE_BUILD=san tests/e2e/region_test.py [-v] [Name.test ...]

Runs on ops/demolib, like the demo: private Redis and gpsd, free ports, one folder that goes at the end."""
import os
import random
import re
import shutil
import signal
import sys
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "ops", "demolib"))

from check import Desk  # noqa: E402
from processes import run, wait_for  # noqa: E402
from region import BIN, DURESS, PASSWORD, Region, wait_until_ready  # noqa: E402

SEED = int(os.environ.get("SEED", "7"))
ROUNDS = int(os.environ.get("ROUNDS", "4"))
HELD = ("received", "asked", "seen", "taken", "en_route", "on_scene")
TIME_OF_DAY = re.compile(r"\d\d:\d\d:\d\d[.,]\d+")  # no position, though 12:34:45.712 reads like one
SANITIZER = re.compile(rb"(AddressSanitizer|UndefinedBehavior|runtime error|LeakSanitizer)[^\n]*")


class Case(unittest.TestCase):
    """One region for all tests of a class: starting it takes some seconds."""

    @classmethod
    def setUpClass(cls):
        cls.random = random.Random(SEED)
        cls.region = cls.make_region()
        try:
            cls.region.start()
            wait_until_ready(cls.region)
        except Exception:
            cls.region.stop()
            raise
        cls.desk = Desk(cls.region, "regie", PASSWORD)
        cls.desk.look(1)

    @classmethod
    def make_region(cls):
        return Region(fleet=False)

    @classmethod
    def tearDownClass(cls):
        logs = cls.region.logs
        for process in cls.region.processes.values():
            process.stop()
        found = []
        for name in sorted(os.listdir(logs)):
            with open(os.path.join(logs, name), "rb") as file:
                found += [f"{name}: {m.group(0).decode(errors='replace')}" for m in SANITIZER.finditer(file.read())]
        cls.region.stop()
        if found:
            raise AssertionError("sanitizers found:\n" + "\n".join(found))

    # ---- what people do and see ----

    def word(self, handset="carrier"):
        alert = self.region.status(handset)["alert"]
        return alert["word"] if alert else "none"

    def press(self, *words, handset="carrier"):
        self.region.say(handset, "press", *words)

    def wait(self, what, condition, timeout_s=20):
        return wait_for(what, condition, timeout_s)

    def new_alert(self, known, condition=lambda a: True, timeout_s=20):
        return self.wait("a new alert on the desk",
                         lambda: next((a for i, a in self.look().items() if i not in known and condition(a)), None), timeout_s)

    def look(self):
        """What the desk shows; after the console died, by a new socket."""
        cls = type(self)
        try:
            return cls.desk.look()
        except (ConnectionError, OSError):
            self.wait("the console again", self.open_desk)
            return cls.desk.look(1)

    def open_desk(self):
        try:
            type(self).desk.close()
            type(self).desk = Desk(self.region, "regie", PASSWORD)
            return True
        except (ConnectionError, OSError):
            return False

    def close(self, alert, reason="other"):
        self.look()
        self.desk.command("close", alert["id"], reason=reason)
        self.wait("closed", lambda: self.look().get(alert["id"], {}).get("state") == "closed")

    def settle(self, handset="carrier"):
        self.wait("closed on the phone", lambda: self.word(handset) in ("closed", "none"))
        self.region.say(handset, "dismiss")

    def redis(self, *words, store="alerts"):
        with open(os.path.join(self.region.dir, "vigie.conf"), encoding="utf-8") as file:
            password = re.search(r"password = (\S+)", file.read()).group(1)
        return run(["redis-cli", "-s", self.region.address(store), "--user", "tool", "--pass", password, "--no-auth-warning", *words]).strip()


class Death(Case):
    """kill -9 at any moment: afterwards the alert is there once, in the right state."""

    def one_round(self, victims, back_after_s):
        known = set(self.look())
        self.press()
        time.sleep(self.random.choice([0, 0.002, 0.005, 0.02, 0.1]))
        for name in victims:
            self.region.processes[name].kill()
        time.sleep(back_after_s)
        for name in victims:
            self.region.restart(name)
        self.wait("received", lambda: self.word() in HELD, 30)
        alert = self.new_alert(known, timeout_s=30)
        time.sleep(0.3)
        self.assertEqual(set(self.look()) - known, {alert["id"]}, "one press is one alert")
        self.assertEqual(self.redis("ZCARD", "{lyon}:open"), "1")
        self.close(alert)
        self.settle()
        self.assertEqual(self.redis("ZCARD", "{lyon}:open"), "0")

    def test_dispatchers(self):
        for i in range(ROUNDS):
            self.one_round([f"dispatcher-{1 + i % 2}"], 0.2)

    def test_all_dispatchers(self):
        for _ in range(ROUNDS // 2):
            self.one_round(["dispatcher-1", "dispatcher-2"], 0.5)

    def test_alerts_redis(self):
        for i in range(ROUNDS):
            self.one_round(["alerts"], 0.3 if i % 2 else 3)

    def test_positions_redis(self):
        self.one_round(["positions"], 0.5)

    def test_console(self):
        self.one_round(["console"], 0.5)

    def test_handset(self):
        for _ in range(ROUNDS):
            self.one_round(["carrier"], 0.1)

    def test_everything_at_once(self):
        self.one_round(["carrier", "dispatcher-1", "dispatcher-2", "alerts", "positions", "console"], 0.3)

    def test_taken_survives(self):
        """A take, then every server dies: owner and state are as they were."""
        known = set(self.look())
        self.press()
        alert = self.new_alert(known)
        self.wait("the ring", lambda: any(r["id"] == alert["id"] for r in self.region.status("supervisor")["rings"]))
        self.region.say("supervisor", "take", alert["id"])
        self.wait("taken", lambda: self.word() == "taken")
        servers = ["dispatcher-1", "dispatcher-2", "alerts", "console"]
        for name in servers:
            self.region.processes[name].kill()
        for name in reversed(servers):
            self.region.restart(name)
        shown = self.wait("the desk again", lambda: self.look().get(alert["id"]))
        self.assertEqual((shown["state"], shown["owner_name"]), ("taken", "Paul Martin"))
        self.assertEqual(self.word(), "taken")
        self.close(alert)
        self.settle()

    def test_store_away_is_said(self):
        """With the alerts' Redis away a press is kept, said so, and committed when it is back."""
        known = set(self.look())
        self.region.processes["alerts"].kill()
        self.press()
        self.wait("kept", lambda: self.word() == "kept", 10)
        self.region.restart("alerts")
        self.wait("received", lambda: self.word() in HELD, 20)
        alert = self.new_alert(known)
        self.close(alert)
        self.settle()


class Past(Case):
    """Phones restored from backups, alerts offered again, and a phone that was away for long."""

    def copy_journal(self, to):
        folder = self.region.handsets["carrier"]["folder"]
        shutil.copy(os.path.join(folder, "journal"), os.path.join(folder, to))

    def restore_journal(self, kept):
        folder = self.region.handsets["carrier"]["folder"]
        self.region.processes["carrier"].kill()
        shutil.copy(os.path.join(folder, kept), os.path.join(folder, "journal"))
        self.region.restart("carrier")
        self.wait("the link", lambda: self.region.status("carrier")["link"] == "welcome")

    def test_backup_pressing_is_a_new_alert(self):
        self.copy_journal("before")
        known = set(self.look())
        self.press()
        first = self.new_alert(known)
        self.close(first)
        self.settle()
        self.restore_journal("before")
        self.press()
        second = self.new_alert(known | {first["id"]})
        self.assertNotEqual(first["id"], second["id"])
        self.close(second)
        self.settle()

    def test_closed_stays_closed(self):
        known = set(self.look())
        self.press()
        alert = self.new_alert(known)
        self.wait("received", lambda: self.word() in HELD)
        time.sleep(0.2)
        self.copy_journal("open")
        self.close(alert)
        self.settle()
        self.restore_journal("open")
        self.wait("the phone learns that it is closed", lambda: self.word() == "closed")
        self.assertEqual(self.redis("ZCARD", "{lyon}:open"), "0")
        self.region.say("carrier", "dismiss")

    def test_still_need_help_raises_again(self):
        known = set(self.look())
        self.press()
        alert = self.new_alert(known)
        self.close(alert, "mistake")
        self.wait("closed", lambda: self.word() == "closed")
        self.region.say("carrier", "still")
        again = self.new_alert(known | {alert["id"]})
        self.assertIn("still", again["marks"])
        self.close(again)
        self.settle()

    def test_duress_looks_the_same(self):
        known = set(self.look())
        self.press()
        alert = self.new_alert(known)
        self.wait("received", lambda: self.word() in HELD)
        self.region.say("carrier", "cancel", DURESS)
        self.wait("the mark on the desk", lambda: "duress" in self.look()[alert["id"]]["marks"])
        self.assertNotIn("mistake", self.look()[alert["id"]]["marks"])
        self.assertTrue(self.region.status("carrier")["alert"]["mistake"], "the phone shows what it shows for a right PIN")
        self.close(alert)
        self.settle()


class Strangers(Case):
    """Certificates and keys that are not good: no session, and still never refused."""

    def enrol(self, name, *words):
        self.region.enrol(name, self.region.dispatcher_port, "--role", "carrier", *words)
        self.region.start_handset(name, self.region.gpsd_port)

    def press_unverified(self, name, why):
        known = set(self.look())
        self.press(handset=name)
        alert = self.new_alert(known, lambda a: "unverified" in a["marks"])
        self.assertEqual(alert["why_unverified"], why)
        self.assertEqual(alert["asked"], [], "an unverified alert rings no supervisor")
        self.assertNotEqual(self.region.status(name)["link"], "welcome")
        self.close(alert)

    def test_expired(self):
        self.enrol("old", "--days", "-1")
        self.press_unverified("old", "expired")

    def test_revoked(self):
        self.enrol("lost")
        self.wait("the link", lambda: self.region.status("lost")["link"] == "welcome")
        self.region.vigie("handset", "revoke", self.region.handsets["lost"]["id"])
        self.wait("thrown out", lambda: self.region.status("lost")["link"] != "welcome")
        self.press_unverified("lost", "revoked")

    def test_unknown(self):
        self.enrol("ghost")
        self.redis("HDEL", "{lyon}:handsets", self.region.handsets["ghost"]["id"])
        self.redis("XADD", "{lyon}:people:changes", "*", "h", "handsets", "k", self.region.handsets["ghost"]["id"])
        self.wait("thrown out", lambda: self.region.status("ghost")["link"] != "welcome")
        self.press_unverified("ghost", "unknown")

    def test_hostile_names(self):
        name = "<script>alert(1)</script> \u202eevil\u202c \U0001F469\u200D\U0001F692"
        self.region.vigie("carrier", "add", "hostile", "--name", name, "--number", "+33611111111")
        self.enrol("named", "--person", "hostile")
        self.wait("the link", lambda: self.region.status("named")["link"] == "welcome")
        known = set(self.look())
        self.press(handset="named")
        alert = self.new_alert(known)
        self.assertEqual(alert["carrier_name"], name)
        self.close(alert)


class Duty(Case):
    """No position without a reason."""

    def test_off_duty_leaves_nothing(self):
        handset = self.region.handsets["carrier"]["id"]
        self.wait("a heartbeat", lambda: self.redis("HEXISTS", "{lyon}:duty:info", handset, store="positions") == "1")
        self.region.say("carrier", "duty", "off")
        self.wait("nothing is kept", lambda: self.redis("HEXISTS", "{lyon}:duty:info", handset, store="positions") == "0")
        self.assertEqual(self.redis("ZSCORE", "{lyon}:duty", handset, store="positions"), "")
        self.region.say("carrier", "duty", "on", "--round", "bellecour-3", "--for", "8h")
        self.wait("on duty", lambda: self.region.status("carrier")["duty"]["state"] == "on")

    def test_unknown_person_is_refused(self):
        self.region.say("carrier", "duty", "off")
        self.region.say("carrier", "duty", "on", "--person", "nobody", "--for", "1h")
        self.wait("refused", lambda: self.region.status("carrier")["duty"]["state"] == "refused")
        self.region.say("carrier", "duty", "on", "--round", "bellecour-3", "--for", "8h")
        self.wait("on duty", lambda: self.region.status("carrier")["duty"]["state"] == "on")

    def test_the_button_proves_itself(self):
        proof = self.wait("the ticks", lambda: (lambda p: p if p["proved_at_ms"] else None)(self.region.status("carrier")["proof"]))
        self.assertTrue(proof["recorded_at_ms"] and proof["sent_at_ms"])
        self.assertEqual(self.redis("ZCARD", "{lyon}:open"), "0", "the proof rings nobody")

    def test_no_names_or_positions_in_logs(self):
        self.press()
        alert = self.new_alert(set())
        self.close(alert)
        for name in os.listdir(self.region.logs):
            with open(os.path.join(self.region.logs, name), encoding="utf-8", errors="replace") as file:
                text = TIME_OF_DAY.sub("", file.read())
            for word in ("Camille", "Martin", "45.7", "4.83", "+336"):
                self.assertNotIn(word, text, f"{name} says {word}")


if __name__ == "__main__":
    if not os.path.exists(os.path.join(BIN, "vigie-dispatcher")):
        sys.exit(f"{BIN}: build first (make BUILD=...)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with us
    unittest.main()
