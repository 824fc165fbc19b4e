"""The SMS part of `make bench`: press to SMS in the modem, SMS at Kannel to the console, alerts a second through the SMS door.

Real parts (handset, modem on a terminal, Kannel, dispatchers, Redis, console); the network between adds no delay of its own here.
Open loop: what is late counts from its planned time."""
import http.client
import os
import queue
import subprocess
import threading
import time
import urllib.parse

import sms
from check import Desk
from processes import Failure, wait_for
from region import BIN, PASSWORD, Region

PRESSES = 8
STALLED_PRESSES = 3
KANNEL_RATE, KANNEL_COUNT = 10, 100
DOOR_RUNS = [(50, 500), (200, 2000)]    # alerts a second, alerts
DOOR_CONNECTIONS = 32                   # as many posts at once; smsbox opens about as many
RECEIPT_WAIT_S = 30


def quantiles(times_s):
    times = sorted(times_s)
    pick = lambda q: round(1e6 * times[min(len(times) - 1, int(q * len(times)))])  # noqa: E731
    return {"count": len(times), "p50_us": pick(0.5), "p99_us": pick(0.99), "p999_us": pick(0.999), "max_us": round(1e6 * times[-1])}


class SmsBench(Region):
    """A region with one phone, which has a modem."""

    def __init__(self):
        super().__init__(fleet=False, with_sms=True)
        self.sms.factor = 0.01

    def start_gps(self, name, port, log):
        pass

    def start_handset(self, name, gpsd_port):
        if name == "carrier":
            super().start_handset(name, gpsd_port)
        else:
            self.handsets[name]["port"] = 0


def submitted_since(region, line):
    """When the first SMS of the carrier's modem after log line LINE was handed over, or None."""
    log = region.sms.ask(log=line)["log"]
    return next((entry["time_s"] for entry in log if entry["what"] == "submitted" and entry["from"] == sms.MODEMS["carrier"]), None)


def one_press(region, desk, spoil):
    """Seconds from the press to its SMS in the network, with data spoilt by SPOIL before."""
    spoil()
    line = region.sms.ask(state={})["logged"]
    known = set(desk.look())
    pressed = time.time()
    region.say("carrier", "press")
    at = wait_for("the SMS", lambda: submitted_since(region, line), 20)
    region.proxy.mend()
    alert = wait_for("the alert", lambda: next((a for i, a in desk.look().items() if i not in known), None), 30)
    desk.command("close", alert["id"], reason="other")
    wait_for("closed on the phone", lambda: (region.status("carrier")["alert"] or {"word": "none"})["word"] in ("closed", "none"), 60)
    region.say("carrier", "dismiss")
    wait_for("the link", lambda: region.status("carrier")["link"] == "welcome", 60)
    return at - pressed


def presses(region, desk):
    def cut():
        region.proxy.cut()
        wait_for("the link's end", lambda: region.status("carrier")["link"] != "welcome")

    wait_for("the link", lambda: region.status("carrier")["link"] == "welcome", 20)
    wait_for("the modem", lambda: region.status("carrier")["sms"]["modem"] == "ready", 60)
    return (quantiles([one_press(region, desk, cut) for _ in range(PRESSES)]),
            quantiles([one_press(region, desk, region.proxy.stall) for _ in range(STALLED_PRESSES)]))


def alerts_of(region, count, prefix):
    """COUNT signed alerts of as many enrolled phones: (number, alert id, octets)."""
    done = subprocess.run([os.path.join(BIN, "vigie-fleet"), "sms", "--region", region.dir, "--carriers", str(count), "--prefix", prefix],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"vigie-fleet sms: exit {done.returncode}\n{done.stderr}")
    time.sleep(1)  # the dispatchers hear of the new phones
    return [(number, alert, bytes.fromhex(octets)) for number, alert, octets in (line.split() for line in done.stdout.splitlines())]


UDH = "0605043f130000"


def through_kannel(region, desk):
    """Each alert into the operator's line at its planned time; until it is on the console."""
    alerts = alerts_of(region, KANNEL_COUNT, "k")
    planned, seen = {}, {}
    client, start = region.network, time.time() + 0.2
    for i, (number, alert, octets) in enumerate(alerts):
        planned[alert] = start + i / KANNEL_RATE
        while (left := planned[alert] - time.time()) > 0:
            note(desk, seen, min(left, 0.01))
        client.ask(send={"from": number, "to": sms.NUMBER, "hex": octets.hex(), "udh": UDH, "now": True})
    end = time.time() + RECEIPT_WAIT_S
    while time.time() < end and not planned.keys() <= seen.keys():
        note(desk, seen, 0.01)
    client.close()
    return quantiles([seen[alert] - planned[alert] for alert in planned if alert in seen]), sum(alert not in seen for alert in planned)


def note(desk, seen, timeout_s):
    message = desk.socket.receive(timeout_s)
    if message and message["t"] == "alert":
        seen.setdefault(message["alert"]["id"], time.time())


def poster(region, jobs, times, refused):
    """Post what JOBS has, each at its time; a 200 is that the alert is durable."""
    connection = http.client.HTTPConnection("127.0.0.1", region.sms.door_port, timeout=RECEIPT_WAIT_S)
    headers = {"X-Kannel-Coding": "1", "X-Kannel-UDH": urllib.parse.quote(bytes.fromhex(UDH)), "Content-Type": "application/octet-stream"}
    while (job := jobs.get()) is not None:
        at, path, number, octets = job
        try:
            connection.request("POST", path, octets, {**headers, "X-Kannel-From": number})
            answer = connection.getresponse()
            answer.read()
            (times if answer.status == 200 else refused).append(time.time() - at)
        except OSError:
            refused.append(time.time() - at)
            connection.close()
    connection.close()


def through_the_door(region, rate, count, prefix):
    secret = region.sms.secret()
    jobs, times, refused = queue.Queue(), [], []
    work = alerts_of(region, count, prefix)
    threads = [threading.Thread(target=poster, args=(region, jobs, times, refused)) for _ in range(DOOR_CONNECTIONS)]
    for thread in threads:
        thread.start()
    start = time.time() + 0.2
    for i, (number, alert, octets) in enumerate(work):
        at = start + i / rate
        time.sleep(max(0, at - time.time()))
        jobs.put((at, f"/sms/in?secret={secret}&id={alert}", number, octets))
    for _ in threads:
        jobs.put(None)
    for thread in threads:
        thread.join()
    return quantiles(times) if times else None, len(refused)


def show(name, h):
    print(f"  {name:38} {h['count']:6} " + " ".join(f"{h[q] / 1000:9.2f}" for q in ("p50_us", "p99_us", "p999_us", "max_us")))


def run():
    """All of it; gives the figures, or None where something was lost."""
    region = SmsBench()
    lost = 0
    try:
        region.start()
        desk = Desk(region, "regie", PASSWORD)
        desk.look(1)
        print(f"\nBy SMS\n  {'':38} {'count':>6} {'p50':>9} {'p99':>9} {'p99.9':>9} {'max':>9}  (ms)")
        result = {}
        result["press_to_modem"], result["press_to_modem_stalled"] = presses(region, desk)
        show("press to SMS in the modem, link down", result["press_to_modem"])
        show("press to SMS in the modem, link stalled", result["press_to_modem_stalled"])
        result["kannel_to_console"], lost = through_kannel(region, desk)
        show(f"SMS at Kannel to console, {KANNEL_RATE}/s", result["kannel_to_console"])
        desk.close()
        for rate, count in DOOR_RUNS:
            result[f"door_{rate}"], refused = through_the_door(region, rate, count, f"d{rate}-")
            lost += refused
            show(f"SMS door to durable, {rate}/s", result[f"door_{rate}"])
        print(f"  lost or refused: {lost}")
        return result if lost == 0 else None
    except Failure as failure:
        print(f"bench: {failure}")
        return None
    finally:
        region.stop()
