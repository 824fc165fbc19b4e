"""The faults, drawn from a seed: whom, how, when.  A fault begins at once and is over when what it hit is up again; each says so to the
tally.  Nothing here waits for that: the next one comes while the last is still being mended."""
import os
import random
import signal
import threading
import time

from links import HOW

# How often each kind of kill is drawn, of 100.
KILLS = {"dispatcher": 30, "alert-port": 9, "redis": 5, "primary": 3, "replica": 4, "sentinel": 4, "positions": 3, "console": 8, "phones": 5, "daemon": 5,
         "archive": 2, "pair": 13, "twice": 4, "starting": 2, "at-once": 2, "servers": 1}
# The others; drawn beside the kills, one for every OTHERS_EVERY of them, and a second one at the same moment every other time.
OTHERS = {"stop": 8, "link": 8, "node": 3, "disk-full": 2, "disk-slow": 2, "sync-fails": 2}
OTHERS_EVERY = 4
# Pairs that a drawing of two would seldom make: who held the press together with who was to keep it; who saw a closure; who votes.
# "all X": every process of that kind.  An empty one: two that are drawn like single ones.
PAIRS = ((), (), (), ("dispatcher", "primary"), ("alert-port", "primary"), ("all dispatcher", "primary"), ("all dispatcher", "all alert-port"),
         ("all dispatcher", "all alert-port", "primary"), ("replica", "primary"), ("sentinel", "primary"), ("sentinel", "replica", "dispatcher"),
         ("archive", "primary"), ("archive", "dispatcher"), ("console", "dispatcher"), ("all console", "primary"), ("phones", "dispatcher"),
         ("phones", "primary"), ("positions", "dispatcher"), ("positions", "primary"), ("all dispatcher", "positions"))
# Seconds from the one to the other: the same instant, a commit's time, a round of the feed; and where a primary is in it also within the
# time that Sentinels take to see, vote, promote.
GAPS = (0, 0, 0, 0.0005, 0.002, 0.01, 0.05, 0.3)
GAPS_FAILOVER = (0, 0, 0, 0.002, 0.05, 0.9, 1.6, 2.2, 2.8, 3.5)
AT_ONCE_S = 0.1  # killed again within that time of its start, which comes at once, AT_ONCE times
AT_ONCE = 3
AWAY_S = 8  # so long a machine that is gone stays away: a replica takes over
MANY = {"pair", "twice", "starting", "at-once", "servers"}  # kinds that hit whom they draw


class Faults:
    def __init__(self, world, tally, seed, kinds):
        self.world, self.tally = world, tally
        self.random = random.Random(seed)
        self.kinds = kinds
        self.kills = self.killed = 0  # times that something was killed; processes that were
        self.threads = []

    # ---- whom ------------------------------------------------------------------------------------------------------------------

    def of(self, kind):
        """The processes that a kind may hit."""
        names = {"dispatcher": ("d1", "d2"), "alert-port": ("a1", "a2"), "positions": ("positions",), "console": ("console-1", "console-2"),
                 "phones": ("phones",), "daemon": ("daemon",), "archive": ("archive",), **self.world.stores()}
        return [n for n in names.get(kind, ()) if n in self.world.keepers]

    def drawn(self, table):
        kinds = {k: w for k, w in table.items() if (not self.kinds or k in self.kinds) and (self.of(k) or k in MANY or (k in OTHERS and (k != "node" or self.world.nodes)))}
        if not kinds:
            return None
        return self.random.choices(list(kinds), list(kinds.values()))[0]

    def anybody(self):
        """A kind of process and one of that kind, those with most to lose oftenest."""
        single = {k: w for k, w in KILLS.items() if self.of(k)}
        kind = self.random.choices(list(single), list(single.values()))[0]
        return kind, self.random.choice(self.of(kind))

    # ---- one fault -------------------------------------------------------------------------------------------------------------

    def one(self):
        kind = self.drawn(KILLS)
        if kind is not None:
            before = self.kills
            getattr(self, "do_" + kind.replace("-", "_"), lambda: self.single(kind))()
            if self.kills == before:
                return  # it was not up: nothing to kill
            if self.kills % OTHERS_EVERY and kind:
                return
        for _ in range(self.random.choice((1, 2))):
            if (kind := self.drawn(OTHERS)) is not None:
                getattr(self, "do_" + kind.replace("-", "_"))()
        if kind is not None:
            if not self.drawn(KILLS):
                self.kills += 1  # only others were asked for: they are what is counted

    def later(self, after_s, what, *args):
        thread = threading.Timer(after_s, what, args)
        thread.daemon = True
        thread.start()
        self.threads = [t for t in self.threads if t.is_alive()] + [thread]

    def kill(self, kind, name, restart_s=None):
        """kill -9, and count it if there was something to kill."""
        keeper = self.world.keepers[name]
        window = self.tally.begin(kind, name)
        keeper.up.clear()
        if restart_s is not None:
            keeper.restart_once(restart_s)
        if not keeper.kill():
            return self.tally.drop(window)
        self.killed += 1
        self.kills += kind != "servers"
        self.later(0, self.until_up, keeper, window)
        self.away(name)
        return True

    def away(self, name):
        """A Redis of the alerts is not what it was, until it says that it is in step."""
        if name in self.world.nodes:
            window = self.tally.begin_store(name)

            def wait():
                self.world.wait_in_step(name)
                window.end()
            self.later(0.05, wait)

    def until_up(self, keeper, window):
        time.sleep(0.05)
        if window.kind == "primary":
            self.world.wait_store()  # a replica's: its own comes back later
        else:
            keeper.up.wait(60)
        if window.kind == "redis":
            self.world.wait_store()
        window.end()

    # ---- kills -----------------------------------------------------------------------------------------------------------------

    def single(self, kind):
        self.kill(kind, self.random.choice(self.of(kind)))

    def do_primary(self):
        """The machine of the primary is gone: long enough for a replica to take over."""
        self.kill("primary", self.of("primary")[0], restart_s=AWAY_S)

    def members(self, kind):
        """Whom a part of a pair means: (name, seconds until it is back; None: as the unit says)."""
        every, kind = kind.startswith("all "), kind.removeprefix("all ")
        if kind == "primary" and not self.of("primary"):
            kind = "redis"  # the only one
        names = self.of(kind)
        away_s = self.random.choice((None, AWAY_S)) if kind == "primary" else None
        return [(n, away_s) for n in (names if every else [self.random.choice(names)] if names else [])]

    def do_pair(self):
        """Two or more, at one instant or a moment apart, in either order."""
        kinds = self.random.choice(PAIRS)
        groups = [self.members(k) for k in kinds] if kinds else [[(self.anybody()[1], None)] for _ in range(2)]
        gap_s = self.random.choice(GAPS_FAILOVER if "primary" in kinds else GAPS)
        if gap_s <= 0.05:
            self.random.shuffle(groups)
        hit = set()
        for i, group in enumerate(groups):
            time.sleep(gap_s if i else 0)
            for name, away_s in group:
                if name not in hit:
                    hit.add(name)
                    self.kill("pair", name, restart_s=away_s)

    def do_twice(self):
        """The same again within a moment of its being back."""
        _, name = self.anybody()
        if self.kill("twice", name):
            self.world.keepers[name].up.wait(20)
            time.sleep(self.random.random() * 0.3)
            self.kill("twice", name)

    def do_starting(self):
        """Killed, and again while it starts: before it says that it is ready."""
        _, name = self.anybody()
        keeper = self.world.keepers[name]
        starts = keeper.starts
        if self.kill("starting", name):
            end = time.monotonic() + 5
            while keeper.starts == starts and time.monotonic() < end:
                time.sleep(0.002)
            time.sleep(self.random.random() * 0.1)
            self.kill("starting", name)

    def do_at_once(self):
        """Started again in the same moment, as by an impatient supervisor, and killed again within 100 ms; several times."""
        _, name = self.anybody()
        keeper = self.world.keepers[name]
        for _ in range(AT_ONCE):
            starts = keeper.starts
            if not self.kill("at-once", name, restart_s=0):
                return
            end = time.monotonic() + 5
            while keeper.starts == starts and time.monotonic() < end:
                time.sleep(0.001)
            time.sleep(self.random.random() * AT_ONCE_S)
        self.kill("at-once", name)

    def do_servers(self):
        """The power of the machine room goes: every server at one instant."""
        for name in self.world.keepers:
            if name not in ("phones", "daemon"):
                self.kill("servers", name)
        self.kills += 1

    # ---- others ----------------------------------------------------------------------------------------------------------------

    def do_stop(self):
        """Frozen, and going on: the kernel takes its connections meanwhile."""
        kind, name = self.anybody()
        keeper = self.world.keepers[name]
        window = self.tally.begin("stop " + kind, name)
        if not keeper.signal(signal.SIGSTOP):
            self.tally.drop(window)
            return

        self.away(name)

        def go_on():
            keeper.signal(signal.SIGCONT)
            window.end()
        self.later(self.random.choice((0.05, 0.5, 2, 4)), go_on)

    def do_link(self):
        self.link("link", sorted(self.world.links.keys() - set(self.world.nodes)), (0.3, 1, 3))

    def do_node(self):
        """The machine of one of the alerts' Redis cannot be reached: by the others, the Sentinels, the programs."""
        self.link("node", self.world.nodes, (0.3, 1, 3, 6))

    def link(self, kind, names, for_s):
        link = self.world.links[self.random.choice(names)]
        how = self.random.choice(HOW)
        window = self.tally.begin(f"{kind} {how}", link.name)
        link.set(how)
        self.away(link.name)

        def mend():
            link.mend()
            window.end()
        self.later(self.random.choice(for_s), mend)

    def disk(self, kind, letter, names, for_s):
        name = self.random.choice([n for n in names if n in self.world.keepers])
        keeper, path = self.world.keepers[name], self.world.disk(name)
        window = self.tally.begin(kind, name)
        keeper.allowed += 1  # Redis ends at a write that fails, a dispatcher at a sync that does: as they should
        with open(path, "w", encoding="ascii") as file:
            file.write(letter)

        def mend():
            if os.path.exists(path):
                os.unlink(path)
            time.sleep(1)
            keeper.up.wait(60)
            keeper.allowed -= 1
            window.end()
        self.away(name)
        self.later(for_s, mend)

    def writers(self):
        return ("d1", "d2", "a1", "a2", "archive", *self.of("redis"))

    def do_disk_full(self):
        self.disk("disk-full", "f", self.writers(), self.random.choice((0.5, 3)))

    def do_disk_slow(self):
        self.disk("disk-slow", "h", self.writers(), self.random.choice((1, 3)))

    def do_sync_fails(self):
        self.disk("sync-fails", "s", self.writers(), 0.3)

    # ---- calm ------------------------------------------------------------------------------------------------------------------

    def over(self):
        """Everything is mended."""
        for thread in self.threads:
            thread.cancel() if isinstance(thread, threading.Timer) and thread.interval > 0 else None
        for link in self.world.links.values():
            link.mend()
        for name, keeper in self.world.keepers.items():
            if os.path.exists(self.world.disk(name)):
                os.unlink(self.world.disk(name))
            keeper.signal(signal.SIGCONT)
        self.tally.end_all()
