"""Which copy counts and what a lock decides (docs/card-format.md, sections 6 and 7)."""


def which_counts(copies):
    """"none", "A", "B", "either" or "ambiguous", of the fields of copy A and copy B, None where one is void."""
    a, b = copies
    if a is None or b is None:
        return "A" if a else "B" if b else "none"
    if a["sequence"] != b["sequence"]:
        return "A" if a["sequence"] > b["sequence"] else "B"
    return "either" if a | {"key_version": 0} == b | {"key_version": 0} else "ambiguous"


def opens_door(fields, kind, number):
    if f"{kind} {number}" in fields["additional"]:
        return True
    if kind == "guest":
        first, count = fields["rooms"] or (0, 0)
        return first <= number < first + count
    return number in fields["common_doors"]


def decide(copies, door, highest_issue, now):
    """Tag, time, door, issue number, in this order. `door` is "guest 101" or "common 3"."""
    counts = which_counts(copies)
    if counts == "none":
        return "no_credential"
    if counts == "ambiguous":
        return "ambiguous"
    fields = copies[1] if counts == "B" else copies[0]
    if now is None:
        return "clock_unset"
    if now < fields["start"] - 15:
        return "not_yet_valid"
    if fields["end"] is not None and now > fields["end"] + 15:
        return "expired"
    kind, number = door.split()
    if not opens_door(fields, kind, int(number)):
        return "wrong_door"
    if kind == "guest" and fields["function"] == "guest":
        if fields["issue"] < highest_issue:
            return "overridden"
        if fields["issue"] > highest_issue:
            return f"open, remember {fields['issue']}"
    return "open"
