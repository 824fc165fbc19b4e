"""The demo's SMS: Kannel (bearerbox, smsbox) as `vigie init` configures it, and behind its fake operator a mobile network of our own
(tests/sms/network.py) with the phones' modems and plain telephones."""
import os
import sys

from processes import wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "sms"))

from client import Client  # noqa: E402

NUMBER, CONTROL_NUMBER = "+33700900900", "+33478000001"
MODEMS = {"carrier": "+33600000001", "supervisor": "+33600000101"}
PLAIN = "+33600000102"  # Inès: a telephone that is no handset
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
        self.region, self.shape = region, shape
        self.door_port, self.gateway_port, self.line_port = ports
        self.folder = os.path.join(region.folder, "sms")
        self.control = os.path.join(self.folder, "control.sock")
        os.makedirs(self.folder, exist_ok=True)

    def init_words(self):
        """What `vigie init` is told."""
        return ["--sms-number", NUMBER, "--control-number", CONTROL_NUMBER, "--sms-port", str(self.door_port), "--gateway-port", str(self.gateway_port)]

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
                                        str(SEED), "--kannel", f"127.0.0.1:{self.line_port}", "--region", NUMBER, "--shape", self.shape, *modems],
                            ready=True).start()
        wait_for("the network's line to Kannel", lambda: self.ask(state={})["kannel"].get("connected"))

    def _start_box(self, name, port):
        argv = [name, "-v", "2", os.path.join(self.region.dir, "kannel.conf")]
        env = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        self.region.process(name, argv, cwd=self.folder, port=port, env=env, forks=name == "smsbox").start()

    def ask(self, **request):
        client = Client(self.control)
        try:
            return client.ask(**request)
        finally:
            client.close()

    def inbox(self, number):
        """What NUMBER's telephone received, oldest first."""
        return self.ask(inbox=number)["inbox"]

    def say(self, number, text):
        """NUMBER's telephone sends TEXT to the region."""
        self.ask(send={"from": number, "to": NUMBER, "text": text})
