#!/usr/bin/python3 -B
"""The pass desk: the real console, keeper and Redis, spoken to as its page speaks; phones are what the test writes of them.

    VIGIE_BUILD=san tests/e2e/desk_test.py [-v] [Desk.test ...]"""
import configparser
import hashlib
import http.client
import json
import os
import socket
import ssl
import sys
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "ops", "demolib"))

from keeper_test import cbor, decode  # noqa: E402
from processes import run, wait_for  # noqa: E402
from region import BIN, PASSWORD, Region  # noqa: E402
from region_test import SANITIZER  # noqa: E402
from wsclient import WebSocket, login  # noqa: E402

LONG_S = 40  # a loaded machine, a sanitizer build
HOUR_MS = 3600 * 1000
ROUND = "bellecour-3"


def now_ms():
    return int(time.time() * 1000)


class Page:
    """One page of the pass desk: what it is told, and the answers to what it asks."""

    def __init__(self, region, user, cookie=None):
        ca = os.path.join(region.dir, "ca.pem")
        self.cookie = cookie or login("localhost", region.console_port, user, PASSWORD, ca)
        self.socket = WebSocket("localhost", region.console_port, self.cookie, ca, path="/ws/passes")
        self.desk, self.hello, self.changed = None, None, set()
        wait_for(f"{user}'s page is spoken to", lambda: self.receive(1) and self.desk, LONG_S)  # it must say nothing before

    def receive(self, timeout_s):
        message = self.socket.receive(timeout_s)
        if message and message["t"] == "desk":
            self.desk = message
        elif message and message["t"] == "hello":
            self.hello = message
        elif message and message["t"] == "desk_changed":
            self.changed.update(message["what"])
        return message

    def ask(self, verb, **fields):
        """The answer; again while the store is away, as it is for moments on a loaded machine, or where a page may ask no more now."""
        end = time.monotonic() + LONG_S
        while (answer := self.ask_once(verb, fields)).get("a") in ("away", "busy") and time.monotonic() < end:
            time.sleep(0.3)
        return answer

    def ask_once(self, verb, fields):
        command = os.urandom(8).hex()
        self.socket.send({"t": verb, "c": command, **fields})
        end = time.monotonic() + LONG_S
        while time.monotonic() < end:
            message = self.receive(1)
            if message and message.get("c") == command:
                return message
        raise AssertionError(f"{verb} {fields}: no answer")

    def find(self, what, words=""):
        return self.ask("desk_find", what=what, words=words)["items"]

    def get(self, what, thing):
        return self.ask("desk_get", what=what, id=thing)["item"]


class Desk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.region = r = Region(fleet=False)
        cls.pages = {}
        try:
            run([os.path.join(BIN, "vigie"), "-C", r.dir, "init", "--region", "lyon", "--alerts", r.address("alerts"), "--positions",
                 r.address("positions"), "--keeper", os.path.join(r.folder, "keeper.sock")])
            r.start_redis("alerts")
            r.start_redis("positions")
            r.make_people()
            r.vigie("user", "add", "adm", "--name", "Adm", "--role", "admin", stdin=PASSWORD + "\n")
            r.vigie("trust", "publish")
            r.dispatcher_port = 1
            r.enrol("carrier", 1, "--role", "carrier", "--person", "c001", "--pin", "2468", "--number", "+33600000001")
            r.enrol("shared", 1, "--role", "carrier", "--pin", "2468", "--number", "+33600000003")
            r.enrol("boss", 1, "--role", "supervisor", "--person", "s001", "--number", "+33600000101")
            r.start_keeper()
            r.start_console()
            conf = configparser.ConfigParser(interpolation=None)
            conf.read(os.path.join(r.dir, "dispatcher.conf"))
            cls.links = {name: cls.connect(r.address(name)) for name in ("alerts", "positions")}
            for store in cls.links:
                cls.redis("AUTH", conf[store]["user"], conf[store]["password"], store=store)
            conf.read(os.path.join(r.dir, "console.conf"))
            cls.links["console"] = cls.connect(r.address("alerts"))
            cls.redis("AUTH", conf["alerts"]["user"], conf["alerts"]["password"], store="console")
            cls.handset, cls.boss = r.handsets["carrier"]["id"], r.handsets["boss"]["id"]
            cls.shared = r.handsets["shared"]["id"]
            cls.vault()
            cls.vault(handset=cls.shared)
            page = cls.page("delivre")
            wait_for("the books, and a first status list", lambda: page.receive(1) and page.desk and page.desk["ready"] and page.desk["keeper"] is None, LONG_S)
            wait_for("the phones", lambda: len([c for c in page.find("carrier") if c["ready"]]) == 2, LONG_S)
        except BaseException:
            cls.region.stop()
            raise

    @classmethod
    def tearDownClass(cls):
        for file, link in cls.links.values():
            file.close()
            link.close()
        for page in cls.pages.values():
            page.socket.close()
        for process in cls.region.processes.values():
            process.stop()
        found = []
        for name in sorted(os.listdir(cls.region.logs)):
            with open(os.path.join(cls.region.logs, name), "rb") as file:
                found += [f"{name}: {m.group(0).decode(errors='replace')}" for m in SANITIZER.finditer(file.read())]
        cls.region.stop()
        if found:
            raise AssertionError(found)

    @staticmethod
    def connect(path):
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(LONG_S)
        link.connect(path)
        return link.makefile("rwb"), link

    @classmethod
    def redis(cls, *words, store="alerts"):
        file = cls.links[store][0]
        file.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in (w if isinstance(w, bytes) else w.encode() for w in words)))
        file.flush()
        return cls.reply(file, words)

    @classmethod
    def reply(cls, file, words):
        line = file.readline()
        kind, rest = line[:1], line[1:].rstrip()
        if kind == b"-":
            raise AssertionError(f"{words}: {line}")
        if kind == b"$":
            return None if rest == b"-1" else file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [cls.reply(file, words) for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest

    @classmethod
    def vault(cls, state=1, challenge=None, taken=0, key=True, list_s=0, handset=None):
        """What the phone would say of itself."""
        handset = handset or cls.handset
        entry = decode(cls.redis("HGET", "{lyon}:handsets", handset))[0]
        cls.redis("HSET", "{lyon}:vaults", handset,
                  cbor([1, entry[3], state, entry[1][1:] if key else None, challenge, now_ms(), list_s, taken, 0]))
        cls.redis("XADD", "{lyon}:people:changes", "*", "h", "vaults", "k", handset)

    @classmethod
    def page(cls, user):
        if user not in cls.pages:
            cls.pages[user] = Page(cls.region, user)
        return cls.pages[user]

    def issue(self, user="delivre", **fields):
        return self.page(user).ask("pass_issue", **{"carrier": "c001", "handset": self.handset, "round": ROUND, **fields})

    def inbox(self):
        """Orders that wait, oldest first: {o: order, b: parcel}."""
        return [dict(zip(fields[::2], fields[1::2])) for _, fields in self.redis("XRANGE", f"{{lyon}}:inbox:{self.handset}", "-", "+")]

    def post(self, user, body, origin=None):
        end = time.monotonic() + LONG_S
        while (answer := self.post_once(user, body, origin))[0] == 503 and time.monotonic() < end:
            time.sleep(0.2)
        return answer

    def post_once(self, user, body, origin):
        port = self.region.console_port
        connection = http.client.HTTPSConnection("localhost", port, context=ssl.create_default_context(cafile=os.path.join(self.region.dir, "ca.pem")), timeout=LONG_S)
        headers = {"Origin": origin or f"https://localhost:{port}", "Content-Type": "application/json"}
        if user:
            headers["Cookie"] = self.page(user).cookie
        connection.request("POST", "/desk/edit", body if isinstance(body, (str, bytes)) else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, json.loads(text) if text.startswith("{") else text

    def head(self, user, length):
        """The status of a POST that only says how long it is."""
        port = self.region.console_port
        connection = http.client.HTTPSConnection("localhost", port, context=ssl.create_default_context(cafile=os.path.join(self.region.dir, "ca.pem")), timeout=LONG_S)
        connection.putrequest("POST", "/desk/edit")
        for name, value in (("Origin", f"https://localhost:{port}"), ("Cookie", self.page(user).cookie), ("Content-Length", str(length))):
            connection.putheader(name, value)
        connection.endheaders()
        status = connection.getresponse().status
        connection.close()
        return status

    def fetch(self, path, **headers):
        connection = http.client.HTTPSConnection("localhost", self.region.console_port, context=ssl.create_default_context(cafile=os.path.join(self.region.dir, "ca.pem")), timeout=LONG_S)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer, body

    def wait_state(self, pass_id, state, user="delivre"):
        seen = []

        def look():
            found = [p for p in self.page(user).find("pass", pass_id)]
            seen[:] = found
            return found and found[0]["state"] == state
        wait_for(f"pass {pass_id} is {state}; last seen {seen}", look, LONG_S)

    def waits_for_unlock(self, user):
        return [p for p in self.page(user).find("unlock") if p["handset"] == self.handset and p["waits"] == "asked"]

    def setUp(self):
        self.redis("DEL", f"{{lyon}}:inbox:{self.handset}")

    # ---- who may what

    def test_who_may(self):
        self.assertEqual(self.page("delivre").desk["may"], ["issue", "consent", "revoke", "unlock", "lost", "live"])
        nothing = {"carrier": "c001", "handset": self.handset, "round": ROUND}
        refused = {
            "regie": [("pass_issue", nothing), ("pass_asked", {"handset": self.handset, "yes": True}), ("pass_consent", {"consent": "00" * 8, "yes": True})],
            "adm": [("pass_issue", nothing), ("pass_revoke", {"pass": "00" * 8}), ("desk_find", {"what": "pass", "words": ""}),
                    ("phone_unlock", {"handset": self.handset, "challenge": "00" * 8})],
            "paul": [("pass_issue", nothing), ("pass_revoke", {"pass": "00" * 8}), ("phone_lost", {"handset": self.handset})],
        }
        for user, asks in refused.items():
            for verb, fields in asks:
                with self.subTest(user=user, verb=verb):
                    self.assertEqual(self.page(user).ask(verb, **fields)["a"], "not_allowed")
        self.assertEqual(self.page("delivre").ask("pass_revoke", **{"pass": "00" * 8})["a"], "unknown")

    def test_malformed_closes(self):
        good = {"t": "desk_find", "c": "00" * 8, "what": "round", "words": ""}
        spoiled = [{}, [], 7, {**good, "more": 1}, {**good, "what": "user"}, {**good, "words": 3}, {**good, "words": "x" * 65}, {**good, "c": "00"},
                   {"t": "desk_get", "c": "00" * 8, "what": "pass", "id": "../etc"}, {"t": "desk_get", "c": "00" * 8, "what": "carrier", "id": "c001"},
                   {"t": "take", "c": "00" * 8, "alert": "00" * 16},
                   {"t": "pass_issue", "c": "00" * 8, "carrier": "c001", "handset": self.handset.upper() + "x", "round": ROUND},
                   {"t": "pass_issue", "c": "00" * 8, "carrier": "c001", "handset": self.handset, "round": ROUND, "windows": [[1, 2, 3]]},
                   {"t": "pass_issue", "c": "00" * 8, "carrier": "c001", "handset": self.handset, "round": ROUND, "until": 1e30}]
        for text in spoiled:
            with self.subTest(text=text):
                page = Page(self.region, "delivre", self.page("delivre").cookie)
                self.addCleanup(page.socket.close)
                page.socket.send(text)
                with self.assertRaises(ConnectionError):
                    for _ in range(20):
                        page.receive(2)

    def test_an_issuer_has_no_alerts(self):
        ca = os.path.join(self.region.dir, "ca.pem")
        with self.assertRaises(ConnectionError):
            page = WebSocket("localhost", self.region.console_port, self.page("delivre").cookie, ca)
            self.addCleanup(page.close)
            for _ in range(20):
                self.assertIsNone(page.receive(1))

    # ---- issuing

    def test_issue(self):
        before = len(self.inbox())
        answer = self.issue()
        self.assertEqual(answer["a"], "done", answer)
        thing = answer["more"]["pass"]
        self.wait_state(thing, "waiting")
        entry = decode(self.redis("HGET", "{lyon}:passes", thing))[0]
        waiting = self.inbox()
        self.assertEqual(len(waiting), before + 1)
        order = decode(decode(waiting[-1][b"o"])[0][2])[0]
        parcel = waiting[-1][b"b"]
        self.assertEqual(order[6], hashlib.sha256(parcel).digest()[:16])
        self.assertEqual(len(decode(parcel)[0][4]), 8)
        found = self.page("delivre").get("pass", thing)
        self.assertEqual((found["name"], found["buildings"], found["by"], found["second"]), ("Camille Roux", 8, "delivre", None))
        self.assertTrue(all(d["why"] == "good" and d["until"] == found["until"] + 120000 for d in found["doors"]))
        self.vault(taken=order[3])
        self.wait_state(thing, "phone")
        self.assertEqual(entry[4], b"delivre")

    def test_refused(self):
        def code(**fields):
            return self.issue(**fields)["a"]
        self.assertEqual(code(round="nobody-knows"), "unknown")
        self.assertEqual(code(carrier="nobody"), "unknown")
        self.assertEqual(code(handset="00" * 8), "unknown")
        self.assertEqual(code(handset=self.boss), "unknown")
        self.assertEqual(code(**{"from": now_ms(), "until": now_ms() - 60000}), "bad_time")
        self.assertEqual(code(until=now_ms() + 25 * HOUR_MS), "too_long")
        self.assertEqual(code(**{"from": now_ms() + 60 * HOUR_MS, "until": now_ms() + 61 * HOUR_MS}), "not_now")
        self.assertEqual(code(until=now_ms() + HOUR_MS, windows=[[now_ms(), now_ms() + 2 * HOUR_MS]]), "bad_time")
        self.vault(state=0, key=False)
        wait_for("no PIN", lambda: code() == "no_pin", LONG_S)
        self.vault()
        wait_for("a PIN", lambda: [c for c in self.page("delivre").find("carrier", "CAMILLE") if c["ready"]], LONG_S)

    def test_a_second_person(self):
        answer = self.issue(until=now_ms() + 13 * HOUR_MS)
        self.assertEqual((answer["a"], answer["more"]["why"]), ("consent", ["long"]))
        consent = answer["more"]["consent"]
        wait_for("the other sees it", lambda: [c for c in self.page("seconde").find("consent") if c["id"] == consent], LONG_S)
        self.assertEqual(self.page("delivre").ask("pass_consent", consent=consent, yes=True)["a"], "own")
        said = self.page("seconde").ask("pass_consent", consent=consent, yes=True)
        self.assertEqual(said["a"], "done", said)
        self.assertEqual(decode(self.redis("HGET", "{lyon}:passes", said["more"]["pass"]))[0][5], b"seconde")
        self.assertIn(self.page("seconde").ask("pass_consent", consent=consent, yes=True)["a"], ("unknown", "over"))

    def test_many_consents(self):
        """500 wait at most."""
        one = cbor([1, "seconde", now_ms() // 1000, bytes.fromhex(self.handset), "c001", ROUND, now_ms() // 1000, now_ms() // 1000 + 60, [], 1, bytes(8)])
        ids = [f"{i:016x}" for i in range(500)]
        self.redis("HSET", "{lyon}:consents", *[word for i in ids for word in (i, one)])
        self.redis("XADD", "{lyon}:people:changes", "*", "h", "consents", "k", "*")
        wait_for("they are known", lambda: self.page("seconde").ask("desk_find", what="consent", words="")["rest"] >= 450, LONG_S)
        asked = {"carrier": "c001", "handset": self.handset, "round": ROUND, "until": now_ms() + 13 * HOUR_MS}
        self.assertEqual(self.page("delivre").ask_once("pass_issue", asked)["a"], "busy")
        self.redis("HDEL", "{lyon}:consents", *ids)
        self.redis("XADD", "{lyon}:people:changes", "*", "h", "consents", "k", "*")
        wait_for("there is room", lambda: self.issue(until=now_ms() + 13 * HOUR_MS)["a"] == "consent", LONG_S)

    def test_asked_by_the_phone(self):
        self.redis("HSET", "{lyon}:asked", self.handset, cbor([1, "c001", ROUND, now_ms() // 1000 + 7200, now_ms()]))
        self.redis("XADD", "{lyon}:people:changes", "*", "h", "asked", "k", self.handset)
        wait_for("the desk sees it", lambda: self.page("delivre").find("asked"), LONG_S)
        answer = self.page("delivre").ask("pass_asked", handset=self.handset, yes=True)
        self.assertEqual(answer["a"], "done", answer)
        self.assertEqual(self.redis("HEXISTS", "{lyon}:asked", self.handset), 0)

    def test_request_that_is_past(self):
        """Nobody is asked for what cannot be given any more, and it goes."""
        self.redis("HSET", "{lyon}:asked", "11" * 8, cbor([1, "c002", ROUND, now_ms() // 1000 - 1, now_ms() - HOUR_MS]), self.handset,
                   cbor([1, "c001", ROUND, now_ms() // 1000 + 7200, now_ms()]))
        self.redis("XADD", "{lyon}:people:changes", "*", "h", "asked", "k", "*")
        wait_for("the other one", lambda: self.page("delivre").find("asked"), LONG_S)
        self.assertEqual([a["handset"] for a in self.page("delivre").find("asked")], [self.handset])
        self.restart_console()
        wait_for("it is gone", lambda: not self.redis("HEXISTS", "{lyon}:asked", "11" * 8), LONG_S)
        self.redis("HDEL", "{lyon}:asked", self.handset)
        self.redis("XADD", "{lyon}:people:changes", "*", "h", "asked", "k", self.handset)

    # ---- ends

    def test_revoke(self):
        thing = self.issue()["more"]["pass"]
        self.wait_state(thing, "waiting")
        answer = self.page("regie").ask("pass_revoke", **{"pass": thing})
        self.assertEqual(answer["a"], "done")
        self.assertIsNotNone(answer["more"]["list"])
        self.wait_state(thing, "revoked")
        self.assertEqual(self.page("regie").ask("pass_revoke", **{"pass": thing})["a"], "over")
        doors = self.page("delivre").get("pass", thing)["doors"]
        self.assertTrue(doors and all(d["why"] == "unheard" and d["until"] for d in doors))
        self.assertEqual(self.fetch("/caretaker/data/status")[1][:1], b"\x84")

    def test_unlock(self):
        def code(challenge):
            return self.page("paul").ask("phone_unlock", handset=self.handset, challenge=challenge)["a"]
        thing = self.issue()["more"]["pass"]
        self.wait_state(thing, "waiting")
        self.assertEqual(code("00" * 8), "wrong_challenge")
        self.vault(state=3, key=False, challenge=bytes(range(8)))
        wait_for("the challenge", lambda: self.waits_for_unlock("paul"), LONG_S)
        self.assertNotIn("challenge", self.page("paul").get("phone", self.handset))  # the carrier reads it out
        self.assertEqual(code("00" * 8), "wrong_challenge")
        before = len(self.inbox())
        self.assertEqual(code(bytes(range(8)).hex()), "done")
        self.assertEqual(len(self.inbox()), before + 1)
        number = decode(decode(self.inbox()[-1][b"o"])[0][2])[0][3]
        self.vault(taken=number)  # the carrier set a new PIN: the pass comes again, for the new key
        wait_for("the old pass is revoked", lambda: self.page("delivre").get("pass", thing)["state"] == "revoked", LONG_S)
        wait_for("and another came", lambda: [p for p in self.page("delivre").find("pass") if p["state"] == "waiting" and p["id"] != thing], LONG_S)

    def test_unlock_while_the_keeper_is_away(self):
        """What could not be done at the phone's word is done when the keeper is back."""
        page, challenge = self.page("delivre"), bytes(range(16, 24))
        thing = self.issue()["more"]["pass"]
        self.wait_state(thing, "waiting")
        self.vault(state=3, key=False, challenge=challenge)
        wait_for("the challenge", lambda: self.waits_for_unlock("delivre"), LONG_S)
        self.assertEqual(page.ask("phone_unlock", handset=self.handset, challenge=challenge.hex())["a"], "done")
        number = decode(decode(self.inbox()[-1][b"o"])[0][2])[0][3]
        self.region.processes["keeper"].kill()
        wait_for("the desk says so", lambda: page.receive(1) and page.desk["keeper"] == "away", LONG_S)
        self.vault(taken=number)
        wait_for("the phone's word", lambda: page.get("phone", self.handset)["vault"] == "locked", LONG_S)
        self.wait_state(thing, "phone")
        self.redis("DEL", "{lyon}:lease:passes")  # or the minute's work is done a minute later
        self.region.processes["keeper"].start()
        self.wait_state(thing, "revoked")
        wait_for("and another came", lambda: [p for p in page.find("pass") if p["state"] == "waiting" and p["handset"] == self.handset], LONG_S)
        wait_for("that is all", lambda: not self.redis("HEXISTS", "{lyon}:lists", f"again:{self.handset}"), LONG_S)

    def test_unlock_with_a_full_inbox(self):
        """The old passes are revoked, and what should come instead cannot: it comes when there is room."""
        page, challenge, inbox = self.page("delivre"), bytes(range(24, 32)), f"{{lyon}}:inbox:{self.handset}"
        thing = self.issue()["more"]["pass"]
        self.wait_state(thing, "waiting")
        self.vault(state=3, key=False, challenge=challenge)
        wait_for("the challenge", lambda: self.waits_for_unlock("delivre"), LONG_S)
        self.assertEqual(page.ask("phone_unlock", handset=self.handset, challenge=challenge.hex())["a"], "done")
        number = decode(decode(self.inbox()[-1][b"o"])[0][2])[0][3]
        for _ in range(16):
            self.redis("XADD", inbox, "*", "o", "x")
        self.vault(taken=number)
        self.wait_state(thing, "revoked")
        live = lambda: [p for p in page.find("pass") if p["state"] == "waiting" and p["handset"] == self.handset]
        time.sleep(1)
        self.assertEqual(live(), [])
        self.redis("DEL", inbox)
        self.redis("DEL", "{lyon}:lease:passes", f"{{lyon}}:lease:given:{self.handset}:{number}")
        self.region.processes["keeper"].kill()
        wait_for("the desk says so", lambda: page.receive(1) and page.desk["keeper"] == "away", LONG_S)
        self.region.processes["keeper"].start()  # or the minute's work is done a minute later
        wait_for("it came", live, LONG_S)
        wait_for("that is all", lambda: not self.redis("HEXISTS", "{lyon}:lists", f"again:{self.handset}"), LONG_S)
        self.assertEqual(len({(p["round"], p["until"]) for p in live()}), len(live()))  # each once

    def test_shared_phone(self):
        """One carrier's passes at a time; and after an unlock none comes back by itself: whose PIN it is now, nobody knows."""
        delivre = self.page("delivre")
        self.assertEqual([p["handset"] for p in delivre.find("shared")], [self.shared])
        thing = self.issue(handset=self.shared)["more"]["pass"]
        self.wait_state(thing, "waiting")
        self.assertEqual(self.issue(handset=self.shared, carrier="c002")["a"], "other_carrier")
        self.assertEqual(delivre.ask("pass_revoke", **{"pass": thing})["a"], "done")
        self.wait_state(thing, "revoked")
        answer = self.issue(handset=self.shared, carrier="c002")
        self.assertEqual(answer["a"], "done", answer)
        thing = answer["more"]["pass"]
        self.wait_state(thing, "waiting")
        self.vault(state=3, key=False, challenge=bytes(range(8, 16)), handset=self.shared)
        wait_for("it is on the list of those who wait", lambda: [p for p in self.page("regie").find("unlock") if p["handset"] == self.shared], LONG_S)
        self.assertEqual(self.page("paul").find("unlock"), [])
        self.assertEqual(self.page("regie").ask("phone_unlock", handset=self.shared, challenge=bytes(range(8, 16)).hex())["a"], "done")
        wait_for("the list says that it was answered", lambda: [p["sent"] for p in self.page("regie").find("unlock")] == [True], LONG_S)
        order = self.redis("XREVRANGE", f"{{lyon}}:inbox:{self.shared}", "+", "-", "COUNT", "1")[0][1][1]
        self.vault(taken=decode(decode(order)[0][2])[0][3], handset=self.shared)
        self.wait_state(thing, "revoked")
        again = f"again:{self.shared}"
        wait_for("that is all", lambda: not self.redis("HEXISTS", "{lyon}:lists", again) and not self.page("regie").find("unlock"), LONG_S)
        self.assertEqual([p["id"] for p in delivre.find("pass") if p["handset"] == self.shared and p["state"] == "waiting"], [])

    def ask_both(self, *asked):
        """What each of the (user, verb, fields) is answered that is asked before anybody is answered."""
        sent = []
        for user, verb, fields in asked:
            command = os.urandom(8).hex()
            self.page(user).socket.send({"t": verb, "c": command, **fields})
            sent.append((self.page(user), command))
        answers = []
        for page, command in sent:
            end, message = time.monotonic() + LONG_S, None
            while (not message or message.get("c") != command) and time.monotonic() < end:
                message = page.receive(1)
            answers.append(message)
        return answers

    def test_two_issuers_at_once(self):
        """A shared phone, two carriers: one has it, the other issuer is told so."""
        live = [p["id"] for p in self.page("regie").find("pass") if p["handset"] == self.shared and p["state"] in ("waiting", "phone", "failed")]
        for thing in live:
            self.assertEqual(self.page("regie").ask("pass_revoke", **{"pass": thing})["a"], "done")
            self.wait_state(thing, "revoked")
        self.vault(handset=self.shared)
        for user in ("delivre", "seconde"):
            wait_for("the phone is ready", lambda: [p for p in self.page(user).find("shared") if p["ready"] and p["passes"] == 0], LONG_S)
        time.sleep(2)  # no claim of the tests before
        fields = {"handset": self.shared, "round": ROUND}
        answers = self.ask_both(("delivre", "pass_issue", {**fields, "carrier": "c001"}), ("seconde", "pass_issue", {**fields, "carrier": "c002"}))
        self.assertEqual(sorted(a["a"] for a in answers), ["busy", "done"], answers)
        loser = "seconde" if answers[0]["a"] == "done" else "delivre"
        carrier = "c002" if loser == "seconde" else "c001"
        self.assertEqual(self.issue(loser, handset=self.shared, carrier=carrier)["a"], "other_carrier")
        thing = [a for a in answers if a["a"] == "done"][0]["more"]["pass"]
        self.assertEqual(self.page("regie").ask("pass_revoke", **{"pass": thing})["a"], "done")
        self.wait_state(thing, "revoked")

    def test_one_request_two_issuers(self):
        self.redis("HSET", "{lyon}:asked", self.handset, cbor([1, "c001", ROUND, now_ms() // 1000 + 7200, now_ms()]))
        self.redis("XADD", "{lyon}:people:changes", "*", "h", "asked", "k", self.handset)
        for user in ("delivre", "seconde"):
            wait_for("the desk sees it", lambda: self.page(user).find("asked"), LONG_S)
        answers = self.ask_both(*((user, "pass_asked", {"handset": self.handset, "yes": True}) for user in ("delivre", "seconde")))
        self.assertEqual(sorted(a["a"] for a in answers), ["done", "unknown"], answers)
        self.assertEqual(len(self.inbox()), 1)

    def test_consent_that_could_not_be_done(self):
        """It waits on: the second person may say yes again when that works."""
        consent = self.issue(until=now_ms() + 13 * HOUR_MS)["more"]["consent"]
        seconde = self.page("seconde")
        wait_for("the other sees it", lambda: [c for c in seconde.find("consent") if c["id"] == consent], LONG_S)
        for _ in range(16):
            self.redis("XADD", f"{{lyon}}:inbox:{self.handset}", "*", "o", "x")
        self.assertEqual(seconde.ask("pass_consent", consent=consent, yes=True)["a"], "full")
        self.redis("DEL", f"{{lyon}}:inbox:{self.handset}")
        self.assertEqual(seconde.ask("pass_consent", consent=consent, yes=True)["a"], "done")

    def test_zz_lost(self):
        """The last one: this phone is gone."""
        thing = self.issue()["more"]["pass"]
        self.wait_state(thing, "waiting")
        answer = self.page("regie").ask("phone_lost", handset=self.handset)
        self.assertEqual([(s["step"], s["ok"]) for s in answer["more"]["steps"]],
                         [(s, True) for s in ("passes", "list", "certificate", "sessions", "wipe", "sms")], answer)
        self.assertEqual(answer["a"], "done")
        self.wait_state(thing, "revoked")
        self.assertGreater(decode(self.redis("HGET", "{lyon}:handsets", self.handset))[0][5], 0)
        self.assertIsNone(decode(decode(self.inbox()[-1][b"o"])[0][2])[0][6])
        phone = self.page("delivre").get("phone", self.handset)
        self.assertEqual((phone["revoked"], phone["wipe"]), (True, "sent"))
        self.assertIn(thing, [d["pass"] for d in phone["doors"]])
        self.assertEqual(self.issue()["a"], "revoked_phone")

    def test_zz_lost_ends_sessions(self):
        """What fails is said, and the rest is done; then again."""
        page = Page(self.region, "paul")
        keeper = self.region.processes["keeper"]
        keeper.kill()
        wait_for("the keeper is away", lambda: self.page("delivre").receive(1) and self.page("delivre").desk["keeper"] == "away", LONG_S)
        answer = self.page("regie").ask("phone_lost", handset=self.boss)
        self.assertEqual(answer["a"], "part")
        self.assertEqual({s["step"]: s["ok"] for s in answer["more"]["steps"]},
                         {"passes": False, "list": False, "certificate": True, "sessions": True, "wipe": False, "sms": False})
        self.assertEqual([s["why"] for s in answer["more"]["steps"] if s["step"] == "list"], ["keeper_away"])
        self.assertGreaterEqual([s["n"] for s in answer["more"]["steps"] if s["step"] == "sessions"][0], 1)
        with self.assertRaises(ConnectionError):
            for _ in range(20):
                page.receive(2)
        page.socket.close()
        keeper.start()
        wait_for("and back", lambda: self.page("delivre").receive(1) and self.page("delivre").desk["keeper"] is None, LONG_S)
        self.assertEqual(self.page("regie").ask("phone_lost", handset=self.boss)["a"], "done")

    # ---- editing

    def test_edit(self):
        building = {"id": "ab" * 8, "name": "École", "address": "1 rue", "lat": 45.7, "lon": 4.8, "sensitive": True, "qr": True, "caretaker": True}
        place = {"id": "ecole-1", "name": "École", "zone": "", "team": "lyon", "buildings": ["ab" * 8]}
        body = {"check": True, "buildings": [building], "rounds": [place]}
        self.assertEqual(self.post("adm", body), (200, {"result": "good", "how": {"buildings": "n", "rounds": "n", "doors": ""}, "dropped": 0, "still": []}))
        self.assertEqual(self.redis("HEXISTS", "{lyon}:buildings", "ab" * 8), 0)
        self.assertEqual(self.post("adm", {**body, "check": False})[1]["result"], "done")
        wait_for("the round", lambda: [r for r in self.page("delivre").find("round", "ECOLE") if r["sensitive"]], LONG_S)
        self.assertEqual(self.post("adm", body)[1]["how"]["buildings"], "s")
        self.assertEqual(self.issue(round="ecole-1")["more"]["why"], ["sensitive"])
        self.assertRegex(self.page("adm").get("building", "ab" * 8)["link"], "^/caretaker/#[A-Za-z0-9_-]+$")
        status, answer = self.post("adm", {"check": False, "drop": {"buildings": ["ab" * 8]}})
        self.assertEqual((status, answer["wrong"][0]["what"]), (422, "drop"))
        self.assertEqual(self.post("adm", {"check": False, "drop": {"buildings": ["ab" * 8], "rounds": ["ecole-1"]}})[1]["dropped"], 2)
        wait_for("it goes", lambda: not self.page("delivre").find("round", "ecole"), LONG_S)

    def test_keep(self):
        """A file says which buildings a round has; what it is called stays."""
        place = {"id": "pont", "name": "Pont", "zone": "z", "team": "lyon", "buildings": []}
        self.assertEqual(self.post("adm", {"check": False, "rounds": [place]})[1]["result"], "done")
        wait_for("the round", lambda: self.page("adm").find("round", "pont"), LONG_S)
        row = {**place, "name": "other", "zone": "", "team": "", "keep": True}
        self.assertEqual(self.post("adm", {"check": True, "rounds": [row]})[1]["how"]["rounds"], "s")
        self.assertEqual(self.post("adm", {"check": True, "rounds": [{**row, "keep": False}]})[1]["how"]["rounds"], "c")
        self.assertEqual(self.post("adm", {"check": True, "rounds": [{**row, "team": "sud"}]})[1]["how"]["rounds"], "c")
        self.assertEqual(self.post("adm", {"check": True, "rounds": [{**row, "keep": 1}]})[1]["wrong"][0]["why"], "flag")
        self.assertEqual(self.post("adm", {"check": False, "drop": {"rounds": ["pont"]}})[1]["dropped"], 1)

    def test_a_stop_less(self):
        """A building taken off a round: which live passes still open it, and until when."""
        ids = ["ad" * 8, "ae" * 8]
        body = {"check": False, "buildings": [{"id": i, "name": i, "address": "", "lat": None, "lon": None, "sensitive": False, "qr": True, "caretaker": False} for i in ids]}
        place = {"id": "quai", "name": "Quai", "zone": "", "team": "lyon", "buildings": ids}
        answer = self.post("adm", {**body, "rounds": [place]})[1]
        self.assertEqual((answer["result"], answer["still"]), ("done", []))
        wait_for("the round", lambda: self.page("delivre").find("round", "quai"), LONG_S)
        until = now_ms() // 1000 * 1000 + 2 * HOUR_MS
        thing = self.issue(round="quai", until=until)["more"]["pass"]
        self.wait_state(thing, "waiting")
        shorter = {"check": True, "rounds": [{**place, "buildings": ids[1:]}]}
        told = [{"round": "quai", "buildings": 1, "passes": 1, "until": until + 120000}]
        self.assertEqual(self.post("adm", shorter)[1]["still"], told)
        self.assertEqual(self.post("adm", {"check": True, "rounds": [{**place, "buildings": ids[::-1]}]})[1]["still"], [])
        self.assertEqual(self.post("adm", {"check": True, "drop": {"rounds": ["quai"]}})[1]["still"], [{**told[0], "buildings": 2}])
        self.assertEqual(self.post("adm", {**shorter, "check": False})[1]["still"], told)
        self.assertEqual(self.page("delivre").ask("pass_revoke", **{"pass": thing})["a"], "done")
        self.wait_state(thing, "revoked")
        self.assertEqual(self.post("adm", {"check": False, "drop": {"rounds": ["quai"], "buildings": ids}})[1]["still"], [])

    def test_edit_reasons(self):
        """Each rule has its word; the page has their sentences."""
        good = {"id": "cd" * 8, "name": "A", "address": "", "lat": None, "lon": None, "sensitive": False, "qr": False, "caretaker": False}
        place = {"id": "x", "name": "x", "zone": "", "team": "", "buildings": ["cd" * 8]}
        door = {"id": "cd" * 8, "building": "cd" * 8, "name": "A", "class": "nfc"}
        cases = {"id": {"buildings": [{**good, "id": "cd"}]}, "name": {"buildings": [{**good, "name": ""}]}, "address": {"buildings": [{**good, "address": "x" * 129}]},
                 "position": {"buildings": [{**good, "lat": 91, "lon": 0}]}, "flag": {"buildings": [{**good, "qr": 1}]}, "field": {"buildings": [{**good, "more": 1}]},
                 "caretaker": {"buildings": [{**good, "caretaker": True}]}, "twice": {"buildings": [good, good]}, "round_id": {"rounds": [{**place, "id": "é"}]},
                 "round": {"rounds": [{**place, "team": "x" * 33}]}, "stops": {"rounds": [{**place, "buildings": ["cd" * 8] * 1025}]},
                 "stop_unknown": {"rounds": [{**place, "buildings": ["ee" * 8]}]}, "stop_twice": {"buildings": [good], "rounds": [{**place, "buildings": ["cd" * 8] * 2}]},
                 "door_building": {"doors": [door]}, "door_class": {"buildings": [good], "doors": [{**door, "class": "x"}]},
                 "drop_unknown": {"drop": {"buildings": ["ee" * 8]}}, "body": {"drop": []}, "rows": {"drop": {"rounds": ["x"] * 20001}}}
        for word, body in cases.items():
            with self.subTest(word=word):
                status, answer = self.post("adm", {"check": True, **body})
                self.assertEqual((status, answer["wrong"][0]["why"]), (422, word))
        first = self.page("adm").find("round", ROUND)[0]
        stop = self.page("adm").get("round", first["id"])["stops"][0]["id"]
        self.assertEqual(self.post("adm", {"check": True, "drop": {"buildings": [stop]}})[1]["wrong"][0]["why"], "drop_on_round")

    def test_five_edits_at_once(self):
        """Four bodies are read at a time; the fifth is told so, and has its turn when one is through."""
        port, body = self.region.console_port, json.dumps({"check": True})
        context = ssl.create_default_context(cafile=os.path.join(self.region.dir, "ca.pem"))
        begun = []
        try:
            for _ in range(4):
                connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=LONG_S)
                connection.putrequest("POST", "/desk/edit")
                for name, value in (("Origin", f"https://localhost:{port}"), ("Cookie", self.page("adm").cookie), ("Content-Length", str(len(body)))):
                    connection.putheader(name, value)
                connection.endheaders(body[:1].encode())
                begun.append(connection)
            wait_for("the fifth is refused", lambda: self.post_once("adm", body, None)[0] == 503, LONG_S)
            for connection in begun:
                connection.send(body[1:].encode())
                self.assertEqual(connection.getresponse().status, 200)
        finally:
            for connection in begun:
                connection.close()
        self.assertEqual(self.post("adm", body)[0], 200)

    def test_edit_all_or_nothing(self):
        good = {"id": "cd" * 8, "name": "A", "address": "", "lat": None, "lon": None, "sensitive": False, "qr": False, "caretaker": False}
        for spoiled in ({**good, "id": "cd"}, {**good, "name": ""}, {**good, "name": "x" * 65}, {**good, "lat": 91, "lon": 0}, {**good, "lat": None, "lon": 1},
                        {**good, "caretaker": True}, {**good, "more": 1}, {k: v for k, v in good.items() if k != "qr"}, 7, good):
            with self.subTest(spoiled=spoiled):
                status, answer = self.post("adm", {"check": False, "buildings": [good, spoiled]})
                self.assertEqual((status, answer["wrong"][0]["index"]), (422, 1))
        self.assertEqual(self.post("adm", {"check": False, "rounds": [{"id": "x", "name": "x", "zone": "", "team": "", "buildings": ["ee" * 8]}]})[0], 422)
        self.assertEqual(self.post("adm", {"check": False, "buildings": [{**good, "id": f"{i:016x}"} for i in range(20001)]})[0], 422)
        self.assertEqual(self.redis("HEXISTS", "{lyon}:buildings", "cd" * 8), 0)
        self.assertEqual(self.post("adm", "no json")[0], 422)
        self.assertEqual(self.post("adm", json.dumps({"check": True}) + " " * (8 * 1024 * 1024 - 15))[0], 200)
        self.assertEqual(self.head("adm", 8 * 1024 * 1024 + 1), 413)
        self.assertEqual(self.post("delivre", {"check": True})[0], 403)
        self.assertEqual(self.post(None, {"check": True})[0], 403)
        self.assertEqual(self.post("adm", {"check": True}, origin="https://elsewhere")[0], 403)

    def test_edit_tells_fifty(self):
        answer = self.post("adm", {"check": False, "buildings": [{"id": f"{i:016x}"} for i in range(60)]})[1]
        self.assertEqual((len(answer["wrong"]), answer["rest"]), (50, 10))

    def test_edit_of_a_strange_door(self):
        """A door that nobody of ours named so is not written over: the edit that would take it along is refused."""
        building = {"id": "ce" * 8, "name": "A", "address": "", "lat": None, "lon": None, "sensitive": False, "qr": False, "caretaker": False}
        strange = b"\x8a" + b"".join(map(cbor, (1, bytes.fromhex("ce" * 8), "x", 1, None, 0, 0))) + b"\xf4" + cbor(0) + cbor(0)
        self.assertEqual(self.post("adm", {"check": False, "buildings": [building]})[0], 200)
        self.redis("HSET", "{lyon}:doors", "d" * 60, strange, store="console")
        self.redis("XADD", "{lyon}:people:changes", "*", "h", "doors", "k", "d" * 60, store="console")
        wait_for("both", lambda: self.page("adm").find("building", "ce" * 8) and self.page("adm").get("building", "ce" * 8)["doors"], LONG_S)
        self.assertEqual(self.post("adm", {"check": False, "drop": {"buildings": ["ce" * 8]}})[1]["wrong"], [{"what": "drop", "index": 0, "why": "memory"}])
        self.redis("HDEL", "{lyon}:doors", "d" * 60, store="console")
        self.redis("XADD", "{lyon}:people:changes", "*", "h", "doors", "k", "d" * 60, store="console")
        wait_for("it is gone", lambda: not self.page("adm").get("building", "ce" * 8)["doors"], LONG_S)
        self.assertEqual(self.post("adm", {"check": False, "drop": {"buildings": ["ce" * 8]}})[0], 200)

    def test_edit_of_thousands(self):
        good = {"name": "Immeuble", "address": "", "lat": None, "lon": None, "sensitive": False, "qr": True, "caretaker": False}
        ids = [f"f{i:015x}" for i in range(5000)]
        self.assertEqual(self.post("adm", {"check": False, "buildings": [{**good, "id": i} for i in ids]})[0], 200)

        def found():
            answer = self.page("adm").ask("desk_find", what="building", words="immeuble")
            return len(answer["items"]) == 50 and answer["rest"] == 4950
        wait_for("5,000 are found, 50 told", found, LONG_S)
        self.assertEqual(self.post("adm", {"check": False, "drop": {"buildings": ids}})[1]["dropped"], 5000)

    # ---- the caretaker's page

    def test_caretaker(self):
        answer, body = self.fetch("/caretaker/")
        self.assertEqual(answer.status, 200)
        self.assertIn(b"camera", body)
        self.assertIn("wasm-unsafe-eval", answer.getheader("content-security-policy"))
        self.assertIn("camera=(self)", answer.getheader("permissions-policy"))
        self.assertIn("camera=()", self.fetch("/login.html")[0].getheader("permissions-policy"))
        self.assertEqual(self.fetch("/caretaker/zxing/zxing_reader.wasm")[0].getheader("content-type"), "application/wasm")
        for name in ("status", "trust"):
            answer, body = self.fetch(f"/caretaker/data/{name}")
            self.assertEqual((answer.status, answer.getheader("content-type"), answer.getheader("cache-control")), (200, "application/cbor", "no-cache"))
            again, none = self.fetch(f"/caretaker/data/{name}", **{"If-None-Match": answer.getheader("etag")})
            self.assertEqual((again.status, none), (304, b""))
        self.assertEqual(self.fetch("/caretaker/data/other")[0].status, 404)

    # ---- what breaks

    def test_keeper_away(self):
        keeper = self.region.processes["keeper"]
        keeper.kill()
        page = self.page("delivre")
        wait_for("the desk says so", lambda: page.receive(1) and page.desk["keeper"] == "away", LONG_S)
        self.assertEqual(self.issue()["a"], "keeper_away")
        keeper.start()
        wait_for("and that it is back", lambda: page.receive(1) and page.desk["keeper"] is None, LONG_S)
        self.assertEqual(self.issue()["a"], "done")

    def test_renewed_while_duty_runs(self):
        """The minute's work, which a console that starts does at once; many others that end, and are nobody's on duty, stand before nobody."""
        soon, end = now_ms() + 600000, now_ms() // 1000 + 7200
        building = {"id": "ba" * 8, "name": "Veille", "address": "", "lat": None, "lon": None, "sensitive": False, "qr": True, "caretaker": False}
        place = {"id": "veille", "name": "Veille", "zone": "", "team": "lyon", "buildings": ["ba" * 8]}  # no other pass reaches further there
        self.assertEqual(self.post("adm", {"check": False, "buildings": [building], "rounds": [place]})[0], 200)
        wait_for("the round", lambda: self.page("delivre").find("round", "veille"), LONG_S)
        thing = self.issue(until=soon, round="veille")["more"]["pass"]
        self.wait_state(thing, "waiting")
        self.redis("HSET", "{lyon}:duty:info", self.handset, cbor([1, "c001", ROUND, now_ms(), end, "", 50, None, 0, 0]), store="positions")
        others = {f"{n:016x}": cbor([1, n.to_bytes(8, "big"), "c002", ROUND, "delivre", "", now_ms() // 1000 - 60, now_ms() // 1000 + 800, 0, bytes(8), now_ms() // 1000 - 60, 0, "",
                                     1, 1, bytes(8)]) for n in range(1, 4001)}
        self.redis("HSET", "{lyon}:passes", *(word for pair in others.items() for word in pair), store="console")
        self.restart_console()
        def renewed():
            return [p for p in self.page("delivre").find("pass", "veille") if p["until"] == (end + 900) * 1000]
        wait_for("it is renewed to the end of duty and 15 min", renewed, LONG_S)
        self.assertEqual((renewed()[0]["by"], renewed()[0]["second"]), ("delivre", None))
        self.redis("HDEL", "{lyon}:passes", *others, store="console")
        self.redis("XADD", "{lyon}:people:changes", "*", "h", "passes", "k", "*", store="console")
        wait_for("they are gone", lambda: not self.page("delivre").find("pass", "0000000000000fa0"), LONG_S)
        self.redis("HDEL", "{lyon}:duty:info", self.handset, store="positions")

    def restart_console(self):
        for page in self.pages.values():
            page.socket.close()
        self.pages.clear()
        self.region.processes["console"].stop()
        self.redis("DEL", "{lyon}:lease:passes")
        self.region.processes["console"].start()
        page = self.page("delivre")
        wait_for("the books", lambda: page.desk["ready"] and page.desk["keeper"] is None or page.receive(1) and False, LONG_S)

    def test_full_inbox(self):
        key = f"{{lyon}}:inbox:{self.handset}"
        for _ in range(16):
            self.redis("XADD", key, "*", "o", "x")
        try:
            self.assertEqual(self.issue()["a"], "full")
        finally:
            self.redis("DEL", key)


if __name__ == "__main__":
    unittest.main()
