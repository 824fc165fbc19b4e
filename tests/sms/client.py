"""What tests and the demo use to talk to network.py."""
import json
import socket


class NetworkError(Exception):
    """The network could not do what was asked."""


class Client:
    """The control socket of a running network."""

    def __init__(self, path, timeout_s=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout_s)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def ask(self, **request):
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(self.file.readline())
        if "error" in answer:
            raise NetworkError(answer["error"])
        return answer

    def close(self):
        self.file.close()
        self.socket.close()
