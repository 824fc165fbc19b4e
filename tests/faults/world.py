"""The region under faults: real processes in one temporary folder, each kept alive as systemd would, every link through a proxy of ours."""
import glob
import json
import os
import socket
import subprocess
import threading
import time

from keeper import Keeper
from links import Link, Loop
from observer import Observer
from processes import Failure, wait_for
from region import BIN, PASSWORD, ROOT, Region, free_port
from replicated import Replicated
from screen import Screen

FAILOVER_S = 20  # a primary is gone, a replica takes over, and the journals' events are there again
SHIM = os.path.join(os.path.dirname(BIN), "tests", "faults", "disk.so")
STORES = ("alerts", "positions", "sentinel")  # what ends last
CONTROLS = (("regie-1", "Salle de contrôle 1"), ("regie-2", "Salle de contrôle 2"))


class Daemon(threading.Thread):
    """A person with a real vigie-handset: presses, reads, presses again once it is closed."""

    def __init__(self, world, name):
        super().__init__(daemon=True, name=name)
        self.world, self.path = world, world.handsets[name]["socket"]
        self.ending = False

    def ask(self, *words):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(3)
            s.connect(self.path)
            s.sendall(json.dumps({"words": words}).encode() + b"\n")
            answer = b""
            while piece := s.recv(65536):
                answer += piece
        return json.loads(answer)

    def run(self):
        while not self.ending:
            time.sleep(0.1)
            try:
                self._look()
            except (OSError, ValueError, KeyError):
                pass  # it is dead, or was killed before it answered: it says so when it is back

    def _look(self):
        alert = self.ask("status")["status"]["alert"]
        if alert:
            self.world.observer.daemon_says(alert["id"], alert["word"], alert["who"])
        if alert and alert["word"] == "closed":
            self.ask("dismiss")
        elif not alert and not self.world.is_calm():
            self.ask("press")


class Members(Replicated):
    """Three Redis and three Sentinels, each Redis with a disk of ours (disk.c), and behind a link of ours: the address that it announces, by which
    the others, the Sentinels and the programs call it."""

    def __init__(self, world):
        super().__init__(world.folder, world.logs, os.path.join(world.dir, "redis", "users.acl"))
        self.world = world

    def _member(self, i):
        super()._member(i)
        node = self.nodes[i]
        self.process[node].env = self.world.environment(node)
        announced, own = self.port[node], free_port()
        path = os.path.join(self.folder, node, "redis.conf")
        with open(path, encoding="utf-8") as file:
            text = file.read().replace(f"\nport {announced}\n", f"\nport {own}\n")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.world.link(node, announced, own)


class World(Region):
    """STORE "replicated": the alerts are in three Redis with three Sentinels.  "single": in one, and every process has a link of its own to
    it, which can be cut; a failover cannot lose anything there, and so nothing may be raised twice."""

    def __init__(self, seed, rate, phones, store):
        super().__init__(fleet=False)
        self.replicated = None
        self.seed, self.rate, self.phones, self.store = seed, rate, phones, store
        self.loop = Loop()
        self.links, self.keepers, self.screens = {}, {}, []
        self.observer = Observer(failover_s=FAILOVER_S if store == "replicated" else 0)
        self.console_ports = [free_port(), free_port()]
        self.dispatcher_port, self.alert_port = free_port(), free_port()
        self.fleet_folder = os.path.join(self.folder, "fleet")
        self.told = None
        self.ended = False

    # ---- parts -----------------------------------------------------------------------------------------------------------------

    def keep(self, name, argv, **options):
        keeper = self.keepers[name] = Keeper(self.process(name, argv, env=self.environment(name), **options))
        keeper.start()
        if not keeper.begun.wait(60) or not keeper.up.is_set():
            raise RuntimeError(f"{name} did not start\n{keeper.process.tail()}")
        return keeper

    def environment(self, name):
        return dict(os.environ, LD_PRELOAD=SHIM, VIGIE_DISK=self.disk(name))

    def disk(self, name):
        """The file that tells what the disk of a process does (disk.c)."""
        return os.path.join(self.folder, name + ".disk")

    def link(self, name, listen, target):
        self.links[name] = Link(self.loop, name, listen, target, f"{self.seed} {name}")
        return self.links[name]

    def store_of(self, who, store):
        """An address of a Redis of WHO's own: a link of ours.  Sentinels name addresses themselves."""
        if store == "alerts" and self.replicated:
            return self.replicated.address
        name = f"{who}-{store}"
        if name not in self.links:
            self.link(name, os.path.join(self.folder, name + ".sock"), self.address(store))
        return self.links[name].path

    def keep_redis(self, name):
        data = os.path.join(self.folder, name)
        os.makedirs(data, exist_ok=True)
        self.keep(name, ["redis-server", os.path.join(ROOT, "ops", "redis", name + ".conf"), "--unixsocket", self.address(name), "--unixsocketperm",
                         "700", "--dir", data, "--aclfile", os.path.join(self.dir, "redis", "users.acl")])
        wait_for(f"Redis {name}", lambda: self.ping(name))

    def keep_replicated(self):
        self.replicated.start()
        for name, process in self.replicated.process.items():
            self.processes[name] = process
            self.keepers[name] = Keeper(process, runs=True)
            self.keepers[name].start()

    def stores(self):
        """The Redis of the alerts by what they are now; `redis` comes back at once, `primary` is gone for long."""
        if not self.replicated:
            return {"redis": ("alerts",)}
        primary = self.replicated.primary()
        first = (primary,) if primary else ()
        return {"redis": first, "primary": first, "replica": tuple(n for n in self.replicated.nodes if n != primary),
                "sentinel": tuple(self.replicated.sentinels)}

    @property
    def nodes(self):
        """The Redis of the alerts that have replicas; each is also the name of its link."""
        return self.replicated.nodes if self.replicated else []

    def wait_in_step(self, name):
        """Until this Redis is the primary whom the Sentinels name, or a replica that follows."""
        def in_step():
            try:
                role = self.replicated.ask(name, "ROLE")
                return role[3] == "connected" if role[0] == "slave" else role[0] == "master" and self.replicated.primary() == name
            except (OSError, TypeError, IndexError):
                return False
        try:
            wait_for(f"{name} in step", in_step, 60, 0.1)
        except Failure:
            pass

    def wait_store(self):
        """Until there is a Redis that takes the alerts' writes again."""
        try:
            if self.replicated:
                self.replicated.wait_primary(timeout_s=60)
        except Failure:
            pass

    def keep_dispatcher(self, name, rank, alerts_only=False):
        argv = [os.path.join(BIN, "vigie-dispatcher"), "-c", os.path.join(self.dir, "dispatcher.conf")]
        for key, value in {"dispatcher.name": name, "dispatcher.rank": rank, "journal.path": f"{self.folder}/{name}.journal",
                           "snapshot.path": f"{self.folder}/{name}.snapshot", "listen.address": "127.0.0.1", "drain.percent": "100",
                           "listen.port": self.alert_port if alerts_only else self.dispatcher_port,
                           "alerts.address": self.store_of(name, "alerts"), "positions.address": self.store_of(name, "positions"),
                           **({"listen.alerts_only": "yes"} if alerts_only else {})}.items():
            argv += ["-o", f"{key}={value}"]
        self.keep(name, argv, ready=True)

    def keep_console(self, name, port):
        argv = [os.path.join(BIN, "vigie-console"), "-c", os.path.join(self.dir, "console.conf")]
        for key, value in {"listen.port": port, "listen.address": "127.0.0.1", "web.origins": f"https://localhost:{port}",
                           "web.path": f"{ROOT}/build/web", "alerts.address": self.store_of(name, "alerts"),
                           "positions.address": self.store_of(name, "positions")}.items():
            argv += ["-o", f"{key}={value}"]
        self.keep(name, argv, ready=True)

    def keep_phones(self):
        os.makedirs(self.fleet_folder, exist_ok=True)
        self.link("phones", 0, self.dispatcher_port)
        argv = [os.path.join(BIN, "vigie-fleet"), "keep", "--region", self.dir, "--port", str(self.dispatcher_port), "--via",
                str(self.links["phones"].port), "--alert-port", str(self.alert_port), "--folder", self.fleet_folder, "--carriers", str(self.phones),
                "--supervisors", "6", "--rate", str(self.rate), "--prefix", "k"]
        self.keep("phones", argv)

    def keep_daemon(self, name):
        argv = [os.path.join(BIN, "vigie-handset"), "-c", self.handsets[name]["config"], "-o", f"page.port={free_port()}", "-o",
                f"page.path={ROOT}/device/handset/ui", "-o", f"gps.port={self.gpsd_port}"]
        self.keep(name, argv, ready=True)
        self.daemons.append(Daemon(self, name))

    # ---- all of it -------------------------------------------------------------------------------------------------------------

    def start(self):
        if self.store == "replicated":
            self.replicated = Members(self)
        alerts = self.replicated.address if self.replicated else self.address("alerts")
        self.vigie("init", "--region", "lyon", "--alerts", alerts, "--positions", self.address("positions"))
        if self.replicated:
            self.keep_replicated()
        else:
            self.keep_redis("alerts")
        self.keep_redis("positions")
        self.make_people()
        for login, name in CONTROLS:
            self.vigie("user", "add", login, "--name", name, "--role", "control", stdin=PASSWORD + "\n")
        self.calm(True)
        for rank, name in enumerate(("d1", "d2")):
            self.keep_dispatcher(name, rank)
        for rank, name in enumerate(("a1", "a2"), 2):
            self.keep_dispatcher(name, rank, alerts_only=True)
        for name, port in zip(("console-1", "console-2"), self.console_ports):
            self.keep_console(name, port)
        self.keep("archive", [os.path.join(BIN, "vigie"), "-C", self.dir, "archive"])
        self.daemons = []
        self.enrol("daemon", self.dispatcher_port, "--role", "carrier", "--person", "c001", alert_port=self.alert_port)
        self.keep_phones()
        self.keep_daemon("daemon")
        for (login, _), port, i in zip(CONTROLS, self.console_ports, (1, 2)):
            screen = Screen(self.observer, f"screen-{i}", port, login, PASSWORD, os.path.join(self.dir, "ca.pem"))
            self.screens.append(screen)
            screen.start()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        wait_for("the screens", lambda: all(s.whole for s in self.screens), 20)
        wait_for("the phones", lambda: b"phones" in open(self.processes["phones"].log, "rb").read(), 60)
        for daemon in self.daemons:
            daemon.start()

    def _read(self):
        """What phones write down, as it grows; and the dead whose alert is closed live again."""
        path = os.path.join(self.fleet_folder, "told")
        wait_for("the phones' list", lambda: os.path.exists(path), 60)
        with open(path, encoding="utf-8") as told:
            rest = ""
            while not self.ended:
                rest += told.read()
                *lines, rest = rest.split("\n")
                for line in lines:
                    self.observer.phone_says(line)
                shown = {id for s in self.screens for id in list(s.open)}
                for id in self.observer.may_live(all(s.whole for s in self.screens), shown):
                    try:
                        os.unlink(os.path.join(self.fleet_folder, "away", id))
                    except FileNotFoundError:
                        pass
                time.sleep(0.05)

    # ---- the phones ------------------------------------------------------------------------------------------------------------

    def calm(self, calm):
        """While it is calm nobody presses."""
        path = os.path.join(self.fleet_folder, "calm")
        os.makedirs(self.fleet_folder, exist_ok=True)
        if calm:
            open(path, "w", encoding="ascii").close()
        else:
            os.unlink(path)

    def is_calm(self):
        return os.path.exists(os.path.join(self.fleet_folder, "calm"))

    # ---- the end ---------------------------------------------------------------------------------------------------------------

    def fresh_look(self):
        """Both consoles by new sockets that only look: {name: {id: alert}}."""
        looks = {}
        for i, port in enumerate(self.console_ports):
            screen = Screen(Observer(failover_s=1e9), f"look-{i}", port, CONTROLS[i][0], PASSWORD, os.path.join(self.dir, "ca.pem"))
            screen.works = False
            screen.start()
            try:
                wait_for(f"a snapshot of console {i + 1}", lambda: screen.whole, 20)
                looks[screen.name] = dict(screen.open)
            finally:
                screen.end()
        return looks

    def all_up(self):
        return all(k.up.is_set() for k in self.keepers.values()) and all(s.whole for s in self.screens)

    def audit(self):
        """What `vigie verify-audit` says against the archive that was killed with the others; None: nothing."""
        self.keepers["archive"].end()
        done = subprocess.run([os.path.join(BIN, "vigie"), "-C", self.dir, "verify-audit", os.path.join(self.dir, "archive"), "--key",
                               os.path.join(self.dir, "archive.pem")], capture_output=True, text=True, check=False)
        return f"exit {done.returncode}: {(done.stdout + done.stderr).strip()[-300:]}" if done.returncode else None

    def ended_alone(self):
        """What ended without us, and sanitizers' or asserts' words in the logs."""
        found = [f"{name}: {end}" for name, k in self.keepers.items() for end in k.own_ends]
        for path in sorted(glob.glob(os.path.join(self.logs, "*.log"))):
            with open(path, "rb") as log:
                found += [f"{os.path.basename(path)}: {line.decode(errors='replace').strip()[:200]}" for line in log
                          if b"Assertion" in line or b"Sanitizer" in line or b"runtime error" in line]
        return found

    def stop(self):
        if not hasattr(self, "ended") or self.ended:
            return
        self.ended = True
        for daemon in getattr(self, "daemons", []):
            daemon.ending = True
        for screen in self.screens:
            screen.end()
        order = [k for n, k in self.keepers.items() if not n.startswith(STORES)] + [k for n, k in self.keepers.items() if n.startswith(STORES)]
        for keeper in order:
            keeper.ending = True
            keeper.kill()
        for keeper in order:
            keeper.end()
        for link in self.links.values():
            link.end()
        self.loop.end()
        if not self.keep_folder:
            super().stop()

    keep_folder = False
