"""A validator of CBOR against CDDL (RFC 8610), as far as wire/vigie.cddl goes: what is in it and not known here is an error, never a pass.
Controls: .size .cbor .bits .regexp.  Arrays are matched with backtracking; a map's pairs each by the first entry whose key fits."""
import re

TOKEN = re.compile(r"""\s*(?:;[^\n]*\s*)*(?:
    (?P<bytes>h'[0-9a-fA-F]*') | (?P<text>"[^"]*") | (?P<control>\.[a-z]+) | (?P<number>-?\d+) | (?P<name>[A-Za-z_$@][A-Za-z0-9_$@]*(?:-[A-Za-z0-9_$@]+)*)
    | (?P<op>//|=>|\.\.\.|\.\.|[=/:,?*+()\[\]{}<>&]))""", re.X)
PRELUDE = {
    "any": lambda v: True, "bool": lambda v: isinstance(v, bool), "true": lambda v: v is True, "false": lambda v: v is False,
    "null": lambda v: v is None, "bstr": lambda v: isinstance(v, bytes), "tstr": lambda v: isinstance(v, str),
    "uint": lambda v: whole(v) and v >= 0, "nint": lambda v: whole(v) and v < 0, "int": lambda v: whole(v),
}


class Malformed(Exception):
    """No CDDL, or no CBOR."""


class Map(list):
    """A CBOR map: its pairs in their order."""


def whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


# ---- CBOR


def decode(data):
    value, end = item(data, 0)
    if end != len(data):
        raise Malformed(f"{len(data) - end} octets after the item")
    return value


def head(data, at):
    if at >= len(data):
        raise Malformed("cut short")
    major, info = data[at] >> 5, data[at] & 31
    if info < 24:
        return major, info, at + 1
    size = {24: 1, 25: 2, 26: 4, 27: 8}.get(info)
    if size is None or at + 1 + size > len(data):
        raise Malformed(f"head {data[at]:02x}")
    return major, int.from_bytes(data[at + 1:at + 1 + size], "big"), at + 1 + size


def item(data, at):
    major, n, at = head(data, at)
    if major in (0, 1):
        return (n if major == 0 else -1 - n), at
    if major in (2, 3):
        if at + n > len(data):
            raise Malformed("cut short")
        return (data[at:at + n] if major == 2 else data[at:at + n].decode()), at + n
    if major == 4 or major == 5:
        values = []
        for _ in range(n * (major - 3)):
            value, at = item(data, at)
            values.append(value)
        return (values if major == 4 else Map(zip(values[::2], values[1::2]))), at
    if major == 7 and n in (20, 21, 22):
        return {20: False, 21: True, 22: None}[n], at
    raise Malformed(f"major type {major}, {n}")


# ---- CDDL


class Reader:
    """Rules as tuples: ("choice", [type]), ("value", v), ("name", n, [arguments]), ("range", a, b), ("control", op, a, b), ("array", group),
    ("map", group), ("enum", group), ("group", [[entry]]); an entry is (least, most, key or None, type)."""

    def __init__(self, text):
        self.tokens, at = [], 0
        text = text.rstrip()
        while at < len(text) and (match := TOKEN.match(text, at)):
            self.tokens.append((match.lastgroup, match.group(match.lastgroup)))
            at = match.end()
        if re.sub(r";[^\n]*", "", text[at:]).strip():
            raise Malformed(f"not understood: {text[at:at + 40]!r}")
        self.at = 0

    def peek(self, ahead=0):
        return self.tokens[self.at + ahead][1] if self.at + ahead < len(self.tokens) else None

    def kind(self):
        return self.tokens[self.at][0] if self.at < len(self.tokens) else None

    def take(self, wanted=None):
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else (None, None)
        if kind is None or (wanted and text != wanted):
            raise Malformed(f"{wanted or 'more'} expected, not {text} (token {self.at})")
        self.at += 1
        return kind, text

    def rules(self):
        rules = {}
        while self.at < len(self.tokens):
            name, parameters = self.take()[1], []
            if self.peek() == "<":
                parameters = self.listed("<", ">", lambda: self.take()[1])
            self.take("=")
            least, most, key, what = self.entry()
            if name in rules or (least, most, key) != (1, 1, None):
                raise Malformed(f"rule {name}")
            rules[name] = (parameters, what)
        return rules

    def listed(self, opening, closing, one):
        self.take(opening)
        found = [one()]
        while self.peek() == ",":
            self.take()
            found.append(one())
        self.take(closing)
        return found

    def group(self, closing):
        choices = [[]]
        while self.peek() != closing:
            if self.peek() == "//":
                self.take()
                choices.append([])
                continue
            choices[-1].append(self.entry())
            if self.peek() == ",":
                self.take()
        self.take(closing)
        return ("group", choices)

    def occurrence(self):
        if self.peek() == "?":
            self.take()
            return 0, 1
        if self.peek() == "+":
            self.take()
            return 1, None
        least, most = 0, None
        star = 0 if self.peek() == "*" else 1 if self.peek(1) == "*" and self.kind() == "number" else None
        if star is None:
            return 1, 1
        if star:
            least = int(self.take()[1])
        self.take("*")
        if self.kind() == "number" and self.peek(1) not in ("=>", ":"):
            most = int(self.take()[1])
        return least, most

    def entry(self):
        least, most = self.occurrence()
        start = self.at
        if self.kind() == "name" and self.peek(1) == ":":
            key = ("value", self.take()[1])
            self.take(":")
            return least, most, key, self.type()
        if self.peek() == "(":
            try:
                key = self.type1()
            except Malformed:
                key = None
            if key is None or self.peek() != "=>":
                self.at = start
                self.take("(")
                return least, most, None, self.group(")")
        else:
            key = self.type1()
        if self.peek() == "=>":
            self.take()
            return least, most, key, self.type()
        self.at = start
        return least, most, None, self.type()

    def type(self):
        found = [self.type1()]
        while self.peek() == "/":
            self.take()
            found.append(self.type1())
        return found[0] if len(found) == 1 else ("choice", found)

    def type1(self):
        left = self.type2()
        if self.peek() == "..":
            self.take()
            return ("range", left, self.type2())
        if self.kind() == "control":
            return ("control", self.take()[1], left, self.type2())
        return left

    def type2(self):
        kind, text = self.take()
        if kind == "number":
            return ("value", int(text))
        if kind == "text":
            return ("value", text[1:-1])
        if kind == "bytes":
            return ("value", bytes.fromhex(text[2:-1]))
        if kind == "name":
            return ("name", text, self.listed("<", ">", self.type1) if self.peek() == "<" else [])
        if text == "(":
            inner = self.type()
            self.take(")")
            return inner
        if text in "[{":
            return ("array" if text == "[" else "map", self.group("]" if text == "[" else "}"))
        if text == "&":
            if self.peek() != "(":
                return ("enum", self.type2())
            self.take("(")
            return ("enum", self.group(")"))
        raise Malformed(f"{text} where a type begins")


class Schema:
    def __init__(self, text):
        self.rules = Reader(text).rules()
        for name, (parameters, what) in self.rules.items():
            self._check(name, parameters, what)

    def _check(self, rule, parameters, node):
        """Every name that a rule uses must exist."""
        if isinstance(node, tuple) and node and node[0] == "name" and node[1] not in parameters and node[1] not in self.rules and node[1] not in PRELUDE:
            raise Malformed(f"rule {rule}: {node[1]} is defined nowhere")
        for part in node if isinstance(node, (tuple, list)) else ():
            self._check(rule, parameters, part)

    def valid(self, name, data):
        """Whether DATA, one CBOR item, is a NAME."""
        try:
            return self.match(("name", name, []), decode(data), {})
        except (Malformed, UnicodeDecodeError):
            return False

    def resolve(self, node, scope):
        """The definition behind a name, and the scope in which it is read."""
        while node[0] == "name" and (node[1] in scope or node[1] in self.rules):
            if node[1] in scope:
                node, scope = scope[node[1]]
                continue
            parameters, what = self.rules[node[1]]
            if len(parameters) != len(node[2]):
                raise Malformed(f"{node[1]} takes {len(parameters)} arguments")
            node, scope = what, {p: (a, scope) for p, a in zip(parameters, node[2])}
        return node, scope

    def match(self, node, value, scope):
        node, scope = self.resolve(node, scope)
        return getattr(self, "_" + node[0])(node, value, scope)

    def _name(self, node, value, _):
        return PRELUDE[node[1]](value)

    def _value(self, node, value, _):
        return type(value) is type(node[1]) and value == node[1]

    def _choice(self, node, value, scope):
        return any(self.match(part, value, scope) for part in node[1])

    def _range(self, node, value, scope):
        low, high = (self.resolve(end, scope)[0][1] for end in node[1:])
        return whole(value) and low <= value <= high

    def _enum(self, node, value, scope):
        group, scope = self.resolve(node[1], scope)
        entries = group[1][0] if group[0] == "group" else self.resolve(group[1], scope)[0][1][0]
        return any(self.match(what, value, scope) for _, _, _, what in entries)

    def _control(self, node, value, scope):
        _, control, target, argument = node
        if not self.match(target, value, scope):
            return False
        if control == ".size":
            return self.match(argument, len(value.encode() if isinstance(value, str) else value), scope)
        if control == ".cbor":
            try:
                return self.match(argument, decode(value), scope)
            except (Malformed, UnicodeDecodeError):
                return False
        if control == ".bits":
            return all(self.match(argument, bit, scope) for bit in range(64) if value >> bit & 1)
        if control == ".regexp":
            return re.fullmatch(self.resolve(argument, scope)[0][1], value) is not None
        raise Malformed(f"control {control}")

    def _array(self, node, value, scope):
        return type(value) is list and any(end == len(value) for end in self._ends(node[1], value, 0, scope))

    def _ends(self, group, values, at, scope):
        """Where the items that GROUP describes may end, from AT on."""
        for entries in group[1]:
            yield from self._sequence(entries, values, at, scope)

    def _sequence(self, entries, values, at, scope):
        if not entries:
            yield at
            return
        least, most, _, what = entries[0]
        yield from (end for middle in self._times(what, (least, most), values, at, scope) for end in self._sequence(entries[1:], values, middle, scope))

    def _times(self, what, bounds, values, at, scope):
        least, most = bounds
        if most != 0:
            for middle in self._once(what, values, at, scope):
                if middle > at:
                    yield from self._times(what, (max(0, least - 1), None if most is None else most - 1), values, middle, scope)
        if least == 0:
            yield at

    def _once(self, what, values, at, scope):
        node, inner = self.resolve(what, scope)
        if node[0] == "group":
            yield from self._ends(node, values, at, inner)
        elif at < len(values) and self.match(what, values[at], scope):
            yield at + 1

    def _map(self, node, value, scope):
        entries = node[1][1][0]
        seen = [0] * len(entries)
        if not isinstance(value, Map):
            return False
        for key, member in value:
            i = next((i for i, entry in enumerate(entries) if self.match(entry[2], key, scope)), None)
            if i is None or not self.match(entries[i][3], member, scope):
                return False
            seen[i] += 1
        return all(entry[0] <= count and (entry[1] is None or count <= entry[1]) for entry, count in zip(entries, seen))
