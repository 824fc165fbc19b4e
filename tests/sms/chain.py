"""A region with its SMS leg: Kannel, the test network, modems for its phones."""
import os
import re
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "ops", "demolib"))

from client import Client  # noqa: E402
from processes import run, wait_for  # noqa: E402
from region import Region, free_port  # noqa: E402

ALERT_NUMBER, CONTROL_NUMBER = "+33700900900", "+33478000001"
CARRIER, PAUL, INES, JEANNE = "+33600000001", "+33600000101", "+33600000102", "+33600000103"
SECRET = "a-secret-of-the-tests-only"

KANNEL = """group = core
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
http-request-retry = 1000
http-queue-delay = 1

group = sendsms-user
username = test
password = {secret}
max-messages = 5
concatenation = true

group = sms-service
keyword = default
catch-all = true
send-sender = true
post-url = "http://127.0.0.1:{door}/sms/in?secret={secret}&id=%I"
max-messages = 0
"""


class SmsRegion(Region):
    """options: more settings of the dispatchers, "name=value"; modems: number by handset."""

    def __init__(self, options=(), modems=None, network=(), **words):
        super().__init__(fleet=False, **words)
        self.options, self.modems, self.network_words = options, modems or {}, network
        self.ports = {name: free_port() for name in ("admin", "smsbox", "fake", "sendsms", "door")}
        self.network = None

    def modem_path(self, handset):
        return os.path.join(self.folder, "modem-" + handset)

    # ---- in the order of Region.start() ----------------------------------------------------------------------------------------

    def make_people(self):
        super().make_people()
        self.start_network()
        self.start_kannel()
        with open(os.path.join(self.dir, "dispatcher.conf"), "a", encoding="utf-8") as file:
            file.write(f"\n[sms]\nport = {self.ports['door']}\nsecret = {SECRET}\nurl = http://127.0.0.1:{self.ports['sendsms']}/cgi-bin/sendsms\n"
                       f"user = test\npassword = {SECRET}\nfrom = {ALERT_NUMBER}\nlanguage = fr\n\n[control]\nnumber = {CONTROL_NUMBER}\n")

    def start_network(self):
        control = os.path.join(self.folder, "network.sock")
        argv = [os.path.join(HERE, "network.py"), "--control", control, "--kannel", f"127.0.0.1:{self.ports['fake']}", "--region", ALERT_NUMBER,
                *self.network_words]
        for handset, number in self.modems.items():
            argv += ["--modem", f"{number}={self.modem_path(handset)}"]
        self.process("network", argv, ready=True).start()
        self.network = Client(control)

    def start_kannel(self):
        os.makedirs(os.path.join(self.folder, "spool"), exist_ok=True)
        self.kannel_conf = os.path.join(self.folder, "kannel.conf")
        with open(self.kannel_conf, "w", encoding="utf-8") as file:
            file.write(KANNEL.format(folder=self.folder, secret=SECRET, **self.ports))
        for name in ("bearerbox", "smsbox"):
            self.process(name, ["/usr/sbin/" + name, "-v", "1", self.kannel_conf], ready=False)
            self.restart(name)

    def restart(self, name):
        super().restart(name)
        if name in ("bearerbox", "smsbox"):
            port = self.ports["smsbox" if name == "bearerbox" else "sendsms"]
            wait_for(name, lambda: listens(port), 20)

    def enrol(self, name, server_port, *words):
        super().enrol(name, server_port, *words)
        if name in self.modems:
            with open(self.handsets[name]["config"], "a", encoding="utf-8") as file:
                file.write(f"\n[modem]\ndevice = {self.modem_path(name)}\nnumber = {ALERT_NUMBER}\n\n[sms]\ntest = no\n")

    def redis(self, *words, store="alerts"):
        """A question to the region's store, as its operator."""
        with open(os.path.join(self.dir, "vigie.conf"), encoding="utf-8") as file:
            password = re.search(r"password = (\S+)", file.read()).group(1)
        return run(["redis-cli", "-s", self.address(store), "--user", "tool", "--pass", password, "--no-auth-warning", *words]).strip()

    def stop(self):
        if self.network:
            self.network.close()
            self.network = None
        for name in ("smsbox", "bearerbox", "network"):
            if name in self.processes:
                self.processes[name].stop()
        super().stop()


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0
