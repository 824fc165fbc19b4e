"""The message centre: takes what phones and the gateway submit and delivers it as mobile networks do, or as a test wants it.

A message under way is delivered, lost, or held by a test; nothing else happens to it.  While the receiver cannot take it (SIM full,
phone off, gateway away) it waits here."""
import asyncio
import collections
import dataclasses
import time

import pdu

# The figures that emergency communication by SMS is judged by: most arrive in 6 to 8 s, 38 % not at the first attempt, 98 % in the end.
ETSI = {"first_s": [6.0, 8.0], "first_fails": 0.38, "retry_s": [15.0, 60.0], "retry_fails": 0.3, "lost": 0.02, "doubled": 0.02}
NONE = {"first_s": [0.0, 0.0], "first_fails": 0.0, "retry_s": [0.0, 0.0], "retry_fails": 0.0, "lost": 0.0, "doubled": 0.0}
WAITING_MAX = 200000    # messages at once; more is refused to its sender
LOG_MAX = 100000        # lines; the oldest go
INBOX_MAX = 100000      # for one number without a modem; the oldest go


@dataclasses.dataclass
class Message:
    number: int
    sender: str
    to: str
    part: pdu.Part
    at_s: float
    modem: object = None      # the modem that sent it
    reference: int = 0
    report: bool = False

    def as_json(self):
        shown = {"message": self.number, "from": self.sender, "to": self.to, "at_s": self.at_s}
        if self.part.kind == pdu.OCTETS or self.part.udh:
            shown["udh"] = self.part.udh.hex()
        if self.part.kind == pdu.OCTETS:
            shown["hex"] = self.part.body.hex()
        else:
            shown["text"] = self.part.text()
        return shown


class Refused(Exception):
    """The centre is full."""


class Centre:
    """region: the number(s) behind the gateway; put(Message) hands one to it."""

    def __init__(self, random, region, put, factor=1.0):
        self.random, self.region, self.put, self.factor = random, region, put, factor
        self.shape = dict(NONE)
        self.modems = {}                                    # number -> Modem
        self.inboxes = collections.defaultdict(lambda: collections.deque(maxlen=INBOX_MAX))
        self.log = collections.deque(maxlen=LOG_MAX)
        self.logged = 0
        self.counts = collections.Counter()
        self.rules = []                                     # [what, filter, how often or None]
        self.held = []
        self.undelivered = collections.defaultdict(collections.deque)  # number -> Messages its modem could not take
        self.number = self.under_way = 0

    def set_shape(self, shape):
        self.shape = dict(ETSI if shape == "etsi" else NONE if shape == "none" else {**self.shape, **shape})

    def note(self, what, message):
        self.counts[what] += 1
        self.log.append({"n": self.logged, "what": what, "time_s": time.time(), **message.as_json()})
        self.logged += 1

    # ---- in --------------------------------------------------------------------------------------------------------------------

    def submit(self, sender, to, part, modem=None, report=False):
        """Take PART for TO.  Refused when full, pdu.Malformed where it does not fit into one SMS."""
        if self.under_way >= WAITING_MAX:
            raise Refused("the message centre is full")
        pdu.user_data(part)
        self.number += 1
        self.under_way += 1
        message = Message(self.number, sender, international(to), part, time.time(), modem, self.number & 0xff, report)
        self.note("submitted", message)
        rule = self._rule(message)
        if rule == "hold":
            self.held.append(message)
            self.note("held", message)
        elif rule == "drop":
            self._end("lost", message)
        else:
            self._send_on(message)
        return message

    def _rule(self, message):
        for rule in self.rules:
            if matches(rule[1], message):
                if rule[2] is not None:
                    rule[2] -= 1
                    if rule[2] <= 0:
                        self.rules.remove(rule)
                return rule[0]
        return None

    def _send_on(self, message):
        """By the shape: how late, how often, or not at all."""
        draw, shape = self.random, self.shape
        if draw.random() < shape["lost"]:
            self._end("lost", message)
            return
        delay_s = draw.uniform(*shape["first_s"])
        failed = draw.random() < shape["first_fails"]
        while failed:
            self.counts["retried"] += 1
            delay_s += draw.uniform(*shape["retry_s"])
            failed = draw.random() < shape["retry_fails"]
        copies = [delay_s]
        if draw.random() < shape["doubled"]:
            self.counts["doubled"] += 1
            self.under_way += 1
            copies.append(delay_s + draw.uniform(*shape["retry_s"]))
        for copy_s in copies:
            self._after(copy_s, message)

    def _after(self, delay_s, message):
        if delay_s <= 0:
            self.deliver(message)
        else:
            asyncio.get_running_loop().call_later(delay_s * self.factor, self.deliver, message)

    def release(self, wanted, copies):
        """Deliver the held messages that match, each COPIES times."""
        found = [m for m in self.held if matches(wanted, m)]
        self.held = [m for m in self.held if m not in found]
        self.under_way += len(found) * (copies - 1)
        for message in found:
            for _ in range(copies):
                self.deliver(message)
        return len(found)

    # ---- out -------------------------------------------------------------------------------------------------------------------

    def deliver(self, message):
        if message.to in self.region:
            self.put(message)
        elif message.to in self.modems:
            self.undelivered[message.to].append(message)
            self.offer(self.modems[message.to])
        else:
            self.arrived(message)

    def offer(self, modem):
        """MODEM may have room or network again."""
        queue = self.undelivered[modem.number]
        while queue and modem.deliver(pdu.write_deliver(queue[0].sender, queue[0].part, queue[0].at_s)):
            self.arrived(queue.popleft())

    def arrived(self, message):
        """MESSAGE is where it was to go."""
        if message.to not in self.region:
            self.inboxes[message.to].append(message)
        self._end("delivered", message)
        if message.report and message.modem:
            message.modem.deliver(pdu.write_report(message.reference, message.to, message.at_s, time.time(), True), report=True)

    def _end(self, how, message):
        self.note(how, message)
        self.under_way -= 1

    def inbox(self, number, take):
        """What NUMBER received, the parts of long texts put together."""
        texts, whole = {}, []
        for message in self.inboxes[number]:
            part_of = pdu.concatenation(message.part.udh)
            if part_of is None or message.part.kind == pdu.OCTETS:
                whole.append(message.as_json())
                continue
            parts = texts.setdefault((message.sender, part_of[0], part_of[1]), {})
            parts[part_of[2]] = message
            if len(parts) == part_of[1]:
                shown = parts[1].as_json()
                shown["text"] = "".join(parts[i].part.text() for i in sorted(parts))
                whole.append(shown)
        if take:
            self.inboxes[number].clear()
        return whole


def matches(wanted, message):
    names = {"from": "sender", "message": "number", "to": "to"}
    return all(getattr(message, names[key]) == value for key, value in wanted.items())


def international(number):
    """How a French network reads what was dialled."""
    if number.startswith("00"):
        return "+" + number[2:]
    return "+33" + number[1:] if number.startswith("0") and len(number) == 10 else number
