"""What is counted: faults with their beginning and end, and how long presses took that met one."""
import threading
import time


def quantile(sorted_values, q):
    return sorted_values[min(len(sorted_values) - 1, int(q * len(sorted_values)))] if sorted_values else 0


# A press that met several faults counts for the gravest of them.
GRAVITY = ("servers", "primary", "stop primary", "node cut", "node stall", "node deaf", "node mute", "redis", "stop redis", "pair", "twice", "starting",
           "at-once", "disk-full", "sync-fails", "disk-slow", "stop dispatcher", "stop alert-port", "link cut", "link stall", "link deaf", "link mute",
           "node slow", "link slow", "phones", "stop phones", "dispatcher", "replica", "stop replica", "alert-port", "sentinel", "stop sentinel")
# Those that have a goal are told apart: alone; while another fault was on as well; or while a second Redis of the alerts was away, or
# read its files, or was not in step yet: then nothing may be written by design (min-replicas-to-write 1), and the press is *kept*.
APART = ("primary", "redis", "stop primary", "dispatcher", "alert-port")
ALONE, OTHERS, SECOND = "alone", "and others", "and a 2nd Redis"
GOALS = {"dispatcher alone": "2 s", "primary alone": "5 s"}  # p99, docs/DESIGN.md section 12


class Window:
    def __init__(self, kind, name):
        self.kind, self.name, self.begin_us, self.end_us = kind, name, time.monotonic_ns() // 1000, None

    def end(self):
        if self.end_us is None:
            self.end_us = time.monotonic_ns() // 1000

    def met(self, from_us, to_us):
        return self.begin_us <= to_us and (self.end_us is None or self.end_us >= from_us)


class Tally:
    """With PATH every fault is written down there as it begins: for who looks into a run that failed."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.windows = []
        self.stores = []  # when a Redis of the alerts was not in step with its primary, or none

    def begin(self, kind, name):
        window = Window(kind, name)
        with self.lock, open(self.path, "a", encoding="ascii") as file:
            self.windows.append(window)
            file.write(f"{window.begin_us} {kind}: {name}\n")
        return window

    def begin_store(self, name):
        window = Window("store", name)
        with self.lock:
            self.stores.append(window)
        return window

    def end_all(self):
        with self.lock:
            for window in self.windows + self.stores:
                window.end()

    def drop(self, window):
        with self.lock:
            self.windows.remove(window)
        return False

    def cycles(self):
        """How many of each kind there were."""
        with self.lock:
            counts = {}
            for window in self.windows:
                counts[window.kind] = counts.get(window.kind, 0) + 1
            return counts

    def _kind_of(self, met, from_us, to_us):
        """Of the faults that a press met: the gravest, and whether it was alone."""
        rank = {kind: i for i, kind in enumerate(GRAVITY)}
        gravest = min(met, key=lambda w: rank.get(w.kind, len(rank)))
        if gravest.kind not in APART:
            return gravest.kind, gravest
        if len({w.name for w in self.stores if w.met(from_us, to_us)} - {gravest.name}) > 0 and gravest.kind not in ("dispatcher", "alert-port"):
            return f"{gravest.kind} {SECOND}", gravest
        return f"{gravest.kind} {ALONE if len(met) == 1 else OTHERS}", gravest

    def service(self, alerts):
        """{kind: (sorted ms from the planned press to *received*, faults)}: a press belongs to a fault when it waited while that began, or
        was made before it was over; "none" when there was none."""
        windows, found, first = sorted(self.windows, key=lambda w: w.begin_us), {}, 0
        for alert in sorted((a for a in alerts if a.planned_us and a.received_us), key=lambda a: a.planned_us):
            while first < len(windows) and windows[first].end_us is not None and windows[first].end_us < alert.planned_us - 120_000_000:
                first += 1
            met = [w for w in windows[first:] if w.met(alert.planned_us, alert.received_us)]
            kind, gravest = self._kind_of(met, alert.planned_us, alert.received_us) if met else ("none", None)
            times, faults = found.setdefault(kind, ([], set()))
            times.append((alert.received_us - alert.planned_us) / 1000)
            faults.add(id(gravest))
        return {kind: (sorted(times), len(faults) if kind != "none" else 0) for kind, (times, faults) in found.items()}


def table(rows):
    """ROWS: (name, sorted ms, faults)."""
    lines = [f"  {'press to received, ms':<28} {'faults':>7} {'presses':>8} {'p50':>8} {'p99':>8} {'max':>8}"]
    for name, times, faults in rows:
        lines.append(f"  {name:<28} {faults or '-':>7} {len(times):>8} {quantile(times, 0.5):>8.1f} {quantile(times, 0.99):>8.0f} {times[-1]:>8.0f}"
                     + (f"   goal: p99 {GOALS[name]}" if name in GOALS else ""))
    return "\n".join(lines)
