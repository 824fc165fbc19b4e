"""The demo's SMS: Kannel (bearerbox, smsbox) as `vigie init` configures it, and behind its fake operator a mobile network of our own
(tests/sms/network.py) with the phones' modems and plain telephones."""
import os
import re
import sys
import time

from processes import Failure, wait_for
from wsclient import WebSocket, login

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(ROOT, "tests", "sms"))

from client import Client, NetworkError  # noqa: E402, F401

NUMBER, CONTROL_NUMBER = "+33700900900", "+33478000001"
MODEMS = {"carrier": "+33600000001", "supervisor": "+33600000101"}
PLAIN, PLAIN_LOGIN = "+33600000102", "ines"  # Inès: a telephone that is no handset
PLAIN_AT = {"lat": 45.7601, "lon": 4.8352, "accuracy_m": 20}
DUTY_S = 8 * 3600
SEED = 2026
# The line to the operator; a region that runs has SMPP or a modem here.
SMSC = """
group = smsc
smsc = fake
smsc-id = network
port = {port}
connect-allow-ip = 127.0.0.1
"""


class Sms:
    def __init__(self, region, ports, shape="none"):
        self.region, self.shape, self.factor = region, shape, 1.0  # factor: of the network's own times
        self.door_port, self.gateway_port, self.line_port = ports
        self.folder = os.path.join(region.folder, "sms")
        self.control = os.path.join(self.folder, "control.sock")
        os.makedirs(self.folder, exist_ok=True)

    def init_words(self):
        """What `vigie init` is told."""
        return ["--sms-number", NUMBER, "--control-number", CONTROL_NUMBER, "--sms-port", str(self.door_port),
                "--gateway-port", str(self.gateway_port)]

    def modem(self, handset):
        """The terminal of HANDSET's modem, or None where it has none."""
        return os.path.join(self.region.folder, "modem-" + handset) if handset in MODEMS else None

    def start(self):
        with open(os.path.join(self.region.dir, "kannel.conf"), "a", encoding="utf-8") as file:
            file.write(SMSC.format(port=self.line_port))
        self._start_box("bearerbox", self.gateway_port + 1)
        self._start_box("smsbox", self.gateway_port + 2)
        modems = [word for handset, number in MODEMS.items() for word in ("--modem", f"{number}={self.modem(handset)}")]
        self.region.process("network", [sys.executable, "-B", os.path.join(ROOT, "tests", "sms", "network.py"), "--control", self.control, "--seed",
                                        str(SEED), "--kannel", f"127.0.0.1:{self.line_port}", "--region", NUMBER, "--shape", self.shape,
                                        "--factor", str(self.factor), *modems],
                            ready=True).start()
        wait_for("the network's line to Kannel", lambda: self.ask(state={})["kannel"].get("connected"))

    def _start_box(self, name, port):
        argv = [name, "-v", "2", os.path.join(self.region.dir, "kannel.conf")]
        env = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        self.region.process(name, argv, cwd=self.folder, port=port, env=env, forks=name == "smsbox").start()

    def telephone_on_duty(self, password):
        """Inès goes on duty at the console, says where she is, and leaves it: what reaches her then is her telephone."""
        port, ca = self.region.console_port, os.path.join(self.region.dir, "ca.pem")
        socket = WebSocket("localhost", port, login("localhost", port, PLAIN_LOGIN, password, ca), ca)
        command = os.urandom(8).hex()
        now_ms = int(time.time() * 1000)
        socket.receive(10)  # a page speaks when spoken to
        position = {**PLAIN_AT, "at": now_ms}
        socket.send({"t": "duty_on", "c": command, "until": now_ms + DUTY_S * 1000, "position": position})
        try:
            while (message := socket.receive(10)) and not (message["t"] == "answer" and message["c"] == command):
                pass
            socket.send({"t": "visible", "position": position})
            while (told := socket.receive(10)) and told["t"] != "tick":  # by then it was read
                pass
        finally:
            socket.close()
        if not message or message["a"] != "done":
            raise Failure(f"{PLAIN_LOGIN} cannot go on duty: {message}")

    def client(self):
        return Client(self.control)

    def ask(self, **request):
        client = self.client()
        try:
            return client.ask(**request)
        finally:
            client.close()

    def inbox(self, number):
        """What NUMBER's telephone received, oldest first."""
        return self.ask(inbox=number)["inbox"]

    def state(self):
        return {"number": NUMBER, "control_number": CONTROL_NUMBER, "network": self.control, "modems": MODEMS, "telephone": PLAIN,
                "door": {"host": "127.0.0.1", "port": self.door_port, "secret": self.secret()}, "line": {"host": "127.0.0.1", "port": self.line_port},
                "sendsms": {"host": "127.0.0.1", "port": self.gateway_port + 2}, "kannel_conf": os.path.join(self.region.dir, "kannel.conf")}

    def secret(self):
        """What the dispatchers' SMS door asks for."""
        with open(os.path.join(self.region.dir, "dispatcher.conf"), encoding="utf-8") as file:
            return re.search(r"^secret = (\S+)", file.read(), re.M).group(1)

    def say(self, number, text):
        """NUMBER's telephone sends TEXT to the region."""
        self.ask(send={"from": number, "to": NUMBER, "text": text})
