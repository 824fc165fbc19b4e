#!/usr/bin/python3 -B
"""The alerts' Redis is lost for good: a backup, the archive and the dispatchers' journals bring all of it back.

    VIGIE_BUILD=san tests/e2e/restore_test.py [-v]"""
import os
import shutil
import sys
import unittest

from region_test import Case, HELD
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "ops"))
from archive_verify import item  # noqa: E402
from processes import Failure, wait_for
from region import BIN, Region, run


class Restore(Case):
    def archived(self):
        """The archive has all that the feed has."""
        last = self.redis("--no-raw", "XREVRANGE", "{lyon}:feed", "+", "-", "COUNT", "1").split('"')[1]
        return self.redis("HGET", "{lyon}:archive", "feed") == last

    def lose_redis(self):
        self.region.processes["alerts"].kill()
        shutil.rmtree(os.path.join(self.region.folder, "alerts"))
        self.region.start_redis("alerts")

    def restore(self, folder):
        """With dispatchers that write into the empty Redis meanwhile: again, until it is quiet for as long as it takes."""
        try:
            run([os.path.join(BIN, "vigie"), "-C", self.region.dir, "restore", "--over", folder])
            return True
        except Failure as failure:
            if "meanwhile" not in str(failure):
                raise
            return False

    def shown(self, alert, condition):
        return condition(self.look().get(alert["id"], {}))

    def test_lost_for_good(self):
        backups = os.path.join(self.region.folder, "backups")
        os.mkdir(backups)
        self.press()
        self.wait("received", lambda: self.word() in HELD)
        first = self.new_alert(set())
        self.region.vigie("backup", backups)
        self.press(handset="supervisor")  # after the backup: only the archive has it
        second = self.new_alert({first["id"]})
        self.wait("archived", self.archived)
        self.region.processes["archive"].kill()
        self.region.say("supervisor", "take", first["id"])  # after the archive: only the journals have it
        self.wait("taken", lambda: self.shown(first, lambda a: a.get("owner_name") == "Paul Martin"))
        self.lose_redis()
        self.wait("restored", lambda: self.restore(backups), 30)
        self.region.restart("archive")
        for alert in (first, second):
            self.wait("shown again, to be checked",
                      lambda alert=alert: self.shown(alert, lambda a: a.get("state") != "closed" and "restored" in a.get("marks", [])), 40)
        self.assertEqual(self.redis("ZCARD", "{lyon}:open"), "2")
        self.wait("taken, again", lambda: self.shown(first, lambda a: a.get("owner_name") == "Paul Martin"), 40)
        self.assertEqual(self.redis("GET", "{lyon}:epoch"), "1")
        self.assertEqual(self.redis("HLEN", "{lyon}:carriers"), "2")
        self.close(first)
        self.close(second)
        self.settle()
        self.settle("supervisor")
        self.wait("archived", self.archived)
        said = wait_for("the audit", self.region.verify_archive)
        self.assertIn("good:", said)
        self.assertIn("restored, epoch 1", said)


class Failover(Case):
    """The archive across failovers: it goes on with the new primary; what that one had not is a break, and nothing is unexplained."""

    @classmethod
    def make_region(cls):
        return Region(fleet=False, replicated=True)

    def one(self, trouble, mend):
        alerts, known = self.region.replicated, set(self.look())
        victim = alerts.primary()
        self.press()
        trouble(alerts.process[victim])
        self.wait("received", lambda: self.word() in HELD, 30)
        alerts.wait_primary(other_than=victim)
        alert = self.new_alert(known, timeout_s=30)
        self.troubles = []
        try:
            self.wait("closed", lambda: self.try_close(alert), 60)
        except Failure as failure:
            raise Failure(f"{failure}: {self.troubles}") from failure
        self.settle()
        mend(alerts.process[victim])
        self.wait("the archive has its closure", lambda: self.closed_in_archive(alert), 30)
        self.wait("all of them", alerts.is_ready, 40)

    def try_close(self, alert):
        """A console that has not found the new primary yet takes no command: asked again."""
        try:
            self.close(alert)
            return True
        except Failure as failure:
            self.troubles.append(f"{failure}; shown: {self.look().get(alert['id'])}")
            return False

    def closed_in_archive(self, alert):
        """Its last entry has state 7; and the archive is good, breaks said."""
        state, folder = None, os.path.join(self.region.dir, "archive")
        for name in sorted(n for n in os.listdir(folder) if n.endswith(".archive")):
            with open(os.path.join(folder, name), "rb") as file:
                data, at = file.read(), 0
            _, at = item(data, at)
            while at < len(data):
                entry, at = item(data, at)
                meta = item(entry[0], 0)[0]
                state = meta[7] if meta[2] == 1 and meta[5].hex() == alert["id"] else state
        return state == 7

    def test_failovers(self):
        self.wait("all of them", self.region.replicated.is_ready, 40)
        self.one(lambda p: p.kill(), lambda p: p.start())
        self.one(lambda p: p.pause(), lambda p: p.resume())
        said = self.region.verify_archive()
        self.assertIn("good:", said)
        self.assertNotIn("GAP", said)


if __name__ == "__main__":
    unittest.main()
