#!/usr/bin/python3 -B
"""The door at work: vigie-door, a phone made of libvigie-handset's card, and between them the real PC/SC stack (pcscd with
vsmartcard's virtual reader); and a scanner's text on standard input.

    VIGIE_BUILD=san tests/e2e/door_test.py [-v] [Name.test ...]

pcscd wants /run/pcscd and the virtual reader listens on a TCP port of all addresses: the file runs itself anew in network and mount
namespaces of its own.  Where that or pcscd cannot be, the NFC tests are skipped with the reason."""
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "ops", "demolib"))

from nfc import without_polkit  # noqa: E402

BUILD = os.path.join(ROOT, "build", os.environ.get("VIGIE_BUILD", "san"))
BUILD = os.environ.get("VIGIE_DOOR_BUILD", BUILD)
DOOR = os.path.join(BUILD, "bin", "vigie-door")
PHONE = os.path.join(BUILD, "tests", "device", "door", "virtual_phone")
DRIVER = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
PORT = 35963
INSIDE = "VIGIE_DOOR_TEST_INSIDE"


def enter():
    """Run this file anew in namespaces of its own; returns why that cannot be, else does not return."""
    if os.environ.get(INSIDE):
        return os.environ[INSIDE] if os.environ[INSIDE] != "yes" else None
    if shutil.which("pcscd") is None or not os.path.exists(DRIVER):
        return "pcscd or its virtual reader is not installed (ops/install test)"
    spaces = ["unshare", "--net", "--mount", "--propagation", "private"] + ([] if os.getuid() == 0 else ["--user", "--map-root-user"])
    script = 'ip link set lo up && mount -t tmpfs none /run && mkdir /run/pcscd && exec "$@"'
    if subprocess.run(spaces + ["sh", "-c", script, "sh", "true"], capture_output=True, check=False).returncode != 0:
        return "no network and mount namespaces of one's own here"
    os.environ[INSIDE] = "yes"
    os.execvp("unshare", spaces + ["sh", "-c", script, "sh", sys.executable, "-B"] + sys.argv)


def wait_for(what, seconds=15):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(0.02)


class World:
    """A folder, a region and phone in it, and a door."""

    def __init__(self, door_class):
        self.folder = tempfile.mkdtemp(prefix="vigie-door-")
        self.state = os.path.join(self.folder, "state")
        os.mkdir(self.state)
        self.opened = os.path.join(self.folder, "opened")
        self.opener = os.path.join(self.folder, "opener")
        with open(self.opener, "w", encoding="utf-8") as f:
            f.write('#!/bin/sh\nls -l /proc/$$/fd > "${0%er}ed.files"\necho "$@" >> "${0%er}ed"\nexit ${DOOR_EXIT:-0}\n')
        os.chmod(self.opener, 0o755)
        self.phone = subprocess.Popen([PHONE, self.folder, str(door_class)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      text=True, bufsize=1)
        assert self.phone.stdout.readline() == "ready\n"
        self.door = None
        self.out = os.path.join(self.folder, "out")
        self.log = os.path.join(self.folder, "log")
        self.environment = dict(os.environ)

    def say(self, line):
        self.phone.stdin.write(line + "\n")
        return self.phone.stdout.readline().strip()

    def arguments(self, *more):
        keys = {"region.name": "lyon", "door.key": "door.pem", "door.mandate": "mandate", "trust.path": "trust",
                "trust.root": "root.pem", "status.path": "status.list"}
        options = [f"{k}={os.path.join(self.folder, v) if k != 'region.name' else v}" for k, v in keys.items()]
        options += [f"state.path={self.state}", f"open.command={self.opener} latch 4", "log.level=debug", *more]
        return [DOOR] + [a for o in options for a in ("-o", o)]

    def start(self, *more):
        if self.door:
            self.door.stdin.close()
        with open(self.out, "ab") as out, open(self.log, "ab") as log:
            self.door = subprocess.Popen(self.arguments(*more), stdin=subprocess.PIPE, stdout=out, stderr=log, text=True, bufsize=1,
                                         env=self.environment)
        lines = self.logged().count(" ready, by ")
        wait_for(lambda: self.logged().count(" ready, by ") > lines or self.door.poll() is not None)
        return self.door.poll()

    def stop(self, how=signal.SIGTERM):
        self.door.send_signal(how)
        status = self.door.wait(15)
        self.door.stdin.close()
        self.door = None
        return status

    def lines(self):
        with open(self.out, encoding="utf-8") as f:
            return f.read().splitlines()

    def logged(self):
        with open(self.log, encoding="utf-8") as f:
            return f.read()

    def opens(self):
        try:
            with open(self.opened, encoding="utf-8") as f:
                return len(f.read().splitlines())
        except FileNotFoundError:
            return 0

    def next_line(self, act):
        """What the door says after this."""
        n = len(self.lines())
        act()
        wait_for(lambda: len(self.lines()) > n)
        return self.lines()[n]

    def verify_log(self):
        return subprocess.run([DOOR, "verify-log", self.state, os.path.join(self.folder, "door.pem")], capture_output=True, text=True,
                              check=False)

    def close(self):
        if self.door:
            self.stop(signal.SIGKILL)
        self.phone.stdin.close()
        self.phone.wait(10)
        self.phone.stdout.close()
        shutil.rmtree(self.folder)


class Case(unittest.TestCase):
    door_class = 2

    def setUp(self):
        self.world = World(self.door_class)
        self.addCleanup(self.world.close)

    def tearDown(self):
        self.assertNotIn("runtime error", self.world.logged())
        self.assertNotIn("Sanitizer", self.world.logged())


class Scanner(Case):
    """One way: text on standard input."""

    def read(self, text):
        return self.world.next_line(lambda: self.world.door.stdin.write(text + "\n"))

    def test_opens_and_refuses(self):
        w = self.world
        self.assertIsNone(w.start())
        text = w.say("text")
        self.assertTrue(text.startswith("VG1:"))
        self.assertEqual(self.read(text), "open")
        wait_for(lambda: w.opens() == 1)
        with open(w.opened, encoding="utf-8") as f:
            self.assertEqual(f.read(), "latch 4\n")
        self.assertEqual(self.read(text), "refused 16 replayed")
        self.assertEqual(self.read("VG1:NOT A PASS"), "refused 2 malformed")
        self.assertEqual(self.read("3017620422003"), "refused 2 malformed")
        self.assertEqual(self.read("VG1:" + "A" * 5000), "refused 1 too_long")
        self.assertEqual(self.read(w.say("text") + "\r"), "open")
        wait_for(lambda: w.opens() == 2)
        self.assertEqual(w.verify_log().returncode, 0)
        self.assertIn("entries 1 to 6 are whole", w.verify_log().stdout)
        wait_for(lambda: w.logged().count(": done") == 2)

    def test_kill_and_restart(self):
        w = self.world
        self.assertIsNone(w.start())
        texts = [w.say("text") for _ in range(4)]
        for text in texts:
            self.assertEqual(self.read(text), "open")
            w.stop(signal.SIGKILL)
            self.assertIsNone(w.start())
            self.assertEqual(self.read(text), "refused 16 replayed")
        wait_for(lambda: w.opens() == 4)
        self.assertIn("entries 1 to 8 are whole", w.verify_log().stdout)
        self.assertEqual(w.stop(), 0)

    def test_log_altered(self):
        w = self.world
        self.assertIsNone(w.start())
        self.assertEqual(self.read(w.say("text")), "open")
        self.assertEqual(self.read(w.say("text")), "open")
        w.stop()
        name = os.path.join(w.state, "log.0000000000000001")
        with open(name, "r+b") as f:
            f.seek(120)
            octet = f.read(1)[0]
            f.seek(120)
            f.write(bytes([octet ^ 1]))
        result = w.verify_log()
        self.assertEqual(result.returncode, 1)
        self.assertIn("cut at its end", result.stdout)
        self.assertEqual(w.start(), 1)
        self.assertIn("move the folder away", w.logged())

    def test_command_fails(self):
        w = self.world
        w.environment["DOOR_EXIT"] = "3"
        self.assertIsNone(w.start())
        self.assertEqual(self.read(w.say("text")), "open")
        wait_for(lambda: "ended with 3" in w.logged())
        w.stop()
        self.assertIsNone(w.start("open.command=/nowhere/opener"))
        self.assertEqual(self.read(w.say("text")), "open")
        wait_for(lambda: "could not be run" in w.logged())
        w.stop()
        self.assertIsNone(w.start("open.command=/bin/sleep 60", "open.timeout=300ms"))
        self.assertEqual(self.read(w.say("text")), "open")
        wait_for(lambda: "killed by signal 9" in w.logged())

    def test_too_many_commands(self):
        w = self.world
        self.assertIsNone(w.start("open.command=/bin/sleep 3"))
        for _ in range(4):
            self.assertEqual(self.read(w.say("text")), "open")
        self.assertEqual(self.read(w.say("text")), "shut")
        wait_for(lambda: w.logged().count("sleep: done") == 4)
        self.assertEqual(self.read(w.say("text")), "open")
        self.assertIn("entries 1 to 6 are whole", w.verify_log().stdout)

    def test_trust_again(self):
        w = self.world
        other = World(2)
        self.addCleanup(other.close)
        self.assertIsNone(w.start())
        shutil.copy(os.path.join(other.folder, "trust"), os.path.join(w.folder, "trust"))
        w.door.send_signal(signal.SIGHUP)
        wait_for(lambda: "the one held stays" in w.logged())
        self.assertEqual(self.read(w.say("text")), "open")
        self.assertEqual(self.read(other.say("text")), "refused 3 unknown_key")

    def test_the_key_of_lists_is_withdrawn(self):
        w = self.world
        self.assertIsNone(w.start())
        self.assertEqual(self.read(w.say("text")), "open")
        w.say("withdraw")
        w.door.send_signal(signal.SIGHUP)
        wait_for(lambda: "nobody is let in before one comes" in w.logged())
        self.assertEqual(self.read(w.say("text")), "refused 9 list_too_old")

    def test_a_scanner_that_never_ends(self):
        """Lines without an end, or nothing but ends, or a line of nonsense each time: it stops when it is told to, and its log is bounded."""
        w = self.world
        for octets in (b"\n", b"A", b"VG1:BB8\n"):
            self.assertIsNone(w.start())
            flood = threading.Thread(target=self.flood, args=(os.dup(w.door.stdin.fileno()), octets * 4096), daemon=True)
            flood.start()
            time.sleep(0.5)
            wait_for(lambda: octets != b"VG1:BB8\n" or len(w.lines()) > 40, 60)  # more than may be written, each synced
            self.assertEqual(w.stop(), 0, octets)
            flood.join(10)
        self.assertIn("entries 1 to 30 are whole", w.verify_log().stdout)

    @staticmethod
    def flood(fd, octets):
        try:
            while True:
                os.write(fd, octets)
        except OSError:
            os.close(fd)

    def test_nobody_reads_what_it_says(self):
        w = self.world
        out, end = os.pipe()
        self.addCleanup(os.close, out)
        fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 4096)
        with open(w.log, "ab") as log:
            w.door = subprocess.Popen(w.arguments(), stdin=subprocess.PIPE, stdout=end, stderr=log, text=True, bufsize=1)
        os.close(end)
        for _ in range(300):  # 22 octets each: more than the pipe takes
            w.door.stdin.write("no pass\n")
        w.door.stdin.write(w.say("text") + "\n")
        wait_for(lambda: w.opens() == 1, 60)

    def test_lists(self):
        w = self.world
        self.assertIsNone(w.start())
        w.say("revoke")
        self.assertEqual(self.read(w.say("text")), "open")  # nobody brought it
        shutil.copy(os.path.join(w.folder, "newest-list"), os.path.join(w.folder, "status.list"))
        w.door.send_signal(signal.SIGHUP)
        wait_for(lambda: "list 1" in w.logged())
        self.assertEqual(self.read(w.say("text")), "refused 8 revoked")
        w.stop()
        os.remove(os.path.join(w.folder, "status.list"))  # it has its own
        self.assertIsNone(w.start())
        self.assertEqual(self.read(w.say("text")), "refused 8 revoked")
        w.stop()
        os.remove(os.path.join(w.state, "status"))
        self.assertIsNone(w.start())
        self.assertEqual(self.read(w.say("text")), "refused 9 list_too_old")
        w.stop()
        self.assertIsNone(w.start("door.degraded=yes"))
        self.assertEqual(self.read(w.say("text")), "open degraded")

    def test_start_refused(self):
        w = self.world
        other = World(2)
        self.addCleanup(other.close)
        for name, words in (("trust", "root of trust.root"), ("mandate", "not signed by a door key"), ("door.pem", "not of this door's key")):
            kept = os.path.join(w.folder, name + ".kept")
            shutil.move(os.path.join(w.folder, name), kept)
            shutil.copy(os.path.join(other.folder, name), os.path.join(w.folder, name))
            self.assertEqual(w.start(), 1)
            self.assertIn(words, w.logged())
            shutil.move(kept, os.path.join(w.folder, name))
        self.assertEqual(w.start("region.name=nice"), 1)
        self.assertIn("of another region", w.logged())
        self.assertIsNone(w.start())
        first, w.door = w.door, None
        self.assertEqual(w.start(), 1)
        self.assertIn("another process has it", w.logged())
        w.door.stdin.close()
        w.door = first

    def test_serial(self):
        w = self.world
        master, slave = os.openpty()
        name = os.path.join(w.folder, "tty")
        os.symlink(os.ttyname(slave), name)
        self.assertIsNone(w.start(f"scanner.device={name}", "scanner.baud=115200"))
        time.sleep(0.3)  # the line is raw when the door has opened it
        self.assertEqual(w.next_line(lambda: os.write(master, w.say("text").encode() + b"\r")), "open")
        os.write(master, b"VG1:HALF A LI")  # the scanner loses power; what it reads next is whole
        time.sleep(3)
        self.assertEqual(w.next_line(lambda: os.write(master, w.say("text").encode() + b"\r\n")), "open")
        os.close(slave)
        os.close(master)
        wait_for(lambda: "tty: " in w.logged())
        self.assertIsNone(w.door.poll())
        master, slave = os.openpty()
        os.remove(name)
        os.symlink(os.ttyname(slave), name)
        wait_for(lambda: "there again" in w.logged())
        self.assertEqual(w.next_line(lambda: os.write(master, w.say("text").encode() + b"\n")), "open")
        os.close(slave)
        os.close(master)

    def test_end_of_input(self):
        self.assertIsNone(self.world.start())
        self.world.door.stdin.close()
        self.assertEqual(self.world.door.wait(10), 0)


WHY_NOT = None


class Nfc(Case):
    """Through pcscd."""
    door_class = 1

    def setUp(self):
        if WHY_NOT:
            self.skipTest(WHY_NOT)
        super().setUp()
        self.reader = os.path.join(self.world.folder, "readers")
        os.mkdir(self.reader)
        with open(os.path.join(self.reader, "virtual"), "w", encoding="utf-8") as f:
            f.write(f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{PORT:#x}\nLIBPATH {DRIVER}\nCHANNELID {PORT:#x}\n')
        self.daemon = None
        self.addCleanup(self.pcscd_stop)
        self.pcscd_start()

    def pcscd_start(self):
        with open(os.path.join(self.world.folder, "pcscd.log"), "ab") as log:
            self.daemon = subprocess.Popen(["pcscd", "--foreground", "--config", self.reader, *without_polkit()], stdout=log, stderr=log)
        wait_for(lambda: os.path.exists("/run/pcscd/pcscd.comm"))

    def pcscd_stop(self):
        if self.daemon:
            self.daemon.terminate()
            try:
                self.daemon.wait(5)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()
            for name in ("pcscd.comm", "pcscd.pid"):
                if os.path.exists("/run/pcscd/" + name):
                    os.remove("/run/pcscd/" + name)
        self.daemon = None

    def insert(self):
        end = time.monotonic() + 20
        while self.world.say(f"insert {PORT}") != "ok":
            self.assertLess(time.monotonic(), end, "no virtual reader")
            time.sleep(0.05)

    def remove(self):
        self.world.say("remove")
        time.sleep(1.2)  # pcscd looks for a card each 400 ms; who comes back before is not seen to have gone

    def show(self):
        return self.world.next_line(self.insert)

    def told(self):
        count, last = map(int, self.world.say("told").split())
        return count, last

    def test_opens_is_revoked_and_takes_the_list(self):
        w = self.world
        self.assertIsNone(w.start())
        self.assertEqual(self.show(), "open")
        wait_for(lambda: self.told() == (1, 0))
        wait_for(lambda: w.opens() == 1)
        with open(w.opened + ".files", encoding="utf-8") as f:
            self.assertNotRegex(f.read(), "socket|log\\.0|lock")  # nothing of the door's is open in what it runs
        time.sleep(1)  # it lies there still: one insertion is one contact
        self.assertEqual(w.lines(), ["open"])
        self.remove()

        w.say("pin 3")
        self.assertEqual(self.show(), "open")
        self.remove()
        w.say("pin 0")

        w.say("revoke")  # this phone itself brings the list that ends it
        self.assertEqual(self.show(), "open")
        wait_for(lambda: "a newer list came by a phone" in w.logged())
        self.remove()
        self.assertEqual(self.show(), "refused 8 revoked")
        wait_for(lambda: self.told()[1] == 8)
        self.remove()
        w.stop()
        self.assertIsNone(w.start())  # it is on disk
        self.assertEqual(self.show(), "refused 8 revoked")
        self.assertEqual(w.opens(), 3)
        self.assertIn("entries 1 to 5 are whole", w.verify_log().stdout)

    def test_degraded_until_a_phone_brings_a_list(self):
        """Its list is over, and it may open all the same; who passes has a newer one, and from then on it is a door like others."""
        w = self.world
        w.say("list -7200")
        shutil.copy(os.path.join(w.folder, "newest-list"), os.path.join(w.folder, "status.list"))
        self.assertIsNone(w.start("door.degraded=yes"))
        self.assertEqual(self.show(), "open degraded")
        self.remove()
        w.say("list -60")
        self.assertEqual(self.show(), "open degraded")
        wait_for(lambda: "a newer list came by a phone" in w.logged())
        self.remove()
        self.assertEqual(self.show(), "open")
        self.remove()
        w.stop()
        self.assertIsNone(w.start())  # it is on disk, and may be strict again
        self.assertEqual(self.show(), "open")

    def test_dishonest_phone(self):
        w = self.world
        self.assertIsNone(w.start())
        self.assertEqual(self.show(), "open")
        self.remove()
        w.say("again 1")
        self.assertEqual(self.show(), "refused 15 unproved")
        self.remove()
        w.say("again 0")
        w.say("decline 1")
        self.insert()
        wait_for(lambda: "does not answer this door" in w.logged())
        self.remove()
        self.assertEqual(w.opens(), 1)

    def test_what_goes_away_comes_back(self):
        w = self.world
        self.assertIsNone(w.start())
        w.say("pin 1000")  # pulled while the PIN is asked
        self.insert()
        time.sleep(1)
        self.remove()
        wait_for(lambda: "the phone went before the end" in w.logged())
        w.say("pin 0")
        self.assertEqual(self.show(), "open")
        self.remove()

        self.pcscd_stop()
        wait_for(lambda: 'msg="pcscd: ' in w.logged())
        self.assertIsNone(w.door.poll())
        self.pcscd_start()
        self.assertEqual(self.show(), "open")
        self.remove()

        self.pcscd_stop()  # the door is there before its reader
        w.stop()
        self.assertIsNone(w.start())
        self.pcscd_start()
        self.assertEqual(self.show(), "open")
        self.assertIn("entries 1 to 3 are whole", w.verify_log().stdout)

    def test_phone_that_never_answers(self):
        """Once it is taken off, the next one is served."""
        w = self.world
        self.assertIsNone(w.start())
        for mute in (1, 2):
            w.say(f"mute {mute}")
            self.insert()
            time.sleep(1)
            self.remove()
            w.say("mute 0")
            self.assertEqual(self.show(), "open")
            self.remove()

    def test_pcscd_hangs(self):
        """The door hangs with it, and the watchdog is told nothing more: systemd starts it anew."""
        w = self.world
        path = os.path.join(w.folder, "notify")
        told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(told.close)
        told.bind(path)
        told.settimeout(10)
        w.environment["NOTIFY_SOCKET"] = path
        self.assertIsNone(w.start())
        said = [told.recv(64) for _ in range(6)]
        self.assertIn(b"READY=1", said)
        self.assertIn(b"WATCHDOG=1", said)
        self.daemon.send_signal(signal.SIGSTOP)
        try:
            time.sleep(1.5)
            told.settimeout(0)
            while True:  # what came before
                told.recv(64)
        except BlockingIOError:
            pass
        try:
            told.settimeout(4)
            with self.assertRaises(TimeoutError):
                told.recv(64)
        finally:
            self.daemon.send_signal(signal.SIGCONT)
        self.assertEqual(self.show(), "open")

    def test_kill_at_random(self):
        w = self.world
        for n in range(5):
            self.assertIsNone(w.start())
            w.say(f"pin {n % 2}")
            self.insert()
            time.sleep(0.05 * n * n)
            w.stop(signal.SIGKILL)
            self.remove()
            self.assertEqual(w.verify_log().returncode, 0)
        opened = w.opens()
        self.assertIsNone(w.start())
        w.say("pin 0")
        self.assertEqual(self.show(), "open")
        wait_for(lambda: w.opens() == opened + 1)
        last = int(w.verify_log().stdout.split(" to ")[1].split()[0])
        self.assertGreaterEqual(last, w.opens())  # nothing opened that is not written


if __name__ == "__main__":
    WHY_NOT = enter()
    if WHY_NOT:
        print(f"skip: NFC: {WHY_NOT}")
    unittest.main(verbosity=2)
