"""What the end-to-end tests of the SMS leg share: one region, what goes through its network, what the desk shows of it."""
import os
import sys
import unittest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "e2e"))
sys.path.insert(0, os.path.join(os.path.dirname(TESTS), "ops", "demolib"))

from processes import Failure, run, wait_for  # noqa: E402,F401
from region import BIN, Region  # noqa: E402
from region_test import HELD, Case  # noqa: E402
from sms import CONTROL_NUMBER, MODEMS, NUMBER as ALERT_NUMBER, PLAIN  # noqa: E402,F401

HEADER = "0605043f130000"           # to port 16147 (wire/sms.h)
RECEIVED = set(HELD)
CARRIER, PAUL, INES = MODEMS["carrier"], MODEMS["supervisor"], PLAIN
MODEM_S = 40                        # until a daemon has looked at its modem again


class SmsCase(Case):
    """A region with Kannel and a mobile network."""
    running = None

    @classmethod
    def make_region(cls):
        return Region(fleet=False, with_sms=True)

    @classmethod
    def setUpClass(cls):
        """One region for all classes of a file: it goes when the file is done."""
        if not SmsCase.running:
            super().setUpClass()
            SmsCase.region, SmsCase.desk = cls.region, cls.desk
            SmsCase.running = cls
            unittest.addModuleCleanup(SmsCase.end)
            SmsCase.network = cls.region.network

    @classmethod
    def tearDownClass(cls):
        """Nothing: see end()."""

    @classmethod
    def end(cls):
        cls.network.close()
        cls.running = None
        super().tearDownClass()

    def setUp(self):
        self.sms(forget={})

    # ---- the network -------------------------------------------------------------------------------------------------------------

    def sms(self, **request):
        return self.network.ask(**request)

    def text(self, sender, text):
        self.sms(send={"from": sender, "to": ALERT_NUMBER, "text": text})

    def octets(self, sender, octets, copies=1):
        self.sms(send={"from": sender, "to": ALERT_NUMBER, "hex": octets, "udh": HEADER, "copies": copies})

    def clear(self, *numbers):
        for number in numbers:
            self.sms(inbox=number, take=True)

    def inbox(self, number):
        return self.sms(inbox=number)["inbox"]

    def texts(self, number):
        return [m["text"] for m in self.inbox(number) if "text" in m]

    def wait_text(self, number, has, timeout_s=20):
        """The first text for NUMBER in which each of HAS stands, in any case."""
        return self.wait(f"a text with {has} for {number}; it has {self.texts(number)}",
                         lambda: next((t for t in self.texts(number) if all(h.lower() in t.lower() for h in has)), None), timeout_s)

    def receipts(self, number, alert):
        """The receipts about ALERT that came to NUMBER's port (their signature is the phone's to check)."""
        return [m for m in self.inbox(number) if m.get("udh") == HEADER and alert in m["hex"]]

    def wait_receipt(self, number, alert, timeout_s=20):
        return self.wait(f"a receipt for {number}", lambda: self.receipts(number, alert), timeout_s)

    def held(self, count=1):
        return self.wait("a message held in the network", lambda: len(h := self.sms(held={})["held"]) >= count and h, 30)

    # ---- phones without a daemon -------------------------------------------------------------------------------------------------

    def fleet(self, count, prefix):
        """(number, alert id, signed alert) of carriers that are new to the region."""
        said = run([os.path.join(BIN, "vigie-fleet"), "sms", "--region", self.region.dir, "--carriers", str(count), "--prefix", prefix])
        return [line.split() for line in said.splitlines()]

    def shown(self, alert, condition=lambda a: True, timeout_s=20):
        """ALERT on the desk, once CONDITION holds of it."""
        return self.wait(f"alert {alert} on the desk", lambda: (a := self.look().get(alert)) and condition(a) and a, timeout_s)

    def close_open(self):
        """All but junk: of a flood more stays than a desk may close at once."""
        for alert in list(self.look().values()):
            if alert["state"] != "closed" and alert["why_unverified"] != "malformed":
                self.close(alert)
