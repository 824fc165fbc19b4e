#!/usr/bin/python3 -B
"""The modem, by hand: what TS 27.005 and 27.007 say a host sees."""
import os
import time
import unittest

import pdu
from case import ONE, TWO, NetworkCase, Terminal, wait_for
from modem import SIM_SLOTS

HEADER = bytes.fromhex("0605043f130000")


def submit(to, part, report=False):
    """The hex of an SMS-SUBMIT with no centre's address in front, and its length for +CMGS."""
    kind = {pdu.TEXT: 0, pdu.OCTETS: 4, pdu.UCS2: 8}[part.kind]
    first = 0x01 | (0x40 if part.udh else 0) | (0x20 if report else 0)
    tpdu = bytes([first, 0]) + pdu.address(to) + bytes([0, kind]) + pdu.user_data(part)
    return "00" + tpdu.hex().upper(), len(tpdu)


class ModemCase(NetworkCase):
    options = ("--factor", "0.02")

    def setUp(self):
        super().setUp()
        self.at = Terminal(self.modems[ONE])
        self.addCleanup(self.at.close)
        self.at.command("ATE0")

    def send(self, part, to=TWO, report=False):
        """+CMGS; gives what was answered after the PDU."""
        octets, length = submit(to, part, report)
        self.assertEqual(self.at.command(f"AT+CMGS={length}", "> "), "\r\n> ")
        self.at.write(octets + "\x1a")
        answer = self.at.read_until("\r\nOK\r\n" if self.good else "ERROR: ")
        return answer if self.good else answer + self.at.read_until("\r\n")

    good = True


class Commands(ModemCase):
    def test_echo(self):
        self.assertEqual(self.at.command("AT"), "\r\nOK\r\n")
        self.at.command("ATE1")
        self.assertEqual(self.at.command("at"), "at\r\r\nOK\r\n")

    def test_who(self):
        self.assertEqual(self.at.command("AT+CGMI"), "\r\nVigie\r\n\r\nOK\r\n")
        self.assertEqual(self.at.command("AT+CGSN"), "\r\n350000000000000\r\n\r\nOK\r\n")

    def test_several_in_one_line(self):
        self.assertEqual(self.at.command("ATE0+CSQ;+CREG?"), "\r\n+CSQ: 21,0\r\n\r\n+CREG: 0,1\r\n\r\nOK\r\n")

    def test_unknown(self):
        self.assertEqual(self.at.command("AT+NOSUCH", "ERROR\r\n"), "\r\nERROR\r\n")
        self.assertEqual(self.at.command("ATY", "ERROR\r\n"), "\r\nERROR\r\n")
        self.at.command("AT+CMEE=1")
        self.assertEqual(self.at.command("AT+NOSUCH", "4\r\n"), "\r\n+CME ERROR: 4\r\n")
        self.at.command("AT+CMEE=2")
        self.assertEqual(self.at.command("AT+NOSUCH", "supported\r\n"), "\r\n+CME ERROR: operation not supported\r\n")

    def test_a_line_too_long(self):
        self.at.write("AT+CSCA=\"" + "1" * 1100 + "\"\r")
        self.assertEqual(self.at.read_until("ERROR\r\n"), "\r\nERROR\r\n")
        self.assertEqual(self.at.command("AT"), "\r\nOK\r\n")

    def test_what_is_no_command_is_not_answered(self):
        self.at.write("hello\r")
        self.assertEqual(self.at.command("AT"), "\r\nOK\r\n")


class Sending(ModemCase):
    def test_octets_arrive(self):
        body = bytes(range(133))
        self.assertEqual(self.send(pdu.Part(pdu.OCTETS, HEADER, body)), "\r\n+CMGS: 1\r\n\r\nOK\r\n")
        got = self.wait_inbox(TWO)[0]
        self.assertEqual((got["from"], got["udh"], got["hex"]), (ONE, HEADER.hex(), body.hex()))

    def test_escape(self):
        _, length = submit(TWO, pdu.Part(pdu.TEXT, b"", b"x"))
        self.at.command(f"AT+CMGS={length}", "> ")
        self.at.write("00AB\x1b")
        self.assertEqual(self.at.read_until("\r\nOK\r\n"), "\r\nOK\r\n")
        self.assertEqual(self.ask(state={}).get("submitted", 0), 0)

    def test_wrong_pdus(self):
        self.good = False
        octets, length = submit(TWO, pdu.Part(pdu.TEXT, b"", b"hello"))
        for text, said in ((octets, length + 1), (octets + "0", length), (octets[:-2], length - 1), ("", length), ("zz", length)):
            self.at.command(f"AT+CMGS={said}", "> ")
            self.at.write(text + "\x1a")
            self.assertEqual(self.at.read_until("304\r\n"), "\r\n+CMS ERROR: 304\r\n")
        self.assertEqual(self.at.command("AT+CMGS=abc", "304\r\n"), "\r\n+CMS ERROR: 304\r\n")

    def test_states(self):
        self.good = False
        for state, code in (("no_network", 331), ("no_credit", 21)):
            self.ask(modem=ONE, state=state)
            self.assertEqual(self.send(pdu.Part(pdu.TEXT, b"", b"x")), f"\r\n+CMS ERROR: {code}\r\n")
        self.ask(modem=ONE, state="no_credit", code=50)
        self.assertEqual(self.send(pdu.Part(pdu.TEXT, b"", b"x")), "\r\n+CMS ERROR: 50\r\n")
        for state, code in (("no_sim", 310), ("sim_pin", 311), ("busy", 314)):
            self.ask(modem=ONE, state=state)
            self.assertEqual(self.at.command("AT+CMGS=14", f"{code}\r\n"), f"\r\n+CMS ERROR: {code}\r\n")
        self.assertEqual(self.ask(state={}).get("submitted", 0), 0)

    def test_a_report(self):
        self.at.command("AT+CNMI=2,1,0,1,0")
        self.assertIn("+CMGS: 1", self.send(pdu.Part(pdu.TEXT, b"", b"x"), report=True))
        self.assertIn("+CDS: ", self.at.read_until("\r\n06"))

    def test_the_rest_waits_while_one_is_sent(self):
        octets, length = submit(TWO, pdu.Part(pdu.TEXT, b"", b"x"))
        self.at.write(f"AT+CMGS={length}\r{octets}\x1aAT+CSQ\r")
        got = self.at.read_until("+CSQ: 21,0\r\n\r\nOK\r\n")
        self.assertLess(got.index("+CMGS: 1\r\n\r\nOK"), got.index("+CSQ"))


class Receiving(ModemCase):
    def test_indication_list_read_delete(self):
        self.at.command("AT+CNMI=2,1,0,0,0")
        self.ask(send={"from": TWO, "to": ONE, "hex": "d28400ff", "udh": HEADER.hex()})
        self.assertEqual(self.at.read_until("1\r\n"), '\r\n+CMTI: "SM",1\r\n')
        listed = self.at.command("AT+CMGL=4")
        self.assertIn("\r\n+CMGL: 1,0,,30\r\n0791", listed)
        self.assertIn(HEADER.hex().upper() + "D28400FF\r\n", listed)
        self.assertIn("+CMGR: 1,,30", self.at.command("AT+CMGR=1"))
        self.assertEqual(self.at.command("AT+CMGL=0"), "\r\nOK\r\n", "it has been read")
        self.assertEqual(self.at.command("AT+CMGD=1"), "\r\nOK\r\n")
        self.assertEqual(self.at.command("AT+CMGR=1", "321\r\n"), "\r\n+CMS ERROR: 321\r\n")

    def test_directly(self):
        self.at.command("AT+CNMI=2,2,0,0,0")
        self.ask(send={"from": TWO, "to": ONE, "text": "hellohello"})
        self.assertIn("+CMT: ,", self.at.read_until("E8329BFD4697D9EC37\r\n"))
        self.assertEqual(self.ask(modem=ONE)["stored"], 0)

    def test_no_indication_unless_asked_for(self):
        self.ask(send={"from": TWO, "to": ONE, "text": "x"})
        self.assertEqual(self.at.command("AT"), "\r\nOK\r\n")
        self.assertEqual(self.at.command("AT+CPMS?"), '\r\n+CPMS: "SM",1,20,"SM",1,20,"SM",1,20\r\n\r\nOK\r\n')

    def test_nothing_within_a_prompt(self):
        self.at.command("AT+CNMI=2,1,0,0,0")
        self.at.command("AT+CMGS=20", "> ")
        self.ask(send={"from": TWO, "to": ONE, "text": "x"})
        self.at.write("\x1b")
        self.assertEqual(self.at.read_until("1\r\n"), '\r\nOK\r\n\r\n+CMTI: "SM",1\r\n')

    def test_sim_full(self):
        for i in range(SIM_SLOTS + 2):
            self.ask(send={"from": TWO, "to": ONE, "text": str(i)})
        self.assertEqual((self.ask(modem=ONE)["stored"], self.ask(modem=ONE)["waiting"]), (SIM_SLOTS, 2))
        self.at.command("AT+CMGD=1,4")
        self.assertEqual((self.ask(modem=ONE)["stored"], self.ask(modem=ONE)["waiting"]), (2, 0))

    def test_taken_by_the_person(self):
        """What was read goes off the SIM with the inbox; what was not stays."""
        self.ask(send={"from": TWO, "to": ONE, "text": "a"})
        self.ask(send={"from": TWO, "to": ONE, "text": "b"})
        self.at.command("AT+CMGR=1")
        self.ask(inbox=ONE, take=True)
        self.assertEqual(self.ask(modem=ONE)["stored"], 1)


class States(ModemCase):
    def test_no_sim(self):
        self.ask(modem=ONE, state="no_sim")
        self.at.command("AT+CMEE=1")
        self.assertEqual(self.at.command("AT+CPIN?", "10\r\n"), "\r\n+CME ERROR: 10\r\n")
        self.assertEqual(self.at.command("AT+CREG?"), "\r\n+CREG: 0,0\r\n\r\nOK\r\n")

    def test_pin(self):
        self.ask(modem=ONE, state="sim_pin")
        self.at.command("AT+CMEE=1")
        self.assertIn("+CPIN: SIM PIN", self.at.command("AT+CPIN?"))
        self.assertEqual(self.at.command('AT+CPIN="0000"', "16\r\n"), "\r\n+CME ERROR: 16\r\n")
        self.assertEqual(self.at.command('AT+CPIN="1234"'), "\r\nOK\r\n")
        self.assertIn("+CPIN: READY", self.at.command("AT+CPIN?"))

    def test_three_wrong_pins(self):
        self.ask(modem=ONE, state="sim_pin")
        for _ in range(3):
            self.at.command('AT+CPIN="0000"', "ERROR\r\n")
        self.assertIn("SIM PUK", self.at.command("AT+CPIN?"))
        self.at.command('AT+CPIN="1234"', "ERROR\r\n")
        self.assertEqual(self.ask(modem=ONE)["state"], "sim_pin")

    def test_no_network_and_back(self):
        self.ask(modem=ONE, state="no_network")
        self.assertIn("+CREG: 0,2", self.at.command("AT+CREG?"))
        self.assertIn("99,99", self.at.command("AT+CSQ"))
        self.ask(send={"from": TWO, "to": ONE, "text": "x"})
        self.assertEqual(self.ask(modem=ONE)["waiting"], 1)
        self.ask(modem=ONE, state="ready")
        self.assertEqual(self.ask(modem=ONE)["stored"], 1)

    def test_hung(self):
        self.ask(modem=ONE, state="hung")
        self.at.write("AT\r")
        self.assertEqual(self.at.read_until("OK", 0.3), "")
        self.ask(modem=ONE, state="ready")
        self.assertEqual(self.at.command("AT"), "AT\r\r\nOK\r\n", "as after power on")

    def test_unplugged_and_back(self):
        self.ask(modem=ONE, state="absent")
        self.assertFalse(os.path.lexists(self.modems[ONE]))
        with self.assertRaises(OSError):
            os.write(self.at.fd, b"AT\r")
        self.ask(modem=ONE, state="ready")
        again = Terminal(self.modems[ONE])
        self.addCleanup(again.close)
        self.assertEqual(again.command("ATE0"), "ATE0\r\r\nOK\r\n")

    def test_unplugged_while_sending(self):
        octets, length = submit(TWO, pdu.Part(pdu.TEXT, b"", b"x"))
        self.ask(modem=ONE, state="slow")
        self.at.write(f"AT+CMGS={length}\r")
        self.at.read_until("> ")
        self.at.write(octets + "\x1a")
        self.ask(modem=ONE, state="absent")
        self.assertEqual(self.ask(state={}).get("submitted", 0), 0)

    def test_slow(self):
        self.ask(modem=ONE, state="slow")
        began = time.monotonic()
        self.assertEqual(self.at.command("AT"), "\r\nOK\r\n")
        self.assertGreater(time.monotonic() - began, 0.04)

    def test_unknown_state(self):
        with self.assertRaisesRegex(Exception, "no such state"):
            self.ask(modem=ONE, state="happy")
        wait_for("the modem", lambda: self.ask(modem=ONE)["state"] == "ready")


if __name__ == "__main__":
    unittest.main()
