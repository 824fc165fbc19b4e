#!/usr/bin/python3 -B
"""A carrier on duty who is not heard any more is asked by SMS; who does not answer rings.  With short times; the phone is dead, the
carrier's number is played here.

    VIGIE_BUILD=san tests/e2e/silence_test.py [-v]"""
import os
import signal
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "sms"))

from sms_case import Region, SmsCase  # noqa: E402

SAMI = "+33600000002"
OVERDUE_S, QUESTION_S = 8, 8
SCAN_S = 15 + 20  # dispatchers look each 15 s (CORE_SCAN_MS); and a busy machine
ASKED, THANKS = ["Répondez OK"], ["Merci"]


class Silence(SmsCase):
    @classmethod
    def make_region(cls):
        region = Region(fleet=False, with_sms=True, alert_ports=0)
        region.dispatcher_options += [f"silence.overdue={OVERDUE_S}s", f"silence.question={QUESTION_S}s"]
        return region

    def rings(self):
        """The zones whose overdue carriers ring in the control room."""
        return [key for key in self.redis("HKEYS", "{lyon}:notices").split() if key.startswith("overdue:")]

    def asked(self):
        """How often the carrier was asked."""
        return sum(all(word in text for word in ASKED) for text in self.texts(SAMI))

    def test_asked_answered_and_rung(self):
        self.region.say("carrier", "duty", "off")
        self.wait("nobody on duty", lambda: self.redis("ZCARD", "{lyon}:duty", store="positions") == "0")
        self.region.enrol("sami", self.region.dispatcher_port, "--role", "carrier", "--person", "c002", "--number", SAMI)
        self.region.start_handset("sami", self.region.gpsd_port)
        self.wait("the link", lambda: self.region.status("sami")["link"] == "welcome")
        self.region.say("sami", "duty", "on", "--round", "bellecour-3", "--for", "8h")
        self.wait("on duty", lambda: self.region.status("sami")["duty"]["state"] == "on")
        self.region.processes["sami"].kill()

        self.wait_text(SAMI, ASKED, OVERDUE_S + SCAN_S)
        self.assertEqual(self.rings(), [], "who is asked has time to answer")
        self.text(SAMI, "ok")
        self.wait_text(SAMI, THANKS)

        self.wait("asked again", lambda: self.asked() == 2, OVERDUE_S + SCAN_S)  # heard once, and silent again
        self.wait("it rings", lambda: self.rings() == ["overdue:presquile"], QUESTION_S + SCAN_S)
        self.assertEqual(self.asked(), 2, "asked once by one dispatcher")

        self.region.restart("sami")
        self.wait("it is over", lambda: self.rings() == [], SCAN_S)


del SmsCase  # it is no test of ours

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with us
    unittest.main()
