"""Single images with the right tag: values on both sides of every limit of a format, by turns on every technology."""

from image import open_image, rfid48_body, seal, tlcode_body, tlcode_list
from placing import PLACINGS
from whole_cards import GUEST, LONG_UID, SITE, doors


def single(name, slug, body, copy=0):
    """An image with the right tag, whatever it says."""
    placing = PLACINGS[slug]
    image = seal(SITE, LONG_UID, placing.code, copy, body)
    fields = open_image(SITE, (1, 2), LONG_UID, placing.code, copy, image, placing.most, placing.formats)
    return {
        "name": name,
        "technology": slug,
        "uid": LONG_UID.hex().upper(),
        "copy": "AB"[copy],
        "image": image.hex().upper(),
        "fields": fields,
    }


def rfid48_images():
    """Values on both sides of every limit of section 2, by turns on every technology."""
    base = rfid48_body(SITE, GUEST)
    changes = {
        "sequence 0": (2, "0000"),
        "sequence 65535": (2, "FFFF"),
        "staff": (4, "41"),
        "function 2": (4, "81"),
        "function 3": (4, "C1"),
        "33 rooms": (4, "21"),
        "34 rooms": (4, "22"),
        "63 rooms": (4, "3F"),
        "no room count but a first room": (4, "00"),
        "a room count but no first room": (20, "0000"),
        "room 32767": (20, "7FFF"),
        "room 32768": (20, "8000"),
        "number 0": (7, "00000000"),
        "number 4294967295": (7, "FFFFFFFF"),
        "start 0": (11, "000000"),
        "start 16777215": (11, "FFFFFF"),
        "start 16777215 without an end": (11, "FFFFFFFFFFFF"),
        "start and end at the end of the calendar": (11, "FFFFFEFFFFFE"),
        "no end": (14, "FFFFFF"),
        "end at the start": (14, "375168"),
        "end before the start": (14, "375167"),
        "issue number 16777215": (17, "FFFFFF"),
        "every common door": (22, "0FFFFFFF"),
        "no common door": (22, "00000000"),
        "flag 28": (22, "10000009"),
        "flag 31": (22, "80000009"),
        "seven additional doors": (26, "80CD0190000180010190FFFF7FFF"),
        "a word after an unused one": (26, "000080CD"),
        "guest door 0": (26, "8000"),
        "guest door 0 after a used word": (26, "00018000"),
    }
    bodies = {name: patch(base, at, data) for name, (at, data) in changes.items()}
    bodies["rooms to 32767"] = patch(patch(base, 4, "21"), 20, "7FDF")
    bodies["rooms to 32768"] = patch(patch(base, 4, "21"), 20, "7FE0")
    bodies["no rooms"] = patch(patch(base, 4, "00"), 20, "0000")
    bodies["staff without rooms"] = patch(patch(base, 4, "40"), 20, "0000")
    bodies["version 2"] = patch(base, 1, "02")
    return by_turns(bodies, list(PLACINGS))


def tlcode_images():
    """Values on both sides of every limit of section 3, and every other way to write fields down."""
    fields = GUEST | {"format": "TLCode", "additional": ["guest 205"]}
    usual = dict(tlcode_list(fields))

    def listed(**changed):
        """The usual list with some fields changed, or left out for None."""
        changes = {int(kind[1:]): value for kind, value in changed.items()}
        return [(kind, value) for kind, value in sorted((usual | changes).items()) if value is not None]

    def value(text):
        return bytes.fromhex(text)

    every = list(usual.items())
    door = value("80CD")
    lists = {
        "the shortest": listed(_4=None, _6=None, _7=None, _8=None),
        "staff": listed(_2=b"\1"),
        "function 2": listed(_2=b"\2"),
        "number 0": listed(_1=bytes(4)),
        "number 4294967295": listed(_1=value("FFFFFFFF")),
        "no number": listed(_1=None),
        "no function": listed(_2=None),
        "no start": listed(_3=None),
        "no issue number": listed(_5=None),
        "no end": listed(_4=None),
        "an end of FFFFFF": listed(_4=value("FFFFFF")),
        "end at the start": listed(_4=value("375168")),
        "end before the start": listed(_4=value("375167")),
        "start and end at the end of the calendar": listed(_3=value("FFFFFE"), _4=value("FFFFFE")),
        "start 16777215": listed(_3=value("FFFFFF"), _4=None),
        "issue number 16777215": listed(_5=value("FFFFFF")),
        "33 rooms to 32767": listed(_6=value("7FDF21")),
        "33 rooms to 32768": listed(_6=value("7FE021")),
        "34 rooms": listed(_6=value("006522")),
        "no room": listed(_6=value("006500")),
        "first room 0": listed(_6=value("000001")),
        "an empty range": listed(_6=value("000000")),
        "every common door": listed(_7=value("0FFFFFFF")),
        "common doors that are none": listed(_7=bytes(4)),
        "common door 28": listed(_7=value("10000009")),
        "half a door": listed(_8=door + b"\0"),
        "an empty list of doors": listed(_8=b""),
        "guest door 0": listed(_8=value("8000")),
        "common door 0 as an additional one": listed(_8=value("0000")),
        "the highest doors": listed(_8=value("FFFF7FFF")),
        "a door twice": listed(_8=door + door),
        "two lists of doors, the first not full": every + [(8, door)],
        "a number of three bytes": listed(_1=value("001267")),
        "a function of two bytes": listed(_2=bytes(2)),
        "a start of four bytes": listed(_3=value("00375168")),
        "common doors of three bytes": listed(_7=value("000009")),
        "a range of four bytes": listed(_6=value("00650001")),
        "an unknown type": listed(_9=b"\0"),
        "type 0": listed(_0=b"\0"),
        "type FF": listed(_255=b""),
        "the start twice": every[:3] + every[2:],
        "number and function out of order": [every[1], every[0], *every[2:]],
        "doors before the common doors": every[:-2] + [every[-1], every[-2]],
    }
    bodies = {name: tlcode_body(SITE, fields, chosen) for name, chosen in lists.items()}
    usual_body = tlcode_body(SITE, fields)
    bodies["sequence 0"] = patch(usual_body, 2, "0000")
    bodies["sequence 65535"] = patch(usual_body, 2, "FFFF")
    bodies["byte 4 not 0"] = patch(usual_body, 4, "01")
    bodies["version 2"] = patch(usual_body, 1, "02")
    bodies["a byte left over"] = longer(usual_body, b"\x08")
    bodies["a value that goes past the end"] = longer(usual_body, value("08040001"))
    bodies["no fields"] = usual_body[:7] + bytes(2)
    images = by_turns(bodies, [slug for slug in PLACINGS if "TLCode" in PLACINGS[slug].formats])
    return images + many_doors(fields)


def many_doors(fields):
    """More doors than one field holds, where they fit."""
    made = []
    for slug, count in (("ntag216", 127), ("ntag216", 128), ("mifare_classic_4k", 254), ("mifare_classic_4k", 255)):
        body = tlcode_body(SITE, fields | {"additional": doors(count)})
        made.append(single(f"{count} additional doors", slug, body))
    words = tlcode_list(fields | {"additional": doors(127)})[-1][1]
    head = tlcode_list(fields)[:-1]
    for name, lists in {
        "126 and 1 doors": (words[:252], words[252:]),
        "127 doors and an empty list": (words, b""),
        "127, 1 and 1 doors": (words, words[:2], words[2:4]),
    }.items():
        body = tlcode_body(SITE, fields, head + [(8, doors_of) for doors_of in lists])
        made.append(single(name, "mifare_classic_4k", body, copy=1))
    return made


def patch(body, at, data):
    data = bytes.fromhex(data)
    return body[:at] + data + body[at + len(data) :]


def longer(body, more):
    """The body with more bytes of fields, and their length as it is then."""
    length = len(body) - 9 + len(more)
    return body[:7] + length.to_bytes(2, "big") + body[9:] + more


def by_turns(bodies, slugs):
    images = []
    for nth, (name, body) in enumerate(bodies.items()):
        slug = slugs[nth % len(slugs)]
        images.append(single(name, slug, body, nth // 2 % PLACINGS[slug].copies))
    return images
