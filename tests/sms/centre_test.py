#!/usr/bin/python3 -B
"""The message centre: the shape of a network, and what a test can do to it."""
import random
import unittest

import centre
import pdu
from case import ONE, REGION, TWO, NetworkCase

COUNT = 20000


class Recorder(centre.Centre):
    """Writes down when it would deliver, in place of waiting."""

    def __init__(self, seed):
        super().__init__(random.Random(seed), {REGION}, lambda m: None)
        self.delays = []

    def _after(self, delay_s, message):
        self.delays.append((delay_s, message.number))
        self.arrived(message)


class Shape(unittest.TestCase):
    def shaped(self, seed=7):
        recorder = Recorder(seed)
        recorder.set_shape("etsi")
        for i in range(COUNT):
            recorder.submit(ONE, REGION, pdu.Part(pdu.OCTETS, b"", bytes([i & 0xff])))
        return recorder

    def test_figures(self):
        recorder = self.shaped()
        first = {}
        for delay_s, number in sorted(recorder.delays, reverse=True):
            first[number] = delay_s
        self.assertAlmostEqual(len(first) / COUNT, 0.98, delta=0.005)
        self.assertAlmostEqual(sum(6 <= d <= 8 for d in first.values()) / len(first), 0.62, delta=0.015)
        self.assertTrue(all(d >= 6 for d in first.values()))
        self.assertAlmostEqual(recorder.counts["doubled"] / COUNT, 0.02, delta=0.005)
        self.assertEqual(len(recorder.delays), recorder.counts["delivered"])
        self.assertEqual(recorder.counts["delivered"] + recorder.counts["lost"], COUNT + recorder.counts["doubled"])

    def test_reorders(self):
        order = [number for _, number in sorted(self.shaped().delays)]
        self.assertGreater(sum(a > b for a, b in zip(order, order[1:])), COUNT // 10)

    def test_same_seed_same_network(self):
        self.assertEqual(self.shaped(3).delays, self.shaped(3).delays)
        self.assertNotEqual(self.shaped(3).delays, self.shaped(4).delays)

    def test_full(self):
        recorder = Recorder(1)
        recorder.rules.append(["hold", {}, None])
        part = pdu.Part(pdu.TEXT, b"", b"x")
        recorder.under_way = centre.WAITING_MAX - 1
        recorder.submit(ONE, REGION, part)
        with self.assertRaises(centre.Refused):
            recorder.submit(ONE, REGION, part)

    def test_numbers_as_dialled(self):
        self.assertEqual([centre.international(n) for n in ("0612345678", "0033612345678", "+33612345678", "36000")],
                         ["+33612345678", "+33612345678", "+33612345678", "36000"])


class Control(NetworkCase):
    """Without Kannel the region's number has an inbox as any other."""

    def text(self, text, sender=ONE, to=REGION):
        self.ask(send={"from": sender, "to": to, "text": text})

    def texts(self, number=REGION):
        return [m["text"] for m in self.inbox(number)]

    def test_hold_and_release_twice(self):
        self.ask(hold={"to": REGION})
        self.text("late")
        self.text("now", to=TWO)
        self.assertEqual((self.texts(), self.texts(TWO)), ([], ["now"]))
        self.assertEqual([m["text"] for m in self.ask(held={})["held"]], ["late"])
        self.assertEqual(self.ask(release={"from": ONE}, copies=2), {"released": 1})
        self.assertEqual(self.texts(), ["late", "late"])
        self.ask(forget={})
        self.text("on time")
        self.assertEqual(self.texts()[2:], ["on time"])

    def test_release_the_newer_first(self):
        self.ask(hold={})
        for text in "ab":
            self.text(text)
        for message in reversed(self.ask(held={})["held"]):
            self.ask(release={"message": message["message"]})
        self.assertEqual(self.texts(), ["b", "a"])

    def test_drop_some(self):
        self.ask(drop={"from": ONE}, count=2)
        for i in range(4):
            self.text(str(i))
        self.assertEqual(self.texts(), ["2", "3"])
        self.assertEqual(self.ask(state={})["lost"], 2)

    def test_long_texts_are_put_together(self):
        for text in ("x" * 400, "œ" * 200):
            self.text(text)
        self.assertEqual(self.texts(), ["x" * 400, "œ" * 200])

    def test_flood(self):
        self.ask(flood={"count": 30, "to": REGION, "from": "+3368", "text": "junk"})
        self.assertEqual((len(self.texts()), self.inbox(REGION)[29]["from"]), (30, "+3368000029"))
        self.ask(flood={"count": 30, "to": REGION, "from": "+3368", "text": "junk", "per_s": 200})
        self.assertLess(len(self.texts()), 60)
        self.wait_inbox(REGION, 60)

    def test_take(self):
        self.text("x")
        self.ask(inbox=REGION, take=True)
        self.assertEqual(self.texts(), [])

    def test_log(self):
        self.text("x")
        self.assertEqual([(line["n"], line["what"]) for line in self.ask(log=0)["log"]], [(0, "submitted"), (1, "delivered")])
        self.assertEqual(len(self.ask(log=1)["log"]), 1)

    def test_delays(self):
        self.ask(shape={"first_s": [0.2, 0.2]})
        self.text("x")
        self.assertEqual(self.texts(), [])
        self.assertEqual([m["text"] for m in self.wait_inbox(REGION)], ["x"])

    def test_what_it_cannot_do(self):
        for request in ({"nonsense": 1}, {"send": {"from": ONE}}, {"send": {"from": ONE, "to": TWO, "hex": "zz"}}, {"modem": "+330"},
                        {"send": {"from": ONE, "to": TWO, "hex": "00" * 141}}, {"shape": 3}):
            with self.assertRaises(Exception, msg=request):
                self.ask(**request)
        self.assertEqual(self.ask(state={}).get("submitted", 0), 0)


if __name__ == "__main__":
    unittest.main()
