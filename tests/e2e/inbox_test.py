#!/usr/bin/python3 -B
"""Orders on their way, real processes: signed by the real keeper, left in the phone's inbox, done by the phone, confirmed, dropped; also
across a killed dispatcher, and by SMS.

    VIGIE_BUILD=san tests/e2e/inbox_test.py [-v] [Name.test ...]"""
import configparser
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "sms"))

from sms_case import CARRIER, MODEM_S, SmsCase, wait_for  # noqa: E402
from keeper_test import cbor, decode  # noqa: E402

WIPE, UNLOCK, PASS, TRUST = 1, 2, 3, 4
ORDER = 4                   # of the keeper's requests
COULD_NOT = 1
COMMAND_ORDER = 13
LONG_S = 30                 # a loaded machine, a sanitizer build


class Redis:
    """Just enough: one command, one answer."""

    def __init__(self, region, store="alerts"):
        conf = configparser.ConfigParser(interpolation=None)
        conf.read(os.path.join(region.dir, "dispatcher.conf"))
        self.words = ["redis-cli", "-s", region.address(store), "--user", conf[store]["user"], "-a", conf[store]["password"], "--no-auth-warning"]

    def __call__(self, *words, data=None):
        """DATA, octets, is the command's last word."""
        more = ["-x"] if data is not None else []
        out = subprocess.run(self.words + more + list(words), input=data, check=True, stdout=subprocess.PIPE).stdout
        if out.startswith((b"ERR", b"NOPERM", b"WRONG")):
            raise AssertionError(f"{words}: {out}")
        return out.rstrip(b"\n")


class Inbox(SmsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.redis = Redis(cls.region)
        cls.keeper = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        cls.keeper.settimeout(20)
        cls.keeper.connect(os.path.join(cls.region.folder, "keeper.sock"))
        cls.order_for("carrier")

    @classmethod
    def order_for(cls, phone):
        """Orders are for PHONE from now on."""
        cls.phone, cls.handset = phone, cls.region.handsets[phone]["id"]
        cls.enrolment = decode(cls.redis("HGET", "{lyon}:handsets", cls.handset))[0][3]

    @classmethod
    def tearDownClass(cls):
        cls.keeper.close()

    def sign(self, kind, challenge=bytes(8), digest=bytes(16), number=0, enrolment=None):
        self.keeper.send(cbor([1, ORDER, 1, "regie", "", bytes.fromhex(self.handset), enrolment or self.enrolment, kind, challenge, digest, number]))
        answer = decode(self.keeper.recv(1 << 17))[0]
        self.assertEqual(answer[3], 0, answer)
        return answer[4], decode(decode(answer[4])[0][2])[0][3]

    def leave(self, order, beside=None):
        """As the desk does: an entry of the inbox, and one that says so.  Octets go through a key, redis-cli has one binary word."""
        script = "redis.call('XADD', KEYS[1], '*', 'o', redis.call('GET', KEYS[2])"
        script += ", 'b', redis.call('GET', KEYS[3])" if beside else ""
        script += ") redis.call('DEL', KEYS[2], KEYS[3]) redis.call('XADD', KEYS[4], '*', 'h', 'inbox', 'k', ARGV[1]) return 1"
        self.redis("SET", "{lyon}:test:o", data=order)
        if beside:
            self.redis("SET", "{lyon}:test:b", data=beside)
        self.redis("EVAL", script, "4", "{lyon}:inbox:" + self.handset, "{lyon}:test:o", "{lyon}:test:b", "{lyon}:people:changes", self.handset)

    def leave_by_sms(self, order):
        """As the desk does: the phone's inbox has it, and a dispatcher is told to send it by SMS."""
        self.leave(order)
        command = cbor([1, os.urandom(8), int(time.time() * 1000) + 20000, COMMAND_ORDER, 1, "regie", "regie", bytes.fromhex(self.handset) + bytes(8),
                        "", 0, "", None, 0, ""])
        self.redis("XADD", "{lyon}:commands", "*", "f", "1", "r", data=command)

    def is_linked(self):
        return self.region.status(self.phone)["link"] == "welcome"

    def cut(self):
        """No data for the carrier's phone, and it knows."""
        wait_for("the phone's modem", lambda: self.region.status("carrier")["sms"]["modem"] == "ready", MODEM_S + LONG_S)
        self.region.proxy.cut()
        wait_for("the phone without data", lambda: not self.is_linked(), LONG_S)

    def is_gone(self):
        """Keys and files."""
        phone = self.region.handsets[self.phone]
        for path in (phone["key"], phone["certificate"], os.path.join(phone["folder"], "journal")):
            self.assertFalse(os.path.exists(path), path)

    def is_wiped(self):
        """Keys and files are gone; what is left says so."""
        phone = self.region.handsets[self.phone]
        for path in (phone["key"], phone["certificate"]):
            self.assertFalse(os.path.exists(path), path)
        self.assertGreater(self.region.status(self.phone)["wiped_at_ms"], 0)

    def waiting(self):
        return int(self.redis("XLEN", "{lyon}:inbox:" + self.handset))

    def vault(self):
        value = self.redis("HGET", "{lyon}:vaults", self.handset)
        return decode(value)[0] if value else None

    def taken(self):
        vault = self.vault()
        return (vault[7], vault[8]) if vault else None

    def wait_taken(self, number, what):
        wait_for(f"{what}: order {number} taken; last seen {self.taken()}, {self.waiting()} in the inbox",
                 lambda: self.taken() and self.taken()[0] >= number and self.waiting() == 0, LONG_S)
        return self.taken()

    def test_1_vault_is_told(self):
        wait_for("the phone's vault in {r}:vaults", lambda: self.vault() and self.vault()[1] == self.enrolment, LONG_S)
        self.assertEqual(self.vault()[2], 0)    # no PIN was set

    def test_2_trust_list_with_a_dispatcher_killed(self):
        """The list that the phone has: taken, since it is there; what comes beside it crosses in pieces."""
        with open(os.path.join(self.region.dir, "trust.cose"), "rb") as file:
            trust = file.read()
        number = decode(decode(trust)[0][2])[0][1]
        order, n = self.sign(TRUST, number=number)
        self.region.processes["dispatcher-1"].kill()
        self.leave(order, trust)
        self.region.restart("dispatcher-1")
        self.assertEqual(self.wait_taken(n, "a trust list"), (n, 0))

    def test_3_a_parcel_in_many_pieces_that_is_none(self):
        """80 KiB: every piece arrives in its place, or the phone would have nothing to refuse."""
        parcel = bytes(range(256)) * 320
        order, n = self.sign(PASS, digest=hashlib.sha256(parcel).digest()[:16])
        self.leave(order, parcel)
        self.assertEqual(self.wait_taken(n, "a parcel that is none"), (n, COULD_NOT))

    def test_4_another_enrolments_is_dropped(self):
        order, _ = self.sign(UNLOCK, enrolment=b"before..")
        before = self.taken()
        self.leave(order)
        wait_for(f"an empty inbox; {self.waiting()} are in it", lambda: self.waiting() == 0, LONG_S)
        self.assertEqual(self.taken(), before)

    def test_5_copy_is_dropped_and_changes_nothing(self):
        order, n = self.sign(UNLOCK, challenge=b"no such.")
        self.leave(order)
        self.assertEqual(self.wait_taken(n, "an unlock that answers nothing"), (n, COULD_NOT))
        self.leave(order)
        wait_for(f"an empty inbox; {self.waiting()} are in it", lambda: self.waiting() == 0, LONG_S)
        self.assertEqual(self.taken(), (n, COULD_NOT))

    def test_6_unlock_by_sms(self):
        """No data: the desk has the order sent by SMS, the phone's modem gets it, and its confirmation comes back by SMS."""
        order, n = self.sign(UNLOCK, challenge=b"no such.")
        self.cut()
        try:
            self.leave_by_sms(order)
            self.assertEqual(self.wait_taken(n, "an unlock by SMS"), (n, COULD_NOT))
            self.assertFalse(self.is_linked())
        finally:
            self.region.proxy.mend()
        wait_for("the phone with data", self.is_linked, LONG_S)

    def test_7_lost_and_wiped_by_sms(self):
        """A stolen phone without data: revoked, and its wipe goes both ways by SMS; what it signed before its key went is what the region has, though
        the network takes nothing from it at first, and its power is cut before it could tell."""
        self.cut()
        folder, before_it = self.region.handsets["carrier"]["folder"], os.path.join(self.region.folder, "before the wipe")
        record = os.path.join(folder, "vault", "wiping")
        try:
            self.sms(modem=CARRIER, state="no_credit")
            self.region.vigie("handset", "revoke", self.handset)
            order, n = self.sign(WIPE)
            before = self.taken()
            shutil.copytree(folder, before_it, ignore=shutil.ignore_patterns("*.sock"))
            self.leave_by_sms(order)
            wait_for("the phone to be wiped", lambda: self.region.status("carrier")["wiped_at_ms"], LONG_S)
            self.region.processes["carrier"].kill()
            self.is_gone()
            self.assertEqual(self.taken(), before)
            shutil.copy(record, before_it)
            self.sms(modem=CARRIER, state="ready")
            self.region.restart("carrier")
            self.assertEqual(self.wait_taken(n, "a wipe by SMS"), (n, 0))
            wait_for("the phone to know that it was told", lambda: not os.path.exists(record), LONG_S)
            self.is_wiped()
            self.sms(modem=CARRIER, state="no_credit")
            self.assertFalse(self.is_linked())
        finally:
            self.region.proxy.mend()
        self.region.processes["carrier"].kill()
        shutil.copytree(before_it, folder, dirs_exist_ok=True)
        os.replace(os.path.join(folder, "wiping"), record)  # as if the power had gone before the first file did
        self.region.restart("carrier")
        wait_for("it is said by the link whose key was read last", lambda: not os.path.exists(record), LONG_S)
        self.is_wiped()
        self.sms(modem=CARRIER, state="ready")

    def test_8_revoked_and_wiped_by_data(self):
        """A stolen phone with data: revoked, so it is welcomed no more; its wipe reaches it all the same."""
        self.order_for("supervisor")
        self.region.vigie("handset", "revoke", self.handset)
        wait_for("the phone to be refused", lambda: not self.is_linked(), LONG_S)
        order, n = self.sign(WIPE)
        self.leave(order)
        self.assertEqual(self.wait_taken(n, "a wipe of a revoked phone"), (n, 0))
        self.is_gone()
        self.is_wiped()


if __name__ == "__main__":
    unittest.main()
