"""The demo's doors: a caretaker's page, a door with a QR scanner, and one with NFC where this machine lets us have one."""
import http.client
import json
import os
import re
import signal
import ssl
import subprocess

import nfc
from processes import Failure, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
NFC_BUILDING, SCANNER_BUILDING, CARETAKER_BUILDING = "6c796f6e00000001", "6c796f6e00000002", "6c796f6e00000003"
ANSWER = re.compile(r"^(open|shut|refused)( |$)")


def in_french(answer):
    """What a door said, as the demo's page shows it."""
    word, _, reason = answer.partition(" ")
    return {"open": "ouvre", "shut": "la commande qui ouvre n'a pas pu être lancée"}.get(word, "refuse") + (f" ({reason})" if reason else "")


class Doors:
    def __init__(self, region, program, port):
        self.region, self.program, self.port = region, program, port
        self.why_no_nfc = nfc.why_not()
        self.way_in = None
        self.link = None
        self.fifo = os.path.join(region.folder, "scanner")

    def folder(self, name):
        return os.path.join(self.region.folder, name)

    def status_list(self):
        """What the console serves to caretakers' pages; None while there is no list yet."""
        context = ssl.create_default_context(cafile=os.path.join(self.region.dir, "ca.pem"))
        connection = http.client.HTTPSConnection("localhost", self.region.console_port, context=context, timeout=10)
        try:
            connection.request("GET", "/caretaker/data/status")
            answer = connection.getresponse()
            return answer.read() if answer.status == 200 else None
        except OSError:
            return None
        finally:
            connection.close()

    def make(self):
        """What the region gives to each door; with it comes the status list of now, as whoever puts a door up brings it."""
        self.region.vigie("trust", "publish")
        wait_for("the region's first status list", self.status_list, 20)
        for name, kind, building in (("door-nfc", "nfc", NFC_BUILDING), ("door-scanner", "scanner", SCANNER_BUILDING)):
            self.region.vigie("door", "add", "--building", building, "--class", kind, "--name", "porte sur rue", "--at", self.folder(name),
                              "--open", f"/usr/bin/touch {self.folder(name)}/opened", "--out", self.folder(name))
            os.mkdir(os.path.join(self.folder(name), "state"))
        page = f"https://localhost:{self.region.console_port}/caretaker/"
        self.link = self.region.vigie("door", "add", "--building", CARETAKER_BUILDING, "--class", "caretaker", "--name", "loge",
                                      "--page", page).split()[-1]

    def command(self, name):
        return [self.program, "-c", os.path.join(self.folder(name), "door.conf"), "-o", f"state.path={self.folder(name)}/state"]

    def start(self):
        self.make()
        os.mkfifo(self.fifo)
        self.region.process("door-scanner", self.command("door-scanner"), ready=True, stdin=self.fifo).start()
        if not self.why_no_nfc:
            self.way_in = nfc.way_in(self.region.folder, self.port)
            self.region.process("door-nfc", nfc.command(self.region.folder, self.command("door-nfc")), ready=True).start()

    def stop(self):
        if self.way_in:
            self.way_in.close()

    def answers(self, name):
        """What the door said, one line for each answer."""
        with open(self.region.processes[name].log, encoding="utf-8", errors="replace") as file:
            return [line.strip() for line in file if ANSWER.match(line)]

    def last_answers(self):
        """By door, how often it answered and what it said last, in French; "" where it said nothing yet."""
        said = {name: self.answers(name) for name in ("door-nfc", "door-scanner") if name in self.region.processes}
        return {name: f"{len(lines)} : {in_french(lines[-1])}" if lines else "" for name, lines in said.items()}

    def bring_list(self):
        """The newest list as a file to the scanner's door, to which no phone talks."""
        path = os.path.join(self.folder("door-scanner"), "status.list")
        with open(path + ".new", "wb") as file:
            file.write(self.status_list())
        os.replace(path + ".new", path)
        os.kill(self.region.processes["door-scanner"].pid, signal.SIGHUP)

    def next_answer(self, name, act, timeout_s=15):
        count = len(self.answers(name))
        act()
        return wait_for(f"an answer of {name}", lambda: self.answers(name)[count:], timeout_s)[0]

    def scan(self, shown=None):
        """Hold the QR that the carrier's phone shows, or SHOWN, which it showed before, before the scanner.  Gives the door's answer."""
        shown = shown or self.region.status("carrier").get("shown")
        if not shown:
            raise Failure("Le téléphone ne montre pas de QR.")
        if shown["way"] != "scanner":
            raise Failure("Ce QR est pour le gardien : sur le téléphone, touchez « Lecteur » sous le QR.")
        done = subprocess.run(["node", os.path.join(HERE, "scan.mjs")], input=json.dumps(shown["qr"]), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"scanner: {done.stderr.strip()}")

        def act():
            with open(self.fifo, "w", encoding="ascii") as file:
                file.write(done.stdout)
        return self.next_answer("door-scanner", act)

    def verify_log(self, name):
        """Whether the door's log is whole, and what the keeper says of the proofs in it."""
        keeper = os.path.join(self.region.folder, "keeper.sock")
        said = self.region.vigie("door-log", os.path.join(self.folder(name), "state"), "--duress", "--by", "delivre", "--second", "seconde",
                                 "--keeper", keeper).strip().splitlines()
        return [line for line in said if not line[0].isdigit()] + said[-1:]

    def state(self):
        return {"caretaker": self.link, "nfc": None if self.why_no_nfc else {"host": "127.0.0.1", "port": self.port}, "why_no_nfc": self.why_no_nfc,
                "folders": {name: self.folder(name) for name in ("door-nfc", "door-scanner")}, "scanner": self.fifo}
