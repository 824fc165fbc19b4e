"""The demo's NFC door: pcscd, its virtual reader and vigie-door, in network and mount namespaces of their own, because pcscd wants
/run/pcscd and the reader listens on a TCP port of all addresses; and the way in: a phone outside connects to a port of 127.0.0.1, what
it says goes through a unix socket in the demo's folder to the reader inside.

    nfc.py FOLDER DOOR-COMMAND...      what runs inside"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

DRIVER = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
READER_PORT = 35963  # inside: nobody else's
SCRIPT = 'ip link set lo up && mount -t tmpfs none /run && mkdir /run/pcscd && exec "$@"'


def spaces():
    """The command that runs another in namespaces of its own."""
    user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", "--net", "--mount", "--propagation", "private", *user, "sh", "-c", SCRIPT, "sh"]


def why_not():
    """Why there can be no NFC door here, or None."""
    if shutil.which("pcscd") is None or not os.path.exists(DRIVER):
        return "pcscd or its virtual reader is not installed (ops/install demo)"
    try:
        done = subprocess.run([*spaces(), "true"], capture_output=True, check=False, text=True)
    except OSError as error:
        return f"unshare: {error.strerror}"
    if done.returncode == 0:
        return None
    return "no network and mount namespaces of one's own here: " + (done.stderr.strip().splitlines() or ["refused"])[-1]


def command(folder, door):
    return [*spaces(), sys.executable, "-B", os.path.abspath(__file__), folder, *door]


def pump(source, target):
    try:
        while piece := source.recv(4096):
            target.sendall(piece)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def relay(listener, connect):
    """Everybody who comes to LISTENER is joined with what CONNECT() opens, in threads that end with the process."""
    def join(near):
        try:
            far = connect()
        except OSError:
            near.close()
            return
        back = threading.Thread(target=pump, args=(far, near), daemon=True)
        back.start()
        pump(near, far)
        back.join()
        near.close()
        far.close()

    def serve():
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=join, args=(near,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()


def reader_socket(folder):
    return os.path.join(folder, "reader.sock")


def way_in(folder, port):
    """127.0.0.1:PORT leads to the reader inside.  Gives the listener, to be closed at the end."""
    def connect():
        far = socket.socket(socket.AF_UNIX)
        far.connect(reader_socket(folder))
        return far
    listener = socket.create_server(("127.0.0.1", port))
    relay(listener, connect)
    return listener


def without_polkit():
    """Debian 13's pcscd asks polkit about each client, which is not in here; Debian 12's does not know it."""
    said = subprocess.run(["pcscd", "--help"], capture_output=True, check=False, text=True)
    return [word for word in ("--disable-polkit",) if word in said.stdout + said.stderr]


def inside(folder, door):
    readers = os.path.join(folder, "readers")
    os.makedirs(readers, exist_ok=True)
    with open(os.path.join(readers, "virtual"), "w", encoding="utf-8") as file:
        file.write(f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{READER_PORT:#x}\nLIBPATH {DRIVER}\nCHANNELID {READER_PORT:#x}\n')
    children = [subprocess.Popen(["pcscd", "--foreground", "--config", readers, *without_polkit()])]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    end = time.monotonic() + 15
    while not os.path.exists("/run/pcscd/pcscd.comm") and time.monotonic() < end and children[0].poll() is None:
        time.sleep(0.02)
    if os.path.exists(reader_socket(folder)):
        os.remove(reader_socket(folder))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(reader_socket(folder))
    listener.listen()
    relay(listener, lambda: socket.create_connection(("127.0.0.1", READER_PORT), 5))
    children.append(subprocess.Popen(door, close_fds=False))  # with it --ready-fd
    while not stop.wait(0.2) and all(child.poll() is None for child in children):
        pass
    for child in reversed(children):
        if child.poll() is None:
            child.terminate()
    for child in reversed(children):
        try:
            child.wait(3)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    return 0 if stop.is_set() else 1


if __name__ == "__main__":
    sys.exit(inside(sys.argv[1], sys.argv[2:]))
