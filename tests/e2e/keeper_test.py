#!/usr/bin/python3 -B
"""vigie-keeper as a process: who it answers, what it survives, and the cage it is in.  Requests are written here by hand, after
wire/PROTOCOL.md section 15."""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("VIGIE_BUILD", "san")
PROGRAM = os.path.join(ROOT, "build", BUILD, "bin", "vigie-keeper")
VIGIE = os.path.join(ROOT, "build", BUILD, "bin", "vigie")
ORDER, LIST, PASS = 4, 3, 1
DONE, NOT_YOURS, NO_PLACE = 0, 2, 9


def head(major, n):
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 24:
            return bytes([major << 5 | n])
        if n < 1 << 8 * size:
            return bytes([major << 5 | info]) + n.to_bytes(size, "big")
    raise ValueError(n)


def cbor(value):
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return b"\xf6" if value is None else head(0, value)


def decode(octets, at=0):
    """One item of what an answer is made of, and where it ends."""
    major, info = octets[at] >> 5, octets[at] & 31
    at += 1
    if major == 7:
        return None, at
    if info >= 24:
        size = 1 << (info - 24)
        info, at = int.from_bytes(octets[at:at + size], "big"), at + size
    if major in (0, 1):
        return info if major == 0 else -1 - info, at
    if major in (2, 3):
        return octets[at:at + info], at + info
    items = []
    for _ in range(info if major == 4 else 2 * info):
        item, at = decode(octets, at)
        items.append(item)
    return items, at


class Keeper(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vigie-keeper-")
        os.chmod(self.folder, 0o755)
        for name, kind in (("pass", "ed25519"), ("status", "ed25519"), ("order", "ed25519"), ("position", "x25519")):
            self.openssl("genpkey", "-algorithm", kind, "-out", self.path(name + ".key"))
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.path("ca.key"), "-out",
                     self.path("ca.pem"), "-subj", "/CN=test", "-days", "2")
        self.process = None
        self.start()

    def tearDown(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)

    def openssl(self, *words):
        subprocess.run(("openssl",) + words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, *more, check=True):
        words = [PROGRAM, "--ready-fd", "PIPE"]
        for key, value in (("region.name", "lyon"), ("socket.path", self.path("socket")), ("audit.path", self.path("audit")), ("audit.size_max", "8"),
                           ("keys.pass", self.path("pass.key")), ("keys.status", self.path("status.key")), ("keys.order", self.path("order.key")),
                           ("keys.position", self.path("position.key")), ("handset.ca", self.path("ca.pem")),
                           ("peer.console", pwd.getpwuid(os.getuid()).pw_name)) + more:
            words += ["-o", f"{key}={value}"]
        ready, told = os.pipe()
        words[2] = str(told)
        # in its cage there is no clone, which the leak checker of the sanitizers would need
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(words, pass_fds=(told,), env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}, stderr=log)
        os.close(told)
        with os.fdopen(ready, "rb") as answer:
            started = answer.read() != b""
        if check:
            self.assertTrue(started, self.log())
        return started

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def connect(self):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.settimeout(10)
        connection.connect(self.path("socket"))
        self.addCleanup(connection.close)
        return connection

    def ask(self, connection, kind, *fields, by="chef"):
        connection.send(cbor([1, kind, 9, by, ""] + list(fields)))
        answer, _ = decode(connection.recv(1 << 17))
        self.assertEqual(answer[:3], [1, kind, 9])
        return answer[3:]

    def order(self, connection):
        return self.ask(connection, ORDER, b"phone 01", b"enrolled", 1, bytes(8), bytes(16), 0)

    def number(self, order):
        return decode(decode(order)[0][2])[0][3]

    def issue(self, connection, count=3):
        now = int(time.time())
        return self.ask(connection, PASS, b"phone 01", "martin.l", bytes(64), now, now + 3600, [], 1, b"building" * count)

    def test_asked_and_answered(self):
        connection = self.connect()
        code, signed, salt_key, marker_key, status = self.issue(connection)
        self.assertEqual((code, len(salt_key), len(marker_key), status), (DONE, 32, 32, 0))
        with open(self.path("pass"), "wb") as file:
            file.write(signed)
        self.openssl("pkey", "-in", self.path("pass.key"), "-pubout", "-out", self.path("pass.pem"))
        result = subprocess.run([VIGIE, "inspect", "--key", self.path("pass.pem"), "--aad", "vigie pass"], input=signed, stdout=subprocess.PIPE, check=False)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertEqual(self.issue(connection, 1024)[0], DONE)
        code, signed = self.ask(connection, LIST, int(time.time()) + 3600)
        self.assertEqual(code, DONE)
        self.assertEqual(decode(decode(signed)[0][2])[0][4], 2)

    def test_a_restart_forgets_nothing(self):
        self.assertEqual(self.number(self.order(self.connect())[1]), 1)
        for expected in range(2, 8):
            self.process.kill()
            self.process.wait()
            self.start()
            connection = self.connect()
            self.assertEqual(self.number(self.order(connection)[1]), expected)
            self.assertEqual(self.issue(connection)[4], expected - 2)

    def test_orderly_end_and_one_at_a_time(self):
        self.assertNotEqual(subprocess.run([PROGRAM, "-n", "-o", "nothing=1"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False).returncode, 0)
        first = self.process
        self.assertFalse(self.start(check=False)) # the socket and the audit are the first one's
        self.assertNotEqual(self.process.wait(10), 0)
        self.process = first
        self.assertEqual(self.order(self.connect())[0], DONE)
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(10), 0)

    def test_nonsense_closes_and_harms_nobody(self):
        good = self.connect()
        for octets in (b"\xff", b"\x80", cbor([1, 99, 0, "a", ""]), cbor([2, 4, 0, "a", ""]), bytes(70000), cbor([1, 4, 9, "a" * 60, ""])):
            bad = self.connect()
            bad.send(octets)
            self.assertEqual(bad.recv(100), b"")
        self.assertEqual(self.order(good)[0], DONE)

    def test_in_its_cage(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            fields = dict(line.split(":\t", 1) for line in status.read().splitlines() if ":\t" in line)
        self.assertEqual(fields["Seccomp"], "2")
        self.assertEqual(fields["NoNewPrivs"], "1")

    def test_too_many_peers(self):
        held = [self.connect() for _ in range(24)]
        self.assertEqual(self.order(held[-1])[0], DONE)
        late = self.connect()
        self.assertEqual(late.recv(10), b"")
        held.pop(0).close()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            again = self.connect()
            try:
                again.send(cbor([1, LIST, 9, "x", "", 0]))
                if again.recv(1000):
                    return
            except OSError:
                pass
        self.fail("nobody is let in again")

    def as_nobody(self, script):
        """Run SCRIPT as another user, connected to the keeper as `s`; gives its exit status."""
        os.chmod(self.path("socket"), 0o666)
        code = "import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET)\ns.settimeout(10)\ns.connect(sys.argv[1])\n" + script
        folder = os.open(self.folder, os.O_PATH)  # what lies above it may be closed to strangers
        try:
            return subprocess.run(["/usr/bin/python3", "-c", code, f"/proc/self/fd/{folder}/socket"], user=65534, group=65534, extra_groups=[],
                                  pass_fds=(folder,), check=False).returncode
        finally:
            os.close(folder)

    @unittest.skipUnless(os.getuid() == 0, "only root can be somebody else")
    def test_consoles_gone_wild_keep_no_dispatcher_out(self):
        self.process.kill()
        self.process.wait()
        self.start(("peer.dispatcher", pwd.getpwuid(65534).pw_name))
        held = []
        while len(held) < 200:
            try:
                held.append(self.connect())
            except BlockingIOError:  # they come faster than they are turned away
                time.sleep(0.01)
        ask = f"s.send({cbor([1, LIST, 9, 'd1', '', 0])!r})\nsys.exit(s.recv(100)!={cbor([1, LIST, 9, NOT_YOURS])!r})"
        self.assertEqual(self.as_nobody(ask), 0)
        self.assertEqual(self.order(held[0])[0], DONE)

    def test_who_does_not_read_is_closed(self):
        deaf, good = self.connect(), self.connect()
        deaf.settimeout(0.2)
        ask = cbor([1, ORDER, 9, "chef", "", b"phone 01", b"enrolled", 9, bytes(8), bytes(16), 0])  # refused: no such order
        with self.assertRaises(OSError):
            for _ in range(100000):
                deaf.send(ask)
        self.assertEqual(self.order(good)[0], DONE)

    @unittest.skipUnless(os.getuid() == 0, "only root can be somebody else")
    def test_a_stranger_is_turned_away(self):
        self.assertEqual(self.as_nobody("sys.exit(s.recv(1)!=b'')"), 0)
        self.assertIn("turned away", self.log())

    def test_the_audit_turns_and_when_it_is_full_nothing_is_signed(self):
        self.process.kill()
        self.process.wait()
        more = (("limits.passes", "1000000"), ("limits.passes_all", "1000000"), ("audit.size_max", "1"))
        self.start(*more)
        connection = self.connect()
        given, code = 0, DONE
        while code == DONE and given < 20000:
            code = self.issue(connection, 1)[0]
            given += code == DONE
        self.assertEqual(code, NO_PLACE)
        self.assertTrue(os.path.exists(self.path("audit.1")))  # the old part is kept for the auditor
        self.assertGreater(given, 3000)
        self.process.kill()
        self.process.wait()
        more = more[:2] + (("audit.size_max", "2"),)
        self.start(*more)
        connection = self.connect()
        code, signed = self.ask(connection, LIST, int(time.time()) + 3600)
        self.assertEqual((code, decode(decode(signed)[0][2])[0][4]), (DONE, given))  # all that were given are still known


if __name__ == "__main__":
    unittest.main()
