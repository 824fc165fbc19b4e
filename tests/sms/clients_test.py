#!/usr/bin/python3 -B
"""Programs that know real modems, gammu and smstools, with ours: an honest modem is one that they take for real."""
import glob
import os
import shutil
import unittest

from case import ONE, TWO, NetworkCase, wait_for
from processes import Process, run

PORT = "0605043f130000"


def need(program):
    return unittest.skipUnless(shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin"), f"{program} is not installed")


@need("gammu")
class Gammu(NetworkCase):
    options = ("--factor", "0.1")

    def gammu(self, number, *words):
        config = self.path("gammurc")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"[gammu]\nport = {self.modems[number]}\nconnection = at115200\nsynchronizetime = no\n")
        return run(["timeout", "60", "gammu", "-c", config, *words])

    def test_identify(self):
        said = self.gammu(ONE, "identify")
        self.assertIn("Vigie", said)
        self.assertIn("350000000000000", said)

    def test_network(self):
        self.assertIn("home network", self.gammu(ONE, "networkinfo"))
        self.ask(modem=ONE, state="no_network")
        self.assertNotIn("home network", self.gammu(ONE, "networkinfo"))

    def test_sends_and_receives_text(self):
        texts = (("Bonjour à tous, €5", ()), ("Привет œ", ("-unicode",)), (("long " * 60).strip(), ("-len", "400")))
        for text, words in texts:
            self.gammu(ONE, "sendsms", "TEXT", TWO, *words, "-text", text)
        self.assertEqual([(m["from"], m["text"]) for m in self.inbox(TWO)], [(ONE, text) for text, _ in texts])
        shown = self.gammu(TWO, "geteachsms").replace("\n", "")
        for text, _ in texts:
            self.assertIn(text, shown)
        self.gammu(TWO, "deleteallsms", "1")
        self.assertEqual(self.ask(modem=TWO)["stored"], 0)

    def test_sends_octets_to_a_port(self):
        self.gammu(ONE, "sendsms", "WAPINDICATOR", TWO, "http://localhost/", "x")
        got = self.inbox(TWO)[-1]
        self.assertTrue(got["udh"].startswith("0b05040b84"), got)
        self.assertIn(b"localhost", bytes.fromhex(got["hex"]))
        self.assertIn("8 bit", self.gammu(TWO, "getallsms").lower().replace("8-bit", "8 bit"))

    def test_an_error_is_an_error(self):
        self.ask(modem=ONE, state="no_credit")
        with self.assertRaisesRegex(Exception, "21"):
            self.gammu(ONE, "sendsms", "TEXT", TWO, "-text", "x")

    def test_no_sim(self):
        self.ask(modem=ONE, state="no_sim")
        with self.assertRaisesRegex(Exception, "(?i)sim"):
            self.gammu(ONE, "getsecuritystatus")


@need("smsd")
class Smstools(NetworkCase):
    options = ("--factor", "0.1")
    CONFIG = """devices = GSM1
outgoing = {0}/outgoing
checked = {0}/checked
incoming = {0}/incoming
failed = {0}/failed
sent = {0}/sent
stats = {0}/stats
logfile = {0}/smsd.log
infofile = {0}/smsd.info
pidfile = {0}/smsd.pid
loglevel = 7
receive_before_send = no
autosplit = 3
delaytime = 1
delaytime_mainprocess = 1
store_received_pdu = 1
[GSM1]
device = {1}
incoming = yes
check_network = 1
"""

    def setUp(self):
        super().setUp()
        for name in ("outgoing", "checked", "incoming", "failed", "sent", "stats"):
            os.mkdir(self.path(name))
        with open(self.path("smsd.conf"), "w", encoding="utf-8") as file:
            file.write(self.CONFIG.format(self.folder, self.modems[ONE]))
        self.smsd = Process("smsd", ["/usr/sbin/smsd", "-t", "-c", self.path("smsd.conf")], self.folder)
        self.smsd.start()
        self.addCleanup(self.smsd.stop, 15)

    def send(self, text):
        with open(self.path("letter"), "wb") as file:
            file.write(text)
        os.rename(self.path("letter"), self.path("outgoing/letter"))

    def test_sends(self):
        self.send(f"To: {TWO[1:]}\n\nBonjour".encode())
        got = self.wait_inbox(TWO, timeout_s=40)[0]
        self.assertEqual((got["from"], got["text"]), (ONE, "Bonjour"))
        wait_for("smsd to see it sent", lambda: os.listdir(self.path("sent")), 20)
        self.send(f"To: {TWO[1:]}\nAlphabet: binary\nUDH: true\nUDH-DATA: 06 05 04 3F 13 00 00\n\n".encode() + bytes([0xd2, 0x84, 0, 1, 0xff]))
        got = self.wait_inbox(TWO, 2, 40)[1]
        self.assertEqual((got["udh"], got["hex"]), (PORT, "d2840001ff"))

    def test_receives(self):
        self.ask(send={"from": TWO, "to": ONE, "text": "Bonjour"})
        self.ask(send={"from": TWO, "to": ONE, "hex": "d2840001ff", "udh": PORT})
        wait_for("two letters", lambda: len(glob.glob(self.path("incoming/*"))) == 2, 60)
        found = []
        for name in glob.glob(self.path("incoming/*")):
            with open(name, "rb") as file:
                found.append(file.read())
        text, octets = sorted(found, key=lambda letter: b"binary" in letter)
        self.assertIn(b"From: " + TWO[1:].encode(), text)
        self.assertTrue(text.endswith(b"\n\nBonjour"), text)
        self.assertIn(b"UDH-DATA: 06 05 04 3F 13 00 00", octets)
        self.assertTrue(octets.endswith(bytes([0xd2, 0x84, 0, 1, 0xff])), octets)
        wait_for("smsd to delete what it read", lambda: self.ask(modem=ONE)["stored"] == 0, 20)


if __name__ == "__main__":
    unittest.main()
