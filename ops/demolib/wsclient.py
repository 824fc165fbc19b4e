"""A small WebSocket client (RFC 6455) over TLS, for looking at the console as a page does.  Standard library only."""
import base64
import hashlib
import http.client
import json
import os
import select
import ssl
import struct
import time
import urllib.parse


def login(host, port, user, password, ca):
    """POST /login as the page does; gives the cookie."""
    connection = http.client.HTTPSConnection(host, port, context=ssl.create_default_context(cafile=ca), timeout=10)
    body = urllib.parse.urlencode({"login": user, "password": password})
    connection.request("POST", "/login", body, {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://{host}:{port}"})
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    cookie = answer.getheader("Set-Cookie") or ""
    connection.close()
    if answer.status not in (200, 204, 303) or not cookie.startswith("__Host-"):
        raise ConnectionError(f"login {user}: {answer.status} {text[:200]}")
    return cookie.split(";")[0]


class WebSocket:
    def __init__(self, host, port, cookie, ca, path="/ws", protocol="vigie-desk.1"):
        import socket
        raw = socket.create_connection((host, port), timeout=10)
        self.socket = ssl.create_default_context(cafile=ca).wrap_socket(raw, server_hostname=host)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {protocol}\r\n"
                             f"Origin: https://{host}:{port}\r\nCookie: {cookie}\r\n\r\n").encode())
        self.data, self.text = b"", b""
        head = self._read_until(b"\r\n\r\n")
        want = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        if b" 101 " not in head.split(b"\r\n")[0] or want not in head:
            raise ConnectionError(head.decode(errors="replace"))

    def _more(self, timeout_s):
        if not self.socket.pending() and not select.select([self.socket], [], [], timeout_s)[0]:
            return False
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("the console closed the socket")
        self.data += piece
        return True

    def _read_until(self, end):
        while end not in self.data:
            if not self._more(10):
                raise TimeoutError
        head, self.data = self.data.split(end, 1)
        return head

    def send(self, message):
        data = json.dumps(message).encode()
        mask = os.urandom(4)
        size = struct.pack("!B", 0x80 | len(data)) if len(data) < 126 else struct.pack("!BH", 0x80 | 126, len(data))
        self.socket.sendall(b"\x81" + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def _frame(self):
        if len(self.data) < 2:
            return None
        size, at = self.data[1] & 127, 2
        if size >= 126:
            width = 2 if size == 126 else 8
            if len(self.data) < 2 + width:
                return None
            size, at = int.from_bytes(self.data[2:2 + width], "big"), 2 + width
        if len(self.data) < at + size:
            return None
        first, body = self.data[0], self.data[at:at + size]
        self.data = self.data[at + size:]
        return first, body

    def receive(self, timeout_s):
        """The next JSON message, or None when none came in time."""
        end = time.monotonic() + timeout_s
        while True:
            frame = self._frame()
            if frame is None:
                if not self._more(max(0, end - time.monotonic())):
                    return None
                continue
            first, body = frame
            if first & 15 == 9:
                self.socket.sendall(b"\x8a" + struct.pack("!B", 0x80) + os.urandom(4))
            elif first & 15 in (0, 1):
                self.text += body
                if first & 128:
                    text, self.text = self.text, b""
                    return json.loads(text)
            elif first & 15 == 8:
                raise ConnectionError("the console closed the socket")

    def close(self):
        self.socket.close()
