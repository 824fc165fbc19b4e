"""The demo's one page: the carrier's phone on the left, supervisor's phone and control room on the right, and buttons that break
things.  Served over TLS with the region's own certificate, so that the control room's strict cookie works inside the frame."""
import html
import http.server
import json
import os
import ssl
import threading
import urllib.parse

import passes
import sms
from doors import in_french
from processes import Failure
from region import PIN

HERE = os.path.dirname(os.path.abspath(__file__))
INBOX_SHOWN = 20   # SMS on the page, the last ones
TEXT_MAX = 160     # letters that are sent as an answer
BACK_AFTER_S = 8  # what a button killed is started again so long after, as systemd would do sooner


class Actions:
    """What the buttons do.  Each gives the sentence that says what to look at."""

    def __init__(self, region, changed):
        self.region, self.changed = region, changed

    def _kill(self, name, text):
        self.region.processes[name].kill()
        timer = threading.Timer(BACK_AFTER_S, self._back, [name])
        timer.daemon = True
        timer.start()
        return text

    def _back(self, name):
        try:
            self.region.restart(name)
            self.changed()
        except (Failure, OSError):
            pass  # the demo is being stopped

    def cut(self, _):
        self.region.proxy.cut()
        return ("Données coupées. Appuyez : l'alerte part par SMS ; la salle de contrôle la montre « par SMS », l'accusé revient par SMS au "
                "facteur, et Inès reçoit un SMS (en bas) : répondez OUI, le facteur lit qu'elle vient.")

    def sim_out(self, _):
        self.region.sms.ask(modem=sms.MODEMS["carrier"], state="no_sim")
        return ("La carte SIM du facteur est retirée : son téléphone le dit. Avec les données coupées aussi, le bouton ne marcherait pas : "
                "il l'affiche et propose le 112.")

    def sim_in(self, _):
        self.region.sms.ask(modem=sms.MODEMS["carrier"], state="ready")
        return "La carte SIM est remise : ce qui attendait part par SMS."

    def text(self, words):
        words = urllib.parse.unquote(words)[:TEXT_MAX]
        self.region.sms.say(sms.PLAIN, words)
        return f"Inès répond par SMS : « {words} »."

    def mend(self, _):
        self.region.proxy.mend()
        return "Données rétablies : ce qui attendait part maintenant."

    def dispatcher(self, _):
        self.region.kills = getattr(self.region, "kills", 0) + 1
        name = f"dispatcher-{1 + self.region.kills % 2}"
        return self._kill(name, f"{name} tué net (kill -9). Les téléphones passent à l'autre ; rien de ce qui était « reçu » ne se perd. "
                                f"Il revient dans {BACK_AFTER_S} s.")

    def redis(self, _):
        return self._kill("alerts", "Le Redis des alertes est tué net. La salle de contrôle dit qu'elle est aveugle ; un appui est gardé sur "
                                    f"disque (« en cours de confirmation »). Il revient dans {BACK_AFTER_S} s, et tout s'écrit.")

    def smash(self, _):
        self.region.processes["carrier"].kill()
        return ("Le téléphone du facteur est détruit. Si une alerte est ouverte : après 20 s, « plus de nouvelles depuis… ». "
                "Ramassez-le : l'alerte y est encore.")

    def pick_up(self, _):
        self.region.restart("carrier")
        self.changed()
        return "Le téléphone est rallumé : il relit son journal et se reconnecte."

    def nfc_hold(self, _):
        self._needs_nfc()
        self.region.say("carrier", "door")
        return "Le téléphone est sur le lecteur : s'il demande le code, tapez-le ; la porte répond à droite du bouton."

    def nfc_away(self, _):
        self.region.say("carrier", "door", "away")
        return "Le téléphone est retiré du lecteur."

    def nfc_colleague(self, _):
        self._needs_nfc()
        answer = passes.colleague_passes(self.region)
        return f"Sami, sur la même tournée, passe : la porte {in_french(answer)}. Une liste plus récente, s'il en a une, est restée à la porte."

    def _needs_nfc(self):
        if self.region.doors.why_no_nfc:
            raise Failure(f"Pas de porte NFC ici : {self.region.doors.why_no_nfc}")

    def scan(self, _):
        return f"La porte {in_french(self.region.doors.scan())}."

    def list(self, _):
        self.region.doors.bring_list()
        return "La liste d'état du moment est apportée au lecteur, comme un fichier : il n'a pas de réseau."

    def restart(self, name):
        if name == "proxy":
            return self.mend(name)
        self.region.restart(name)
        self.changed()
        return f"{name}: pid {self.region.processes[name].pid}"


NAMES = ("cut", "mend", "sim_out", "sim_in", "text", "dispatcher", "redis", "smash", "pick_up", "nfc_hold", "nfc_away", "nfc_colleague", "scan", "list", "restart")


def page(region):
    with open(os.path.join(HERE, "stage.html"), encoding="utf-8") as file:
        text = file.read()
    values = {"CARRIER": f"http://127.0.0.1:{region.handsets['carrier']['port']}/",
              "SUPERVISOR": f"http://127.0.0.1:{region.handsets['supervisor']['port']}/",
              "CONSOLE": f"https://localhost:{region.console_port}/", "PLAIN": sms.PLAIN,
              # another host name, another login: the control room's frame keeps its own
              "PASSES": f"https://127.0.0.1:{region.console_port}/passes.html", "CARETAKER": region.doors.link, "PIN": PIN,
              "NFC": f"pas ici : {region.doors.why_no_nfc}" if region.doors.why_no_nfc else ""}
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", html.escape(value))
    return text


def inbox(region):
    """What the plain telephone received, as the page shows it; nothing while the network is away."""
    try:
        return json.dumps([message["text"] for message in region.sms.inbox(sms.PLAIN)[-INBOX_SHOWN:]])
    except (OSError, ValueError, sms.NetworkError):
        return "[]"


def handler(region, changed):
    actions = Actions(region, changed)
    static = {"/stage.css": "text/css", "/stage.js": "text/javascript"}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status, text, kind="text/plain"):
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind + "; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            if self.path == "/":
                self.answer(200, page(region), "text/html")
            elif self.path == "/inbox":
                self.answer(200, inbox(region), "application/json")
            elif self.path == "/doors":
                self.answer(200, json.dumps(region.doors.last_answers()), "application/json")
            elif self.path in static:
                with open(os.path.join(HERE, self.path[1:]), encoding="utf-8") as file:
                    self.answer(200, file.read(), static[self.path])
            else:
                self.answer(404, "nothing here\n")

        def do_POST(self):
            name, _, argument = self.path.removeprefix("/do/").partition("?")
            if self.headers.get("X-Demo") != "1" or name not in NAMES:  # a header of its own: no other page can send it
                self.answer(404, "nothing here\n")
                return
            try:
                self.answer(200, getattr(actions, name)(argument) + "\n")
            except (Failure, OSError, sms.NetworkError) as failure:
                self.answer(409, f"{failure}\n")

        def log_message(self, *_):
            pass

    return Handler


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A browser that does not know the certificate, or left: nobody has to read that."""


def serve(region, port, changed):
    server = Server(("127.0.0.1", port), handler(region, changed))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(region.dir, "server.pem"), os.path.join(region.dir, "server.key"))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
