#!/usr/bin/python3 -B
"""The PDU codec, against octets written by hand from TS 23.040 and TS 23.038, and against itself."""
import random
import unittest

import pdu


class Characters(unittest.TestCase):
    def test_packing(self):
        # TS 23.038 6.1.2.1.1, and the well-worn example of every PDU tutorial
        self.assertEqual(pdu.pack(pdu.to_septets("hellohello"), 0).hex(), "e8329bfd4697d9ec37")
        self.assertEqual(pdu.from_septets(pdu.unpack(bytes.fromhex("e8329bfd4697d9ec37"), 10, 0)), "hellohello")

    def test_the_alphabet_has_127_characters_and_an_escape(self):
        self.assertEqual(len(pdu.BASIC), 128)
        self.assertEqual(len(set(pdu.BASIC)), 128)
        self.assertEqual((pdu.SEPTET["@"], pdu.SEPTET["é"], pdu.SEPTET["à"], pdu.SEPTET["A"], pdu.SEPTET["¿"]), (0, 5, 0x7f, 0x41, 0x60))

    def test_there_and_back(self):
        draw = random.Random(7)
        letters = [c for c in pdu.BASIC if c != "\x1b"] + list(pdu.EXTENDED)
        for length in range(0, 80):
            text = "".join(draw.choice(letters) for _ in range(length))
            for fill in range(7):
                septets = pdu.to_septets(text)
                self.assertEqual(pdu.from_septets(pdu.unpack(pdu.pack(septets, fill), len(septets), fill)), text)

    def test_outside(self):
        self.assertIsNone(pdu.to_septets("œ"))

    def test_alphabet_of_a_coding_scheme(self):
        for dcs, kind in ((0x00, pdu.TEXT), (0x04, pdu.OCTETS), (0x08, pdu.UCS2), (0xf5, pdu.OCTETS), (0xf0, pdu.TEXT), (0x15, pdu.OCTETS),
                          (0x18, pdu.UCS2), (0xe8, pdu.UCS2), (0xc8, pdu.TEXT)):
            self.assertEqual(pdu.coding_kind(dcs), kind, hex(dcs))


class Long(unittest.TestCase):
    def test_one_part_until_160_septets(self):
        self.assertEqual(len(pdu.parts_of("x" * 160, 1)), 1)
        self.assertEqual([len(p.body) for p in pdu.parts_of("x" * 161, 1)], [153, 8])
        self.assertEqual(len(pdu.parts_of("€" * 80, 1)), 1)
        self.assertEqual(len(pdu.parts_of("€" * 81, 1)), 2)

    def test_one_part_until_70_of_any(self):
        self.assertEqual(len(pdu.parts_of("Ж" * 70, 1)), 1)
        self.assertEqual([len(p.body) for p in pdu.parts_of("Ж" * 71, 1)], [134, 8])

    def test_every_part_fits(self):
        for text in ("é" * 999, "€" * 500, "œ" * 400):
            parts = pdu.parts_of(text, 9)
            self.assertEqual("".join(p.text() for p in parts), text)
            for i, part in enumerate(parts):
                self.assertEqual(pdu.concatenation(part.udh), (9, len(parts), i + 1))
                self.assertLessEqual(len(pdu.user_data(part)), 141)

    def test_a_port_is_no_concatenation(self):
        self.assertIsNone(pdu.concatenation(bytes.fromhex("0605043f130000")))
        self.assertEqual(pdu.concatenation(bytes.fromhex("0b05043f13000000030a0201")), (10, 2, 1))
        self.assertEqual(pdu.concatenation(bytes.fromhex("060804010a0302")), (266, 3, 2))


class Submitted(unittest.TestCase):
    def test_text(self):
        got = pdu.read_submit(bytes.fromhex("1100" + "0b916407281553f8" + "0000aa" + "0a" + "e8329bfd4697d9ec37"))
        self.assertEqual((got.to, got.part, got.report), ("+46708251358", pdu.Part(pdu.TEXT, b"", b"hellohello"), False))

    def test_octets_to_a_port(self):
        got = pdu.read_submit(bytes.fromhex("6100" + "0b913306000000f1" + "0004" + "0a" + "0605043f130000" + "d284ff"))
        self.assertEqual((got.to, got.report), ("+33600000001", True))
        self.assertEqual(got.part, pdu.Part(pdu.OCTETS, bytes.fromhex("0605043f130000"), bytes.fromhex("d284ff")))

    def test_malformed(self):
        good = bytes.fromhex("6100" + "0b913306000000f1" + "0004" + "0a" + "0605043f130000" + "d284ff")
        for cut in range(len(good)):
            with self.assertRaises(pdu.Malformed):
                pdu.read_submit(good[:cut])
        for wrong in (good + b"x", b"\x00" + good[1:], good[:13] + b"\x0b" + good[14:], good[:2] + b"\xff" + good[3:]):
            with self.assertRaises(pdu.Malformed):
                pdu.read_submit(wrong)

    def test_too_long(self):
        pdu.user_data(pdu.Part(pdu.OCTETS, b"", bytes(140)))
        with self.assertRaises(pdu.Malformed):
            pdu.user_data(pdu.Part(pdu.OCTETS, b"", bytes(141)))


class Delivered(unittest.TestCase):
    def test_octets(self):
        got = pdu.write_deliver("+33700900900", pdu.Part(pdu.OCTETS, bytes.fromhex("0605043f130000"), b"\xd2\x84"), 1795301472)
        self.assertEqual(got.hex(), "44" + "0b913307900009f0" + "00f5" + pdu.stamp(1795301472).hex() + "09" + "0605043f130000" + "d284")

    def test_stamp(self):
        self.assertEqual(pdu.stamp(1795301472).hex(), "62111222152100")

    def test_text(self):
        got = pdu.write_deliver("+33700900900", pdu.Part(pdu.TEXT, b"", b"hellohello"), 0)
        self.assertTrue(got.hex().endswith("0ae8329bfd4697d9ec37"))

    def test_a_sender_with_a_name(self):
        self.assertEqual(pdu.read_address(pdu.address("Vigie"), 0)[0], "Vigie")


if __name__ == "__main__":
    unittest.main()
