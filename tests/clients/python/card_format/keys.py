"""The site key and what is made of it: masters, the site mark, the keys of a card (docs/card-format.md, section 4)."""

import hmac
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC


def hkdf(site_key, purpose, version, length):
    """HKDF-SHA256 (RFC 5869) without salt; one block of output is enough for every purpose."""
    info = b"cardbridge/1/" + purpose.encode() + (b"" if version is None else bytes([version]))
    extracted = hmac.digest(bytes(32), site_key, sha256)
    return hmac.digest(extracted, info + b"\x01", sha256)[:length]


def encrypt_block(key, block):
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def cmac(key, message):
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


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
    """The versions of a site key, as whoever makes cards holds them. The mark is that of the first version."""

    def __init__(self, site_keys):
        self.site_keys = site_keys
        self.mark = hkdf(site_keys[min(site_keys)], "site-mark", None, 2)

    def check_value(self, version):
        return hkdf(self.site_keys[version], "check-value", version, 8)

    def master(self, purpose, version):
        return hkdf(self.site_keys[version], purpose, version, 16)

    def key(self, purpose, version, uid, code, index):
        """All 16 bytes of a key of one card; shorter keys are its first bytes."""
        return an10922(self.master(purpose, version), uid + bytes([code, index]))

    def site_wide_key(self, version, code, index):
        """The key that is the same on every card of the site: no UID goes into it."""
        return an10922(self.master("read", version), bytes([code, index]))

    def tag(self, version, uid, code, copy, body):
        """The tag (section 5) of an image without its tag, in one copy of one card."""
        key = self.key("tag", version, uid, code, copy)
        return cmac(key, bytes([code, copy, len(uid)]) + uid + body)[:8]
