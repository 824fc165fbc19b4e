#!/usr/bin/python3 -B
"""The SMS leg from the press to the receipt, on the real parts: handset daemon, modem on a terminal, message centre, Kannel, dispatchers,
desk, and back.

    VIGIE_BUILD=san tests/e2e/sms_test.py [-v] [Name.test ...]"""
import os
import signal
import sys
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "sms"))

from sms_case import ALERT_NUMBER, CARRIER, HEADER, MODEM_S, RECEIVED, Failure, SmsCase  # noqa: E402

REPEAT_S = 150          # until the third copy is here and its receipt back: after 20 s, 60 s, 120 s; the one before may be lost too


class HandsetCase(SmsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.wait(cls, "the modem", lambda: cls.modem_ready(cls), MODEM_S)

    def setUp(self):
        super().setUp()
        self.known = set(self.look())

    def tearDown(self):
        """Whatever a case left: all mended, all closed."""
        self.sms(forget={})
        self.sms(release={})
        self.sms(modem=CARRIER, state="ready")
        self.region.proxy.mend()
        for name in ("bearerbox", "smsbox"):
            self.region.restart(name)
        self.link_again()
        self.close_open()
        self.settle()

    def link_again(self):
        """After a long cut the phone waits for up to two minutes between attempts; one that starts anew does not."""
        try:
            self.wait("the link", self.linked, 2)
        except Failure:
            self.region.processes["carrier"].stop()
            self.region.restart("carrier")
            self.wait("the link", self.linked)
            self.wait("the modem", self.modem_ready, MODEM_S)

    def linked(self):
        return self.region.status("carrier")["link"] == "welcome"

    def modem_ready(self):
        return self.region.status("carrier")["sms"]["modem"] == "ready"

    # ---- what happens ----------------------------------------------------------------------------------------------------------

    def status(self):
        return self.region.status("carrier")["alert"]

    def cut(self):
        self.region.proxy.cut()
        self.wait("the phone knows", lambda: not self.linked())

    def pressed_without_data(self):
        self.cut()
        self.press()
        return self.new_alert(self.known)

    def received(self, path=None, timeout_s=30):
        self.wait("received", lambda: self.word() in RECEIVED, timeout_s)
        if path:
            self.assertEqual(self.status()["received_path"], path)

    def one_alert(self, alert, *paths):
        """One press, one alert, by these paths."""
        shown = self.shown(alert["id"], lambda a: set(a["paths"]) == set(paths))
        time.sleep(0.5)
        self.assertEqual(set(self.look()) - self.known, {alert["id"]})
        self.assertEqual((bool(shown["data_at"]), bool(shown["sms_at"])), ("data" in paths, "sms" in paths))


class Data(HandsetCase):
    """Data goes and comes; the alert does not care."""

    def test_down_before_the_press(self):
        self.cut()
        began = time.monotonic()
        self.press()
        alert = self.new_alert(self.known)
        self.assertLess(time.monotonic() - began, 8)
        self.received("sms")
        self.one_alert(alert, "sms")
        self.desk.command("take", alert["id"])
        self.wait("the phone to say who", lambda: self.word() == "taken" and self.status()["who"])
        self.close(alert)
        self.wait("closed on the phone", lambda: self.word() == "closed")

    def test_dies_between_press_and_receipt(self):
        """The link stands and nothing passes: after three seconds the SMS goes too."""
        self.region.proxy.stall()
        self.press()
        alert = self.new_alert(self.known)
        self.received("sms")
        self.one_alert(alert, "sms")
        self.region.proxy.mend()
        self.one_alert(alert, "sms", "data")

    def test_back_while_the_sms_is_under_way(self):
        self.sms(hold={"to": ALERT_NUMBER})
        self.cut()
        self.press()
        self.held()
        self.region.proxy.mend()
        alert = self.new_alert(self.known)
        self.received("data")
        self.sms(forget={})
        self.sms(release={})
        self.one_alert(alert, "data", "sms")

    def test_an_hour_late_and_twice(self):
        self.sms(hold={"to": ALERT_NUMBER})
        self.cut()
        self.press()
        self.held()
        self.region.proxy.mend()
        alert = self.new_alert(self.known)
        self.received()
        self.close(alert)
        self.settle()
        self.sms(forget={})
        self.sms(release={}, copies=2)
        time.sleep(2)
        self.assertEqual(set(self.look()) - self.known, {alert["id"]})
        self.assertEqual(self.look()[alert["id"]]["state"], "closed")
        self.assertEqual(self.redis("ZCARD", "{lyon}:open"), "0")
        self.assertIn(self.word(), ("closed", "none"))


class Receipts(HandsetCase):
    """What comes back by SMS, late, in another order, or not at all."""

    def test_late_taken_after_the_release(self):
        alert = self.pressed_without_data()
        self.received("sms")
        self.sms(hold={"to": CARRIER})
        self.region.say("supervisor", "take", alert["id"])
        self.shown(alert["id"], lambda a: a["owner_name"] == "Paul Martin")
        taken = self.held()[-1]
        self.region.say("supervisor", "release", alert["id"])
        self.shown(alert["id"], lambda a: not a["owner_name"])
        released = self.held(2)[-1]
        self.sms(forget={})
        self.sms(release={"message": released["message"]})
        self.wait("no owner on the phone", lambda: self.word() != "taken" and self.sms(modem=CARRIER)["stored"] == 0)
        self.sms(release={"message": taken["message"]})
        time.sleep(3)
        self.assertNotEqual(self.word(), "taken")
        self.assertFalse(self.status()["who"])

    def test_forged(self):
        """Who sends a receipt does not matter; who signed it does."""
        self.sms(drop={"to": CARRIER})
        alert = self.pressed_without_data()
        sent = self.wait("a receipt on its way", lambda: [line["hex"] for line in self.sms(log=0)["log"]
                                                          if line["to"] == CARRIER and alert["id"] in line.get("hex", "")])[-1]
        self.sms(forget={})
        for at in (30, -1):         # in what it says; in its signature
            forged = bytearray.fromhex(sent)
            forged[at] ^= 1
            self.sms(send={"from": ALERT_NUMBER, "to": CARRIER, "hex": forged.hex(), "udh": HEADER})
        self.wait("the phone to read them", lambda: self.sms(modem=CARRIER)["stored"] == 0)
        time.sleep(1)
        self.assertNotIn(self.word(), RECEIVED)
        self.sms(send={"from": "+33699999999", "to": CARRIER, "hex": sent, "udh": HEADER})
        self.received("sms")

    def test_lost(self):
        """No receipt comes through until the phone has said it again."""
        self.sms(drop={"to": CARRIER})
        alert = self.pressed_without_data()
        self.wait("a second copy", lambda: self.sms(modem=CARRIER)["sent"] - self.sent_before >= 2, REPEAT_S)
        self.assertNotIn(self.word(), RECEIVED)
        self.sms(forget={})
        self.received("sms", REPEAT_S + 20)
        self.one_alert(alert, "sms")

    def setUp(self):
        super().setUp()
        self.sent_before = self.sms(modem=CARRIER)["sent"]


class Modem(HandsetCase):
    """What the phone says of its modem, and that it comes back."""

    def modem(self, state, word):
        self.sms(modem=CARRIER, state=state)
        self.wait(f"the phone to see {word}", lambda: self.region.status("carrier")["sms"]["modem"] == word, MODEM_S)

    def test_states(self):
        for state, word in (("no_sim", "no_sim"), ("sim_pin", "sim_locked"), ("no_network", "no_network"), ("hung", "silent"), ("absent", "absent"),
                            ("ready", "ready")):
            with self.subTest(state):
                self.modem(state, word)

    def test_neither_data_nor_modem(self):
        self.modem("no_sim", "no_sim")
        self.cut()
        status = self.wait("the phone to say so", lambda: "no_path" in (s := self.region.status("carrier"))["trouble"] and s, 20)
        self.assertFalse(status["button"])
        self.press()
        self.modem("ready", "ready")
        alert = self.new_alert(self.known, timeout_s=30)
        self.received("sms")
        self.one_alert(alert, "sms")

    def test_no_credit_and_then_credit(self):
        self.sms(modem=CARRIER, state="no_credit")
        self.cut()
        self.press()
        status = self.wait("the failure", lambda: (s := self.region.status("carrier")["sms"])["code"] == 21 and s, 30)
        self.assertEqual(status["failure"], "refused")
        self.sms(modem=CARRIER, state="ready")
        alert = self.new_alert(self.known, timeout_s=90)
        self.received("sms")
        self.one_alert(alert, "sms")


class Gateway(HandsetCase):
    """Kannel's processes die; the alert arrives all the same, once."""

    def killed(self, name, when):
        self.sms(hold={"to": ALERT_NUMBER})
        self.cut()
        if when == "before":
            self.region.processes[name].kill()
        self.press()
        self.held()
        if when == "under way":
            self.region.processes[name].kill()
        self.sms(forget={})
        self.sms(release={})
        if when == "handed over":
            self.region.processes[name].kill()
        time.sleep(1)
        for each in ("bearerbox", "smsbox"):
            self.region.restart(each)
        # smsbox may end a while after bearerbox did: it is started again, as systemd would
        alert = self.wait("a new alert on the desk", lambda: self.region.restart("smsbox") or
                          next((a for i, a in self.look().items() if i not in self.known), None), REPEAT_S)
        self.received("sms", REPEAT_S)
        self.one_alert(alert, "sms")

    def test_bearerbox_before(self):
        self.killed("bearerbox", "before")

    def test_bearerbox_under_way(self):
        self.killed("bearerbox", "under way")

    def test_bearerbox_handed_over(self):
        self.killed("bearerbox", "handed over")

    def test_smsbox_before(self):
        self.killed("smsbox", "before")

    def test_smsbox_handed_over(self):
        self.killed("smsbox", "handed over")

    def test_smsbox_before_the_receipt(self):
        """The alert is in, and nothing goes out; the receipt comes when smsbox is back."""
        self.sms(drop={"to": CARRIER})
        alert = self.pressed_without_data()
        self.region.processes["smsbox"].kill()
        self.sms(forget={})
        time.sleep(1)
        self.assertNotIn(self.word(), RECEIVED)
        self.region.restart("smsbox")
        self.received("sms", REPEAT_S)
        self.one_alert(alert, "sms")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with us
    unittest.main()
