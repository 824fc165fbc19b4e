"""The same kills for what people would pick instead: mosquitto 2.0, QoS 1, persistent session, saved at every change.

    publisher    sends alerts at the same steady rate, each with its number, and keeps each until its PUBACK came (paho's own queue: it
                 sends what is not acknowledged again after a reconnect, as a good client does).  Acknowledged = PUBACK came
    subscriber   a control room with a persistent session: connected at first, then away, as a console is in a storm; at the end it comes
                 back and gets what was kept for it.  Lost = acknowledged, and never came
    doubled      came more than once.  QoS 1 allows that; the receiver must know copies

The broker is killed by kill -9 as often as our dispatchers and stores are, and comes back RESTART_S later."""
import getpass
import os
import random
import subprocess
import threading
import time

import paho.mqtt
import paho.mqtt.client as mqtt
from keeper import RESTART_S
from processes import Process, wait_for
from region import free_port

CONFIGURATION = """listener {port} 127.0.0.1
user {user}
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_on_changes true
autosave_interval 1
max_queued_messages 0
max_inflight_messages 0
"""
SETTINGS = "QoS 1, clean_session false, autosave_on_changes true, autosave_interval 1, no limit of queued messages"
TOPIC = "alerts"


def version():
    text = subprocess.run(["/usr/sbin/mosquitto", "-h"], capture_output=True, text=True, check=False).stdout
    return text.split("\n")[0].replace("version ", "")


class Peer:
    def __init__(self, folder, rate, seed):
        self.folder = os.path.join(folder, "mosquitto")
        os.makedirs(self.folder)
        self.rate, self.random = rate, random.Random(seed)
        self.port = free_port()
        path = os.path.join(self.folder, "mosquitto.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(port=self.port, folder=self.folder, user=getpass.getuser()))
        self.broker = Process("mosquitto", ["/usr/sbin/mosquitto", "-c", path], self.folder, port=self.port)
        self.lock = threading.Lock()
        self.planned = {}  # mid -> (number, planned s)
        self.early = set()
        self.acknowledged = {}  # number -> s it took
        self.came = {}  # number -> how often
        self.ending = False
        self.kills = self.pressed = 0
        self.killer = None

    def client(self, name, clean):
        client = mqtt.Client(name, clean_session=clean, protocol=mqtt.MQTTv311)
        client.reconnect_delay_set(1, 1)
        client.max_inflight_messages_set(1000)
        client.max_queued_messages_set(0)
        return client

    # ---- both sides ------------------------------------------------------------------------------------------------------------

    def subscriber(self):
        client = self.client("control-room", False)

        def on_message(_, __, message):
            number = int(message.payload.split()[0])
            with self.lock:
                self.came[number] = self.came.get(number, 0) + 1
        client.on_message = on_message
        client.on_connect = lambda c, *_: c.subscribe(TOPIC, 1)
        client.connect_async("127.0.0.1", self.port)
        client.loop_start()
        wait_for("mosquitto takes the subscriber", client.is_connected)
        return client

    def publish(self):
        client = self.client("phones", False)

        def on_publish(_, __, mid):
            with self.lock:
                if mid not in self.planned:
                    self.early.add(mid)  # before publish() has told us its number
                    return
                number, at = self.planned.pop(mid)
                self.acknowledged[number] = time.monotonic() - at
        client.on_publish = on_publish
        client.connect_async("127.0.0.1", self.port)
        client.loop_start()
        wait_for("mosquitto takes the publisher", client.is_connected)
        begun, number = time.monotonic(), 0
        while not self.ending:
            self.pressed = number + 1
            planned = begun + number / self.rate
            time.sleep(max(0, planned - time.monotonic()))
            info = client.publish(TOPIC, f"{number} {'x' * 120}", 1)  # not under our lock: it takes paho's own
            with self.lock:
                if info.mid in self.early:
                    self.early.remove(info.mid)
                    self.acknowledged[number] = time.monotonic() - planned
                else:
                    self.planned[info.mid] = (number, planned)
            number += 1
        wait_for("the last PUBACK", lambda: not self.planned, 30)
        client.loop_stop()
        client.disconnect()

    # ---- the kills -------------------------------------------------------------------------------------------------------------

    def start(self):
        """The control room was there once, and is away from then on; the publisher begins."""
        self.broker.start()
        subscriber = self.subscriber()
        time.sleep(0.5)
        subscriber.loop_stop()
        subscriber.disconnect()
        self.publisher = threading.Thread(target=self.publish, daemon=True)
        self.publisher.start()

    def storm(self, kills, every_s):
        """Kill after kill, in a thread of its own, beside ours."""
        self.killer = threading.Thread(target=self._storm, args=(kills, every_s), daemon=True)
        self.killer.start()

    def _storm(self, kills, every_s):
        while self.kills < kills and not self.ending:
            time.sleep(max(0.1, every_s * (0.6 + 0.8 * self.random.random()) - RESTART_S))
            self.broker.kill()
            self.kills += 1
            time.sleep(RESTART_S)
            self.broker.start()

    def finish(self):
        """All is up: what was not acknowledged is, and the control room comes back for what was kept for it."""
        self.ending = True
        self.publisher.join(90)
        subscriber = self.subscriber()
        before = -1
        while len(self.came) != before:  # until nothing more comes
            before = len(self.came)
            time.sleep(2)
        subscriber.loop_stop()

    def stop(self):
        self.ending = True
        if self.killer:
            self.killer.join(10)  # it starts the broker again
        self.broker.stop()

    def lost(self):
        return [n for n in self.acknowledged if n not in self.came]

    def doubled(self):
        return [n for n, times in self.came.items() if times > 1]

    def report(self):
        return (f"{version()}, {self.kills} kills of the broker, {self.pressed} sent: {len(self.acknowledged)} acknowledged (PUBACK), {len(self.lost())} lost, "
                f"{len(self.doubled())} doubled\n  ({SETTINGS}; paho-mqtt {paho.mqtt.__version__}, 1 s before it reconnects)")

