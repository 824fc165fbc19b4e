#!/usr/bin/python3 -B
"""Sealed places, real processes: the keeper opens where an overdue carrier was, and the notice says it; nobody else can.

    VIGIE_BUILD=san tests/e2e/place_test.py [-v]"""
import os
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
sys.path.insert(0, os.path.join(ROOT, "ops", "demolib"))

from inbox_test import LONG_S, Redis  # noqa: E402
from keeper_test import decode  # noqa: E402
from processes import wait_for  # noqa: E402
from region import BIN, Region  # noqa: E402
from region_test import Case  # noqa: E402


class Impatient(Region):
    """Who has not been heard for 10 s is overdue: with a heartbeat a minute everybody on duty is, by and by."""

    def __init__(self):
        super().__init__(fleet=False)
        self.dispatcher_options += ["silence.overdue=10s", "silence.question=2s"]

    def start_keeper(self):
        argv = [os.path.join(BIN, "vigie-keeper"), "-c", os.path.join(self.dir, "keeper.conf"), "-o", "silence.overdue=1s"]
        self.process("keeper", argv, ready=True, env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0")).start()


class Places(Case):
    @classmethod
    def make_region(cls):
        return Impatient()

    def names(self):
        """The carriers that the notices name, as their fields."""
        text = Redis(self.region)
        keys = [key for key in text("HKEYS", "{lyon}:notices").decode().split() if key.startswith("overdue:")]
        notices = [text("HGET", "{lyon}:notices", key) for key in keys]
        return [name for notice in notices if notice for name in decode(notice)[0][9]]

    def test_overdue_carrier_is_placed(self):
        wait_for("the carrier's fix", lambda: self.region.status("carrier")["fix"], LONG_S)
        wait_for(f"a notice with the carrier's place; last seen {self.names()}", lambda: any(name[5] for name in self.names()), 3 * LONG_S)
        lat, lon = next(name[5] for name in self.names() if name[5])[:2]
        fix = self.region.status("carrier")["fix"]
        self.assertLess(abs(lat / 1e7 - fix["lat"]) + abs(lon / 1e7 - fix["lon"]), 0.05, (lat, lon, fix))


if __name__ == "__main__":
    unittest.main()
