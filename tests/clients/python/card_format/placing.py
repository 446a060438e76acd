"""Where images and keys lie on a card of each technology (docs/card-format.md, sections 8 to 12).

A card is its memory, in runs of bytes from a block, page or byte of a file on, and for the technologies that never show
their keys, a list of those. What no run covers is zeros.
"""

from image import length_of

BOTH = ("rfid48", "TLCode")


class Placing:
    """Technology code, the copies and how many bytes each has, and the formats it takes."""

    formats = BOTH

    def __init__(self, code, copies, most):
        self.code, self.copies, self.most = code, copies, most


class Classic(Placing):
    """Two chains of sectors. `size` is the greatest number of sectors per copy."""

    def __init__(self, size):
        super().__init__(0x01, 2, 48 * size)
        self.size = size

    def chain(self, copy):
        if copy == 0:
            return [1 + 2 * place for place in range(self.size)]
        return [2 + 2 * place if place < 7 else 4 + 2 * place for place in range(self.size)]

    def sectors_for(self, length):
        return -(-length // 48)

    def trailer(self, site, version, uid, sector):
        key_a = site.key("read", version, uid, self.code, sector)[:6]
        key_b = site.key("write", version, uid, self.code, sector)[:6]
        return key_a + bytes.fromhex("78778869") + key_b

    def lay(self, site, versions, uid, copies, prepared):
        """`prepared` sectors per copy; `versions` gives the version of each sector's keys, by sector number."""
        runs = []
        for copy, content in enumerate(copies):
            for place, sector in enumerate(self.chain(copy)[:prepared]):
                data = content[48 * place : 48 * (place + 1)].ljust(48, b"\0")
                runs.append((4 * sector, data + self.trailer(site, versions(sector), uid, sector)))
        return sorted(runs), []

    def read(self, site, held, uid, card):
        sectors = {at // 4: data for at, data in card.runs}
        return [self.read_chain(site, held, uid, sectors, copy) for copy in (0, 1)]

    def read_chain(self, site, held, uid, sectors, copy):
        content = b""
        for sector in self.chain(copy):
            data = sectors.get(sector)
            keys = [self.trailer(site, version, uid, sector)[:6] for version in held]
            if data is None or data[48:54] not in keys:
                return None
            content += data[:48]
            length = length_of(content, site, held, self.most, self.formats)
            if length is None or length <= len(content):
                return content
        return None


class Type2(Placing):
    """Pages of four bytes: the first pages of the copies, bytes per copy, the page of CFG0 and what a maker delivers before AUTH0."""

    def __init__(self, code, firsts, most, cfg0=None, delivered="", formats=BOTH):
        super().__init__(code, len(firsts), most)
        self.firsts, self.formats = firsts, formats
        self.cfg0, self.delivered = cfg0, delivered

    def key_runs(self, site, version, uid):
        if self.cfg0 is None:
            return []
        secret = site.key("write", version, uid, self.code, 0)[:6]
        return [
            (self.cfg0, bytes.fromhex(self.delivered) + b"\x04"),
            (self.cfg0 + 2, secret + b"\0\0"),
        ]

    def opens(self, site, held, uid, card):
        return True

    def lay(self, site, versions, uid, copies, prepared):
        runs = []
        for first, content in zip(self.firsts, copies):
            content = content.rstrip(b"\0")
            if content:
                runs.append((first, content.ljust(-(-len(content) // 4) * 4, b"\0")))
        return runs + self.key_runs(site, versions(0), uid), []

    def read(self, site, held, uid, card):
        if not self.opens(site, held, uid, card):
            return [None] * self.copies
        runs = dict(card.runs)
        return [runs.get(first, b"").ljust(self.most, b"\0") for first in self.firsts]


class UltralightC(Type2):
    """The one Type 2 card that is protected from being read: its key lies with each half turned round."""

    def key_bytes(self, site, version, uid):
        key = site.key("read", version, uid, self.code, 0)
        return key[7::-1] + key[:7:-1]

    def key_runs(self, site, version, uid):
        return [(0x2A, b"\x04"), (0x2C, self.key_bytes(site, version, uid))]

    def opens(self, site, held, uid, card):
        return dict(card.runs)[0x2C] in [self.key_bytes(site, version, uid) for version in held]


class Application(Placing):
    """A file whose keys never show: (master, index) per key number, and the key that a lock reads with."""

    def __init__(self, code, copies, most, keys, reads, site_wide=()):
        super().__init__(code, copies, most)
        self.keys, self.reads, self.site_wide = keys, reads, site_wide

    def key(self, site, version, uid, index):
        if index in self.site_wide:
            return site.site_wide_key(version, self.code, index)
        return site.key(self.keys[index], version, uid, self.code, index)

    def lay(self, site, versions, uid, copies, prepared):
        content = b"".join(content.ljust(self.most, b"\0") for content in copies).rstrip(b"\0")
        runs = [(0, content)] if content else []
        keys = [(index, versions(index), self.key(site, versions(index), uid, index)) for index in self.keys]
        return runs, keys

    def read(self, site, held, uid, card):
        """The key is tried only when its version byte names a version that is held."""
        version, key = next((version, key) for index, version, key in card.keys if index == self.reads)
        if version not in held or key != self.key(site, version, uid, self.reads):
            return [None] * self.copies
        content = dict(card.runs).get(0, b"").ljust(self.most * self.copies, b"\0")
        return [content[self.most * copy : self.most * (copy + 1)] for copy in range(self.copies)]


class Card:
    """What lies on a card: runs of memory and, where keys never show, (number, version, key)."""

    def __init__(self, runs, keys):
        self.runs, self.keys = runs, keys


DESFIRE = Application(0x04, 1, 256, {0: "write", 1: "read", 2: "write", 3: "read"}, 1, site_wide=(3,))
ONLY_RFID48 = ("rfid48",)

PLACINGS = {
    "mifare_classic_mini": Classic(2),
    "mifare_classic_1k": Classic(7),
    "mifare_classic_4k": Classic(14),
    "mifare_ultralight": Type2(0x05, (0x04,), 48, formats=ONLY_RFID48),
    "mifare_ultralight_ev1_48": Type2(0x05, (0x04,), 48, 0x10, "000000", formats=ONLY_RFID48),
    "mifare_ultralight_ev1_128": Type2(0x02, (0x04, 0x14), 64, 0x25, "000000"),
    "mifare_ultralight_c": UltralightC(0x02, (0x04, 0x16), 72),
    "ntag213": Type2(0x02, (0x04, 0x16), 72, 0x29, "040000"),
    "ntag215": Type2(0x03, (0x04, 0x43), 252, 0x83, "040000"),
    "ntag216": Type2(0x03, (0x04, 0x73), 444, 0xE3, "040000"),
    "desfire_ev1": DESFIRE,
    "desfire_ev2": DESFIRE,
    "desfire_ev3": DESFIRE,
    "ntag424_dna": Application(0x06, 2, 64, {0: "write", 2: "read", 3: "write"}, 2),
}
