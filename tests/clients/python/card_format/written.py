"""How the vectors are written down: JSON in which whatever is short stands on one line."""

import json

WIDTH = 110


def text(value):
    return lines(value, "") + "\n"


def lines(value, indent):
    """A value over as many lines as it needs, its first one without the indentation."""
    short = json.dumps(value, ensure_ascii=False)
    if len(short) + len(indent) <= WIDTH or not isinstance(value, (dict, list)):
        return short
    deeper = indent + " "
    if isinstance(value, dict):
        parts = [f"{json.dumps(name)}: {lines(part, deeper)}" for name, part in value.items()]
        opening, closing = "{}"
    else:
        parts = [lines(part, deeper) for part in value]
        opening, closing = "[]"
    return opening + "\n" + ",\n".join(deeper + part for part in parts) + "\n" + indent + closing
