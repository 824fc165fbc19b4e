#!/usr/bin/python3 -B
"""The observer must see each way in which the promise can be broken: a small story for each, told as phones and consoles tell it."""
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import observer  # noqa: E402
from tally import Tally, Window  # noqa: E402

ID = "00112233445566778899aabbccddeeff"


def alert(version, state="raised", owner=None, owner_name=None, id=ID):
    return {"id": id, "v": version, "state": state, "owner": owner, "owner_name": owner_name}


class Story(unittest.TestCase):
    def setUp(self):
        self.o = observer.Observer()

    def press(self, id=ID):
        self.o.phone_says(f"1000 press {id} 900")

    def told(self, version, state, who="-"):
        self.o.phone_says(f"2000 told {ID} {version} 0 {state} {who}")

    def shows(self, version, state="raised", event=None, console="screen-1", **more):
        self.o.console_shows(console, alert(version, state, **more), event)

    def wrong(self, open_at_the_end=None):
        self.o.judge({"look-1": open_at_the_end or {}, "look-2": open_at_the_end or {}})
        return sorted({what for what, _, _ in self.o.wrong})


class Kept(Story):
    def test_closed_by_us(self):
        self.press()
        self.shows(1, event="raise")
        self.told(1, 1)
        self.o.we_close(ID)
        self.shows(2, "closed", "close")
        self.told(2, 21)
        self.told(1, 1)  # an old receipt, late
        self.assertEqual(self.wrong(), [])

    def test_still_open(self):
        self.press()
        self.told(1, 1)
        self.assertEqual(self.wrong({ID: alert(1)}), [])

    def test_kept_is_not_received(self):
        self.press()
        self.told(0, 0)
        self.assertEqual(self.wrong({ID: alert(1)}), ["unanswered"])


class Broken(Story):
    def test_lost(self):
        self.press()
        self.told(1, 1)
        self.assertEqual(self.wrong(), ["lost"])

    def test_lost_after_it_was_shown(self):
        self.press()
        self.shows(1, event="raise")
        self.told(1, 1)
        self.assertEqual(self.wrong(), ["lost"])

    def test_asked_to_close_and_never_seen_closed(self):
        self.press()
        self.told(1, 1)
        self.o.we_close(ID)
        self.assertEqual(self.wrong(), ["lost"])

    def test_nobody_pressed(self):
        self.shows(1)
        self.assertEqual(self.wrong(), ["doubled"])

    def test_raised_twice(self):
        self.press()
        self.shows(1, event="raise")
        time.sleep(0.001)
        self.shows(1, event="raise", console="screen-2")  # the other console's own
        self.assertEqual(self.o.wrong, [])
        self.shows(1, event="raise")
        self.assertEqual([w for w, _, _ in self.o.wrong], ["doubled"])

    def test_twice_in_a_snapshot(self):
        self.o.console_lists("screen-1", [ID, ID])
        self.assertEqual([w for w, _, _ in self.o.wrong], ["doubled"])

    def test_told_open_after_closed(self):
        self.press()
        self.o.we_close(ID)
        self.told(3, 17)
        self.told(4, 2)
        self.assertEqual(self.wrong(), ["reopened"])

    def test_shown_open_after_closed(self):
        self.press()
        self.told(1, 1)
        self.o.we_close(ID)
        self.shows(2, "closed")
        self.shows(3)
        self.assertEqual(self.wrong(), ["reopened"])

    def test_closed_and_open_at_the_end(self):
        self.press()
        self.o.we_close(ID)
        self.told(2, 16)
        self.assertEqual(self.wrong({ID: alert(1)}), ["reopened"])

    def test_nobody_asked(self):
        self.press()
        self.told(2, 16)
        self.assertIn("unasked", self.wrong())

    def test_consoles_disagree(self):
        self.assertEqual(list(self.o.torn({"a": {ID: alert(1)}, "b": {}})), [ID])
        self.assertEqual(list(self.o.torn({"a": {ID: alert(1)}, "b": {ID: alert(2)}})), [ID])
        self.assertEqual(self.o.torn({"a": {ID: alert(1)}, "b": {ID: alert(1)}}), {})

    def test_phone_and_console_disagree_on_the_owner(self):
        self.press()
        shown = {"a": {ID: alert(4, "taken", "s001", "Paul Martin")}}
        self.told(4, 4, "Paul Martin")
        self.assertEqual(self.o.torn(shown), {})
        self.told(5, 4, "Inès Caron")
        self.assertEqual(list(self.o.torn(shown)), [ID])

    def test_two_owners(self):
        self.o.phone_says(f"1 ring s002 {ID} 3 4 1")
        self.assertEqual(list(self.o.torn({"a": {ID: alert(4, "taken", "s001", "Paul")}})), [ID])


class TakenBack(Story):
    """A failover takes back what a console alone had shown closed."""

    def setUp(self):
        self.o = observer.Observer(failover_s=20)
        self.press()
        self.told(1, 1)
        self.o.we_close(ID)
        self.shows(2, "closed")

    def test_open_and_closed_again(self):
        self.shows(4)
        self.shows(5, "closed")
        self.assertEqual((self.wrong(), self.o.taken_back()), ([], 1))

    def test_it_is_not_closed_any_more(self):
        self.shows(4)
        self.assertEqual(self.wrong(), ["lost"])

    def test_not_what_the_phone_was_told(self):
        self.told(2, 21)
        self.shows(4)
        self.assertEqual((self.wrong(), self.o.taken_back()), (["reopened"], 0))

    def test_not_so_late(self):
        self.o.alert(ID).shown_closed_s -= 21
        self.shows(4)
        self.assertEqual((self.wrong(), self.o.taken_back()), (["reopened"], 0))


class Dead(Story):
    """A dead phone offers nothing: it lives again only when its alert is closed."""

    def test_not_while_it_is_open(self):
        self.press()
        self.o.phone_says(f"3 away {ID}")
        self.assertEqual(self.o.may_live(True, {ID}), [])
        self.o.we_close(ID)
        self.assertEqual(self.o.may_live(True, {ID}), [])
        self.assertEqual(self.o.may_live(True, set()), [])  # gone a moment ago
        self.o.alert(ID).gone_s -= 2 * observer.GONE_S
        self.assertEqual(self.o.may_live(False, {ID}), [])
        self.o.alert(ID).gone_s -= 2 * observer.GONE_S
        self.assertEqual(self.o.may_live(True, set()), [ID])

    def test_shown_closed(self):
        self.press()
        self.o.phone_says(f"3 away {ID}")
        self.o.we_close(ID)
        self.shows(2, "closed")
        self.assertEqual(self.o.may_live(True, set()), [ID])


def window(kind, name, begin_us, end_us):
    w = Window(kind, name)
    w.begin_us, w.end_us = begin_us, end_us
    return w


class Times(Story):
    def setUp(self):
        super().setUp()
        self.tally = Tally("/dev/null")

    def service(self, *presses):
        return self.tally.service([observer.Alert(planned_us=p, received_us=r) for p, r in presses])

    def test_the_gravest_that_it_met(self):
        self.tally.windows = [window("console", "console-1", 1000, 2000), window("pair", "d1", 1500, 9000), window("pair", "a1", 1500, 2000)]
        self.assertEqual(self.service((500, 1200), (900, 1600), (8000, 8500), (20000, 21000)),
                         {"console": ([0.7], 1), "pair": ([0.5, 0.7], 1), "none": ([1.0], 0)})

    def test_alone_or_not(self):
        self.tally.windows = [window("primary", "alerts-1", 1000, 9000), window("dispatcher", "d1", 5000, 6000), window("dispatcher", "d2", 20000, 21000)]
        self.assertEqual(self.service((900, 4000), (4500, 5500), (8000, 8500), (20500, 20600)),
                         {"primary alone": ([0.5, 3.1], 1), "primary and others": ([1.0], 1), "dispatcher alone": ([0.1], 1)})

    def test_a_second_redis(self):
        """Away, or back and not in step yet: nothing may be written.  The one that was hit is not its own second."""
        self.tally.windows = [window("primary", "alerts-1", 1000, 9000), window("dispatcher", "d1", 1000, 9000)]
        self.tally.stores = [window("store", "alerts-1", 1000, None), window("store", "alerts-2", 5000, 6000)]
        self.assertEqual(self.service((900, 4000), (4500, 5500)), {"primary and others": ([3.1], 1), "primary and a 2nd Redis": ([1.0], 1)})


if __name__ == "__main__":
    unittest.main()
