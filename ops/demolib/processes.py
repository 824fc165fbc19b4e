"""Processes of the demo: each has a name, a command, a log; all of them end with the demo."""
import os
import signal
import socket
import subprocess
import time


class Failure(Exception):
    """Something the demo cannot go on from; the text is for the person who started it."""


class Process:
    def __init__(self, name, argv, folder, ready=False, env=None, cwd=None, port=None, forks=False, stdin=None):
        self.name, self.argv, self.ready, self.env, self.cwd = name, argv, ready, env, cwd
        self.forks = forks  # it goes on in a child of its own when it starts anew (Kannel's smsbox): its group is what lives
        self.stdin = stdin  # a FIFO; it has a writer always, so that it does not end
        self.log = os.path.join(folder, name + ".log")
        self.child = None
        self.port = port  # where it listens; of a program that cannot say when it is ready, given

    def start(self, timeout_s=20):
        """Start it; with `ready`, wait until it has written the port it listens on; with `port`, until somebody listens there."""
        argv, pass_fds, read_fd = list(self.argv), (), None
        stdin = os.open(self.stdin, os.O_RDWR) if self.stdin else subprocess.DEVNULL
        if self.ready:
            read_fd, write_fd = os.pipe()
            argv += ["--ready-fd", str(write_fd)]
            pass_fds = (write_fd,)
        try:
            with open(self.log, "ab") as log:
                self.child = subprocess.Popen(argv, stdin=stdin, stdout=log, stderr=log, pass_fds=pass_fds,
                                              start_new_session=True, env=self.env, cwd=self.cwd)
        except OSError as error:
            raise Failure(cannot_start(argv[0], error)) from error
        finally:
            if self.stdin:
                os.close(stdin)
            if self.ready:
                os.close(write_fd)
        if self.ready:
            try:
                self.port = self._wait_ready(read_fd, timeout_s)
            finally:
                os.close(read_fd)
        elif self.port:
            wait_for(f"{self.name} on port {self.port}", lambda: not self.alive() or listens(self.port), timeout_s)
            if not self.alive():
                raise Failure(f"{self.name}: ended before it was ready\n{self.tail()}")
        return self

    def _wait_ready(self, fd, timeout_s):
        import select
        got, end = b"", time.monotonic() + timeout_s
        while not got.endswith(b"\n"):
            if not select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
                raise Failure(f"{self.name}: not ready after {timeout_s} s\n{self.tail()}")
            piece = os.read(fd, 64)
            if not piece:
                raise Failure(f"{self.name}: ended before it was ready\n{self.tail()}")
            got += piece
        return int(got)

    def tail(self, lines=15):
        with open(self.log, "rb") as log:
            return b"\n".join(log.read().splitlines()[-lines:]).decode(errors="replace")

    @property
    def pid(self):
        if self.child and self.forks and self.child.poll() is not None:
            return self._group_pid() or self.child.pid
        return self.child.pid if self.child else None

    def _group_pid(self):
        """The pid of whoever of the group lives on, or None.  Who is dead and not yet collected (it is another's child) does not."""
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                    state, _, group = file.read().rpartition(")")[2].split()[:3]
            except OSError:
                continue
            if int(group) == self.child.pid and state not in "ZX":
                return int(name)
        return None

    def alive(self):
        if self.child is None:
            return False
        return self.child.poll() is None or (self.forks and self._group_pid() is not None)

    def _signal(self, number):
        try:
            os.killpg(self.child.pid, number)
            return True
        except ProcessLookupError:
            return False

    def kill(self):
        """As if the power went: no farewell."""
        if self.alive():
            self._signal(signal.SIGKILL)
            self.child.wait()
            wait_for(f"{self.name}'s end", lambda: not self.alive())

    def pause(self):
        """It keeps its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self):
        if self.alive():
            self._signal(signal.SIGCONT)

    def stop(self, timeout_s=5):
        if not self.alive():
            return
        self._signal(signal.SIGTERM)
        try:
            wait_for(self.name, lambda: not self.alive(), timeout_s)
        except Failure:
            self.kill()


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def cannot_start(program, error):
    what = "is not there" if isinstance(error, FileNotFoundError) else f"cannot be started: {error.strerror}"
    return f"{program} {what}; ops/install build run installs what is needed, make all web fleet builds the rest"


def run(argv, stdin=None):
    """A command that must succeed; gives its output."""
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Failure(cannot_start(argv[0], error)) from error
    if done.returncode != 0:
        raise Failure(f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def wait_for(what, condition, timeout_s=10, every_s=0.05):
    """Wait until CONDITION() gives something true, and give that; else say WHAT did not happen."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {timeout_s} s")
        time.sleep(every_s)
