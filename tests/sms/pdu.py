"""PDUs of short messages (3GPP TS 23.040) and the GSM 7-bit alphabet (3GPP TS 23.038).

A part is what one SMS carries: its kind, its user data header and its body."""
import dataclasses
import datetime
import math

TEXT, OCTETS, UCS2 = "text", "8bit", "ucs2"  # TS 23.038, section 4: the three alphabets of the data coding scheme
UD_MAX = 140          # octets of user data, header included; more is refused as a wrong PDU
SEPTETS_MAX = 160
EXTENSION = 0x1b

BASIC = ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
         "¿abcdefghijklmnopqrstuvwxyzäöñüà")
EXTENDED = {"\f": 0x0a, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2f, "[": 0x3c, "~": 0x3d, "]": 0x3e, "|": 0x40, "€": 0x65}
SEPTET = {character: number for number, character in enumerate(BASIC) if number != EXTENSION}
FROM_EXTENDED = {number: character for character, number in EXTENDED.items()}


class Malformed(Exception):
    """Not a PDU as TS 23.040 has it; the text says why."""


@dataclasses.dataclass
class Part:
    kind: str = TEXT
    udh: bytes = b""      # with its length octet; empty: none
    body: bytes = b""     # TEXT: UTF-8; OCTETS: as they are; UCS2: UTF-16BE

    def text(self):
        return self.body.decode("utf-16-be" if self.kind == UCS2 else "utf-8", "replace")


@dataclasses.dataclass
class Submit:
    to: str
    part: Part
    report: bool          # TP-SRR: a status report is asked for


# ---- characters ----------------------------------------------------------------------------------------------------------------

def to_septets(text):
    """The septets of TEXT; None where a character is not in the alphabet."""
    found = []
    for character in text:
        if character in SEPTET:
            found.append(SEPTET[character])
        elif character in EXTENDED:
            found += [EXTENSION, EXTENDED[character]]
        else:
            return None
    return found


def from_septets(septets):
    text, extended = "", False
    for septet in septets:
        if septet == EXTENSION and not extended:
            extended = True
            continue
        text += FROM_EXTENDED.get(septet, BASIC[septet]) if extended else BASIC[septet]
        extended = False
    return text


def pack(septets, fill_bits):
    """Septets to octets, least significant bit first, after FILL_BITS (TS 23.040 9.2.3.24: text after a header)."""
    number, bits = 0, fill_bits
    for septet in septets:
        number |= septet << bits
        bits += 7
    return number.to_bytes((bits + 7) // 8, "little")


def unpack(octets, count, fill_bits):
    number = int.from_bytes(octets, "little") >> fill_bits
    return [number >> 7 * i & 0x7f for i in range(count)]


def header_septets(udh):
    return math.ceil(len(udh) * 8 / 7)


def parts_of(text, reference):
    """The parts that carry TEXT: one where it fits, else several with a concatenation header (TS 23.040 9.2.3.24.1)."""
    kind, units = (TEXT, SEPTETS_MAX) if to_septets(text) is not None else (UCS2, UD_MAX)
    encode = (lambda t: t.encode()) if kind == TEXT else (lambda t: t.encode("utf-16-be"))

    def cost(piece):
        return len(to_septets(piece)) if kind == TEXT else len(encode(piece))

    if cost(text) <= units:
        return [Part(kind, b"", encode(text))]
    room = units - (7 if kind == TEXT else 6)
    pieces = [""]
    for character in text:
        if cost(pieces[-1] + character) > room:
            pieces.append("")
        pieces[-1] += character
    return [Part(kind, bytes([5, 0, 3, reference & 0xff, len(pieces), i + 1]), encode(p)) for i, p in enumerate(pieces)]


def concatenation(udh):
    """(reference, parts, number) of a part of several; None for any other.  TS 23.040 9.2.3.24.1 and .8."""
    at = 1
    while at + 2 <= len(udh):
        name, length = udh[at], udh[at + 1]
        value = udh[at + 2:at + 2 + length]
        if name == 0 and len(value) == 3:
            return value[0], value[1], value[2]
        if name == 8 and len(value) == 4:
            return value[0] << 8 | value[1], value[2], value[3]
        at += 2 + length
    return None


# ---- fields --------------------------------------------------------------------------------------------------------------------

def digits_to_octets(digits):
    digits += "F" * (len(digits) % 2)
    return bytes(int(digits[i + 1] + digits[i], 16) for i in range(0, len(digits), 2))


def address(number):
    """TS 23.040 9.1.2.5: length in digits, type, digits; a name goes as 7-bit text."""
    bare = number.removeprefix("+")
    if bare.isdigit():
        return bytes([len(bare), 0x91 if number.startswith("+") else 0x81]) + digits_to_octets(bare)
    octets = pack(to_septets(number[:11]) or [], 0)
    return bytes([len(octets) * 2, 0xd0]) + octets


def read_address(octets, at):
    """(number, where it ends)"""
    if at + 2 > len(octets):
        raise Malformed("the address is cut")
    length, kind = octets[at], octets[at + 1]
    end = at + 2 + (length + 1) // 2
    if length > 20 or end > len(octets):
        raise Malformed("the address is too long")
    if kind & 0x70 == 0x50:
        return from_septets(unpack(octets[at + 2:end], length * 4 // 7, 0)), end
    digits = "".join(f"{o & 15:x}{o >> 4:x}" for o in octets[at + 2:end])[:length]
    if not digits.isdigit():
        raise Malformed("the address has more than digits")
    return ("+" if kind & 0x70 == 0x10 else "") + digits, end


def stamp(at_s):
    """TS 23.040 9.2.3.11, in UTC: the quarters of an hour from Greenwich are 0."""
    t = datetime.datetime.fromtimestamp(at_s, datetime.timezone.utc)
    return digits_to_octets(t.strftime("%y%m%d%H%M%S") + "00")


def coding_kind(dcs):
    """TS 23.038 section 4: the alphabet of a data coding scheme."""
    if dcs & 0xf0 == 0xf0:                        # data coding and message class
        return OCTETS if dcs & 4 else TEXT
    if dcs & 0xc0 == 0:                           # general
        return (TEXT, OCTETS, UCS2, TEXT)[dcs >> 2 & 3]
    return UCS2 if dcs & 0xf0 == 0xe0 else TEXT


def read_user_data(kind, length, octets, has_header):
    """The part in TP-UDL and TP-UD."""
    whole = math.ceil(length * 7 / 8) if kind == TEXT else length
    if whole != len(octets) or len(octets) > UD_MAX:
        raise Malformed(f"user data of {len(octets)} octets where its length says {whole}")
    udh = b""
    if has_header:
        if not octets or octets[0] + 1 > len(octets):
            raise Malformed("the user data header is longer than the user data")
        udh = octets[:octets[0] + 1]
    if kind != TEXT:
        return Part(kind, udh, octets[len(udh):])
    skip = header_septets(udh)
    if length < skip:
        raise Malformed("fewer septets than the header takes")
    return Part(TEXT, udh, from_septets(unpack(octets[len(udh):], length - skip, skip * 7 - len(udh) * 8)).encode())


def user_data(part):
    """TP-UDL and TP-UD of PART; Malformed when it does not fit."""
    if part.kind != TEXT:
        octets, length = part.udh + part.body, len(part.udh) + len(part.body)
    else:
        septets, skip = to_septets(part.text()) or [], header_septets(part.udh)
        octets = part.udh + pack(septets, skip * 7 - len(part.udh) * 8)
        length = skip + len(septets)
    if len(octets) > UD_MAX:
        raise Malformed(f"{len(octets)} octets do not fit into one SMS")
    return bytes([length]) + octets


# ---- PDUs ----------------------------------------------------------------------------------------------------------------------

def read_submit(octets):
    """SMS-SUBMIT (TS 23.040 9.2.2.2), without the centre's address."""
    if len(octets) < 2 or octets[0] & 3 != 1:
        raise Malformed("no SMS-SUBMIT")
    to, at = read_address(octets, 2)
    if len(octets) < at + 3:
        raise Malformed("cut before the coding")
    dcs = octets[at + 1]
    at += 2 + {0: 0, 1: 7, 2: 1, 3: 7}[octets[0] >> 3 & 3]   # the validity period: none, enhanced, relative, absolute
    if len(octets) < at + 1:
        raise Malformed("cut before the user data")
    return Submit(to, read_user_data(coding_kind(dcs), octets[at], octets[at + 1:], bool(octets[0] & 0x40)), bool(octets[0] & 0x20))


def write_deliver(sender, part, at_s):
    """SMS-DELIVER (TS 23.040 9.2.2.1), without the centre's address; class 1 for octets, as gateways send them."""
    first = 0x04 | (0x40 if part.udh else 0)
    dcs = {TEXT: 0x00, OCTETS: 0xf5, UCS2: 0x08}[part.kind]
    return bytes([first]) + address(sender) + bytes([0, dcs]) + stamp(at_s) + user_data(part)


def write_report(reference, to, sent_at_s, done_at_s, delivered):
    """SMS-STATUS-REPORT (TS 23.040 9.2.2.3): status 0 received, 0x46 validity over."""
    return bytes([0x06, reference]) + address(to) + stamp(sent_at_s) + stamp(done_at_s) + bytes([0 if delivered else 0x46])
