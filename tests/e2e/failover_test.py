#!/usr/bin/python3 -B
"""The whole region on a primary, two replicas and three Sentinels, real processes: what carriers and the control room are told while the
primary dies, stops, comes back stale, is alone, or has lost everything.

    VIGIE_BUILD=san tests/e2e/failover_test.py [-v] [Name.test ...]"""
import glob
import os
import shutil
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import region_test  # noqa: E402
from region_test import BIN, HELD, PASSWORD, Region  # noqa: E402
from replicated import talk  # noqa: E402

WHOLE_S = 60  # a Sentinel looks at replicas each 10 s, and lets a stale primary be for 8


class Watching(region_test.Desk):
    """The control room that also notes what its page is told of the store."""

    def __init__(self, *words):
        self.why, self.store, self.begun, self.answers = None, None, 0, []
        super().__init__(*words)

    def look(self, timeout_s=0.02):
        while message := self.socket.receive(timeout_s):
            if message["t"] == "alert":
                self.alerts[message["alert"]["id"]] = message["alert"]
            elif message["t"] == "begin":
                self.alerts, self.begun = {}, self.begun + 1
            elif message["t"] == "tick":
                self.store, self.why = message["store"], message["why"]
            elif message["t"] == "answer":
                self.answers.append(message["a"])
        return self.alerts


class Failover(region_test.Case):
    @classmethod
    def make_region(cls):
        return Region(fleet=False, replicated=True)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.desk.close()
        cls.desk = Watching(cls.region, "regie", PASSWORD)
        cls.desk.look(1)

    def setUp(self):
        self.alerts = self.region.replicated
        self.wait("all of them", self.alerts.is_ready, WHOLE_S)
        self.wait("the desk", lambda: self.look() is not None and self.desk.store)
        self.wait("the link", lambda: self.region.status("carrier")["link"] == "welcome")

    def store(self, *words):
        """A command to the primary, as a dispatcher gives it."""
        return talk(self.alerts.port[self.alerts.wait_primary()], *words, user="dispatcher", password=self.alerts.password["dispatcher"])

    def open_alerts(self):
        return self.store("ZRANGE", "{lyon}:open", 0, -1)

    def swap(self, put_aside, put_back=None):
        """Kill all three, put their files aside under that name, and others (None: nothing) in their place; start them."""
        for name in self.alerts.nodes:
            self.alerts.process[name].kill()
        for name in self.alerts.nodes:
            here, aside = (os.path.join(self.alerts.folder, name, n) for n in ("appendonlydir", put_aside))
            shutil.rmtree(aside, ignore_errors=True)
            shutil.move(here, aside)
            if put_back:
                shutil.copytree(os.path.join(self.alerts.folder, name, put_back), here)
        for name in self.alerts.nodes:
            self.alerts.process[name].start()

    def pressed(self, known, since):
        """One press: received, on the desk once, in the store once; then closed."""
        self.wait("received", lambda: self.word() in HELD, 30)
        took = time.monotonic() - since
        alert = self.new_alert(known, timeout_s=30)
        self.assertEqual(set(self.look()) - known, {alert["id"]}, "one press is one alert")
        self.assertEqual(self.open_alerts(), [alert["id"]])
        return alert, took

    def end(self, alert):
        self.close(alert)
        self.settle()
        self.assertEqual(self.open_alerts(), [])

    def test_killed(self):
        known, victim, since = set(self.look()), self.alerts.primary(), time.monotonic()
        self.alerts.process[victim].kill()
        self.press()
        alert, took = self.pressed(known, since)
        print(f"received {took:.1f} s after kill -9 of the primary")
        self.assertRegex(self.region.vigie("status"), r"open\.\w+ +1\n")  # the operator's tool finds it too
        self.alerts.process[victim].start()
        self.wait("a replica again", lambda: self.alerts.role(victim) == "slave", WHOLE_S)
        with open(self.alerts.process[victim].log, encoding="utf-8") as log:
            self.assertIn(f"follow: the Sentinels name 127.0.0.1 {self.alerts.port[self.alerts.primary()]}", log.read(), "before Sentinel put it right")
        self.end(alert)

    def test_paused_comes_back_stale(self):
        known, victim, since = set(self.look()), self.alerts.primary(), time.monotonic()
        self.alerts.process[victim].pause()
        self.press()
        alert, took = self.pressed(known, since)
        print(f"received {took:.1f} s after SIGSTOP of the primary")
        begun = self.desk.begun
        self.alerts.process[victim].resume()  # it takes itself for the primary still, and has not this alert
        self.wait("a replica", lambda: self.alerts.role(victim) == "slave", WHOLE_S)
        self.assertEqual(self.look()[alert["id"]]["state"], "asked")
        self.assertEqual(self.desk.begun, begun, "nobody turned to it")
        self.assertIn(self.word(), HELD)
        self.end(alert)

    def test_taken_then_killed(self):
        """Who was told "you have it" has it after a failover."""
        known = set(self.look())
        self.press()
        alert = self.new_alert(known)
        self.wait("the ring", lambda: any(r["id"] == alert["id"] for r in self.region.status("supervisor")["rings"]))
        self.region.say("supervisor", "take", alert["id"])
        self.wait("taken", lambda: self.word() == "taken")
        victim = self.alerts.primary()
        self.alerts.process[victim].kill()
        self.wait("the page is blind", lambda: self.look() is not None and not self.desk.store)
        self.desk.command("close", alert["id"], reason="other")
        self.wait("an honest answer", lambda: self.look() is not None and self.desk.answers == ["busy"])
        self.alerts.wait_primary(other_than=victim)
        self.wait("the desk again", lambda: self.look() is not None and self.desk.store)
        shown = self.wait("the alert", lambda: self.look().get(alert["id"]))
        self.assertEqual((shown["state"], shown["owner_name"]), ("taken", "Paul Martin"))
        self.assertEqual(self.word(), "taken")
        self.alerts.process[victim].start()
        self.end(alert)

    def shown_before_a_replica_has_it(self):
        """An alert that the page shows closed, which the primary alone has: (alert, primary, its stopped replicas).  The phone is told a second after
        the commit, replica or not: where the machine was too slow for that it is tried again."""
        for _ in range(5):
            known = set(self.look())
            self.press()
            alert = self.new_alert(known)
            self.wait("received", lambda: self.word() in HELD, 30)
            time.sleep(1)  # rung, seen: all of it copied
            primary = self.alerts.primary()
            replicas = [n for n in self.alerts.nodes if n != primary]
            for name in replicas:
                self.alerts.process[name].pause()  # the primary writes on for 2 s: min-replicas-max-lag
            self.desk.command("close", alert["id"], reason="other")
            end = time.monotonic() + 0.7
            while time.monotonic() < end:
                if self.look().get(alert["id"], {}).get("state") == "closed":
                    return alert, primary, replicas
            for name in replicas:
                self.alerts.process[name].resume()
            self.wait("all of them", self.alerts.is_ready, WHOLE_S)
            self.wait("the page", lambda: self.look() is not None and self.desk.store, WHOLE_S)
            if alert["id"] in self.open_alerts():
                self.close(alert)
            self.settle()
        self.fail("no closure within 0.7 s, five times")

    def test_shown_closed_then_lost(self):
        """The console shows a closure with its commit.  The primary dies before a replica has it, and with it all who saw it and their journals: the
        alert is open, nobody was told otherwise, and the console shows it again."""
        alert, victim, replicas = self.shown_before_a_replica_has_it()
        dispatchers = [n for n in self.region.processes if n.startswith(("dispatcher", "alert-port"))]
        self.alerts.process[victim].kill()
        for name in dispatchers:
            self.region.processes[name].kill()
        self.assertNotEqual(self.word(), "closed", "a phone is told after the WAIT")
        for path in glob.glob(os.path.join(self.region.folder, "*.journal")):
            os.unlink(path)
        for name in replicas:
            self.alerts.process[name].kill()  # what the kernel holds for them goes with them
            self.alerts.process[name].start()
        self.alerts.wait_primary(other_than=victim, timeout_s=WHOLE_S)
        for name in dispatchers:
            self.region.processes[name].start()
        self.wait("open on the page again", lambda: self.look().get(alert["id"], {}).get("state") in ("raised", "asked", "seen"), WHOLE_S)
        self.assertIn(alert["id"], self.open_alerts())
        self.assertNotEqual(self.word(), "closed")
        self.alerts.process[victim].start()
        self.wait("all of them", self.alerts.is_ready, WHOLE_S)
        self.end(alert)

    def test_alone(self):
        """Both replicas gone: the primary takes nothing.  A press is kept, and the page says that it is blind, and why."""
        known, primary = set(self.look()), self.alerts.primary()
        replicas = [n for n in self.alerts.nodes if n != primary]
        for name in replicas:
            self.alerts.process[name].pause()
        time.sleep(4)  # min-replicas-max-lag
        self.press()
        self.wait("kept", lambda: self.word() == "kept", 10)
        self.wait("the page", lambda: self.look() is not None and not self.desk.store and self.desk.why == "store_alone")
        for name in replicas:
            self.alerts.process[name].resume()
        alert, _ = self.pressed(known, time.monotonic())
        self.wait("the page again", lambda: self.look() is not None and self.desk.store)
        told = [entry[1] for entry in self.store("XRANGE", "{lyon}:feed", "-", "+")]
        keys = {fields[fields.index("k") + 1] for fields in told if "k" in fields}
        self.assertTrue(any(key.endswith(":store_alone") for key in keys), f"that it was so is in the feed: {keys}")
        self.end(alert)

    def test_older_copy(self):
        """Files of before the press are put back, with the same epoch: the dispatchers' journals bring back what came after."""
        self.swap("before", "before")
        self.wait("all of them", self.alerts.is_ready, WHOLE_S)
        self.wait("the page", lambda: self.look() is not None and self.desk.store, WHOLE_S)
        known = set(self.look())
        self.press()
        alert, _ = self.pressed(known, time.monotonic())
        self.swap("after", "before")
        self.wait("it is there again", lambda: self.open_alerts() == [alert["id"]], WHOLE_S)
        self.assertIn(self.word(), HELD, "the phone is told nothing else")
        self.wait("on the desk", lambda: self.look().get(alert["id"]))
        self.wait("all of them", self.alerts.is_ready, WHOLE_S)  # until its replicas follow the store takes nothing
        self.wait("the page", lambda: self.look() is not None and self.desk.store, WHOLE_S)
        self.end(alert)

    def test_everything_lost(self):
        """All three come back empty: nobody takes that for a region without people and alerts.  With their files it goes on."""
        known = set(self.look())
        self.press()
        alert = self.new_alert(known)
        self.swap("kept")
        self.wait("the page", lambda: self.look() is not None and self.desk.why == "store_older", 30)
        time.sleep(1)
        self.assertIn(self.word(), HELD, "the phone is told nothing new")
        self.assertEqual(self.open_alerts(), [])
        self.swap("empty", "kept")
        self.wait("the page again", lambda: self.look() is not None and self.desk.store, WHOLE_S)
        self.assertEqual(self.look()[alert["id"]]["id"], alert["id"])
        self.end(alert)


if __name__ == "__main__":
    if not os.path.exists(os.path.join(BIN, "vigie-dispatcher")):
        sys.exit(f"{BIN}: build first (make BUILD=...)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with us
    unittest.main()
