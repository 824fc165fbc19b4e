#!/usr/bin/python3 -B
"""A mobile network for tests: modems on pseudo-terminals, a message centre, and a line to Kannel's fake SMSC.

    network.py --control SOCKET [--seed N] [--kannel HOST:PORT] [--region NUMBER ...] [--modem NUMBER=PATH ...]
               [--shape etsi|none] [--factor F] [--ready-fd FD]

PATH becomes a link to a modem's terminal.  What is sent to a region's number goes to Kannel; to a modem's, into its SIM; to any other
number, into an inbox here.  F shortens all times (0.01: a hundred times faster).  The control socket takes JSON objects, one a line:

    {"send": {"from", "to", "text" or "hex" (+ "udh"), "copies", "now": past the shape}}    a phone sends
    {"flood": {"count", "to", "from": prefix, "text" or "hex", "per_s"}}                  many, by many senders, past the shape
    {"inbox": NUMBER, "take": bool}            what it received, long texts put together; taken: off its SIM too
    {"modem": NUMBER, "state": ..., "code": CMS error of no_credit}       without state: how it is.  States: see modem.py
    {"shape": "etsi", "none" or {"first_s", "first_fails", "retry_s", "retry_fails", "lost", "doubled"}, "factor": F}
    {"hold": {"from", "to"}}  {"drop": {"from", "to"}, "count": n}        from now on; every key of the filter may be left out
    {"release": {"from", "to", "message": its number}, "copies": n}       deliver what is held
    {"held": {}}                               what is held               {"forget": {}}  no more rules
    {"seed": N}                                draw what comes from N on
    {"log": N}                                 what happened, from line N on: submitted, held, delivered, lost
    {"state": {}}                              counts
Each is answered by one line; {"error": why} when it cannot be done."""
import argparse
import asyncio
import contextlib
import json
import os
import random
import signal

import pdu
from centre import Centre, Refused
from kannel import Line
from modem import CMS_CONGESTION, STATES, Modem, Refused as ModemRefused

REQUEST_MAX = 1 << 20       # octets of a request; a longer one ends its connection


def part_of(given):
    """The parts of what a request wants to send."""
    if "hex" in given:
        return [pdu.Part(pdu.OCTETS, bytes.fromhex(given.get("udh", "")), bytes.fromhex(given["hex"]))]
    return pdu.parts_of(given["text"], random.getrandbits(8))


class Network:
    def __init__(self, options):
        self.options = options
        self.centre = Centre(random.Random(options.seed), set(options.region), self.to_region, options.factor)
        self.centre.set_shape(options.shape)
        self.line = None
        if options.kannel:
            host, port = options.kannel.rsplit(":", 1)
            self.line = Line(host, int(port), self.centre.submit, self.centre.arrived)

    def to_region(self, message):
        if self.line:
            self.line.put(message)
        else:
            self.centre.inboxes[message.to].append(message)
            self.centre.arrived(message)

    def plug_modems(self):
        for i, (number, path) in enumerate(m.split("=", 1) for m in self.options.modem):
            self.centre.modems[number] = Modem(number, path, f"35{i:013d}", self.submit, self.centre.offer, self.options.factor)

    def submit(self, modem, submit):
        try:
            return self.centre.submit(modem.number, submit.to, submit.part, modem, submit.report).reference
        except Refused as e:
            raise ModemRefused("CMS", CMS_CONGESTION) from e

    # ---- what a test wants -----------------------------------------------------------------------------------------------------

    def send(self, request):
        given = request["send"]
        for part in part_of(given):
            for _ in range(given.get("copies", 1)):
                self._send(given["from"], given["to"], part, given.get("now", False))
        return {}

    def _send(self, sender, to, part, now):
        kept = self.centre.shape
        if now:
            self.centre.set_shape("none")
        try:
            self.centre.submit(sender, to, part)
        finally:
            self.centre.shape = kept

    def flood(self, request):
        given = request["flood"]
        self._flood(given, part_of(given)[0], 0)
        return {}

    def _flood(self, given, part, done):
        slice_s = 0.02
        until = min(given["count"], done + max(1, int(given.get("per_s", given["count"] / slice_s) * slice_s)))
        for i in range(done, until):
            self._send(f"{given['from']}{i:06d}", given["to"], part, True)
        if until < given["count"]:
            asyncio.get_running_loop().call_later(slice_s, self._flood, given, part, until)

    def inbox(self, request):
        if request.get("take") and request["inbox"] in self.centre.modems:
            self.centre.modems[request["inbox"]].tidy()
        return {"inbox": self.centre.inbox(request["inbox"], request.get("take", False))}

    def modem(self, request):
        modem = self.centre.modems[request["modem"]]
        if "state" in request:
            if request["state"] not in STATES:
                raise ValueError(f"no such state: {request['state']}")
            modem.set_state(request["state"], request.get("code"))
        return {"state": modem.state, "stored": len(modem.stored), "sent": modem.sent, "waiting": len(self.centre.undelivered[modem.number])}

    def shape(self, request):
        self.centre.set_shape(request["shape"])
        self.centre.factor = request.get("factor", self.centre.factor)
        return {"shape": self.centre.shape}

    def seed(self, request):
        self.centre.random.seed(request["seed"])
        return {}

    def hold(self, request):
        self.centre.rules.append(["hold", request["hold"], request.get("count")])
        return {}

    def drop(self, request):
        self.centre.rules.append(["drop", request["drop"], request.get("count")])
        return {}

    def forget(self, _):
        self.centre.rules.clear()
        return {}

    def held(self, _):
        return {"held": [m.as_json() for m in self.centre.held]}

    def release(self, request):
        return {"released": self.centre.release(request["release"], request.get("copies", 1))}

    def log(self, request):
        return {"log": [line for line in self.centre.log if line["n"] >= request["log"]]}

    def state(self, _):
        line = {"connected": bool(self.line.writer), "waiting": len(self.line.waiting) + len(self.line.written),
                "connections": self.line.connections} if self.line else {}
        return {**self.centre.counts, "under_way": self.centre.under_way, "held": len(self.centre.held), "logged": self.centre.logged,
                "undelivered": sum(map(len, self.centre.undelivered.values())), "kannel": line}

    REQUESTS = ("send", "flood", "inbox", "modem", "shape", "seed", "hold", "drop", "forget", "held", "release", "log", "state")

    def answer(self, line):
        try:
            request = json.loads(line)
            for name in self.REQUESTS:
                if name in request:
                    return getattr(self, name)(request)
            return {"error": "no such request"}
        except (ValueError, KeyError, TypeError, AttributeError, Refused, pdu.Malformed) as e:
            return {"error": f"{type(e).__name__}: {e}"}

    async def control(self, reader, writer):
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self.answer(line)).encode() + b"\n")
                await writer.drain()
        except (ValueError, ConnectionError):
            pass
        finally:
            writer.close()


async def run(options):
    network = Network(options)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    network.plug_modems()
    server = await asyncio.start_unix_server(network.control, options.control, limit=REQUEST_MAX)
    line = asyncio.ensure_future(network.line.run()) if network.line else None
    if options.ready_fd is not None:
        os.write(options.ready_fd, b"1\n")
        os.close(options.ready_fd)
    await stopped.wait()
    server.close()
    if line:
        line.cancel()
    for modem in network.centre.modems.values():
        modem.unplug()
    with contextlib.suppress(FileNotFoundError):
        os.unlink(options.control)


def main():
    parser = argparse.ArgumentParser(description="A mobile network for tests: modems, a message centre, a line to Kannel.")
    parser.add_argument("--control", required=True, metavar="SOCKET")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kannel", metavar="HOST:PORT")
    parser.add_argument("--region", action="append", metavar="NUMBER", help="a number behind Kannel")
    parser.add_argument("--modem", action="append", default=[], metavar="NUMBER=PATH")
    parser.add_argument("--shape", choices=("etsi", "none"), default="none")
    parser.add_argument("--factor", type=float, default=1.0)
    parser.add_argument("--ready-fd", type=int)
    options = parser.parse_args()
    options.region = options.region or ["+33700900900"]
    asyncio.run(run(options))


if __name__ == "__main__":
    main()
