"""What the tests of this folder share: a network of their own, in a folder that goes at the end."""
import os
import select
import shutil
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "ops", "demolib"))

from client import Client  # noqa: E402
from processes import Process, wait_for  # noqa: E402

REGION = "+33700900900"
ONE, TWO = "+33600000001", "+33600000002"


class NetworkCase(unittest.TestCase):
    """options: more words for network.py"""
    options = ()

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vigie-sms-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.modems = {number: os.path.join(self.folder, f"modem{i}") for i, number in enumerate((ONE, TWO))}
        argv = [os.path.join(HERE, "network.py"), "--control", self.path("control"), "--region", REGION, *self.options]
        for number, path in self.modems.items():
            argv += ["--modem", f"{number}={path}"]
        self.network = Process("network", argv, self.folder, ready=True)
        self.addCleanup(self.check_end)
        self.network.start()
        self.client = Client(self.path("control"))
        self.addCleanup(self.client.close)

    def check_end(self):
        """It ends when told to, without having said anything."""
        self.network.stop()
        self.assertEqual(self.network.child.returncode, 0)
        self.assertEqual(self.network.tail(), "")

    def path(self, name):
        return os.path.join(self.folder, name)

    def ask(self, **request):
        return self.client.ask(**request)

    def inbox(self, number):
        return self.ask(inbox=number)["inbox"]

    def wait_inbox(self, number, count=1, timeout_s=20):
        return wait_for(f"{count} messages for {number}", lambda: len(m := self.inbox(number)) >= count and m, timeout_s)


class Terminal:
    """A host at a modem's terminal."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        self.got = ""

    def close(self):
        os.close(self.fd)

    def write(self, text):
        os.write(self.fd, text.encode())

    def read_until(self, end, timeout_s=5):
        """What comes, up to and with END; what came when time is over."""
        until = time.monotonic() + timeout_s
        while end not in self.got:
            if not select.select([self.fd], [], [], max(0, until - time.monotonic()))[0]:
                got, self.got = self.got, ""
                return got
            self.got += os.read(self.fd, 4096).decode()
        at = self.got.index(end) + len(end)
        got, self.got = self.got[:at], self.got[at:]
        return got

    def command(self, text, final="\r\nOK\r\n"):
        self.write(text + "\r")
        return self.read_until(final)
