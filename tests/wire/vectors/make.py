#!/usr/bin/python3
"""Makes the vectors of this folder with fixed keys, by another implementation than wire/ (python3-cryptography and the few
lines of CBOR below).  Not run by the tests; ECDSA draws a random number, so each run gives other signatures.
Run it here: ./make.py, or ./make.py pass for pass.txt alone."""
import hashlib
import hmac
import sys
import zlib
from cryptography.hazmat.primitives import hashes, serialization as s
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def head(major, n):
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 24:
            return bytes([major << 5 | n])
        if n < 1 << 8 * size:
            return bytes([major << 5 | info]) + n.to_bytes(size, 'big')


def u(n): return head(0, n) if n >= 0 else head(1, -1 - n)
def b(v): return head(2, len(v)) + v
def t(v): return head(3, len(v.encode())) + v.encode()
def a(*items): return head(4, len(items)) + b''.join(items)
def m(*items): return head(5, len(items) // 2) + b''.join(items)


NULL = b'\xf6'
HANDSET = bytes.fromhex('5a17c0de00000001')
NONCE = bytes.fromhex('0102030405060708')
handset = ec.derive_private_key(int.from_bytes(b'\x11' * 32, 'big'), ec.SECP256R1())
receipt = ed25519.Ed25519PrivateKey.from_private_bytes(b'\x22' * 32)
root = ed25519.Ed25519PrivateKey.from_private_bytes(b'\x33' * 32)
position = x25519.X25519PrivateKey.from_private_bytes(b'\x44' * 32)


def spki(key): return key.public_key().public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)
def raw(key): return key.public_key().public_bytes(s.Encoding.Raw, s.PublicFormat.Raw)
def kid(key): return hashlib.sha256(spki(key)).digest()[:8]


def sign(key, protected, aad, payload):
    tbs = a(t('Signature1'), b(protected), b(aad), b(payload))
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(tbs)
    r, x = decode_dss_signature(key.sign(tbs, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, 'big') + x.to_bytes(32, 'big')


def alg(key): return m(u(1), u(-7 if isinstance(key, ec.EllipticCurvePrivateKey) else -8))


def cose(key, k, aad, payload, protected=None, headers=None, signature=None):
    protected = alg(key) if protected is None else protected
    signed = b'' if protected == b'\xa0' else protected
    signature = signature or sign(key, signed, aad, payload)
    return a(b(protected), m(u(4), b(k)) if headers is None else headers, b(payload), b(signature))


def alert(*parts): return a(u(1), b(NONCE), *parts)


AA, RA, TA = b'vigie alert', b'vigie receipt', b'vigie trust'
FULL = alert(u(65535), u(4294967295), u(5), u(65535), u(-900000000), u(-1800000000), u(65535), u(65535), u(100))
LYON = alert(u(2), u(1760000000), u(1), u(0x0204), u(457640430), u(48356590), u(12), u(3), u(71))
BARE = alert(u(0), u(1760000000), u(0), u(0), NULL, NULL, NULL, NULL, NULL)
NEWER = a(u(1), b(NONCE), u(2), u(1760000000), u(1), u(0), u(457640430), u(48356590), u(12), u(3), u(71), t('new'), a())
ODD = alert(u(0), u(1760000000), u(9), u(0), u(910000000), u(48356590), u(12), u(3), u(101))
WHO = 'Zoé Lefèvre-D'  # 15 octets
RECEIPT = a(u(1), b(HANDSET + NONCE), u(65535), u(4294967295), u(21), u(4294967295), t(WHO))
POINT = handset.public_key().public_bytes(s.Encoding.X962, s.PublicFormat.UncompressedPoint)
TRUST = a(u(1), u(7), u(1760000000), t('lyon'), a(
    a(b(kid(receipt)), u(1), u(-8), b(raw(receipt)), u(1750000000), u(1790000000)),
    a(b(kid(position)), u(5), u(-25), b(raw(position)), u(1750000000), u(1790000000)),
    a(b(kid(handset)), u(6), u(-7), b(POINT), u(1750000000), u(1790000000))))

good = cose(handset, HANDSET, AA, LYON)
signature = good[-64:]
N = bytes.fromhex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
E7 = u(-7)
CRIT = m(u(1), E7, u(2), a(u(99)), u(99), u(1))
MISSING = m(u(1), E7, u(2), a(u(99)))
DEEP = m(u(4), b(HANDSET), u(99), b'\x81' * 8 + u(0))
KID = m(u(4), b(HANDSET))

# name, as `vigie inspect` verifies it, as ours, key, external_aad, octets
vectors = [
    ('alert', 'valid', 'ours', 'handset', AA, good),
    ('alert-largest', 'valid', 'ours', 'handset', AA, cose(handset, HANDSET, AA, FULL)),
    ('alert-no-fix', 'valid', 'ours', 'handset', AA, cose(handset, HANDSET, AA, BARE)),
    ('alert-newer', 'valid', 'ours', 'handset', AA, cose(handset, HANDSET, AA, NEWER)),
    ('alert-impossible', 'valid', 'ours', 'handset', AA, cose(handset, HANDSET, AA, ODD)),
    ('receipt', 'valid', 'ours', 'receipt', RA, cose(receipt, kid(receipt), RA, RECEIPT)),
    ('trust', 'valid', 'ours', 'root', TA, cose(root, kid(root), TA, TRUST)),
    ('altered-payload', 'not-valid', 'ours', 'handset', AA, good[:30] + bytes([good[30] ^ 1]) + good[31:]),
    ('altered-signature', 'not-valid', 'ours', 'handset', AA, good[:-1] + bytes([good[-1] ^ 1])),
    ('other-kind', 'not-valid', 'ours', 'handset', RA, good),
    ('other-key', 'not-valid', 'ours', 'receipt', AA, good),
    ('r-zero', 'not-valid', 'ours', 'handset', AA, good[:-64] + bytes(32) + signature[32:]),
    ('s-order', 'not-valid', 'ours', 'handset', AA, good[:-32] + N),
    ('alg-of-another-key', 'not-valid', 'ours', 'handset', AA,
     cose(handset, HANDSET, AA, LYON, protected=m(u(1), u(-8)))),
    ('tagged', 'valid', 'refused', 'handset', AA, b'\xd2' + good),
    ('kid-of-7', 'valid', 'refused', 'handset', AA, cose(handset, HANDSET[:7], AA, LYON)),
    ('no-kid', 'valid', 'refused', 'handset', AA, cose(handset, HANDSET, AA, LYON, headers=m())),
    ('alg-unprotected', 'valid', 'refused', 'handset', AA,
     cose(handset, HANDSET, AA, LYON, protected=b'\xa0', headers=m(u(1), E7, u(4), b(HANDSET)))),
    ('alg-nowhere', 'valid', 'refused', 'handset', AA, cose(handset, HANDSET, AA, LYON, protected=b'')),
    ('keys-not-sorted', 'valid', 'refused', 'handset', AA,
     cose(handset, HANDSET, AA, LYON, headers=m(u(5), b(b'iv'), u(4), b(HANDSET)))),
    ('other-header', 'valid', 'refused', 'handset', AA,
     cose(handset, HANDSET, AA, LYON, headers=m(u(4), b(HANDSET), t('x'), a(u(1), NULL)))),
    ('empty-payload', 'valid', 'ours', 'handset', b'', cose(handset, HANDSET, b'', b'')),
    ('alg-by-text', 'not-valid', 'refused', 'handset', AA,
     cose(handset, HANDSET, AA, LYON, protected=m(u(1), t('ES256')))),
    ('alg-unknown', 'not-valid', 'ours', 'handset', AA, cose(handset, HANDSET, AA, LYON, protected=m(u(1), u(-20)))),
    ('critical-unknown', 'not-valid', 'refused', 'handset', AA, cose(handset, HANDSET, AA, LYON, protected=CRIT)),
    ('detached', 'not-valid', 'refused', 'handset', AA, a(b(alg(handset)), KID, NULL, b(signature))),
    ('signature-short', 'not-valid', 'refused', 'handset', AA, a(b(alg(handset)), KID, b(LYON), b(signature[:63]))),
    ('tag-17', 'malformed', 'refused', 'handset', AA, b'\xd1' + good),
    ('critical-missing', 'malformed', 'refused', 'handset', AA, cose(handset, HANDSET, AA, LYON, protected=MISSING)),
    ('critical-unprotected', 'malformed', 'refused', 'handset', AA,
     cose(handset, HANDSET, AA, LYON, headers=m(u(2), a(u(4)), u(4), b(HANDSET)))),
    ('alg-twice', 'malformed', 'refused', 'handset', AA,
     cose(handset, HANDSET, AA, LYON, headers=m(u(1), E7, u(4), b(HANDSET)))),
    ('key-twice', 'malformed', 'refused', 'handset', AA,
     cose(handset, HANDSET, AA, LYON, headers=m(u(4), b(HANDSET), u(4), b(HANDSET)))),
    ('protected-not-map', 'malformed', 'refused', 'handset', AA, cose(handset, HANDSET, AA, LYON, protected=a())),
    ('protected-rest', 'malformed', 'refused', 'handset', AA,
     cose(handset, HANDSET, AA, LYON, protected=alg(handset) + b'\0')),
    ('array-of-five', 'malformed', 'refused', 'handset', AA, b'\x85' + good[1:] + NULL),
    ('indefinite', 'malformed', 'refused', 'handset', AA, b'\x9f' + good[1:] + b'\xff'),
    ('trailing', 'malformed', 'refused', 'handset', AA, good + b'\0'),
    ('truncated', 'malformed', 'refused', 'handset', AA, good[:-1]),
    ('not-shortest', 'malformed', 'refused', 'handset', AA, b'\x98\x04' + good[1:]),
    ('depth-9', 'malformed', 'refused', 'handset', AA, cose(handset, HANDSET, AA, LYON, headers=DEEP)),
]

IV, EPHEMERAL = bytes(range(0x21, 0x2d)), x25519.X25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PLAIN = a(u(1), u(457640430), u(48356590), u(12), u(1760000000))
RECIPIENT, CONTENT = m(u(1), u(-25)), m(u(1), u(3))
nobody = a(NULL, NULL, NULL)
cek = HKDF(hashes.SHA256(), 32, None, a(u(3), nobody, nobody, a(u(256), b(RECIPIENT)))).derive(
    EPHEMERAL.exchange(position.public_key()))
sealed = a(b(CONTENT), m(u(5), b(IV)),
           b(AESGCM(cek).encrypt(IV, PLAIN, a(t('Encrypt'), b(CONTENT), b(b'vigie position' + HANDSET)))),
           a(a(b(RECIPIENT), m(u(4), b(kid(position)), u(-1), m(u(1), u(1), u(-1), u(4), u(-2), b(raw(EPHEMERAL)))),
               b(b''))))

# ---- section 13: a round of five buildings, a phone and a door at the fourth

NOW, HERE = 1800000000, 3
keeper, doors, status = (ed25519.Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (0x51, 0x52, 0x53))
phone, lock = (ec.derive_private_key(int.from_bytes(bytes([n]) * 32, 'big'), ec.SECP256R1()) for n in (0x61, 0x62))
BUILDINGS = [bytes([0xb0 + n]) * 8 for n in range(5)]
SALTS = [bytes([0xc0 + n]) * 16 for n in range(5)]
PASS_ID, DOOR_ID, MARKER_KEY, COUNTER = b'pass 001', b'door 004', bytes([0x71]) * 32, 7


def xy(key): return key.public_key().public_bytes(s.Encoding.X962, s.PublicFormat.UncompressedPoint)[1:]
def h(*parts): return hashlib.sha256(b''.join(parts)).digest()
def entry(key, use): return a(b(kid(key)), u(use), u(-8), b(raw(key)), u(1750000000), u(1850000000))


level = [h(b'\0', salt, building)[:16] for salt, building in zip(SALTS, BUILDINGS)] + [bytes(16)] * 3
path, at = b'', HERE
while len(level) > 1:
    path, at = path + level[at ^ 1], at // 2
    level = [h(b'\1', level[n], level[n + 1])[:16] for n in range(0, len(level), 2)]
PASS = cose(keeper, kid(keeper), b'vigie pass', a(
    u(1), t('lyon'), b(b'subject1'), b(PASS_ID), u(NOW - 3600), u(NOW + 7200), u(NOW - 3700), b(xy(phone)), u(9), b(level[0]),
    a(a(u(NOW - 600), u(NOW + 600))), u(3)))
MANDATE = cose(doors, kid(doors), b'vigie door', a(
    u(1), t('lyon'), b(DOOR_ID), b(BUILDINGS[HERE]), u(1), b(xy(lock)), u(1750000000), u(1850000000)))
HELLO = cose(lock, DOOR_ID, b'vigie hello', a(u(1), b(MANDATE), b(bytes([0x81]) * 16), u(NOW - 2), u(NOW - 60), b(bytes([0x82]) * 16)))
MARKER = hmac.digest(MARKER_KEY, PASS_ID + COUNTER.to_bytes(4, 'big') + b'\0', 'sha256')[:8]
PROOF = a(u(1), b(h(PASS)[:16]), b(SALTS[HERE]), u(HERE), b(path), u(NOW), u(COUNTER), b(MARKER))
BITS = bytes([0, 1]) + bytes(98)  # pass 8 is revoked
passes = [
    ('trust', cose(root, kid(root), b'vigie trust', a(
        u(1), u(8), u(1760000000), t('lyon'), a(entry(keeper, 3), entry(status, 4), entry(doors, 6))))),
    ('pass', PASS),
    ('mandate', MANDATE),
    ('hello', HELLO),
    ('proof', cose(phone, PASS_ID, b'vigie proof' + h(HELLO), PROOF)),
    ('proof-one-way', cose(phone, PASS_ID, b'vigie proof' + h(bytes([2]) + (NOW // 15).to_bytes(4, 'big')), PROOF)),
    ('status', cose(status, kid(status), b'vigie status', a(u(1), t('lyon'), u(NOW - 60), u(NOW + 3600), u(800), b(zlib.compress(BITS, 9))))),
]
with open('pass.txt', 'w') as out:
    out.write('# name | octets; now 1800000000, building b3 x 8; made by make.py\n')
    for name, octets in passes:
        out.write(f'{name} {octets.hex()}\n')

if sys.argv[1:] != ['pass']:
    with open('cose.txt', 'w') as out:
        out.write('# name | vigie inspect --key --aad | our profile | key | external_aad | octets; made by make.py\n')
        for name, anyway, ours, key, aad, octets in vectors:
            out.write(f'{name} {anyway} {ours} {key}.pem {aad.hex() or "-"} {octets.hex()}\n')
    with open('sealed.txt', 'w') as out:
        out.write(sealed.hex() + '\n')
    for name, key in (('handset', handset), ('receipt', receipt), ('root', root)):
        with open(name + '.pem', 'wb') as out:
            out.write(key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo))
