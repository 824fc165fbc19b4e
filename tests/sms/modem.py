"""A mobile phone modem on a pseudo-terminal: AT commands of 3GPP TS 27.005 (messages, PDU mode) and 27.007 (the rest).

It answers one command line after the other, echoes, may be slow, hung, without SIM or network, or gone with its tty."""
import asyncio
import contextlib
import os
import re
import tty

import pdu

STATES = ("ready", "no_sim", "sim_pin", "no_network", "hung", "absent", "no_credit", "slow", "busy")
PIN = "1234"
PIN_TRIES = 3
SIM_SLOTS = 20          # messages on the SIM; when full, the network keeps what comes until one is deleted
LINE_MAX = 1024         # octets of one command line or PDU; a longer one is an ERROR
UNSENT_MAX = 1 << 16    # octets that the host does not read; more is lost, as on a serial line without flow control
URCS_MAX = 64           # unasked-for lines that wait while the host wants none; the oldest goes
SLOW_S = 3.0            # an answer in the state "slow"; a send takes twice as long
CTRL_Z, ESC, BACKSPACE = 0x1a, 0x1b, 0x08

# TS 27.005 3.2.5 and TS 27.007 9.2
CMS_NOT_SUPPORTED, CMS_BAD_PDU = 303, 304
CMS_NO_SIM, CMS_SIM_PIN, CMS_SIM_BUSY, CMS_BAD_INDEX, CMS_NO_NETWORK = 310, 311, 314, 321, 331
CMS_CONGESTION = 42     # the centre is full
CMS_REJECTED = 21       # TS 24.011 annex E-2: short message transfer rejected; what a prepaid card without credit gets
CME_NO_SIM, CME_SIM_PIN, CME_SIM_PUK, CME_SIM_BUSY, CME_WRONG_PASSWORD = 10, 11, 12, 14, 16
CME_NOT_ALLOWED, CME_NOT_SUPPORTED = 3, 4
VERBOSE = {10: "SIM not inserted", 11: "SIM PIN required", 12: "SIM PUK required", 14: "SIM busy", 16: "incorrect password",
           3: "operation not allowed", 4: "operation not supported"}


class Refused(Exception):
    """The final result of a command that failed: "CME" or "CMS" and a number, or plain ERROR."""

    def __init__(self, kind="", code=0):
        super().__init__(kind, code)
        self.kind, self.code = kind, code


class Modem:
    """submit(modem, Submit) -> reference is called for what is sent; wanted(modem) when there is room or network again."""

    def __init__(self, number, path, imei, submit, wanted, factor=1.0):
        self.number, self.path, self.imei = number, path, imei
        self.submit, self.wanted, self.factor = submit, wanted, factor
        self.state, self.code, self.tries = "ready", CMS_REJECTED, PIN_TRIES
        self.stored = {}            # slot -> [read, PDU with the centre's address, is it a status report]
        self.sent = 0
        self.centre = "+33600000000"
        self.send_s = 0.5
        self.master = self.slave = None
        self._reset()
        self._plug()

    def _reset(self):
        """As at power on."""
        self.echo, self.verbose_errors = True, 0
        self.indications = [0, 0, 0, 0, 0]    # +CNMI: mode, mt, bm, ds, bfr
        self.service = self.operator_format = 0
        self.registration_mode = {"+CREG": 0, "+CGREG": 0, "+CEREG": 0}
        self.line, self.pending, self.urcs = b"", b"", []
        self.prompt_length = None             # octets of the PDU that +CMGS announced, while its prompt is open
        self.command = None                   # the task that works on a command line

    # ---- the terminal --------------------------------------------------------------------------------------------------------

    def _plug(self):
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self.unsent = b""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        os.symlink(os.ttyname(self.slave), self.path)
        asyncio.get_running_loop().add_reader(self.master, self._readable)

    def unplug(self):
        if self.master is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self.master)
        loop.remove_writer(self.master)
        if self.command:
            self.command.cancel()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        os.close(self.master)
        os.close(self.slave)
        self.master = self.slave = None
        self._reset()

    def set_state(self, state, code=None):
        was, self.state = self.state, state
        if code is not None:
            self.code = code
        if state == "absent":
            self.unplug()
        elif self.master is None:
            self._plug()
        if was == "hung" and state != "hung":
            if self.command:
                self.command.cancel()
            self._reset()       # someone pulled its power
        if self.reachable():
            self.wanted(self)

    def reachable(self):
        """Does the network find this phone?"""
        return self.state in ("ready", "no_credit", "slow", "busy")

    def _readable(self):
        try:
            data = os.read(self.master, 4096)
        except OSError:
            return
        if self.state == "hung":
            return
        self.pending += data
        self._work()

    def _write(self, data):
        if self.master is None or self.state == "hung":
            return
        self.unsent = (self.unsent + data)[:UNSENT_MAX]
        self._flush()

    def _flush(self):
        loop = asyncio.get_running_loop()
        try:
            self.unsent = self.unsent[os.write(self.master, self.unsent):]
        except BlockingIOError:
            pass
        if self.unsent:
            loop.add_writer(self.master, self._flush)
        else:
            loop.remove_writer(self.master)

    def say(self, line):
        self._write(b"\r\n" + line.encode("ascii", "replace") + b"\r\n")

    # ---- what comes from the host --------------------------------------------------------------------------------------------

    def _work(self):
        """Take characters until a command line is complete; while one is worked on the rest waits."""
        while self.pending and not self.command:
            octet, self.pending = self.pending[0], self.pending[1:]
            if self.prompt_length is not None:
                self._take_pdu_octet(octet)
            else:
                self._take_line_octet(octet)

    def _take_line_octet(self, octet):
        if self.echo:
            self._write(bytes([octet]))
        if octet == BACKSPACE:
            self.line = self.line[:-1]
        elif octet != 0x0d:
            if octet not in (0x0a, CTRL_Z, ESC, 0) and len(self.line) <= LINE_MAX:
                self.line += bytes([octet])
        else:
            line, self.line = self.line.decode("latin-1").strip(), b""
            if len(line) > LINE_MAX:
                self.say("ERROR")
            elif line[:2].upper() == "AT":
                self._begin(self._run_line, line[2:].strip())

    def _take_pdu_octet(self, octet):
        if self.echo and octet not in (CTRL_Z, ESC):
            self._write(bytes([octet]))
        if octet == ESC:
            self.line, self.prompt_length = b"", None
            self.say("OK")
            self._tell()
        elif octet == CTRL_Z:
            text, length = self.line, self.prompt_length
            self.line, self.prompt_length = b"", None
            self._begin(self._send, text, length)
        elif octet == BACKSPACE:
            self.line = self.line[:-1]
        elif octet not in (0x0d, 0x0a) and len(self.line) <= LINE_MAX:
            self.line += bytes([octet])

    def _begin(self, work, *words):
        async def then_the_rest():
            try:
                await self._finish(work, words)
            finally:
                self.command = None
            self._tell()
            self._work()
        self.command = asyncio.get_running_loop().create_task(then_the_rest())

    async def _finish(self, work, words):
        """Do WORK and say its final result; nothing more where a prompt was opened."""
        try:
            await work(*words)
        except Refused as e:
            if e.kind == "CMS":
                self.say(f"+CMS ERROR: {e.code}")
            elif e.kind == "CME" and self.verbose_errors:
                self.say(f"+CME ERROR: {VERBOSE[e.code] if self.verbose_errors == 2 else e.code}")
            else:
                self.say("ERROR")
            return
        if self.prompt_length is None:
            self.say("OK")
        else:
            self._write(b"\r\n> ")

    async def _run_line(self, line):
        """The commands of one line: basic ones one after the other, extended ones with semicolons between."""
        if self.state == "slow":
            await asyncio.sleep(SLOW_S * self.factor)
        while line:
            extended = re.match(r'\+[^;"]*(?:"[^"]*"[^;"]*)*;?', line)
            if extended:
                line = line[extended.end():].strip()
                self._extended(extended.group(0).rstrip(";").strip())
                continue
            basic = re.match(r"([EVQ][01]?|Z0?|&F0?|&[CDKS][0-9]?|I[0-9]?|H0?|X[0-4]?|S[0-9]+=[0-9]+|L[0-9]?|M[0-9]?);?", line, re.IGNORECASE)
            if not basic:
                raise Refused()
            line = line[basic.end():].strip()
            self._basic(basic.group(1).upper())

    def _basic(self, word):
        if word in ("E", "E0", "E1"):
            self.echo = word == "E1"
        elif word[0] == "Z" or word.startswith("&F"):
            self.echo, self.verbose_errors, self.indications = True, 0, [0, 0, 0, 0, 0]
        elif word[0] == "I":
            self.say("Vigie test modem")

    def _extended(self, text):
        word, kind, value = re.match(r"(\+[A-Za-z]+)\s*(=\?|\?|=|)\s*(.*)$", text, re.DOTALL).groups()
        do = COMMANDS.get((word.upper(), kind))
        if do is None:
            raise Refused("CME", CME_NOT_SUPPORTED)
        do(self, value)

    # ---- TS 27.007 -----------------------------------------------------------------------------------------------------------

    def need_sim(self, kind):
        code = {"no_sim": (CME_NO_SIM, CMS_NO_SIM), "busy": (CME_SIM_BUSY, CMS_SIM_BUSY),
                "sim_pin": (CME_SIM_PIN if self.tries else CME_SIM_PUK, CMS_SIM_PIN)}.get(self.state)
        if code:
            raise Refused(kind, code[kind == "CMS"])

    def pin_state(self, _):
        if self.state == "sim_pin":
            self.say("+CPIN: SIM PIN" if self.tries else "+CPIN: SIM PUK")
            return
        self.need_sim("CME")
        self.say("+CPIN: READY")

    def pin_enter(self, value):
        if self.state != "sim_pin":
            self.need_sim("CME")
            raise Refused("CME", CME_NOT_ALLOWED)
        if not self.tries:
            raise Refused("CME", CME_SIM_PUK)
        if value.strip('"') != PIN:
            self.tries -= 1
            raise Refused("CME", CME_WRONG_PASSWORD)
        self.tries = PIN_TRIES
        self.set_state("ready")

    def registration(self, word):
        stat = 1 if self.reachable() else 2 if self.state == "no_network" else 0
        where = ',"00A1","0001C8D2"' if self.registration_mode[word] == 2 and stat == 1 else ""
        self.say(f"{word}: {self.registration_mode[word]},{stat}{where}")

    def set_registration(self, word, value):
        if value not in ("0", "1", "2"):
            raise Refused("CME", CME_NOT_SUPPORTED)
        self.registration_mode[word] = int(value)

    def operator(self, _):
        name = '"20801"' if self.operator_format == 2 else '"Vigie test"'
        self.say(f"+COPS: 0,{self.operator_format},{name}" if self.reachable() else "+COPS: 0")

    def set_operator(self, value):
        mode, _, format = value.partition(",")
        if mode == "3" and format in ("0", "1", "2"):
            self.operator_format = int(format)

    def signal(self, _):
        self.say("+CSQ: 21,0" if self.reachable() else "+CSQ: 99,99")

    def set_characters(self, value):
        if value.strip('"') != "GSM":
            raise Refused("CME", CME_NOT_SUPPORTED)

    def set_errors(self, value):
        if value not in ("0", "1", "2"):
            raise Refused("CME", CME_NOT_SUPPORTED)
        self.verbose_errors = int(value)

    # ---- TS 27.005 -----------------------------------------------------------------------------------------------------------

    def set_format(self, value):
        if value != "0":
            raise Refused("CMS", CMS_NOT_SUPPORTED)

    def set_service(self, value):
        if value not in ("0", "1"):
            raise Refused("CMS", CMS_NOT_SUPPORTED)
        self.service = int(value)
        self.say("+CSMS: 1,1,1")

    def set_indications(self, value):
        given = [int(v) if v.strip() else 0 for v in re.sub(r"[^0-9,]", "", value).split(",")] if value else []
        if len(given) > 5 or any(v > top for v, top in zip(given, (2, 3, 2, 2, 1))) or given[1:2] == [3]:
            raise Refused("CMS", CMS_NOT_SUPPORTED)
        self.indications[:len(given)] = given
        self._tell()

    def set_centre(self, value):
        self.need_sim("CMS")
        self.centre = value.split(",")[0].strip('" ')

    def memories(self, kind):
        self.need_sim("CMS")
        used = f"{len(self.stored)},{SIM_SLOTS}"
        name = '"SM",' if kind == "?" else ""
        self.say("+CPMS: " + ",".join([name + used] * 3))

    def set_memories(self, value):
        if any(m.strip(' "') not in ("SM", "") for m in value.split(",")):
            raise Refused("CMS", CMS_NOT_SUPPORTED)
        self.memories("=")

    def begin_send(self, value):
        if not value.isdigit() or not 8 <= int(value) <= 176:
            raise Refused("CMS", CMS_BAD_PDU)
        self.need_sim("CMS")
        self.prompt_length = int(value)

    async def _send(self, text, length):
        """The PDU after the prompt; the centre's address in front of it does not count in LENGTH."""
        try:
            octets = bytes.fromhex(text.decode("ascii"))
            tpdu = octets[octets[0] + 1:]
            if len(tpdu) != length:
                raise pdu.Malformed("another length than announced")
            submit = pdu.read_submit(tpdu)
        except (ValueError, IndexError, pdu.Malformed):
            raise Refused("CMS", CMS_BAD_PDU) from None
        await asyncio.sleep((2 * SLOW_S if self.state == "slow" else self.send_s) * self.factor)
        self.need_sim("CMS")
        if self.state == "no_network":
            raise Refused("CMS", CMS_NO_NETWORK)
        if self.state == "no_credit":
            raise Refused("CMS", self.code)
        self.sent += 1
        self.say(f"+CMGS: {self.submit(self, submit)}")

    def slot(self, text):
        if not text.isdigit() or int(text) not in self.stored:
            raise Refused("CMS", CMS_BAD_INDEX)
        return int(text)

    def read(self, value):
        self.need_sim("CMS")
        slot = self.slot(value)
        self._show("+CMGR: ", slot)

    def list(self, value):
        self.need_sim("CMS")
        wanted = {"0": (False,), "1": (True,), "4": (False, True), "": (False,), "2": (), "3": ()}.get(value)
        if wanted is None:
            raise Refused("CMS", CMS_NOT_SUPPORTED)
        for slot in sorted(s for s, m in self.stored.items() if m[0] in wanted):
            self._show(f"+CMGL: {slot},", slot)

    def _show(self, head, slot):
        was_read, octets = self.stored[slot]
        self.say(f"{head}{int(was_read)},,{len(octets) - 1 - octets[0]}")
        self._write(octets.hex().upper().encode() + b"\r\n")
        self.stored[slot][0] = True

    def delete(self, value):
        self.need_sim("CMS")
        index, _, flag = value.partition(",")
        if flag.strip() in ("", "0"):
            del self.stored[self.slot(index)]
        elif flag.strip() in ("1", "2", "3", "4"):
            self.stored = {} if flag.strip() == "4" else {s: m for s, m in self.stored.items() if not m[0]}
        else:
            raise Refused("CMS", CMS_NOT_SUPPORTED)
        self.wanted(self)

    # ---- what comes from the network -----------------------------------------------------------------------------------------

    def deliver(self, tpdu, report=False):
        """Take a message from the network.  False: no room or not reachable; it is offered again after `wanted`."""
        if not self.reachable():
            return False
        octets = self._centre_octets() + tpdu
        way = self.indications[3] if report else self.indications[1]
        if (report and way == 1) or (not report and way == 2):
            self.urcs.append((f"+CDS: {len(tpdu)}" if report else f"+CMT: ,{len(tpdu)}", octets.hex().upper()))
        elif len(self.stored) >= SIM_SLOTS:
            return False
        else:
            slot = next(s for s in range(1, SIM_SLOTS + 1) if s not in self.stored)
            self.stored[slot] = [False, octets]
            if way:
                self.urcs.append((f'{"+CDSI" if report else "+CMTI"}: "SM",{slot}', None))
        self._tell()
        return True

    def tidy(self):
        """The person deletes what was read, or their SIM is full one day."""
        self.stored = {slot: entry for slot, entry in self.stored.items() if not entry[0]}
        self.wanted(self)

    def _centre_octets(self):
        """The centre's address as it stands before each PDU: octets, type, digits."""
        number = pdu.address(self.centre)[1:]
        return bytes([len(number)]) + number

    def _tell(self):
        """Unasked-for lines, not within a command, nor where +CNMI mode 0 keeps them."""
        self.urcs = self.urcs[-URCS_MAX:]
        if self.command or self.prompt_length is not None or self.indications[0] == 0:
            return
        for line, more in self.urcs:
            self.say(line)
            if more:
                self._write(more.encode() + b"\r\n")
        self.urcs = []


def fixed(line):
    return lambda modem, value: modem.say(line)


COMMANDS = {
    ("+CGMI", ""): fixed("Vigie"), ("+CGMM", ""): fixed("Test modem"), ("+CGMR", ""): fixed("1.0"),
    ("+GMI", ""): fixed("Vigie"), ("+GMM", ""): fixed("Test modem"), ("+GMR", ""): fixed("1.0"),
    ("+CGSN", ""): lambda m, v: m.say(m.imei), ("+GSN", ""): lambda m, v: m.say(m.imei),
    ("+CGSN", "="): lambda m, v: m.say(f'+CGSN: "{m.imei}"'),
    ("+CIMI", ""): lambda m, v: (m.need_sim("CME"), m.say("20801" + m.number[-10:].rjust(10, "0"))),
    ("+CPIN", "?"): Modem.pin_state, ("+CPIN", "="): Modem.pin_enter, ("+CPIN", "=?"): lambda m, v: None,
    ("+CREG", "?"): lambda m, v: m.registration("+CREG"), ("+CREG", "="): lambda m, v: m.set_registration("+CREG", v), ("+CREG", "=?"): fixed("+CREG: (0-2)"),
    ("+CGREG", "?"): lambda m, v: m.registration("+CGREG"), ("+CGREG", "="): lambda m, v: m.set_registration("+CGREG", v),
    ("+CEREG", "?"): lambda m, v: m.registration("+CEREG"), ("+CEREG", "="): lambda m, v: m.set_registration("+CEREG", v),
    ("+CSQ", ""): Modem.signal, ("+COPS", "?"): Modem.operator, ("+COPS", "="): Modem.set_operator,
    ("+CGATT", "?"): lambda m, v: m.say(f"+CGATT: {int(m.reachable())}"), ("+CGATT", "="): lambda m, v: None,
    ("+CFUN", "?"): fixed("+CFUN: 1"), ("+CFUN", "="): lambda m, v: None,
    ("+CMEE", "="): Modem.set_errors, ("+CMEE", "?"): lambda m, v: m.say(f"+CMEE: {m.verbose_errors}"), ("+CMEE", "=?"): fixed("+CMEE: (0-2)"),
    ("+CSCS", "?"): fixed('+CSCS: "GSM"'), ("+CSCS", "=?"): fixed('+CSCS: ("GSM")'), ("+CSCS", "="): Modem.set_characters,
    ("+CMGF", "="): Modem.set_format, ("+CMGF", "?"): fixed("+CMGF: 0"), ("+CMGF", "=?"): fixed("+CMGF: (0)"),
    ("+CSMS", "="): Modem.set_service, ("+CSMS", "?"): lambda m, v: m.say(f"+CSMS: {m.service},1,1,1"), ("+CSMS", "=?"): fixed("+CSMS: (0,1)"),
    ("+CPMS", "="): Modem.set_memories, ("+CPMS", "?"): lambda m, v: m.memories("?"), ("+CPMS", "=?"): fixed('+CPMS: ("SM"),("SM"),("SM")'),
    ("+CNMI", "="): Modem.set_indications, ("+CNMI", "?"): lambda m, v: m.say("+CNMI: " + ",".join(map(str, m.indications))),
    ("+CNMI", "=?"): fixed("+CNMI: (0-2),(0-2),(0-2),(0-2),(0,1)"), ("+CNMA", ""): lambda m, v: None, ("+CNMA", "="): lambda m, v: None,
    ("+CSCA", "?"): lambda m, v: (m.need_sim("CMS"), m.say(f'+CSCA: "{m.centre}",145')), ("+CSCA", "="): Modem.set_centre,
    ("+CMGS", "="): Modem.begin_send, ("+CMGR", "="): Modem.read, ("+CMGL", "="): Modem.list, ("+CMGL", ""): Modem.list,
    ("+CMGL", "=?"): fixed("+CMGL: (0-4)"), ("+CMGD", "="): Modem.delete,
    ("+CMGD", "=?"): lambda m, v: m.say(f"+CMGD: ({','.join(map(str, sorted(m.stored)))}),(0-4)"),
}
