"""The region of the demo: private Redis, gpsd, dispatchers, console, handsets; all in one folder that goes with it."""
import atexit
import json
import os
import pwd
import shutil
import socket
import tempfile

from processes import Failure, Process, run, wait_for
from proxy import Proxy
from replicated import Replicated
import sms
from doors import Doors

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("VIGIE_BIN") or os.path.join(ROOT, "build", os.environ.get("VIGIE_BUILD", "release"), "bin")
DATA = os.path.join(ROOT, "ops", "data")
PASSWORD = "demo-lyon-2026"
PIN, DURESS = "2580", "9713"
CARRIERS = [("c001", "Camille Roux", "+33600000001"), ("c002", "Sami Benali", "+33600000002")]
SUPERVISORS = [("s001", "Paul Martin", "+33600000101", False), ("s002", "Inès Caron", "+33600000102", False),
               ("s003", "Jeanne Petit", "+33600000103", True)]
USERS = [("regie", "Salle de contrôle", "control", None), ("paul", "Paul Martin", "supervisor", "s001"),
         ("ines", "Inès Caron", "supervisor", "s002"), ("delivre", "Odile Renard", "issuer", None),
         ("seconde", "Marc Vidal", "issuer", None), ("admin", "Administration", "admin", None)]


def free_port(count=1):
    """The first of COUNT neighbouring ports that nobody listens on."""
    while True:
        sockets = [socket.socket() for _ in range(count)]
        try:
            sockets[0].bind(("127.0.0.1", 0))
            first = sockets[0].getsockname()[1]
            for i, s in enumerate(sockets[1:], 1):
                s.bind(("127.0.0.1", first + i))
            return first
        except (OSError, OverflowError):
            continue  # a neighbour is taken: another place
        finally:
            for s in sockets:
                s.close()


class Region:
    def __init__(self, gps_log=None, fleet=True, frame_ancestor=None, with_sms=False, replicated=False, alert_ports=1,
                 doors=False):
        self.folder = tempfile.mkdtemp(prefix="vigie-demo-")
        atexit.register(self.stop)
        self.dir = os.path.join(self.folder, "region")
        self.logs = os.path.join(self.folder, "log")
        os.mkdir(self.logs)
        self.gps_log = gps_log or os.path.join(DATA, "round-lyon.nmea")
        self.with_fleet, self.frame_ancestor = fleet, frame_ancestor
        self.processes = {}
        # The alerts' Redis with replicas and Sentinels: started, killed and asked through it.
        self.replicated = Replicated(self.folder, self.logs, os.path.join(self.dir, "redis", "users.acl")) if replicated else None
        self.proxy = None
        self.handsets = {}
        self.gpsd_port, self.supervisor_gpsd_port = free_port(), free_port()
        self.console_port = free_port()
        self.dispatcher_port = self.alert_port = None
        self.alert_ports = alert_ports  # processes of the alert port; dispatcher-1 and -2 are the ordinary ones
        self.dispatcher_options = ["drain.percent=100"]  # for all of them
        self.sms = sms.Sms(self, (free_port(), free_port(3), free_port())) if with_sms else None
        self.doors = Doors(self, os.path.join(BIN, "vigie-door"), free_port()) if doors else None
        self.alert_number, self.control_number = sms.NUMBER, sms.CONTROL_NUMBER

    # ---- parts -----------------------------------------------------------------------------------------------------------------

    def vigie(self, *words, stdin=None):
        return run([os.path.join(BIN, "vigie"), "-C", self.dir, *words], stdin)

    def process(self, name, argv, **options):
        self.processes[name] = Process(name, argv, self.logs, **options)
        return self.processes[name]

    def address(self, name):
        if name == "alerts" and self.replicated:
            return self.replicated.address
        return os.path.join(self.folder, name + ".sock")

    def start_keeper(self):
        # In its cage there is no clone, which the leak checker of a sanitizer build would need.
        # All runs as one user here, also where this machine has a user `vigie` or `vigie-dispatcher`, whom keeper.conf names then.
        argv = [os.path.join(BIN, "vigie-keeper"), "-c", os.path.join(self.dir, "keeper.conf"), "-o", "peer.console=" + pwd.getpwuid(os.getuid()).pw_name,
                "-o", "peer.dispatcher="]
        argv += [word for option in self.dispatcher_options if option.startswith("silence.overdue=") for word in ("-o", option)]
        self.process("keeper", argv, ready=True, env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0")).start()

    def start_redis(self, name):
        """By the configuration that we ship, on a socket and folder of our own."""
        if name == "alerts" and self.replicated:
            self.replicated.start()
            self.processes.update(self.replicated.process)
            return
        data = os.path.join(self.folder, name)
        os.makedirs(data, exist_ok=True)
        argv = ["redis-server", os.path.join(ROOT, "ops", "redis", name + ".conf"), "--unixsocket", self.address(name), "--unixsocketperm", "700",
                "--dir", data, "--aclfile", os.path.join(self.dir, "redis", "users.acl")]
        self.process(name, argv).start()
        wait_for(f"Redis {name}", lambda: self.ping(name))

    def ping(self, name):
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(self.address(name))
                s.sendall(b"PING\r\n")
                return s.recv(64).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

    def make_people(self):
        for person, name, number in CARRIERS:
            self.vigie("carrier", "add", person, "--name", name, "--number", number, "--team", "lyon")
        for person, name, number, manager in SUPERVISORS:
            self.vigie("supervisor", "add", person, "--name", name, "--number", number, "--team", "lyon", *(["--manager"] if manager else []))
        for login, name, role, person in USERS:
            self.vigie("user", "add", login, "--name", name, "--role", role, *(["--person", person] if person else []), stdin=PASSWORD + "\n")
        self.vigie("round", "add", "bellecour-3", "--name", "Bellecour 3", "--zone", "presquile", "--team", "lyon")
        self.vigie("round", "add", "republique-5", "--name", "République 5", "--zone", "presquile", "--team", "lyon")
        self.vigie("building", "import", os.path.join(DATA, "buildings-lyon.csv"))
        self.vigie("zone", "import", os.path.join(DATA, "zones-lyon.geojson"))
        self.vigie("barrier", "import", os.path.join(DATA, "barriers-lyon.geojson"))

    def _start_dispatcher(self, process, name, rank, *options):
        options = [f"dispatcher.name={name}", f"dispatcher.rank={rank}", f"journal.path={self.folder}/{name}.journal",
                   f"snapshot.path={self.folder}/{name}.snapshot", "listen.address=127.0.0.1", *options, *self.dispatcher_options]
        argv = [os.path.join(BIN, "vigie-dispatcher"), "-c", os.path.join(self.dir, "dispatcher.conf")]
        return self.process(process, argv + [word for o in options for word in ("-o", o)], ready=True).start().port

    def start_dispatcher(self, rank):
        self.dispatcher_port = self._start_dispatcher(f"dispatcher-{rank + 1}", f"d{rank + 1}", rank, f"listen.port={self.dispatcher_port or 0}")

    def start_alert_port(self, i):
        self.alert_port = self._start_dispatcher(f"alert-port-{i + 1}", f"a{i + 1}", 2 + i, f"listen.port={self.alert_port or 0}",
                                                 "listen.alerts_only=yes")

    def start_archive(self):
        self.process("archive", [os.path.join(BIN, "vigie"), "-C", self.dir, "archive"]).start()

    def verify_archive(self):
        """What verify-audit says of the archive, with the key from beside it."""
        return self.vigie("verify-audit", os.path.join(self.dir, "archive"), "--key", os.path.join(self.dir, "archive.pem"))

    def start_console(self):
        origins = f"https://localhost:{self.console_port},https://127.0.0.1:{self.console_port}"
        argv = [os.path.join(BIN, "vigie-console"), "-c", os.path.join(self.dir, "console.conf"), "-o", f"listen.port={self.console_port}",
                "-o", "listen.address=127.0.0.1", "-o", f"web.origins={origins}", "-o", f"web.path={ROOT}/build/web"]
        if self.frame_ancestor:
            argv += ["-o", f"web.frame_ancestors={self.frame_ancestor}"]
        self.process("console", argv, ready=True).start()

    def start_gps(self, name, port, log):
        """gpsd on a pseudo-terminal, fed by gpsfake with LOG, over and over."""
        # gpsfake waits so long after each sentence: 6 of them make a second in our logs, some 15 to 20 in a phone's.
        delay = "0.16" if os.path.dirname(log) == DATA else "0.05"
        argv = ["gpsfake", "-c", delay, "-n", "-q", "-P", str(port), log]
        # It leaves its control socket in TMPDIR.
        env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", TMPDIR=self.folder, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        self.process(name, argv, env=env).start()

    def enrol(self, name, server_port, *words, alert_port=None):
        folder = os.path.join(self.folder, name)
        if alert_port:
            words = ("--alert-servers", f"localhost:{alert_port}", *words)
        handset = self.vigie("enrol", "--out", folder, "--servers", f"localhost:{server_port}", *words).split()[0]
        self.handsets[name] = {"id": handset, "folder": folder, "socket": os.path.join(folder, "command.sock"),
                               "config": os.path.join(folder, "handset.conf"), "certificate": os.path.join(folder, "certificate.pem"),
                               "key": os.path.join(folder, "key.pem")}

    def start_handset(self, name, gpsd_port):
        argv = [os.path.join(BIN, "vigie-handset"), "-c", self.handsets[name]["config"], "-o", f"page.port={self.handsets[name].get('port', 0)}",
                "-o", f"page.path={ROOT}/device/handset/ui"]
        argv += ["-o", f"gps.port={gpsd_port}"]
        if self.sms and self.sms.modem(name):
            argv += ["-o", f"modem.device={self.sms.modem(name)}"]
        if self.doors and name in ("carrier", "colleague") and not self.doors.why_no_nfc:
            argv += ["-o", f"nfc.vpcd=127.0.0.1:{self.doors.port}"]
        if self.frame_ancestor:
            argv += ["-o", f"page.frame_ancestors={self.frame_ancestor}"]
        self.handsets[name]["port"] = self.process(name, argv, ready=True).start().port

    def start_fleet(self):
        argv = [os.path.join(BIN, "vigie-fleet"), "walk", "--region", self.dir, "--port", str(self.dispatcher_port),
                "--carriers", "200", "--supervisors", "20", "--seed", "2026", "--prefix", "z"]
        self.process("fleet", argv).start()

    # ---- all of it -------------------------------------------------------------------------------------------------------------

    def start(self):
        run([os.path.join(BIN, "vigie"), "-C", self.dir, "init", "--region", "lyon", "--alerts", self.address("alerts"), "--positions",
             self.address("positions"), "--keeper", os.path.join(self.folder, "keeper.sock"), *(self.sms.init_words() if self.sms else [])])
        self.start_redis("alerts")
        self.start_redis("positions")
        self.make_people()
        self.start_keeper()
        self.start_dispatcher(0)
        self.start_dispatcher(1)
        self.start_archive()
        for i in range(self.alert_ports):
            self.start_alert_port(i)
        self.start_console()
        if self.sms:
            self.sms.start()
        self.start_gps("gpsd", self.gpsd_port, self.gps_log)
        self.start_gps("gpsd-supervisor", self.supervisor_gpsd_port, os.path.join(DATA, "supervisor-lyon.nmea"))
        self.proxy = Proxy(self.dispatcher_port, self.alert_port) if self.alert_port else Proxy(self.dispatcher_port)
        self.enrol("carrier", self.proxy.port, "--role", "carrier", "--person", "c001", "--pin", PIN, "--duress", DURESS, "--number", "+33600000001",
                   alert_port=self.proxy.ports[1] if self.alert_port else None)
        self.enrol("supervisor", self.dispatcher_port, "--role", "supervisor", "--person", "s001", "--number", "+33600000101",
                   alert_port=self.alert_port)
        self.start_handset("carrier", self.gpsd_port)
        self.start_handset("supervisor", self.supervisor_gpsd_port)
        if self.doors:  # a colleague with the same round: his phone brings newer lists to doors
            self.enrol("colleague", self.dispatcher_port, "--role", "carrier", "--person", "c002", "--number", "+33600000002")
            self.start_handset("colleague", self.gpsd_port)
        if self.doors:
            self.doors.start()
        if self.with_fleet:
            self.start_fleet()

    @property
    def network(self):
        """A connection to the mobile network's control socket (tests/sms/client.py), new each time."""
        return self.sms.client()

    def stop(self):
        last = ("network", "smsbox", "bearerbox", "console", "dispatcher-1", "dispatcher-2", "alert-port-1", "alert-port-2", "keeper", "alerts", "positions")
        for name in [n for n in self.processes if n not in last] + [n for n in last if n in self.processes]:
            self.processes[name].stop()
        if self.doors:
            self.doors.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self, name):
        """Start again what was killed, as systemd would; nothing happens to what is alive."""
        if name not in self.processes:
            raise Failure(f"no process named {name}: {', '.join(sorted(self.processes))}")
        if not self.processes[name].alive():
            self.processes[name].start()

    def check_alive(self):
        """Names of processes that ended by themselves."""
        return [name for name, process in self.processes.items() if process.child and not process.alive()]

    # ---- what people do --------------------------------------------------------------------------------------------------------

    def say(self, handset, *words):
        return run([os.path.join(BIN, "vigie-handset"), "-c", self.handsets[handset]["config"], *words])

    def status(self, handset):
        return json.loads(self.say(handset, "status", "--json"))

    def state(self):
        return {
            "folder": self.folder, "region": self.dir, "logs": self.logs,
            "binaries": BIN,
            "dispatcher": {"host": "127.0.0.1", "port": self.dispatcher_port},
            "alert_port": {"host": "127.0.0.1", "port": self.alert_port},
            "proxy": {"host": "127.0.0.1", "port": self.proxy.port},
            "console": {"url": f"https://localhost:{self.console_port}/", "websocket": f"wss://localhost:{self.console_port}/"},
            "redis": {name: self.address(name) for name in ("alerts", "positions")},
            "redis_acl": os.path.join(self.dir, "redis", "users.acl"),
            "gpsd": {"host": "127.0.0.1", "port": self.gpsd_port},
            "logins": [{"login": login, "password": PASSWORD, "role": role, "name": name} for login, name, role, _ in USERS],
            "pin": PIN, "duress_pin": DURESS,
            "certificates": {"ca": os.path.join(self.dir, "ca.pem"), "server": os.path.join(self.dir, "server.pem"),
                             "root": os.path.join(self.dir, "root.pem"), "receipt": os.path.join(self.dir, "receipt.pem")},
            "handsets": {name: dict(h, page=f"http://127.0.0.1:{h['port']}/") for name, h in self.handsets.items()},
            "sms": self.sms.state() if self.sms else None,
            "doors": self.doors.state() if self.doors else None,
            "pids": {name: process.pid for name, process in self.processes.items()},
        }


def wait_until_ready(region):
    """Both phones are known to the region and on duty, and the supervisor's has a fix."""
    wait_for("the carrier's link", lambda: region.status("carrier")["link"] == "welcome", 20)
    wait_for("the supervisor's link", lambda: region.status("supervisor")["link"] == "welcome", 20)
    wait_for("the supervisor's fix", lambda: region.status("supervisor")["fix"], 20)
    region.say("carrier", "duty", "on", "--round", "bellecour-3", "--for", "8h")
    region.say("supervisor", "duty", "on", "--for", "8h")
    if region.sms:
        region.sms.telephone_on_duty(PASSWORD)
    wait_for("the carrier's duty", lambda: region.status("carrier")["duty"]["state"] == "on")
    wait_for("the supervisor's duty", lambda: region.status("supervisor")["duty"]["state"] == "on")

