"""The two formats, from fields to bytes and back (docs/card-format.md, sections 2, 3 and 5).

Fields are a dictionary: format, key_version, sequence, number, function, start, end (None: no end), issue, rooms
([first, count] or None), common_doors (bits) and additional ("guest 205" or "common 400", in the order of the image).
"""

import hmac

FORMATS = {0x48: "rfid48", 0x54: "TLCode"}
FUNCTIONS = ("guest", "staff")
NO_END = 0xFFFFFF
DOORS_OF_A_FIELD = 127


def number(data):
    return int.from_bytes(data, "big")


# --- To bytes: nothing is checked here, so that void images can be made too ---


def door_word(door):
    kind, door_number = door.split()
    return int(door_number) | (0x8000 if kind == "guest" else 0)


def common_bits(fields):
    return sum(1 << bit for bit in fields["common_doors"])


def header(site, fields):
    start = 0x48 if fields["format"] == "rfid48" else 0x54
    return bytes([start, fields["key_version"]]) + fields["sequence"].to_bytes(2, "big"), site.mark


def rfid48_body(site, fields):
    start, mark = header(site, fields)
    first, count = fields["rooms"] or (0, 0)
    words = [door_word(door) for door in fields["additional"]]
    words += [0] * (7 - len(words))
    return (
        start
        + bytes([FUNCTIONS.index(fields["function"]) << 6 | count])
        + mark
        + fields["number"].to_bytes(4, "big")
        + fields["start"].to_bytes(3, "big")
        + (NO_END if fields["end"] is None else fields["end"]).to_bytes(3, "big")
        + fields["issue"].to_bytes(3, "big")
        + first.to_bytes(2, "big")
        + common_bits(fields).to_bytes(4, "big")
        + b"".join(word.to_bytes(2, "big") for word in words)
    )


def tlcode_list(fields):
    """The fields of a TLCode as a list of (type, value)."""
    listed = [
        (1, fields["number"].to_bytes(4, "big")),
        (2, bytes([FUNCTIONS.index(fields["function"])])),
        (3, fields["start"].to_bytes(3, "big")),
    ]
    if fields["end"] is not None:
        listed.append((4, fields["end"].to_bytes(3, "big")))
    listed.append((5, fields["issue"].to_bytes(3, "big")))
    if fields["rooms"]:
        first, count = fields["rooms"]
        listed.append((6, first.to_bytes(2, "big") + bytes([count])))
    if fields["common_doors"]:
        listed.append((7, common_bits(fields).to_bytes(4, "big")))
    doors = [door_word(door).to_bytes(2, "big") for door in fields["additional"]]
    for at in range(0, len(doors), DOORS_OF_A_FIELD):
        listed.append((8, b"".join(doors[at : at + DOORS_OF_A_FIELD])))
    return listed


def tlcode_body(site, fields, listed=None):
    start, mark = header(site, fields)
    listed = tlcode_list(fields) if listed is None else listed
    value = b"".join(bytes([kind, len(value)]) + value for kind, value in listed)
    return start + b"\x00" + mark + len(value).to_bytes(2, "big") + value


def body_of(site, fields):
    return rfid48_body(site, fields) if fields["format"] == "rfid48" else tlcode_body(site, fields)


def seal(site, uid, code, copy, body):
    """The image: the body with the tag of the version that its byte 1 names."""
    return body + site.tag(body[1], uid, code, copy, body)


# --- From bytes ---


def length_of(begin, site, held, most, formats):
    """How long the image is that begins so, or None when it can be none that this lock can check."""
    form = FORMATS.get(begin[0])
    if form not in formats or begin[1] not in held or begin[5:7] != site.mark:
        return None
    if form == "rfid48":
        return 48
    length = 17 + number(begin[7:9])
    return length if begin[4] == 0 and number(begin[7:9]) <= 655 and length <= most else None


def open_image(site, held, uid, code, copy, image, most, formats):
    """The fields of what lies in a copy, or None where it is void. Bytes after the image mean nothing."""
    if image is None or len(image) < 16:
        return None
    length = length_of(image, site, held, most, formats)
    if length is None or len(image) < length:
        return None
    body, tag = image[: length - 8], image[length - 8 : length]
    if not hmac.compare_digest(site.tag(body[1], uid, code, copy, body), tag):
        return None
    fields = parse_rfid48(body) if body[0] == 0x48 else parse_tlcode(body)
    if fields is None or number(body[2:4]) == 0:
        return None
    begin = {"format": FORMATS[body[0]], "key_version": body[1], "sequence": number(body[2:4])}
    return begin | fields


def door(word):
    return f"{'guest' if word >> 15 else 'common'} {word & 0x7FFF}"


def rooms_fit(first, count):
    return 1 <= count <= 33 and 1 <= first and first + count - 1 <= 32767


def bits(mask):
    return [bit for bit in range(28) if mask >> bit & 1]


def times_fit(start, end):
    return start < NO_END and (end is None or start <= end < NO_END)


def parse_rfid48(body):
    function, count = body[4] >> 6, body[4] & 0x3F
    start, end = number(body[11:14]), number(body[14:17])
    end = None if end == NO_END else end
    first = number(body[20:22])
    mask = number(body[22:26])
    words = [number(body[at : at + 2]) for at in range(26, 40, 2)]
    used = [word for word in words if word]
    valid = (
        function <= 1
        and (rooms_fit(first, count) or first == count == 0)
        and number(body[7:11]) >= 1
        and times_fit(start, end)
        and mask >> 28 == 0
        and words[: len(used)] == used
        and all(word & 0x7FFF for word in used)
    )
    if not valid:
        return None
    return {
        "number": number(body[7:11]),
        "function": FUNCTIONS[function],
        "start": start,
        "end": end,
        "issue": number(body[17:20]),
        "rooms": [first, count] if count else None,
        "common_doors": bits(mask),
        "additional": [door(word) for word in used],
    }


def split_fields(data):
    """A list of (type, value), or None when the bytes do not come out even."""
    listed = []
    while data:
        if len(data) < 2 or len(data) < 2 + data[1]:
            return None
        listed.append((data[0], data[2 : 2 + data[1]]))
        data = data[2 + data[1] :]
    return listed


LENGTHS = {1: (4,), 2: (1,), 3: (3,), 4: (3,), 5: (3,), 6: (3,), 7: (4,), 8: range(2, 255, 2)}


def parse_tlcode(body):
    listed = split_fields(body[9:])
    if listed is None or any(len(value) not in LENGTHS.get(kind, ()) for kind, value in listed):
        return None
    kinds = [kind for kind, _ in listed]
    once = [kind for kind in kinds if kind != 8]
    if kinds != sorted(kinds) or once != sorted(set(once)) or not {1, 2, 3, 5} <= set(once):
        return None
    lists = [value for kind, value in listed if kind == 8]
    if any(len(value) != 254 for value in lists[:-1]):
        return None
    found = {kind: value for kind, value in listed if kind != 8}
    joined = b"".join(lists)
    words = [number(joined[at : at + 2]) for at in range(0, len(joined), 2)]
    start = number(found[3])
    # An end of FFFFFF is none that the table has: "no end" is to leave the field out.
    end = number(found[4]) if 4 in found else None
    rooms = [number(found[6][:2]), found[6][2]] if 6 in found else None
    mask = number(found[7]) if 7 in found else None
    valid = (
        number(found[1]) >= 1
        and found[2][0] <= 1
        and times_fit(start, end)
        and (rooms is None or rooms_fit(*rooms))
        and (mask is None or 0 < mask < 1 << 28)
        and all(word & 0x7FFF for word in words)
    )
    if not valid:
        return None
    return {
        "number": number(found[1]),
        "function": FUNCTIONS[found[2][0]],
        "start": start,
        "end": end,
        "issue": number(found[5]),
        "rooms": rooms,
        "common_doors": bits(mask or 0),
        "additional": [door(word) for word in words],
    }
