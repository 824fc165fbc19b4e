#!/usr/bin/python3 -B
"""archive_verify.py FOLDER KEY.pem: wire/PROTOCOL.md 12 written a second time, with hashlib and openssl: the chain, the
commitments, each alert's own chain, the signature of the head.  Says what is wrong; exit 0 or 1."""
import hashlib
import os
import subprocess
import sys
import tempfile

ZERO, BREAK, ERASE, ALERT = bytes(32), 7, 9, 1


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def item(data, at):
    """One CBOR item and where it ends: what the archive has of it."""
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        return {20: False, 21: True, 22: None}[info], at
    size = {24: 1, 25: 2, 26: 4, 27: 8}.get(info, 0)
    number = int.from_bytes(data[at:at + size], "big") if size else info
    at += size
    if major in (0, 1):
        return number if major == 0 else -1 - number, at
    if major in (2, 3):
        piece = data[at:at + number]
        assert len(piece) == number, "cut off"
        return piece if major == 2 else piece.decode(), at + number
    values = []
    for _ in range(number * (2 if major == 5 else 1)):
        value, at = item(data, at)
        values.append(value)
    return values if major == 4 else dict(zip(values[::2], values[1::2])), at


def verify(folder, key):
    link, number, alerts, last, missing, erased, links = ZERO, 0, {}, None, [], {}, {}
    for file_number, name in enumerate(sorted(n for n in os.listdir(folder) if n.endswith(".archive")), 1):
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        header, at = item(data, 0)
        assert header[1] == "vigie archive" and header[3] == file_number and header[4] == number + 1 and header[6] == link, name
        link = sha(data[:at])
        while at < len(data):
            (meta, commitments, parts, said), at = item(data, at)
            link = sha(link, sha(meta), commitments)
            m = item(meta, 0)[0]
            number += 1
            assert m[1] == number and said == link, f"{name}: entry {number}: chain"
            links[number] = link
            for i, part in enumerate(parts):
                commitment = commitments[32 * i:32 * i + 32]
                assert part is None or sha(part) == commitment, f"{name}: entry {number}: part {i}"
                if part is None and commitment != ZERO:
                    missing.append((m[5], number, i))
            if m[2] == ERASE:
                erased.update({(m[5], i): max(m[12], erased.get((m[5], i), 0)) for i in range(4) if m[11] >> i & 1})
            if m[2] == ALERT:
                version, known = alerts.get(m[5], (0, ZERO))
                follows = m[6] > version and m[9] == known if version else m[6] == 1 and m[9] == ZERO
                broken = last[2] == BREAK and last[5] == m[5] and last[6] == version and last[10] == known if last else False
                assert follows or broken, f"{name}: entry {number}: alert {m[5].hex()}"
                alerts[m[5]] = (m[6], m[10])
            last = m
    for alert, entry, part in missing:
        assert entry <= erased.get((alert, part), 0), f"entry {entry}: part {part} is gone"
    with open(os.path.join(folder, "head.cose"), "rb") as file:
        data = file.read()
    (protected, unprotected, payload, signature), end = item(data, 0)
    der = subprocess.run(["openssl", "pkey", "-pubin", "-in", key, "-outform", "DER"], capture_output=True, check=True).stdout
    assert end == len(data) and unprotected == {4: sha(der)[:8]}, "the head's key is another"
    head = item(payload, 0)[0]
    assert head[3] == number and head[4] == links[number], "the head is another"
    check_signature(key, protected, payload, signature)
    return number


def check_signature(key, protected, payload, signature):
    def text(major, data):
        n = len(data)
        return (bytes([major << 5 | n]) if n < 24 else bytes([major << 5 | 24, n])) + data
    signed = b"\x84" + text(3, b"Signature1") + text(2, protected) + text(2, b"vigie archive") + text(2, payload)
    with tempfile.NamedTemporaryFile() as tbs, tempfile.NamedTemporaryFile() as sig:
        tbs.write(signed), tbs.flush(), sig.write(signature), sig.flush()
        done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", tbs.name, "-sigfile", sig.name],
                              capture_output=True, check=False)
    assert done.returncode == 0, "signature"


if __name__ == "__main__":
    try:
        print(f"good: {verify(*sys.argv[1:])} entries")
    except (AssertionError, IndexError, KeyError, TypeError, ValueError) as wrong:
        sys.exit(f"NOT GOOD: {wrong!r}")
