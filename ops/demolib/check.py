"""./ops/demo --check: one whole scenario without a human, on the real parts.  Each step says what it saw; the first that does not
happen ends it."""
import json
import os
import shutil
import subprocess
import time

import passes
import sms
from processes import Failure, wait_for
from region import PIN
from wsclient import WebSocket, login


class Desk:
    """The control room as its page sees it: what the WebSocket told, by alert."""

    def __init__(self, region, user, password):
        host, port, ca = "localhost", region.console_port, os.path.join(region.dir, "ca.pem")
        self.socket = WebSocket(host, port, login(host, port, user, password, ca), ca)
        self.alerts, self.people, self.snapshot = {}, {}, set()

    def look(self, timeout_s=0.02):
        while message := self.socket.receive(timeout_s):
            if message["t"] == "begin":
                self.snapshot = set()
            elif message["t"] == "end":  # what is not in a snapshot was closed while the store was away
                for missing in self.alerts.keys() - self.snapshot:
                    self.alerts[missing]["state"] = "closed"
            elif message["t"] == "alert":
                self.alerts[message["alert"]["id"]] = message["alert"]
                self.snapshot.add(message["alert"]["id"])
            elif message["t"] == "people":
                self.people.update((person["id"], person) for person in message["people"])
        return self.alerts

    def close(self):
        self.socket.close()

    def command(self, verb, alert, **rest):
        self.socket.send({"t": verb, "c": os.urandom(8).hex(), "alert": alert, **rest})


class Play:
    def __init__(self, region, say, other_gps, stop):
        self.region, self.say, self.other_gps, self.stop = region, say, other_gps, stop
        self.began = time.monotonic()
        self.left_out = []
        self.desk = Desk(region, "regie", "demo-lyon-2026")
        self.desk.look(1)
        # Who has no position yet is asked after those who have one.
        wait_for("the region knows where Paul and Inès are", lambda: self.placed("s001") and self.placed("s002"), 30)

    # ---- looking ----

    def placed(self, person):
        self.desk.look()
        return self.desk.people.get(person, {}).get("position")

    def leave_out(self, what, why):
        self.left_out.append(what)
        self.told(f"left out: {what}: {why}")

    def told(self, text):
        self.say(f"  {time.monotonic() - self.began:6.2f} s  {text}")

    def until(self, what, condition, timeout_s=10):
        def look():
            if self.stop.is_set():
                raise Failure("interrupted")
            return condition()
        value = wait_for(what, look, timeout_s, 0.03)
        self.told(what)
        return value

    def on_desk(self, what, known, condition, timeout_s=10):
        """The alert that is not among KNOWN and of which CONDITION holds."""
        return self.until(what, lambda: next((a for i, a in self.desk.look().items() if i not in known and condition(a)), None), timeout_s)

    def carrier(self):
        return self.region.status("carrier")["alert"] or {"word": "none", "who": ""}

    def ring(self, alert):
        rings = self.region.status("supervisor")["rings"]
        return next((ring for ring in rings if ring["id"] == alert["id"]), None)

    def close(self, alert, reason):
        self.desk.command("close", alert["id"], reason=reason)
        self.on_desk(f"the console shows it closed ({reason})", (), lambda a: a["id"] == alert["id"] and a["state"] == "closed")

    def dismiss(self):
        self.until("the carrier reads that it is closed", lambda: self.carrier()["word"] in ("closed", "none"))
        self.region.say("carrier", "dismiss")

    def known(self):
        return set(self.desk.look())

    # ---- scenes ----

    def press(self):
        known = self.known()
        self.region.say("carrier", "press")
        alert = self.on_desk("the console shows the alert, by WebSocket", known, lambda a: a["kind"] == "panic")
        if not self.other_gps and not alert["position"]:
            raise Failure("the alert has no position, though gpsd has a fix")
        self.until("the carrier reads that it was received", lambda: self.carrier()["word"] in ("received", "asked", "seen"))
        # With another log the carrier may be anywhere, or nowhere: the demo's supervisor is asked with everybody, after 60 s.
        # A dispatcher that hears where he is before it hears that he is on duty knows it 15 s later, by his phone's next word.
        self.until("the supervisor's phone rings", lambda: self.ring(alert), 75 if self.other_gps else 30)
        self.region.say("supervisor", "seen", alert["id"])
        self.region.say("supervisor", "take", alert["id"])
        self.on_desk("the console shows who took it", (), lambda a: a["id"] == alert["id"] and a["owner_name"] == "Paul Martin")
        self.until("the carrier's phone says who: Paul Martin", lambda: self.carrier()["who"] == "Paul Martin")
        self.region.say("supervisor", "on-my-way", alert["id"])
        self.until("the carrier's phone says that he is on the way", lambda: self.carrier()["word"] == "en_route")
        self.region.say("supervisor", "close", alert["id"], "helped")
        self.on_desk("the console shows it closed", (), lambda a: a["id"] == alert["id"] and a["state"] == "closed")
        self.dismiss()

    def silent(self):
        known = self.known()
        self.region.say("carrier", "press", "--silent")
        alert = self.on_desk("the console shows a silent alert", known, lambda a: "silent" in a["marks"])
        if self.carrier()["word"] != "none":
            raise Failure("the carrier's phone shows something of a silent alert")
        self.told("the carrier's phone shows nothing")
        self.close(alert, "other")

    def drill(self):
        known = self.known()
        self.region.say("carrier", "press", "--drill")
        alert = self.on_desk("the console shows it as a drill", known, lambda a: "drill" in a["marks"])
        self.close(alert, "drill_over")
        self.dismiss()

    def mistake(self):
        known = self.known()
        self.region.say("carrier", "press")
        alert = self.on_desk("the console shows the alert", known, lambda a: a["kind"] == "panic")
        self.until("the carrier reads that it was received", lambda: self.carrier()["word"] in ("received", "asked", "seen"))
        self.region.say("carrier", "cancel", PIN)
        alert = self.on_desk("the console shows 'it was a mistake', and the alert still open", (),
                             lambda a: a["id"] == alert["id"] and "mistake" in a["marks"] and a["state"] != "closed")
        self.close(alert, "mistake")
        self.dismiss()

    def without_gpsd(self):
        known = self.known()
        self.region.processes["gpsd"].kill()
        self.told("gpsd is killed")
        self.region.say("carrier", "press")
        alert = self.on_desk("the console shows the alert all the same", known, lambda a: a["kind"] == "panic", 5)
        self.region.restart("gpsd")
        self.close(alert, "other")
        self.dismiss()

    def cut_data(self):
        self.region.proxy.cut()
        self.until("data is cut, and the phone knows it", lambda: self.region.status("carrier")["link"] != "welcome")

    def telephone(self, what, word, count, timeout_s=30):
        """The first SMS of the plain telephone, from the COUNT'th on, that says WORD."""
        def look():
            return next((m for m in self.region.sms.inbox(sms.PLAIN)[count:] if word in m["text"]), None)
        return self.until(what, look, timeout_s)

    def without_data(self):
        known, before = self.known(), len(self.region.sms.inbox(sms.PLAIN))
        self.cut_data()
        self.until("its modem is ready", lambda: self.region.status("carrier")["sms"]["modem"] == "ready", 30)
        self.region.say("carrier", "press")
        alert = self.on_desk("the console shows the alert, by SMS", known, lambda a: a["kind"] == "panic" and a["paths"] == ["sms"], 30)
        self.until("the carrier reads, by SMS, that it was received", lambda: self.carrier()["word"] in ("received", "asked", "seen") and
                   self.carrier()["received_path"] == "sms", 30)
        self.telephone("Inès, who has a telephone only, is asked by SMS", "Camille Roux", before, 90 if self.other_gps else 30)
        before = len(self.region.sms.inbox(sms.PLAIN))
        self.region.sms.say(sms.PLAIN, "Oui !")
        self.on_desk("she answers 'Oui !': the console shows that she has it, by SMS", (),
                     lambda a: a["id"] == alert["id"] and a["owner_name"] == "Inès Caron" and a["owner_by"] == "sms", 20)
        self.until("the carrier's phone, by SMS, says who: Inès Caron", lambda: self.carrier()["who"] == "Inès Caron", 30)
        self.until("and an SMS tells her that it is hers", lambda: len(self.region.sms.inbox(sms.PLAIN)) > before, 20)
        self.region.proxy.mend()
        self.until("data is back: the phone is there again", lambda: self.region.status("carrier")["link"] == "welcome", 20)
        if self.known() - known != {alert["id"]}:
            raise Failure("more than one alert came of one press")
        self.close(alert, "helped")
        self.dismiss()

    def a_pass(self):
        passes.play(self)

    def across_a_kill(self):
        known = self.known()
        self.cut_data()
        self.region.sms.ask(modem=sms.MODEMS["carrier"], state="no_network")
        self.until("nor is there a network for SMS, and the phone knows it",
                   lambda: self.region.status("carrier")["sms"]["modem"] == "no_network", 30)
        self.region.say("carrier", "press")
        self.until("the carrier reads 'not sent yet'", lambda: self.carrier()["word"] == "not_sent")
        self.region.processes["carrier"].kill()
        self.told("the carrier's phone is killed (kill -9)")
        self.region.restart("carrier")
        self.until("started again, it still has the alert: 'not sent yet'", lambda: self.carrier()["word"] == "not_sent")
        if self.known() - known:
            raise Failure("the console shows an alert though data is cut")
        self.region.proxy.mend()
        alert = self.on_desk("data is back: the console shows the alert", known, lambda a: a["kind"] == "panic", 20)
        self.region.sms.ask(modem=sms.MODEMS["carrier"], state="ready")
        self.until("the carrier reads that it was received", lambda: self.carrier()["word"] in ("received", "asked", "seen"))
        if len(self.known() - known) != 1:
            raise Failure("more than one alert came of one press")
        self.close(alert, "other")
        self.dismiss()


SCENES = [("a press, taken, closed", "press"), ("a silent one", "silent"), ("a drill", "drill"), ("a mistake", "mistake"),
          ("with gpsd dead", "without_gpsd"), ("a pass: issued, into the building, revoked, refused", "a_pass"), ("without data, by SMS", "without_data"), ("across a kill -9 of the phone", "across_a_kill")]


def play(region, say, other_gps, stop):
    """Play it all; say what was seen.  Gives whether all of it happened."""
    stage = Play(region, say, other_gps, stop)
    for title, name in SCENES:
        say(f"{title}:")
        try:
            getattr(stage, name)()
        except (Failure, ConnectionError) as failure:
            say(f"  FAILED: {failure}")
            keep_logs(region, say, stage.desk)
            return False
    ended = region.check_alive()
    if ended:
        say(f"FAILED: ended by themselves: {', '.join(ended)}")
        return False
    if not archived(region, stage):
        return False
    say(f"All of it happened, in {time.monotonic() - stage.began:.1f} s" + "".join(f"; left out: {what}" for what in stage.left_out) + ".")
    return True


def archived(region, stage):
    """All that the console showed closed is in the archive, and the archive is good."""
    try:
        wait_for("the archive has it all", lambda: all(is_archived(region, alert) for alert in stage.known()), 10)
        stage.told("the archive: " + region.verify_archive().strip().splitlines()[-2])
        return True
    except Failure as failure:
        stage.say(f"  FAILED: {failure}")
        return False


def is_archived(region, alert):
    folder = os.path.join(region.dir, "archive")
    files = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".archive")]
    return any(bytes.fromhex(alert) in open(name, "rb").read() for name in files)


def keep_logs(region, say, desk):
    folder = os.path.join("build", "demo-failed-log")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(region.logs, folder)
    with open(os.path.join(folder, "desk.json"), "w", encoding="utf-8") as file:
        json.dump({"alerts": desk.alerts, "people": desk.people, "sms": region.sms.ask(log=0)}, file, indent=1)
    for handset in region.handsets:
        done = subprocess.run([os.path.join(region.state()["binaries"], "vigie-handset"), "-c", region.handsets[handset]["config"],
                               "status", "--json"], capture_output=True, text=True, check=False)
        with open(os.path.join(folder, handset + ".status"), "w", encoding="utf-8") as file:
            file.write(done.stdout + done.stderr)
    say(f"  logs are kept in {folder}")
