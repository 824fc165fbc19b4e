#!/usr/bin/python3 -B
"""The line to Kannel: a real bearerbox and smsbox between the network and a web server of ours."""
import http.server
import os
import shutil
import socket
import threading
import unittest
import urllib.parse
import urllib.request

from case import ONE, REGION, NetworkCase, wait_for
from processes import Process

HEADER = "0605043f130000"
CONFIG = """group = core
admin-port = {admin}
admin-password = test
admin-interface = "127.0.0.1"
smsbox-port = {smsbox}
smsbox-interface = "127.0.0.1"
box-allow-ip = "127.0.0.1"
store-type = spool
store-location = "{folder}/spool"
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = FAKE
port = {fake}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {smsbox}
sendsms-port = {sendsms}
sendsms-interface = "127.0.0.1"
http-request-retry = 100
http-queue-delay = 1

group = sendsms-user
username = test
password = test
max-messages = 5
concatenation = true

group = sms-service
keyword = default
catch-all = true
post-url = "http://127.0.0.1:{web}/?from=%p&to=%P"
max-messages = 0
"""


def ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return found


class Catcher(http.server.BaseHTTPRequestHandler):
    """Keeps what smsbox posts: (from, header, octets)."""

    def do_POST(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.caught.append((query["from"][0], urllib.parse.unquote_to_bytes(self.headers.get("X-Kannel-UDH", "")).hex(), body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Web(http.server.ThreadingHTTPServer):
    request_queue_size = 1024   # smsbox posts all it has at once


@unittest.skipUnless(shutil.which("bearerbox", path=os.environ.get("PATH", "") + ":/usr/sbin"), "kannel is not installed")
class Kannel(NetworkCase):
    def setUp(self):
        names = ("admin", "smsbox", "fake", "sendsms")
        self.ports = dict(zip(names, ports(len(names))))
        self.options = ("--kannel", f"127.0.0.1:{self.ports['fake']}")
        super().setUp()
        self.web = Web(("127.0.0.1", 0), Catcher)
        self.web.caught = []
        threading.Thread(target=self.web.serve_forever, daemon=True).start()
        self.addCleanup(self.web.server_close)
        self.addCleanup(self.web.shutdown)
        os.mkdir(self.path("spool"))
        with open(self.path("kannel.conf"), "w", encoding="utf-8") as file:
            file.write(CONFIG.format(folder=self.folder, web=self.web.server_port, **self.ports))
        self.bearerbox = self.start("bearerbox")
        self.smsbox = self.start("smsbox")

    def start(self, name):
        process = Process(name, [f"/usr/sbin/{name}", "-v", "4", self.path("kannel.conf")], self.folder)
        self.addCleanup(process.kill)
        process.start()
        port = self.ports["smsbox" if name == "bearerbox" else "sendsms"]
        wait_for(name, lambda: self.listens(port), 20)
        return process

    @staticmethod
    def listens(port):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0

    def sendsms(self, **words):
        query = urllib.parse.urlencode({"username": "test", "password": "test", "from": REGION, "to": ONE, **words})
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['sendsms']}/cgi-bin/sendsms?{query}") as answer:
            self.assertEqual(answer.status, 202)

    def caught(self, count):
        wait_for(f"{count} posts", lambda: len(self.web.caught) >= count, 20)
        return list(self.web.caught)

    def test_to_the_region(self):
        body = bytes(range(133))
        for sent in ({"hex": body.hex(), "udh": HEADER}, {"text": "Bonjour à tous, €5 %41 a+b"}, {"text": "œuvre"}, {"text": "é" * 300}):
            self.ask(send={"from": ONE, "to": REGION, **sent})
        got = set(self.caught(4))
        self.assertEqual(got, {(ONE, HEADER, body), (ONE, "", "Bonjour à tous, €5 %41 a+b".encode()), (ONE, "", "œuvre".encode("utf-16-be")),
                               (ONE, "", ("é" * 300).encode())})

    def test_from_the_region(self):
        octets = bytes(range(133))
        self.sendsms(coding=1, udh=bytes.fromhex(HEADER), text=octets)
        self.sendsms(text="Alerte : a+b %41\nrue de l'été\n\nOUI")
        self.sendsms(text="œuvre Ж", coding=2, charset="UTF-8")
        self.sendsms(text="é€" * 120)
        self.sendsms(text="œé" * 60, coding=2, charset="UTF-8")
        got = self.wait_inbox(ONE, 5)
        self.assertEqual((got[0]["from"], got[0]["udh"], got[0]["hex"]), (REGION, HEADER, octets.hex()))
        self.assertEqual([m["text"] for m in got[1:]], ["Alerte : a+b %41\nrue de l'été\n\nOUI", "œuvre Ж", "é€" * 120, "œé" * 60])

    def test_bearerbox_killed(self):
        """What was sent while it is away, or in the moment of its death, comes afterwards; some of it perhaps twice."""
        wait_for("the line", lambda: self.ask(state={})["kannel"]["connected"])
        wanted = {f"message {i}".encode() for i in range(60)}
        for i in range(60):
            self.ask(send={"from": ONE, "to": REGION, "text": f"message {i}"})
            if i == 20:
                self.bearerbox.kill()
        wait_for("the line's end", lambda: not self.ask(state={})["kannel"]["connected"])
        self.smsbox.kill()
        self.bearerbox.start()
        wait_for("bearerbox", lambda: self.listens(self.ports["smsbox"]), 20)
        self.smsbox.start()
        wait_for("all of them", lambda: {body for _, _, body in self.web.caught} == wanted, 30)
        wait_for("the centre to see them taken", lambda: self.ask(state={})["kannel"]["waiting"] == 0, 5)
        self.assertEqual(self.ask(state={})["delivered"], 60)


if __name__ == "__main__":
    unittest.main()
