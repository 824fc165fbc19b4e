"""One process, kept alive as systemd keeps it: Restart=always, RestartSec as in ops/systemd, whatever ended it.  It may be killed at any
instant, also while it starts.  What ended without our doing is remembered: nothing may end by itself."""
import os
import signal
import threading
import time

from processes import Failure

RESTART_S = 0.5  # RestartSec of our units


class Keeper(threading.Thread):
    def __init__(self, process, restart_s=RESTART_S, runs=False):
        """RUNS: it was started already; from its first end on it is ours."""
        super().__init__(daemon=True, name=process.name)
        self.process, self.restart_s = process, restart_s
        self.lock = threading.Lock()  # our signals and its being collected: never a signal to a pid that is another's
        self.up = threading.Event()  # it said that it is ready, or it runs
        self.runs, self.ending = runs, False
        self.allowed = 0  # more than 0: it may end by itself; its disk is full, its fdatasync fails
        self.killed = 0
        self.once_s = None  # the next restart comes after that long
        self.starts = 0
        self.own_ends = []  # it ended by itself: exit statuses
        self.begun = threading.Event()

    @property
    def name_(self):
        return self.process.name

    def run(self):
        while not self.ending:
            killed = self.killed
            try:
                self.starts += 1
                if not self.runs:
                    self.process.start(timeout_s=60)
                self.runs = False
                self.up.set()
            except Failure as failure:
                if not self.process.child:
                    raise
                if self.killed == killed and not self.ending and not self.allowed:
                    self.own_ends.append(str(failure).splitlines()[0])
            self.begun.set()
            status = self._wait()
            self.up.clear()
            if self.killed == killed and not self.ending and not self.allowed:
                self.own_ends.append(f"exit status {status}")
            pause_s, self.once_s = self.restart_s if self.once_s is None else self.once_s, None
            time.sleep(0 if self.ending else pause_s)

    def _wait(self):
        pid = self.process.child.pid
        while True:
            try:
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # dead, and not collected: its pid is still its own
            except ChildProcessError:
                return self.process.child.returncode
            with self.lock:
                return self.process.child.wait()

    def signal(self, number):
        """To it, if it lives; says whether it got one."""
        with self.lock:
            child = self.process.child
            if child is None or child.returncode is not None:
                return False
            if number == signal.SIGKILL:
                self.killed += 1
            os.kill(child.pid, number)
            return True

    def restart_once(self, after_s):
        """Its next restart comes so late: the machine was gone."""
        self.once_s = after_s

    def kill(self):
        return self.signal(signal.SIGKILL)

    def end(self, timeout_s=10):
        """For good."""
        self.ending = True
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        self.join(timeout_s)
        if self.is_alive():
            self.kill()
            self.join(5)
