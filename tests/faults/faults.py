"""The faults, drawn from a seed: whom, how, when.  A fault begins at once and is over when what it hit is up again; each says so to the
tally.  Nothing here waits for that: the next one comes while the last is still being mended."""
import os
import random
import signal
import threading
import time

from links import HOW

# How often each kind of kill is drawn, of 100.
KILLS = {"dispatcher": 34, "alert-port": 10, "redis": 5, "primary": 3, "replica": 4, "sentinel": 4, "positions": 3, "console": 9, "phones": 6, "daemon": 6,
         "archive": 2, "pair": 7, "twice": 5, "starting": 2, "servers": 1}
# The others; drawn beside the kills, one for every OTHERS_EVERY of them.
OTHERS = {"stop": 8, "link": 8, "disk-full": 2, "disk-slow": 2, "sync-fails": 2}
OTHERS_EVERY = 4
AWAY_S = 8  # so long a machine that is gone stays away: a replica takes over


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
        kinds = {k: w for k, w in table.items() if (not self.kinds or k in self.kinds) and (self.of(k) or k in ("pair", "twice", "starting", "servers",
                                                                                                             *OTHERS))}
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
        kind = self.drawn(OTHERS)
        if kind is not None:
            getattr(self, "do_" + kind.replace("-", "_"))()
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
        return True

    def until_up(self, keeper, window):
        time.sleep(0.05)
        if window[0] == "primary":
            self.world.wait_store()  # a replica's: its own comes back later
        else:
            keeper.up.wait(60)
        if window[0] == "redis":
            self.world.wait_store()
        self.tally.end(window)

    # ---- kills -----------------------------------------------------------------------------------------------------------------

    def single(self, kind):
        self.kill(kind, self.random.choice(self.of(kind)))

    def do_primary(self):
        """The machine of the primary is gone: long enough for a replica to take over."""
        self.kill("primary", self.of("primary")[0], restart_s=AWAY_S)

    def do_pair(self):
        (one, a), (other, b) = self.anybody(), self.anybody()
        self.kill("pair", a)
        time.sleep(self.random.choice((0, 0, 0.005, 0.05, 0.3)))
        if a != b:
            self.kill("pair", b)

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

        def go_on():
            keeper.signal(signal.SIGCONT)
            self.tally.end(window)
        self.later(self.random.choice((0.05, 0.5, 2, 4)), go_on)

    def do_link(self):
        link = self.world.links[self.random.choice(sorted(self.world.links))]
        how = self.random.choice(HOW)
        window = self.tally.begin("link " + how, link.name)
        link.set(how)

        def mend():
            link.mend()
            self.tally.end(window)
        self.later(self.random.choice((0.3, 1, 3)), mend)

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
            self.tally.end(window)
        self.later(for_s, mend)

    def dispatchers(self):
        return ("d1", "d2", "a1", "a2")

    def do_disk_full(self):
        self.disk("disk-full", "f", (*self.dispatchers(), *self.of("redis")), self.random.choice((0.5, 3)))

    def do_disk_slow(self):
        self.disk("disk-slow", "h", (*self.dispatchers(), *self.of("redis")), self.random.choice((1, 3)))

    def do_sync_fails(self):
        self.disk("sync-fails", "s", (*self.dispatchers(), *self.of("redis")), 0.3)

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
