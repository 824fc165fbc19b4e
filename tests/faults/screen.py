"""A control room at a console, as its page is one: logged in, a WebSocket, a snapshot and then the feed; back after each loss.  It closes
what it is shown after a while, and takes some of it first, at the same moment as the other one does."""
import json
import os
import ssl
import threading
import time
import zlib

from wsclient import WebSocket, login

OPEN_FOR_S = (0.2, 3)  # most are closed after that long
LONG_S = 60  # every 16th is open for longer, through many deaths
AGAIN_S = 4  # what was asked and is still open then is asked again
A_SECOND = 8  # commands: the console takes 10 from one page


class Screen(threading.Thread):
    def __init__(self, observer, name, port, user, password, ca):
        super().__init__(daemon=True, name=name)
        self.observer, self.port, self.user, self.password, self.ca = observer, port, user, password, ca
        self.ending = False
        self.works = True  # closes and takes
        self.cookie = None
        self.open = {}  # id -> alert, as this page shows it
        self.whole = False  # a snapshot was read to its end on this socket
        self.snapshots = 0
        self.due = {}  # id -> when to ask for what: (time, verb)
        self.socket = None
        self.listed, self.fresh = [], {}
        self.all_now = False  # what is open is closed at once
        self.begun_s = time.monotonic()

    def run(self):
        while not self.ending:
            try:
                self._connect()
                while not self.ending:
                    self._hear(self.socket.receive(0.05))
                    self._work()
            except (OSError, ConnectionError, TimeoutError, ssl.SSLError, json.JSONDecodeError):
                self.whole = False
                if self.socket:
                    self.socket.close()
                self.socket = None
                time.sleep(0.2)

    def _connect(self):
        if not self.cookie:
            self.cookie = login("localhost", self.port, self.user, self.password, self.ca)
        try:
            self.socket = WebSocket("localhost", self.port, self.cookie, self.ca)
        except ConnectionError:
            self.cookie = None
            raise
        self.last_s = time.monotonic()

    def _hear(self, text):
        now = time.monotonic()
        if text is None:
            if now - self.last_s > 5:
                raise ConnectionError("blind")
            return
        self.last_s = now
        if text["t"] == "begin":
            self.whole, self.listed, self.fresh = False, [], {}
        elif text["t"] == "alert":
            self._show(text["alert"], text["e"])
        elif text["t"] == "end":
            self.observer.console_lists(self.name, self.listed)
            self.open = self.fresh  # what is not in it was closed meanwhile
            self.whole = True
            self.snapshots += 1
        elif text["t"] == "tick" and not text["store"]:
            self.whole = False

    def _show(self, alert, event):
        id = alert["id"]
        shows = self.open if self.whole else self.fresh
        if not self.whole:
            self.listed.append(id)
        self.observer.console_shows(self.name, alert, event if self.whole else None)  # in a snapshot it is what happened last
        if alert["state"] == "closed":
            shows.pop(id, None)
            self.due.pop(id, None)
        elif id not in shows or shows[id]["v"] <= alert["v"]:
            shows[id] = alert
            self.due.setdefault(id, self._plan(id))

    def _plan(self, id):
        """When it is to be asked for, and for what: by the id, so that both screens take at the same moment."""
        drawn = zlib.crc32(id.encode())
        now = time.monotonic()
        if drawn % 3 == 0:
            return now + 0.1, "take"
        if drawn % 16 == 1:
            return now + LONG_S, "close"
        return now + OPEN_FOR_S[0] + drawn % 1000 / 1000 * (OPEN_FOR_S[1] - OPEN_FOR_S[0]), "close"

    def _work(self):
        now = time.monotonic()
        if not self.works or not self.whole or now - self.begun_s < 1 / A_SECOND:
            return
        for id, (at, verb) in self.due.items():
            if id in self.open and (at <= now or (self.all_now and verb != "close again")):
                self.begun_s = now
                self._ask(id, verb)
                return

    def _ask(self, id, verb):
        now = time.monotonic()
        if verb == "take" and not self.all_now and self.open[id]["state"] in ("raised", "asked", "seen"):
            self.due[id] = (now + 1 + zlib.crc32(id.encode()) % 7 * 0.3, "close")
            self.socket.send({"t": "take", "c": os.urandom(8).hex(), "alert": id})
            return
        if zlib.crc32(id.encode()) // 48 % 2 != int(self.name[-1]) % 2 and id in self.due and self.due[id][1] == "close":
            self.due[id] = (now + AGAIN_S, "close again")  # the other screen's to close; ours if it does not
            return
        self.due[id] = (now + AGAIN_S, "close again")
        self.observer.we_close(id)
        self.socket.send({"t": "close", "c": os.urandom(8).hex(), "alert": id, "reason": "other"})

    def end(self):
        self.ending = True
        self.join(10)
