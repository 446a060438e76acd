"""Whole cards of every technology, in both formats: one list of cases that each placing gets as far as it has room."""

from image import body_of, open_image, seal
from keys import Site
from lock import decide, which_counts
from placing import PLACINGS, Card, Classic

SITE = Site({1: bytes(range(32)), 2: bytes(range(0x20, 0x40))})
ELSEWHERE = Site({1: bytes(range(0xA0, 0xC0)), 2: bytes(range(0xC0, 0xE0))})
SHORT_UID = bytes.fromhex("04A1B2C3")
LONG_UID = bytes.fromhex("04A1B2C3D4E5F6")
OTHER_LONG_UID = bytes.fromhex("04A1B2C3D4E5F7")

START, END = 3625320, 3629460
GUEST = {
    "format": "rfid48",
    "key_version": 1,
    "sequence": 1,
    "number": 4711,
    "function": "guest",
    "start": START,
    "end": END,
    "issue": START,
    "rooms": [101, 1],
    "common_doors": [0, 3],
    "additional": [],
}
STAFF = GUEST | {
    "number": 0x80000001,
    "function": "staff",
    "end": None,
    "rooms": [200, 33],
    "common_doors": list(range(28)),
}
MOST = GUEST | {
    "sequence": 65535,
    "number": 4294967295,
    "start": 16777214,
    "end": 16777214,
    "issue": 16777215,
    "rooms": [32735, 33],
    "additional": ["guest 32767", "common 32767", "common 1"],
}
LEAST = GUEST | {"number": 1, "start": 0, "end": 0, "issue": 0, "rooms": None, "common_doors": []}
# A TLCode of 48 bytes: what a card that was prepared for one sector takes.
ONE_SECTOR = GUEST | {
    "format": "TLCode",
    "end": None,
    "rooms": None,
    "additional": ["guest 7", "common 400"],
}


def doors(count):
    """Guest and common doors by turns, none of them the same."""
    return [f"{('guest', 'common')[nth % 2]} {1000 + 7 * nth}" for nth in range(count)]


def filling(most):
    """How many additional doors make the TLCode of the guest fill `most` bytes."""
    count, fields = 0, GUEST | {"format": "TLCode"}
    while len(body_of(SITE, fields | {"additional": doors(count + 1)})) + 8 <= most:
        count += 1
    return count


# --- Whole cards ------------------------------------------------------------------------------------------------


class Maker:
    """Makes the cards of one technology."""

    def __init__(self, slug):
        self.slug, self.placing = slug, PLACINGS[slug]
        self.uid, self.made = LONG_UID, []

    def image(self, fields, copy, site=SITE, uid=None, code=None, bound=None):
        code = self.placing.code if code is None else code
        bound = copy if bound is None else bound
        return seal(site, uid or self.uid, code, bound, body_of(site, fields))

    def card(self, name, copies, held=(1,), prepared=1, sectors=None, keys=SITE, whole=False):
        """`copies` are bytes; `prepared` is the version of the keys, or a function of their index."""
        copies = (list(copies) + [b"", b""])[: self.placing.copies]
        if sectors is None and isinstance(self.placing, Classic):
            sectors = self.placing.sectors_for(max(map(len, copies))) or 1
        versions = prepared if callable(prepared) else lambda _: prepared
        card = Card(*self.placing.lay(keys, versions, self.uid, copies, sectors))
        opened = read(SITE, held, self.uid, self.slug, card)
        self.made.append(
            {
                "name": name,
                "uid": self.uid.hex().upper(),
                "held": list(held),
                "memory": [{"at": at, "bytes": data.hex().upper()} for at, data in card.runs],
                "keys": [
                    {"number": number, "version": version, "key": key.hex().upper()}
                    for number, version, key in card.keys
                ],
                "copies": opened,
                "counts": which_counts((opened + [None])[:2]),
                "decisions": decisions(opened, whole),
            }
        )

    def last(self, image_of):
        """An image in the last copy, zeros in the others."""
        return [b""] * (self.placing.copies - 1) + [image_of(self.placing.copies - 1)]

    def all(self):
        for form in self.placing.formats:
            self.values(form)
            self.void(form)
            self.rolled(form)
            if self.placing.copies == 2:
                self.two(form)
        if self.placing.formats == ("rfid48",):
            self.card("a TLCode where none is taken", [self.image(ONE_SECTOR, 0)])
        elif self.placing.copies == 2:
            long = self.image(GUEST | {"format": "TLCode"}, 1)
            self.card("one of each format, both with sequence 1", [self.image(GUEST, 0), long])
        if isinstance(self.placing, Classic):
            self.sectors()
        self.card("prepared and empty", [])
        self.card("prepared by another site", self.last(lambda copy: self.image(GUEST, copy)), keys=ELSEWHERE)
        return self.made

    def values(self, form):
        guest, room = GUEST | {"format": form}, self.placing.most
        extra = 7 if form == "rfid48" else filling(room)
        cases = {
            "a guest": guest,
            "staff with every room and common door there can be": STAFF | {"format": form},
            "as many additional doors as it holds": guest | {"additional": doors(extra)},
            "the highest values": MOST | {"format": form},
            "the lowest values and no doors": LEAST | {"format": form},
        }
        for name, fields in cases.items():
            self.card(f"{form}: {name}", self.last(lambda copy: self.image(fields, copy)), whole=name == "a guest")
        if isinstance(self.placing, Classic):
            self.uid = SHORT_UID
            self.card(f"{form}: a guest, UID of four bytes", self.last(lambda copy: self.image(guest, copy)))
            self.uid = LONG_UID

    def void(self, form):
        fields = GUEST | {"format": form, "additional": ["guest 205"]}
        size = len(self.image(fields, 0))
        older = [self.image(fields | {"sequence": 7, "rooms": [102, 1]}, 0)] * (self.placing.copies - 1)
        after = " after an older one" if older else ""
        for at in (0, 3, 20, size - 9, size - 1):
            torn = lambda copy: flip(self.image(fields | {"sequence": 8}, copy), at)
            self.card(f"{form}: a bit of byte {at} is torn{after}", older + self.last(torn)[-1:])
        half = lambda copy: self.image(fields, copy)[:16].ljust(size, b"\0")
        self.card(f"{form}: the first 16 bytes alone{after}", older + self.last(half)[-1:])
        wrong = {
            "another UID": lambda copy: self.image(fields, copy, uid=OTHER_LONG_UID),
            "the other copy": lambda copy: self.image(fields, copy, bound=1 - copy),
            "another technology": lambda copy: self.image(fields, copy, code=self.placing.code % 6 + 1),
            "another site": lambda copy: self.image(fields, copy, site=ELSEWHERE),
        }
        for name, image_of in wrong.items():
            self.card(f"{form}: sealed for {name}", self.last(image_of))

    def rolled(self, form):
        fields = GUEST | {"format": form, "key_version": 2}
        image = self.last(lambda copy: self.image(fields, copy))
        for held in ((1, 2), (1,), (2,)):
            name = " and ".join(map(str, held))
            self.card(f"{form}: keys of version 1, image of version 2, lock with {name}", image, held)
        self.card(f"{form}: keys and image of version 2, lock with 1 and 2", image, (1, 2), prepared=2)
        self.card(f"{form}: keys and image of version 2, lock with 2", image, (2,), prepared=2)

    def two(self, form):
        def pair(name, a, b, **how):
            images = [self.image(fields | {"format": form}, copy) for copy, fields in enumerate((a, b))]
            self.card(f"{form}: {name}", images, **how)

        pair("the newer in copy A", GUEST | {"sequence": 300}, GUEST | {"sequence": 299, "rooms": [102, 1]})
        pair("the newer in copy B", GUEST | {"sequence": 255}, GUEST | {"sequence": 256, "rooms": [102, 1]})
        pair("the same twice", GUEST, GUEST)
        pair("the same under two versions", GUEST, GUEST | {"key_version": 2}, held=(1, 2))
        pair("two rooms with one sequence", GUEST, GUEST | {"rooms": [102, 1]})
        one = GUEST | {"rooms": [101, 2]}
        pair("the same doors written differently", one, GUEST | {"additional": ["guest 102"]})
        self.card(f"{form}: in copy A alone", [self.image(GUEST | {"format": form}, 0)])

    def sectors(self):
        """Chains of sectors, which MIFARE Classic alone has."""
        form = {"format": "TLCode"}
        long = self.last(lambda copy: self.image(GUEST | form | {"additional": doors(9)}, copy))
        small = self.last(lambda copy: self.image(ONE_SECTOR, copy))
        self.card("TLCode: 48 bytes in one sector", small, sectors=1)
        self.card("rfid48: on two sectors", self.last(lambda copy: self.image(GUEST, copy)), sectors=2)
        stale = self.last(lambda copy: self.image(ONE_SECTOR, copy) + bytes(range(1, 49)))
        self.card("TLCode: stale bytes behind it", stale)
        finished = lambda sector: 1 if sector < 3 else 2
        self.card("TLCode: prepared under two versions, lock with 1 and 2", long, (1, 2), prepared=finished)
        self.card("TLCode: prepared under two versions, lock with 1", long, (1,), prepared=finished)
        self.card("TLCode: longer than what was prepared", [image[:48] for image in long], sectors=1)


def flip(image, at):
    return image[:at] + bytes([image[at] ^ 0x10]) + image[at + 1 :]


def read(site, held, uid, slug, card):
    """The fields of every copy of a card, None where one is void."""
    placing = PLACINGS[slug]
    contents = placing.read(site, held, uid, card)
    return [
        open_image(site, held, uid, placing.code, copy, content, placing.most, placing.formats)
        for copy, content in enumerate(contents)
    ]


def decisions(opened, whole):
    """What locks decide: of a whole set each rule on both sides of its limit, else one lock or two."""
    fields = next((fields for fields in opened if fields), GUEST)
    start, end, issue = fields["start"], fields["end"], fields["issue"]
    cases = [("guest 101", 0, start)]
    if any(opened):
        cases += [("guest 102", issue, start), ("common 3", issue + 1 if issue < 0xFFFFFF else 0, start)]
        cases += [(fields["additional"][-1], 0, start)] if fields["additional"] else []
        cases += [(f"guest {fields['rooms'][0] + fields['rooms'][1] - 1}", issue, start)] if fields["rooms"] else []
    if whole:
        late = 16777214 if end is None else end
        cases += [("guest 101", seen, start) for seen in (issue - 1, issue, issue + 1)]
        cases += [("guest 101", 0, now) for now in (None, start - 16, start - 15, late + 15, late + 16)]
        cases += [("guest 100", 0, start), ("common 101", 0, start), ("guest 3", 0, start), ("common 2", 0, start)]
        cases += [("guest 102", issue + 1, start - 16), ("guest 102", issue + 1, None), ("guest 102", issue + 1, start)]
    pair = (opened + [None])[:2]
    return [
        {"door": door, "highest_issue": highest, "now": now, "decision": decide(pair, door, highest, now)}
        for door, highest, now in cases
    ]
