"""What is counted: faults with their beginning and end, and how long presses took that met one."""
import threading
import time


def quantile(sorted_values, q):
    return sorted_values[min(len(sorted_values) - 1, int(q * len(sorted_values)))] if sorted_values else 0


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.windows = []  # [kind, name, from_us, to_us or None]

    def begin(self, kind, name):
        window = [kind, name, time.monotonic_ns() // 1000, None]
        with self.lock:
            self.windows.append(window)
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
        """{kind: sorted ms from the planned press to *received*}: a press belongs to a kind when it waited during one of its faults, or
        was made in it; to "several" when those were of several kinds; to "none" when there was none."""
        found = {}
        windows = sorted(self.windows, key=lambda w: w[2])
        first = 0
        for alert in sorted((a for a in alerts if a.planned_us and a.received_us), key=lambda a: a.planned_us):
            while first < len(windows) and windows[first][3] < alert.planned_us - 120_000_000:
                first += 1
            kinds = set()
            for kind, _, begin, end in windows[first:]:
                if begin > alert.received_us:
                    break
                if end >= alert.planned_us:
                    kinds.add(kind)
            kind = kinds.pop() if len(kinds) == 1 else "several" if kinds else "none"
            found.setdefault(kind, []).append((alert.received_us - alert.planned_us) / 1000)
        return {kind: sorted(times) for kind, times in found.items()}


def table(rows):
    """ROWS: (name, sorted ms)."""
    lines = [f"  {'press to received, ms':<24} {'presses':>8} {'p50':>8} {'p99':>8} {'max':>8}"]
    for name, times in rows:
        lines.append(f"  {name:<24} {len(times):>8} {quantile(times, 0.5):>8.1f} {quantile(times, 0.99):>8.0f} {times[-1]:>8.0f}")
    return "\n".join(lines)
