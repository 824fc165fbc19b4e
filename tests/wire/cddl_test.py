#!/usr/bin/python3 -B
"""wire/vigie.cddl against what travels: the examples of wire/PROTOCOL.md, which the codecs' tests write and read octet by octet, and
tests/wire/vectors.  (No package of npm or Debian validates CBOR against CDDL: npm's `cddl` stops at generics, Debian has none.)"""
import os
import re
import unittest

from cddl import Malformed, Map, Schema, decode

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

EXAMPLES = {
    "alert": "signed-alert", "alert-largest": "signed-alert", "receipt": "signed-receipt", "trust": "signed-trust-list", "sealed": "sealed-position",
    "record": "record", "command": "command", "notice": "notice", "duty": "duty", "presence": "presence", "presence-gone": "presence",
    "carrier-duty": "carrier-duty", "tombstone": "tombstone", "people-handset": "handset-entry", "people-carrier": "carrier-entry",
    "people-supervisor": "supervisor-entry", "people-user": "user-entry", "people-round": "round-entry", "frame-hello": "hello",
    "frame-alert": "alert-frame", "frame-duty": "duty-frame", "frame-heartbeat": "heartbeat", "frame-presence": "presence-frame",
    "frame-command": "command-frame", "frame-safe": "safe", "frame-welcome": "welcome", "frame-receipt": "receipt-frame",
    "frame-duty_answer": "duty-answer", "frame-ring": "ring", "frame-answer": "answer", "frame-question": "question", "frame-trust": "trust-frame",
    "frame-error": "error", "frame-vault": "vault-frame", "frame-done": "done-frame", "frame-ask_pass": "ask-pass", "frame-timer": "timer-frame",
    "frame-order": "order-frame", "frame-part": "part", "frame-list": "list-frame", "frame-asked": "asked-frame", "frame-opened": "opened-frame",
    "desk-building": "building-entry", "desk-stops": "stops-entry", "desk-door": "door-entry", "desk-pass": "pass-entry",
    "desk-consent": "consent-entry", "desk-vault": "vault-entry", "desk-asked": "asked-entry", "desk-timer": "timer-entry", "desk-opened": "opened-entry",
    "order-confirmation": "confirmation",
    **{f"keeper-ask-{kind}": f"keeper-ask-{kind}" for kind in ("pass", "revoke", "list", "order", "open", "mark")},
    **{f"keeper-say-{kind}": f"keeper-say-{kind}" for kind in ("no", "pass", "revoke", "list", "order", "open", "mark")},
    "archive-header": "archive-header", "archive-entry": "archive-entry", "archive-checkpoint": "archive-checkpoint",
}
# rule, CBOR in hex, whether it fits: what the validator itself must know
CASES = [
    ("a = uint", "00", True), ("a = uint", "20", False), ("a = bool", "f5", True), ("a = 1", "f5", False), ("a = 0..3", "03", True),
    ("a = 0..3", "04", False), ("a = 1 / null", "f6", True), ("a = 1 / null", "02", False), ("a = bstr .size 2", "420102", True),
    ("a = bstr .size 2", "4101", False), ("a = tstr .size (0..1)", "6161", True), ("a = tstr .size (0..1)", "626161", False),
    ("a = [1, tstr, * any]", "820161ff", False), ("a = [1, tstr, * any]", "82016161", True), ("a = [1, tstr, * any]", "8401616102f6", True),
    ("a = [1, tstr, * any]", "8101", False), ("a = [0*2 uint]", "820102", True), ("a = [0*2 uint]", "83010203", False),
    ("a = [? uint, tstr]", "816161", True), ("a = [g, uint] g = ( uint, tstr // null )", "8301616102", True),
    ("a = [g, uint] g = ( uint, tstr // null )", "82f602", True), ("a = [g, uint] g = ( uint, tstr // null )", "820102", False),
    ("a = { 1 => uint, ? 2 => tstr }", "a10105", True), ("a = { 1 => uint, ? 2 => tstr }", "a201050205", False),
    ("a = { 1 => uint, ? 2 => tstr }", "a20105026161", True), ("a = { 1 => uint, ? 2 => tstr }", "a1026161", False),
    ("a = { 1 => uint, * (2..9) => any }", "a2010508f6", True), ("a = { 1 => uint, * (2..9) => any }", "a201050af6", False),
    ("a = uint .bits b b = &( x: 0, y: 2..3 )", "0d", True), ("a = uint .bits b b = &( x: 0, y: 2..3 )", "02", False),
    ("a = &( x: 0, y: 5 )", "05", True), ("a = &( x: 0, y: 5 )", "04", False), ('a = tstr .regexp "[a-c]{1,2}"', "626162", True),
    ('a = tstr .regexp "[a-c]{1,2}"', "626164", False), ("a = p<uint> p<t> = [t, t]", "820102", True), ("a = p<uint> p<t> = [t, t]", "82016161", False),
    ("a = bstr .cbor [uint]", "428101", True), ("a = bstr .cbor [uint]", "428161", False), ("a = h'0102'", "420102", True), ("a = any", "0000", False),
]


def needed(schema, rule):
    """How many fields an array has at least."""
    fields = 0
    for least, _, _, what in schema.rules[rule][1][1][1][0]:
        node = schema.resolve(what, {})[0]
        fields += least * (len(node[1][0]) if node[0] == "group" else 1)
    return fields


def text_of(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def examples():
    for name, block in re.findall(r"^```example (\S+)\n(.*?)^```", text_of("wire", "PROTOCOL.md"), re.M | re.S):
        yield name, bytes.fromhex("".join(line.split("#")[0] for line in block.splitlines()))


def encode(value):
    """CBOR of what decode() gives, for examples with something changed."""
    def head(major, n):
        for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
            if n < 24:
                return bytes([major << 5 | n])
            if n < 1 << 8 * size:
                return bytes([major << 5 | info]) + n.to_bytes(size, "big")
        raise ValueError(n)
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[value]
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, (bytes, str)):
        data = value if isinstance(value, bytes) else value.encode()
        return head(2 if isinstance(value, bytes) else 3, len(data)) + data
    if isinstance(value, Map):
        return head(5, len(value)) + b"".join(encode(part) for pair in value for part in pair)
    return head(4, len(value)) + b"".join(map(encode, value))


class Cddl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schema = Schema(text_of("wire", "vigie.cddl"))

    def test_the_validator(self):
        for schema, octets, fits in CASES:
            self.assertEqual(Schema(schema).valid("a", bytes.fromhex(octets)), fits, f"{schema}: {octets}")
        for bad in ("a = b", "a = [1", "a = 1 a = 2", "a == 1"):
            with self.assertRaises(Malformed):
                Schema(bad)

    def test_every_example(self):
        names = set()
        for name, octets in examples():
            self.assertTrue(self.schema.valid(EXAMPLES[name], octets), f"{name} is no {EXAMPLES[name]}: {octets.hex()}")
            self.assertEqual(encode(decode(octets)), octets, name)
            names.add(name)
        self.assertEqual(names, set(EXAMPLES))

    def test_frames_are_told_apart(self):
        frames = {name: octets for name, octets in examples() if name.startswith("frame-")}
        for name, octets in frames.items():
            fits = [other for other in frames if self.schema.valid(EXAMPLES[other], octets)]
            self.assertEqual(fits, [name])
            self.assertTrue(self.schema.valid("frame", octets))

    def test_the_keeper_s_are_told_apart(self):
        for way, whole in (("keeper-ask-", "keeper-asked"), ("keeper-say-", "keeper-answered")):
            of = {name: octets for name, octets in examples() if name.startswith(way)}
            for name, octets in of.items():
                self.assertEqual([other for other in of if self.schema.valid(other, octets)], [name])
                self.assertTrue(self.schema.valid(whole, octets), name)

    def test_what_is_missing_or_of_another_type_does_not_fit(self):
        for name, octets in examples():
            value = decode(octets)
            if isinstance(value, Map):
                continue
            fields = len(value) if EXAMPLES[name].startswith("signed-") else needed(self.schema, EXAMPLES[name])
            self.assertFalse(self.schema.valid(EXAMPLES[name], encode(value[:fields - 1])), f"{name} without its last field")
            for i in range(fields):  # of another type, an optional one reads as a newer format's
                changed = value[:i] + [Map()] + value[i + 1:]
                self.assertFalse(self.schema.valid(EXAMPLES[name], encode(changed)), f"{name}: field {i}")

    def test_a_newer_format_s_field_fits(self):
        for name, octets in examples():
            if EXAMPLES[name].startswith(("signed-", "sealed-", "archive-entry")):
                continue  # what is newer stands in the payload: alert-newer below
            value = decode(octets)
            value.append((99, None) if isinstance(value, Map) else "newer")
            self.assertTrue(self.schema.valid(EXAMPLES[name], encode(value)), name)

    def test_the_record_holds_its_bounds(self):
        value = dict(decode(dict(examples())["record"]))
        for key, bad in ((0, 2), (2, 0), (3, 8), (16, 101), (38, 24)):
            changed = Map(sorted({**value, key: bad}.items()))
            self.assertFalse(self.schema.valid("record", encode(changed)), f"record: {key} = {bad}")

    def test_vectors(self):
        seen = 0
        for line in text_of("tests", "wire", "vectors", "cose.txt").splitlines():
            name, verdict, _, _, _, octets = (line.split() + [""] * 6)[:6]
            rule = next((f"signed-{kind}" for kind in ("alert", "receipt") if name.startswith(kind)), "signed-trust-list" if name == "trust" else None)
            if verdict == "valid" and rule and name != "alert-impossible":  # no one may write it; who reads it raises the rest
                self.assertTrue(self.schema.valid(rule, bytes.fromhex(octets)), name)
                seen += 1
        self.assertGreater(seen, 5)
        rules = {"trust": "signed-trust-list", "pass": "signed-pass", "mandate": "signed-mandate", "hello": "signed-hello", "proof": "signed-proof",
                 "proof-one-way": "signed-proof", "status": "signed-status-list"}
        for line in text_of("tests", "wire", "vectors", "pass.txt").splitlines()[1:]:
            name, octets = line.split()
            self.assertTrue(self.schema.valid(rules.pop(name), bytes.fromhex(octets)), name)
        self.assertFalse(rules)


if __name__ == "__main__":
    unittest.main()
