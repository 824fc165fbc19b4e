"""./ops/demo: starts the region, prints where everything is, and waits for Ctrl-C; or plays one scenario (--check)."""
import argparse
import json
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import check  # noqa: E402
import passes  # noqa: E402
import stage  # noqa: E402
from processes import Failure  # noqa: E402
from region import DURESS, PASSWORD, PIN, ROOT, Region, free_port, wait_until_ready  # noqa: E402

TELEPHONE_PLACED_S = 300
STATE_FILE = os.path.join(ROOT, "build", "demo-state.json")


def options():
    parser = argparse.ArgumentParser(prog="ops/demo", description="All of Vigie on this machine, on private servers and free ports.")
    parser.add_argument("--check", action="store_true", help="play one whole scenario without a human; exit 0 only if all of it happened")
    parser.add_argument("--gps", metavar="LOG", help="what the carrier's gpsd is fed: any log that gpsfake reads")
    parser.add_argument("--state", metavar="FILE",
                        help="write addresses, logins, sockets, certificates and pids there, as JSON (build/demo-state.json; --check: none)")
    parser.add_argument("--restart", metavar="NAME", help="start again what was killed in the demo that runs (names: see pids in the state file)")
    parser.add_argument("--no-fleet", action="store_true", help="without the 220 simulated people")
    return parser.parse_args()


def say(text=""):
    print(text, flush=True)


def write_state(path, region, extra):
    temporary = f"{path}.{os.getpid()}"
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump({**region.state(), **extra}, file, indent=1)
    os.replace(temporary, path)


def tell(region, url):
    logins = "\n".join(f"    {row['login']:<8} {row['password']}   {row['name']} ({row['role']})" for row in region.state()["logins"])
    say(f"""
Everything on one page:   {url}
    Your browser will warn about the certificate: this demo's own authority signed it a minute ago and no browser knows it.
    It is right to warn; for this address on your own machine, go on.
Control room:             https://localhost:{region.console_port}/
Carrier's phone:          http://127.0.0.1:{region.handsets['carrier']['port']}/
Supervisor's phone:       http://127.0.0.1:{region.handsets['supervisor']['port']}/
Logins of the control room (login, password):
{logins}
Without data (button): SMS by Kannel to {region.alert_number}; Inès has a telephone only, at the foot of the page.
PIN of the carrier's phone: {PIN}; under threat: {DURESS}
Pass desk:                https://127.0.0.1:{region.console_port}/passes.html (delivre; seconde says yes to what needs two)
Doors:                    {"no NFC: " + region.doors.why_no_nfc if region.doors.why_no_nfc else "3 place Bellecour by NFC"}; 12 place Bellecour by a QR scanner;
    5 rue des Archers has a caretaker, whose link is  {region.doors.link}
The feed in a terminal:   build/release/bin/vigie -C {region.dir} watch
Logs:                     {region.logs}
Ctrl-C stops all of it and leaves nothing behind.""")


def running(path):
    """The pid of the demo whose state PATH is, or None where none runs."""
    try:
        with open(path, encoding="utf-8") as file:
            pid = json.load(file)["pid"]
        with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
            return pid if "demolib/main.py" in file.read() else None
    except (OSError, ValueError, KeyError):
        return None


def place_telephone(region):
    """Who has a telephone only says again where she is: a position of over 10 minutes comes after those of all others."""
    try:
        region.sms.telephone_on_duty(PASSWORD)
    except (Failure, OSError) as failure:
        say(f"demo: {failure}")  # the console is being killed, perhaps: the next time


def play(args):
    if not args.check and (other := running(args.state or STATE_FILE)):
        say(f"demo: one runs already (pid {other}, {args.state or STATE_FILE}); end it, or say --state FILE for a second one")
        return 1
    port = free_port()
    ancestor = f"https://localhost:{port}"
    region = Region(os.path.abspath(args.gps) if args.gps else None, fleet=not args.no_fleet, frame_ancestor=ancestor, with_sms=True,
                    alert_ports=2, doors=True)
    state = args.state or (os.path.join(region.folder, "state.json") if args.check else STATE_FILE)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    server = None
    try:
        say("Starting Redis, gpsd, dispatchers, console, Kannel, a mobile network and phones ...")
        region.start()
        server = stage.serve(region, port, lambda: write_state(state, region, {"stage": f"{ancestor}/", "pid": os.getpid()}))
        wait_until_ready(region)
        write_state(state, region, {"stage": f"{ancestor}/", "pid": os.getpid()})  # now: who waits for it may press at once
        if args.check:
            return 0 if check.play(region, say, bool(args.gps), stop) else 1
        passes.give_colleague(region)
        tell(region, f"{ancestor}/")
        pids, placed = region.state()["pids"], time.monotonic()
        while not stop.wait(1):
            if time.monotonic() - placed > TELEPHONE_PLACED_S:
                placed = time.monotonic()
                place_telephone(region)
            if pids != (pids := region.state()["pids"]):
                write_state(state, region, {"stage": f"{ancestor}/", "pid": os.getpid()})
        say("\nStopping.")
        return 0
    except (Failure, OSError) as failure:
        say(f"demo: {failure}")
        for name in region.check_alive():
            say(f"---- {name} ended; its last lines:\n{region.processes[name].tail()}")
        return 1
    finally:
        if server:
            server.shutdown()
        region.stop()
        if server and os.path.exists(state):
            os.remove(state)


def restart(args):
    """Ask the demo that runs."""
    import http.client
    import ssl
    try:
        with open(args.state or STATE_FILE, encoding="utf-8") as file:
            state = json.load(file)
    except OSError:
        say(f"demo: no demo runs ({args.state or STATE_FILE} is not there)")
        return 1
    host, port = "localhost", int(state["stage"].rstrip("/").rsplit(":", 1)[1])
    connection = http.client.HTTPSConnection(host, port, context=ssl.create_default_context(cafile=state["certificates"]["ca"]), timeout=30)
    connection.request("POST", f"/do/restart?{args.restart}", headers={"X-Demo": "1"})
    answer = connection.getresponse()
    say(answer.read().decode().strip())
    return 0 if answer.status == 200 else 1


def main():
    args = options()
    return restart(args) if args.restart else play(args)


if __name__ == "__main__":
    sys.exit(main())
