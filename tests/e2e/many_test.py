#!/usr/bin/python3 -B
"""Several dispatchers: the alert port while the ordinary ones hang, and an upgrade in the middle of alerts.

    VIGIE_BUILD=san tests/e2e/many_test.py [-v] [Name.test ...]"""
import os
import signal
import sys
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))

from region_test import BIN, HELD, Case  # noqa: E402
from region import Region  # noqa: E402

PHONES, PER_S = 300, 15
DRAIN_PERCENT = 20      # 5 s
MOMENT_S = 5.0          # of the slowest press; a shared machine with sanitizers is slow


class Told:
    """What vigie-fleet wrote down: presses, and the first word of the region about each."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "told")

    def read(self):
        pressed, received = {}, {}
        with open(self.path, encoding="ascii") as file:
            for line in file:
                words = line.split()
                if words[1] == "press":
                    pressed[words[2]] = int(words[0])
                elif words[1] == "told" and int(words[3]) > 0:
                    received.setdefault(words[2], int(words[0]))
        return pressed, received

    def waiting(self):
        pressed, received = self.read()
        return set(pressed) - set(received)


class Many(Case):
    @classmethod
    def make_region(cls):
        region = Region(fleet=False)
        region.dispatcher_options = [f"drain.percent={DRAIN_PERCENT}"]
        return region

    def signal(self, number, *names):
        for name in names:
            os.kill(self.region.processes[name].pid, number)

    def test_alert_port_while_the_others_hang(self):
        """Both ordinary processes are stopped, their sockets open and dumb: the press is received over the alert port."""
        known = set(self.look())
        self.signal(signal.SIGSTOP, "dispatcher-1", "dispatcher-2")
        try:
            began = time.monotonic()
            self.press()
            self.wait("received", lambda: self.word() in HELD, 15)
            self.assertLess(time.monotonic() - began, MOMENT_S)
            alert = self.new_alert(known)
        finally:
            self.signal(signal.SIGCONT, "dispatcher-1", "dispatcher-2")
        self.wait("the supervisor's phone to ring", lambda: any(r["id"] == alert["id"] for r in self.region.status("supervisor")["rings"]))
        self.assertEqual(set(self.look()) - known, {alert["id"]}, "one press is one alert")
        self.region.say("supervisor", "take", alert["id"])
        self.wait("taken", lambda: self.word() == "taken")
        self.close(alert)
        self.settle()

    def test_drained_in_the_middle_of_alerts(self):
        """One of two processes is stopped for an upgrade: its phones go to the other, and no press waits more than a moment."""
        folder = os.path.join(self.region.folder, "phones")
        os.mkdir(folder)
        fleet = self.region.process("fleet", [os.path.join(BIN, "vigie-fleet"), "keep", "--region", self.region.dir, "--folder", folder,
                                              "--port", str(self.region.dispatcher_port), "--alert-port", str(self.region.alert_port),
                                              "--carriers", str(PHONES), "--supervisors", "1", "--rate", str(PER_S), "--prefix", "m"])
        fleet.start()
        told = Told(folder)
        self.wait("presses", lambda: os.path.exists(told.path) and len(told.read()[0]) > PER_S, 60)
        drained = self.region.processes["dispatcher-1"]
        self.signal(signal.SIGTERM, "dispatcher-1")
        self.wait("its end", lambda: not drained.alive(), 30)
        self.assertEqual(drained.child.returncode, 0)
        self.region.restart("dispatcher-1")
        time.sleep(1)
        with open(os.path.join(folder, "calm"), "w", encoding="ascii"):
            pass
        self.wait("all received", lambda: not told.waiting(), 20)
        pressed, received = told.read()
        slowest = max(received[alert] - pressed[alert] for alert in pressed) / 1e6
        self.assertGreater(len(pressed), 3 * PER_S)
        self.assertLess(slowest, MOMENT_S)
        with open(drained.log, encoding="utf-8", errors="replace") as file:
            text = file.read()
        self.assertRegex(text, r"drains [1-9]\d+ sessions")
        print(f"{len(pressed)} presses, the slowest received after {slowest:.2f} s", file=sys.stderr)


del Case  # it is no test of ours

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with us
    unittest.main()
