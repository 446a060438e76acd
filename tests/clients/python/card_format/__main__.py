#!/usr/bin/env python3
"""An independent reader of the card format, written from docs/card-format.md and nothing else.

It shares no code with the product. It reads every card of the golden vectors as a lock does, says what each image says,
which copy counts and what doors decide, and compares that with what the files say; then it makes the files anew and
compares every byte:

    pip install cryptography
    python tests/clients/python/card_format [--new] [FOLDER]

The files are those of crates/card/tests/data, or of FOLDER. With --new it writes the ones that are not there. It never changes one that is: they are frozen. Prints what it checked
and exits 0, or names the first difference and exits 1.
"""

import pathlib
import sys

from check import Checker
from vectors import files
from written import text

FOLDER = pathlib.Path(__file__).resolve().parents[4] / "crates" / "card" / "tests" / "data"


def main(arguments):
    new = "--new" in arguments
    folders = [argument for argument in arguments if argument != "--new"]
    if len(folders) > 1 or any(argument.startswith("-") for argument in folders):
        raise SystemExit(__doc__)
    folder = pathlib.Path(folders[0]) if folders else FOLDER
    checker = Checker()
    for name, content in files().items():
        path = folder / name
        if new and not path.exists():
            path.write_text(text(content), encoding="utf-8")
        checker.frozen(path, text(content))
    paths = sorted(folder.glob("*.json"))
    for path in paths:
        checker.file(path)
    print(f"{len(paths)} files, {checker.checked} values agree with docs/card-format.md")


if __name__ == "__main__":
    main(sys.argv[1:])
