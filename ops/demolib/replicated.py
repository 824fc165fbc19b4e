"""The alerts' Redis as people run it: a primary, replicas, three Sentinels, by the files that we ship, on loopback ports.

    alerts = Replicated(folder, log_folder, acl)   # the region's users.acl
    alerts.start()                                 # alerts.address: what configurations say
    name = alerts.primary()                        # "alerts-1" ...: whom the Sentinels name
    alerts.process[name].kill()                    # or pause(), resume(); alerts.process["sentinel-2"].pause()
    alerts.wait_primary(other_than=name)
    alerts.process[name].start()                   # as systemd would: it comes back as a replica"""
import os
import socket

from processes import Failure, Process, run, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SENTINELS = 3


def talk(port, *words, user=None, password=None, timeout_s=0.5):
    """One command to a Redis or Sentinel on 127.0.0.1; its answer as text, number, list or None; an error's text begins with '-'."""
    with socket.create_connection(("127.0.0.1", port), timeout_s) as s, s.makefile("rwb") as file:
        for command in ([("AUTH", user, password)] if password else []) + [words]:
            file.write(b"*%d\r\n" % len(command) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in (str(c).encode() for c in command)))
            file.flush()
            answer = _read(file)
        return answer


def _read(file):
    line = file.readline().rstrip(b"\r\n")
    kind, rest = line[:1], line[1:]
    if kind == b"*":
        return None if rest == b"-1" else [_read(file) for _ in range(int(rest))]
    if kind == b"$":
        return None if rest == b"-1" else file.read(int(rest) + 2)[:-2].decode(errors="replace")
    if kind == b":":
        return int(rest)
    if not line:
        raise OSError("closed")
    return line.decode() if kind == b"-" else rest.decode()


class Replicated:
    def __init__(self, folder, logs, acl, replicas=2, name="alerts"):
        self.folder, self.logs, self.acl, self.name = folder, logs, acl, name
        self.nodes = [f"{name}-{i + 1}" for i in range(replicas + 1)]
        self.sentinels = [f"sentinel-{i + 1}" for i in range(SENTINELS)]
        self.port, self.process = {}, {}
        self.password = None

    @property
    def address(self):
        if not self.port:
            self._choose_ports()
        return f"sentinel:{self.name}@" + ",".join(f"127.0.0.1:{self.port[s]}" for s in self.sentinels)

    def _choose_ports(self):
        held = [socket.socket() for _ in self.nodes + self.sentinels]
        for name, s in zip(self.nodes + self.sentinels, held):
            s.bind(("127.0.0.1", 0))
            self.port[name] = s.getsockname()[1]
        for s in held:
            s.close()

    def _member(self, i):
        """Node number I and the Sentinel beside it; a node beyond the Sentinels has one of its own that is not started."""
        node, sentinel = self.nodes[i], self.sentinels[min(i, SENTINELS - 1)]
        folder = os.path.join(self.folder, node)
        os.makedirs(folder, exist_ok=True)
        run([os.path.join(ROOT, "ops", "redis", "member"), self.acl, f"127.0.0.1:{self.port[node]}:{self.port[sentinel]}",
             f"127.0.0.1:{self.port[self.nodes[0]]}", folder])
        follow = os.path.join(ROOT, "ops", "redis", "follow")  # as the unit does before each start
        self.process[node] = Process(node, ["sh", "-c", '"$0" "$1" && shift && exec "$@"', follow, folder, "redis-server", os.path.join(folder, "redis.conf"), "--dir", folder, "--aclfile", self.acl,
                                            "--unixsocket", os.path.join(folder, "redis.sock")], self.logs)
        if i < SENTINELS:
            self.process[sentinel] = Process(sentinel, ["redis-server", os.path.join(folder, "sentinel.conf"), "--sentinel"], self.logs)

    def start(self, timeout_s=20):
        """Start all; returns when writes are taken and every Sentinel knows the others and the replicas."""
        if not self.port:
            self._choose_ports()
        with open(self.acl, encoding="utf-8") as file:
            self.password = {line.split()[1]: line.split()[3][1:] for line in file if line.split()[3].startswith(">")}
        for i in range(max(len(self.nodes), SENTINELS)):
            self._member(i)
        for name in self.nodes:
            self.process[name].start()
        # A Sentinel looks for replicas when it starts, then each 10 s: they are there by then.
        wait_for("the replicas", lambda: self._replicas(self.nodes[0]) == len(self.nodes) - 1, timeout_s)
        for name in self.sentinels:
            self.process[name].start()
        wait_for("Redis and its Sentinels", self.is_ready, timeout_s)

    def ask(self, name, *words):
        """A command to a node or Sentinel as the user of Sentinels; OSError where it does not answer."""
        return talk(self.port[name], *words, user="sentinel", password=self.password["sentinel"])

    def role(self, name):
        try:
            return self.ask(name, "ROLE")[0]
        except (OSError, TypeError):
            return None

    def primary(self):
        """The node that more than half of the Sentinels name, or None."""
        named = []
        for sentinel in self.sentinels:
            try:
                named.append(int(self.ask(sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.name)[1]))
            except (OSError, TypeError, ValueError, IndexError):
                pass
        for node in self.nodes:
            if named.count(self.port[node]) > SENTINELS // 2:
                return node
        return None

    def wait_primary(self, other_than=None, timeout_s=20):
        """Wait until there is a primary, another than OTHER_THAN, that says so itself; its name."""
        def there():
            name = self.primary()
            return name if name and name != other_than and self.role(name) == "master" else None
        return wait_for("a primary", there, timeout_s)

    def _replicas(self, name):
        try:
            return len(self.ask(name, "ROLE")[2])
        except (OSError, TypeError, IndexError):
            return None

    def is_ready(self):
        """Whole again: a primary with all its replicas, known to all the Sentinels."""
        for name, process in self.process.items():
            if not process.alive():
                raise Failure(f"{name}: ended\n{process.tail()}")
        try:
            primary = self.primary()
            if not primary or self._replicas(primary) != len(self.nodes) - 1:
                return False
            for sentinel in self.sentinels:
                known = self.ask(sentinel, "SENTINEL", "MASTER", self.name)
                known = dict(zip(known[::2], known[1::2]))
                if int(known["num-slaves"]) != len(self.nodes) - 1 or int(known["num-other-sentinels"]) != SENTINELS - 1:
                    return False
            return all(self.role(n) == ("master" if n == primary else "slave") for n in self.nodes)
        except (OSError, TypeError, IndexError, KeyError):
            return False

    def failover(self):
        """By hand, as for an upgrade."""
        return self.ask(self.sentinels[0], "SENTINEL", "FAILOVER", self.name)

    def stop(self):
        for process in self.process.values():
            process.resume()
            process.stop()
