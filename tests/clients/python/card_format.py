#!/usr/bin/env python3
"""An independent reader of the card format, written from docs/card-format.md and nothing else.

It shares no code with the product. It derives every key of the golden vectors, reads every image as a lock does, and
compares each value with what the files say:

    pip install cryptography
    python tests/clients/python/card_format.py [VECTORS.json …]

Without arguments it checks every file in crates/card/tests/data. Prints what it checked and exits 0, or names the
first difference and exits 1.
"""

import hmac
import json
import pathlib
import sys
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

TECHNOLOGY_CODES = {"mifare_classic_1k": 0x01}
COPIES = ("A", "B")
SECTORS = {"A": 1, "B": 2}
NO_END = 0xFFFFFF


# --- Keys -------------------------------------------------------------------------------------------------------


def hkdf(site_key, purpose, version, length):
    """HKDF-SHA256 (RFC 5869) without salt; one block of output is enough for every purpose."""
    info = b"cardbridge/1/" + purpose.encode() + (b"" if version is None else bytes([version]))
    extracted = hmac.digest(bytes(32), site_key, sha256)
    return hmac.digest(extracted, info + b"\x01", sha256)[:length]


def encrypt_block(key, block):
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def xor(left, right):
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def double(block):
    number = int.from_bytes(block, "big") << 1
    if number >> 128:
        number ^= 1 << 128 | 0x87
    return number.to_bytes(16, "big")


def an10922(master, diversification_input):
    """AES-128 key diversification: always over two blocks, the last one masked with K1 or K2."""
    message = b"\x01" + diversification_input
    mask = double(encrypt_block(master, bytes(16)))
    if len(message) < 32:
        mask = double(mask)
        message += b"\x80" + bytes(31 - len(message))
    first = encrypt_block(master, message[:16])
    return encrypt_block(master, xor(first, xor(message[16:], mask)))


class Site:
    def __init__(self, site_key, version):
        self.version = version
        self.mark = hkdf(site_key, "site-mark", None, 2)
        self.check_value = hkdf(site_key, "check-value", version, 8)
        self.masters = {
            purpose: hkdf(site_key, purpose, version, 16) for purpose in ("read", "write", "tag")
        }

    def diversify(self, purpose, uid, technology, index):
        return an10922(self.masters[purpose], uid + bytes([TECHNOLOGY_CODES[technology], index]))

    def key_a(self, uid, technology, sector):
        return self.diversify("read", uid, technology, sector)[:6]

    def key_b(self, uid, technology, sector):
        return self.diversify("write", uid, technology, sector)[:6]

    def trailer(self, uid, technology, sector):
        key_a = self.key_a(uid, technology, sector)
        return key_a + bytes.fromhex("78778869") + self.key_b(uid, technology, sector)

    def tag(self, uid, technology, copy, body):
        index = COPIES.index(copy)
        mac = CMAC(algorithms.AES(self.diversify("tag", uid, technology, index)))
        mac.update(bytes([TECHNOLOGY_CODES[technology], index, len(uid)]) + uid + body)
        return mac.finalize()[:8]


# --- rfid48 -----------------------------------------------------------------------------------------------------


def number(data):
    return int.from_bytes(data, "big")


def parse(image):
    """The fields of an image whose tag is right, or None where it says something the format does not have."""
    function = image[4] >> 6
    count = image[4] & 0x3F
    start, end = number(image[11:14]), number(image[14:17])
    first = number(image[20:22])
    flags_and_common = number(image[22:26])
    words = [number(image[at : at + 2]) for at in range(26, 40, 2)]
    used = [word for word in words if word != 0]
    valid = (
        number(image[2:4]) >= 1
        and function <= 1
        and count <= 33
        and (first >= 1 and first + count - 1 <= 32767 if count else first == 0)
        and number(image[7:11]) >= 1
        and start != NO_END
        and end >= start
        and flags_and_common >> 28 == 0
        and words[: len(used)] == used
        and all(word & 0x7FFF for word in used)
    )
    if not valid:
        return None
    return {
        "sequence": number(image[2:4]),
        "number": number(image[7:11]),
        "function": ("guest", "staff")[function],
        "start": start,
        "end": None if end == NO_END else end,
        "issue": number(image[17:20]),
        "guest_doors": list(range(first, first + count)) + [word & 0x7FFF for word in used if word >> 15],
        "common_doors": [bit for bit in range(28) if flags_and_common >> bit & 1]
        + [word for word in used if not word >> 15],
    }


def open_image(site, uid, technology, copy, image):
    if image is None or len(image) != 48:
        return None
    header = image[0] == 0x48 and image[1] == site.version and image[5:7] == site.mark
    if not header:
        return None
    if not hmac.compare_digest(site.tag(uid, technology, copy, image[:40]), image[40:]):
        return None
    return parse(image)


def which_counts(copies, images):
    """The fields that count, None, or the word "ambiguous"."""
    a, b = copies
    if a is None or b is None:
        return a or b
    if a["sequence"] != b["sequence"]:
        return max(a, b, key=lambda fields: fields["sequence"])
    return a if images[0][:40] == images[1][:40] else "ambiguous"


def decide(fields, door, highest_issue, now):
    """The lock's rule: tag, time, door, issue number, in this order."""
    if fields is None:
        return "no_credential"
    if fields == "ambiguous":
        return "ambiguous"
    if now is None:
        return "clock_unset"
    if now + 15 < fields["start"]:
        return "not_yet_valid"
    if fields["end"] is not None and now > fields["end"] + 15:
        return "expired"
    if door["number"] not in fields[door["kind"] + "_doors"]:
        return "wrong_door"
    if door["kind"] == "guest" and fields["function"] == "guest":
        if fields["issue"] < highest_issue:
            return "overridden"
        if fields["issue"] > highest_issue:
            return f"open, remember {fields['issue']}"
    return "open"


# --- Checking ---------------------------------------------------------------------------------------------------


class Checker:
    def __init__(self):
        self.checked = 0

    def equal(self, what, found, expected):
        self.checked += 1
        if isinstance(found, bytes):
            found = found.hex().upper()
        if found != expected:
            raise SystemExit(f"{what}: the file says {expected}, the page gives {found}")

    def file(self, path):
        vectors = json.loads(path.read_text(encoding="utf-8"))
        for vector in vectors["an10922"]:
            derived = an10922(bytes.fromhex(vector["master"]), bytes.fromhex(vector["input"]))
            self.equal("AN10922 " + vector["input"], derived, vector["derived"])
        for card in vectors["cards"]:
            self.card(card)

    def card(self, card):
        name, technology = card["name"], card["technology"]
        uid = bytes.fromhex(card["uid"])
        site = Site(bytes.fromhex(card["site_key"]), card["key_version"])
        self.equal(f"{name}: site mark", site.mark, card["site_mark"])
        self.equal(f"{name}: check value", site.check_value, card["check_value"])
        for purpose, master in site.masters.items():
            self.equal(f"{name}: {purpose} master", master, card["masters"][purpose])
        opened, images = [], []
        for copy in COPIES:
            expected = card["copies"][copy]
            sector = SECTORS[copy]
            self.equal(f"{name}: trailer {copy}", site.trailer(uid, technology, sector), expected["trailer"])
            tag_key = site.diversify("tag", uid, technology, COPIES.index(copy))
            self.equal(f"{name}: tag key {copy}", tag_key, expected["tag_key"])
            image = bytes.fromhex(expected["image"])
            fields = open_image(site, uid, technology, copy, image)
            self.equal(f"{name}: copy {copy}", fields, expected["fields"])
            opened.append(fields)
            images.append(image)
        counts = which_counts(opened, images)
        for decision in card["decisions"]:
            found = decide(counts, decision["door"], decision["highest_issue"], decision["now"])
            self.equal(f"{name}: decision {decision}", found, decision["decision"])


def main(arguments):
    folder = pathlib.Path(__file__).resolve().parents[3] / "crates" / "card" / "tests" / "data"
    paths = [pathlib.Path(argument) for argument in arguments] or sorted(folder.glob("*.json"))
    if not paths:
        raise SystemExit(f"no vectors in {folder}")
    checker = Checker()
    for path in paths:
        checker.file(path)
    print(f"{len(paths)} file(s), {checker.checked} values agree with docs/card-format.md")


if __name__ == "__main__":
    main(sys.argv[1:])
