"""Many phones press at once in a network that loses, doubles, delays and reorders; each repeats until its receipt is there."""
import os
import re
import time

from sms_case import ALERT_NUMBER, BIN, HEADER, run, wait_for

FACTOR = 0.1            # of all delays: 0.6 to 0.8 s, attempts after 1.5 to 6 s
PER_S = 100             # presses
REPEAT_S = 60.0         # a phone sends again
QUIET_S = 120.0         # without any news: it has failed


def open_alerts(region):
    """The ids in the region's store."""
    with open(os.path.join(region.dir, "vigie.conf"), encoding="utf-8") as file:
        password = re.search(r"password = (\S+)", file.read()).group(1)
    return set(run(["redis-cli", "-s", region.address("alerts"), "--user", "tool", "--pass", password, "--no-auth-warning", "ZRANGE", "{lyon}:open",
                    "0", "-1"]).split())


class Bulk:
    """COUNT carriers that are new to REGION; NETWORK: a Client; FACTOR: of all delays."""

    def __init__(self, region, network, count, seed, factor=FACTOR):
        said = run([os.path.join(BIN, "vigie-fleet"), "sms", "--region", region.dir, "--carriers", str(count), "--prefix", f"b{seed}"])
        self.region, self.network, self.seed, self.factor = region, network, seed, factor
        self.phones = [line.split() for line in said.splitlines()]      # number, alert id, signed alert
        self.by_number = {number: alert for number, alert, _ in self.phones}
        self.open_before = open_alerts(region)
        self.waiting = {}                 # number -> when it sends again
        self.received = set()
        self.sent = 0
        self.read_to = network.ask(state={})["logged"]

    def send(self, number, octets, now):
        self.network.ask(send={"from": number, "to": ALERT_NUMBER, "hex": octets, "udh": HEADER})
        self.waiting[number] = now + REPEAT_S * self.factor
        self.sent += 1

    def look(self):
        """Take in what came; gives how many phones got their first receipt."""
        before = len(self.received)
        log = self.network.ask(log=self.read_to)["log"]
        for line in log:
            alert = self.by_number.get(line["to"])
            if line["what"] == "delivered" and alert and alert in line.get("hex", ""):
                self.received.add(alert)
                self.waiting.pop(line["to"], None)
        if log:
            self.read_to = log[-1]["n"] + 1
        return len(self.received) - before

    def play(self, say=lambda text: None):
        """Until every phone has a receipt; AssertionError when nothing comes any more."""
        self.network.ask(seed=self.seed)
        self.network.ask(shape="etsi", factor=self.factor)
        objects = {number: octets for number, _, octets in self.phones}
        to_press, began = list(objects), time.monotonic()
        news = said = began
        while to_press or self.waiting:
            now = time.monotonic()
            while to_press and (len(objects) - len(to_press)) < (now - began) * PER_S:
                number = to_press.pop()
                self.send(number, objects[number], now)
            for number in [n for n, at in self.waiting.items() if at <= now]:
                self.send(number, objects[number], now)
            if self.look():
                news = time.monotonic()
            if now - news > QUIET_S:
                raise AssertionError(f"{len(self.waiting)} of {len(objects)} phones have no receipt, and for {QUIET_S} s none came")
            if now - said > 10:
                said = now
                say(f"{now - began:5.0f} s: {self.sent} sent, {len(self.received)} of {len(objects)} received")
            time.sleep(0.05)
        self.network.ask(shape="none", factor=1.0)
        wait_for("the network to be empty", self.over, 120)
        return time.monotonic() - began

    def over(self):
        state = self.network.ask(state={})
        return state["under_way"] == state["undelivered"]     # what waits for a full SIM stays

    def judge(self):
        """(pressed and not open, open and not pressed)"""
        wanted, found = set(self.by_number.values()), open_alerts(self.region) - self.open_before
        return wanted - found, found - wanted
