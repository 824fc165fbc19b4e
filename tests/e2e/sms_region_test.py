#!/usr/bin/python3 -B
"""The region's SMS leg: alerts and answers from the network through a real Kannel, as anybody can send them; phones are played here.

    VIGIE_BUILD=san tests/e2e/sms_region_test.py [-v] [Name.test ...]"""
import os
import re
import signal
import sys
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "sms"))

from bulk import Bulk  # noqa: E402
from sms_case import ALERT_NUMBER, CONTROL_NUMBER, HEADER, INES, PAUL, SmsCase  # noqa: E402

STRANGER = "+33699999999"
JUNK, JUNK_PER_S = 10000, 1000      # as much as one line of an operator brings, and more
JUNK_ALERT_S = 2.0      # of a real one, in the middle of the junk


def flip(octets, at):
    """OCTETS (hex) with one bit of the octet AT (from the end where negative) turned."""
    data = bytearray.fromhex(octets)
    data[at] ^= 1
    return data.hex()


class Alerts(SmsCase):
    """Signed alerts by SMS, good ones and bad ones."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.phones = cls.fleet(cls, 12, "obj")

    def setUp(self):
        super().setUp()
        self.number, self.alert, self.object = self.phones.pop()
        self.known = set(self.look())

    def tearDown(self):
        self.close_open()

    def new(self):
        return set(self.look()) - self.known

    def test_one_alert_and_its_receipt(self):
        self.octets(self.number, self.object)
        alert = self.shown(self.alert)
        self.assertEqual(alert["paths"], ["sms"])
        self.assertIsNone(alert["data_at"])
        self.assertNotIn("unverified", alert["marks"])
        self.assertTrue(alert["sms_at"] and alert["position"])
        self.wait_receipt(self.number, self.alert)

    def test_copies_are_one_alert(self):
        self.octets(self.number, self.object, copies=5)
        self.shown(self.alert)
        time.sleep(1)
        self.assertEqual(self.new(), {self.alert})

    def test_without_header(self):
        """A gateway that strips the header, and one that leaves it in front of the body."""
        self.sms(send={"from": self.number, "to": ALERT_NUMBER, "hex": self.object})
        self.shown(self.alert)
        number, alert, octets = self.phones.pop()
        self.sms(send={"from": number, "to": ALERT_NUMBER, "hex": HEADER + octets})
        self.shown(alert)

    def test_from_another_number(self):
        self.clear(STRANGER)
        self.octets(STRANGER, self.object)
        self.assertNotIn("unverified", self.shown(self.alert)["marks"])
        self.wait_receipt(self.number, self.alert)
        self.wait_receipt(STRANGER, self.alert)

    def test_replayed(self):
        self.octets(self.number, self.object)
        self.close(self.shown(self.alert))
        self.octets(STRANGER, self.object, copies=3)
        time.sleep(2)
        self.assertEqual(self.look()[self.alert]["state"], "closed")
        self.assertEqual(self.redis("ZSCORE", "{lyon}:open", self.alert), "")

    def unverified(self, octets, why):
        """OCTETS raise an alert, to the control room only."""
        self.octets(STRANGER, octets)
        alert = self.new_alert(self.known, lambda a: "unverified" in a["marks"])
        self.assertEqual((alert["why_unverified"], alert["asked"]), (why, []))
        return alert

    def test_altered(self):
        self.unverified(flip(self.object, 40), "signature")

    def test_forged(self):
        """Under the name of another phone of the region, signed by a key that is not its."""
        _, other, _ = self.phones.pop()
        handset = self.alert[:16]
        self.assertIn(handset, self.object)
        self.unverified(self.object.replace(handset, other[:16]), "signature")

    def test_truncated(self):
        self.octets(STRANGER, self.object[:150])
        alert = self.new_alert(self.known, lambda a: "unverified" in a["marks"])
        self.assertEqual(alert["asked"], [])

    def test_unknown_handset(self):
        self.redis("HDEL", "{lyon}:handsets", self.alert[:16])
        self.redis("XADD", "{lyon}:people:changes", "*", "h", "handsets", "k", self.alert[:16])
        time.sleep(1)
        self.unverified(self.object, "unknown")

    def test_flood(self):
        """Ten thousand pieces of junk, and a real one among them."""
        junk = {"to": ALERT_NUMBER, "count": JUNK // 2, "per_s": JUNK_PER_S // 2}
        self.sms(flood={**junk, "from": "+3368", "hex": "d284" + "00" * 100})
        self.sms(flood={**junk, "from": "+3369", "text": "hello, is this a taxi?"})
        time.sleep(JUNK / JUNK_PER_S / 2)
        sent_s = time.monotonic()
        self.octets(self.number, self.object)
        self.shown(self.alert, timeout_s=60)
        self.assertLess(time.monotonic() - sent_s, JUNK_ALERT_S)
        self.wait("the end of the junk", lambda: self.sms(state={})["kannel"]["waiting"] == 0, 60)


class Answers(SmsCase):
    """People who are asked by SMS, and what they answer.  Paul's phone rings and he does not look."""

    def setUp(self):
        super().setUp()
        self.clear(PAUL, INES, CONTROL_NUMBER, STRANGER)
        self.known = set(self.look())
        self.press()
        self.alert = self.new_alert(self.known)["id"]

    def tearDown(self):
        self.close_open()
        self.settle()

    def code(self, number=PAUL):
        """The reply code in the SMS that asks; what came before it, of the test before too, is not in the inbox any more."""
        text = self.wait_text(number, ["Camille Roux", "OUI "])
        self.clear(number)
        return re.search(r"\bOUI (\d{4})\b", text).group(1)

    def owned(self, name="Paul Martin", how="sms"):
        alert = self.shown(self.alert, lambda a: a["owner_name"] == name)
        self.assertEqual((alert["state"], alert["owner_by"]), ("taken", how))

    def test_asks_after_5_s(self):
        began = time.monotonic()
        text = self.wait_text(PAUL, ["Camille Roux", "OUI", "geo:"])
        self.assertGreater(time.monotonic() - began, 3)
        self.assertIn("+33600000001", text)
        self.shown(self.alert, lambda a: any(p["name"] == "Paul Martin" and (p["sms"] or {}).get("state") == "delivered" for p in a["asked"]))

    def test_yes_with_the_code(self):
        self.text(PAUL, f"oui {self.code()} j'arrive")
        self.wait_text(PAUL, ["Camille", "vous"])
        self.owned()
        self.wait("the carrier knows", lambda: self.region.status("carrier")["alert"]["who"] == "Paul Martin")

    def test_yes_without_a_code(self):
        self.code()
        self.text(PAUL, "Yes!")
        self.owned()

    def test_wrong_code(self):
        code = self.code()
        wrong = "1234" if code != "1234" else "4321"
        self.text(PAUL, f"OUI {wrong}")
        self.wait_text(PAUL, [wrong])
        self.assertFalse(self.look()[self.alert]["owner_name"])

    def test_late_code(self):
        code = self.code()
        self.desk.command("take", self.alert)
        self.shown(self.alert, lambda a: a["state"] == "taken")
        self.text(PAUL, f"OUI {code}")
        self.wait_text(PAUL, ["Salle de contr"])
        self.assertNotEqual(self.look()[self.alert]["owner_name"], "Paul Martin")

    def test_code_of_a_closed_alert(self):
        code = self.code()
        self.close({"id": self.alert})
        self.wait_text(PAUL, ["est terminée"])
        self.clear(PAUL)
        self.text(PAUL, f"OUI {code}")
        self.wait("an answer", lambda: self.texts(PAUL))
        self.assertEqual(self.look()[self.alert]["state"], "closed")
        self.assertNotEqual(self.look()[self.alert]["owner_name"], "Paul Martin")

    def test_no_passes_on(self):
        self.text(PAUL, f"NON {self.code()}")
        shown = self.shown(self.alert, lambda a: any("declined" in asked["flags"] for asked in a["asked"]))
        self.assertEqual(next(a["answered_by"] for a in shown["asked"] if "declined" in a["flags"]), "sms")
        self.wait("an answer", lambda: self.texts(PAUL))

    def test_unknown_number(self):
        self.text(STRANGER, f"OUI {self.code()}")
        time.sleep(2)
        self.assertEqual(self.texts(STRANGER), [])
        self.assertNotEqual(self.look()[self.alert]["state"], "taken")

    def test_nonsense_is_not_always_explained(self):
        """Once per number, hour and dispatcher; there are three."""
        self.code()
        for text in ("Comment ?", "Qui est-ce ?", "?", "Allô ?", "Comment ?", "Qui ?"):
            self.text(PAUL, text)
        self.wait("an explanation", lambda: self.texts(PAUL))
        time.sleep(1)
        self.assertLessEqual(len(self.texts(PAUL)), 3)


class Many(SmsCase):
    """A few of what tests/e2e/sms_bulk does with ten thousand.  The last class: what it leaves open goes with the region."""

    def test_none_lost_none_doubled(self):
        bulk = Bulk(self.region, self.network, 200, 7, factor=0.05)
        time.sleep(1)
        bulk.play()
        self.assertEqual(bulk.judge(), (set(), set()))


class Blind(SmsCase):
    """The store is away: nobody's console sees anything."""

    def test_control_room_is_called(self):
        self.clear(CONTROL_NUMBER, PAUL)
        known = set(self.look())
        self.region.processes["alerts"].kill()
        self.press()
        self.wait_text(CONTROL_NUMBER, ["Camille Roux"], 30)
        self.region.restart("alerts")
        alert = self.new_alert(known, timeout_s=30)
        self.close(alert)
        self.settle()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with us
    unittest.main()
