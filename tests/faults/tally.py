"""What is counted: faults with their beginning and end, and how long presses took that met one."""
import threading
import time


def quantile(sorted_values, q):
    return sorted_values[min(len(sorted_values) - 1, int(q * len(sorted_values)))] if sorted_values else 0


# A press that met several faults counts for the gravest: so what stands beside the gentle ones is theirs alone.
GRAVITY = ("servers", "primary", "stop primary", "redis", "stop redis", "pair", "twice", "starting", "disk-full", "sync-fails", "disk-slow",
           "stop dispatcher", "stop alert-port", "link cut", "link stall", "link deaf", "link mute", "link slow", "phones", "stop phones",
           "dispatcher", "replica", "stop replica", "alert-port", "sentinel", "stop sentinel")
GOALS = {"dispatcher": "2 s", "primary": "5 s"}  # p99, docs/DESIGN.md section 12


class Tally:
    """With PATH every fault is written down there as it begins: for who looks into a run that failed."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.windows = []  # [kind, name, from_us, to_us or None]

    def begin(self, kind, name):
        window = [kind, name, time.monotonic_ns() // 1000, None]
        with self.lock, open(self.path, "a", encoding="ascii") as file:
            self.windows.append(window)
            file.write(f"{window[2]} {kind}: {name}\n")
        return window

    def end(self, window):
        if window[3] is None:
            window[3] = time.monotonic_ns() // 1000

    def end_all(self):
        for window in self.windows:
            self.end(window)

    def drop(self, window):
        with self.lock:
            self.windows.remove(window)
        return False

    def cycles(self):
        """How many of each kind there were."""
        with self.lock:
            counts = {}
            for kind, *_ in self.windows:
                counts[kind] = counts.get(kind, 0) + 1
            return counts

    def service(self, alerts):
        """{kind: sorted ms from the planned press to *received*}: a press belongs to a fault when it waited while that began, or was made
        before it was over; "none" when there was none."""
        rank = {kind: i for i, kind in enumerate(GRAVITY)}
        windows = sorted(self.windows, key=lambda w: w[2])
        found, first = {}, 0
        for alert in sorted((a for a in alerts if a.planned_us and a.received_us), key=lambda a: a.planned_us):
            while first < len(windows) and windows[first][3] < alert.planned_us - 120_000_000:
                first += 1
            met = [kind for kind, _, begin, end in windows[first:] if begin <= alert.received_us and end >= alert.planned_us]
            kind = min(met, key=lambda k: rank.get(k, len(rank)), default="none")
            found.setdefault(kind, []).append((alert.received_us - alert.planned_us) / 1000)
        return {kind: sorted(times) for kind, times in found.items()}


def table(rows):
    """ROWS: (name, sorted ms)."""
    lines = [f"  {'press to received, ms':<24} {'presses':>8} {'p50':>8} {'p99':>8} {'max':>8}"]
    for name, times in rows:
        lines.append(f"  {name:<24} {len(times):>8} {quantile(times, 0.5):>8.1f} {quantile(times, 0.99):>8.0f} {times[-1]:>8.0f}"
                     + (f"   goal: p99 {GOALS[name]}" if name in GOALS else ""))
    return "\n".join(lines)
