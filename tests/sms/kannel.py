"""The line to Kannel's fake SMSC: one message a line, both ways.

    SENDER RECEIVER text TEXT                        text as it is, UTF-8
    SENDER RECEIVER data OCTETS                      URL-encoded
    SENDER RECEIVER ucs2 OCTETS                      UTF-16BE; from Kannel "ucs-2"
    SENDER RECEIVER udh-data|udh-text HEADER BODY    from Kannel "udh HEADER data BODY", whatever the coding

Kannel does not answer a line.  So a line counts as taken once the connection outlived it for a second; until then it is sent again on
the next connection: a gateway that dies may get a message twice, as from any message centre, and none gets lost on this line."""
import asyncio
import collections
import re
import sys
import time
import urllib.parse

import centre
import pdu

TAKEN_AFTER_S = 1.0
AGAIN_S = 0.2           # between attempts to connect
LINE_MAX = 1 << 16      # of a line from Kannel; a longer one ends the connection
LINE = re.compile(r"(\S+) (\S+) (text|data|ucs-2|udh)(?: (.*))?$", re.DOTALL)


def line_of(message):
    """MESSAGE as Kannel reads it."""
    part = message.part
    is_text = part.kind == pdu.TEXT
    body = one_line(part.text()) if is_text else urllib.parse.quote_from_bytes(part.body, safe="")
    if part.udh:
        rest = f"{'udh-text' if is_text else 'udh-data'} {urllib.parse.quote_from_bytes(part.udh, safe='')} {body}"
    else:
        rest = f"{'text' if is_text else 'data' if part.kind == pdu.OCTETS else 'ucs2'} {body}"
    return f"{message.sender} {message.to} {rest}\n".encode()


def one_line(text):
    return re.sub(r"[\r\n]+", " ", text)


def parse(line):
    """(sender, receiver, part) of a line from Kannel; None when it is the rest of a text with line ends in it."""
    found = LINE.match(line)
    if not found:
        return None
    sender, to, kind, rest = found.groups()
    rest, octets = rest or "", urllib.parse.unquote_to_bytes
    if kind == "text":
        text = "".join(c if pdu.to_septets(c) is not None else "?" for c in rest)
        return sender, to, pdu.Part(pdu.TEXT, b"", text.encode())
    if kind == "udh":
        header, _, body = rest.partition(" data ")
        return sender, to, with_header(octets(header.replace("+", " ")), octets(body.replace("+", " ")))
    return sender, to, pdu.Part(pdu.UCS2 if kind == "ucs-2" else pdu.OCTETS, b"", octets(rest.replace("+", " ")))


def with_header(udh, body):
    """Kannel's line does not say what the body after a header is: a part of a long text (UTF-8, else UTF-16BE) or octets to a port."""
    if pdu.concatenation(udh) is None:
        return pdu.Part(pdu.OCTETS, udh, body)
    try:
        if pdu.to_septets(body.decode()) is not None and b"\0" not in body:
            return pdu.Part(pdu.TEXT, udh, body)
    except UnicodeDecodeError:
        pass
    return pdu.Part(pdu.UCS2, udh, body)


class Line:
    """submit(sender, to, part) is called for what comes; arrived(message) for what Kannel took."""

    def __init__(self, host, port, submit, arrived):
        self.host, self.port, self.submit, self.arrived = host, port, submit, arrived
        self.waiting = collections.deque()      # messages not yet written
        self.written = collections.deque()      # (monotonic time, message): not yet taken
        self.writer = None
        self.connections = 0
        self.last = None                        # (sender, to, text) that may go on in the next line
        self.unread = b""

    def put(self, message):
        self.waiting.append(message)
        self._write()

    def _write(self):
        while self.writer and self.waiting:
            message = self.waiting.popleft()
            self.written.append((time.monotonic(), message))
            self.writer.write(line_of(message))

    def _settle(self):
        before = time.monotonic() - TAKEN_AFTER_S
        while self.written and self.written[0][0] < before:
            self.arrived(self.written.popleft()[1])

    async def run(self):
        """Hold the line, for ever."""
        while True:
            try:
                reader, self.writer = await asyncio.open_connection(self.host, self.port)
            except OSError:
                await asyncio.sleep(AGAIN_S)
                continue
            self.connections += 1
            self._write()
            try:
                await self._read(reader)
            except OSError:
                pass
            self._lost()
            await asyncio.sleep(AGAIN_S)

    def _lost(self):
        self._settle()
        self.writer.close()
        self.writer = None
        self.unread, self.last = b"", None
        while self.written:
            self.waiting.appendleft(self.written.pop()[1])

    async def _read(self, reader):
        while True:
            reading = asyncio.ensure_future(reader.read(LINE_MAX))
            while not reading.done():
                await asyncio.wait([reading], timeout=0.25)
                self._settle()
            data = reading.result()
            if not data or len(self.unread) > LINE_MAX:
                return
            *lines, self.unread = (self.unread + data).split(b"\n")
            for line in lines:
                self._take(line.decode("utf-8", "replace"))
            self._flush()

    def _take(self, line):
        found = parse(line)
        if found is None and self.last is not None:
            sender, to, part = self.last
            self.last = sender, to, pdu.Part(part.kind, b"", part.body + b"\n" + line.encode())
            return
        self._flush()
        if found and found[2].kind == pdu.TEXT and not found[2].udh:
            self.last = found
        elif found:
            self._submit(found)
        elif line:
            print(f"kannel: a line that is no message: {line[:200]!r}", file=sys.stderr, flush=True)

    def _flush(self):
        if self.last is not None:
            last, self.last = self.last, None
            self._submit(last)

    def _submit(self, found):
        try:
            self.submit(*found)
        except (pdu.Malformed, centre.Refused) as e:
            print(f"kannel: to {found[1]}: {e}", file=sys.stderr, flush=True)
