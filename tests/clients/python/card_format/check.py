"""Compares what the files of golden vectors say with what the page gives."""

import json

from image import open_image
from keys import Site, an10922
from lock import decide, which_counts
from placing import PLACINGS, Card
from whole_cards import read

COPIES = ("A", "B")


def hexed(data):
    return data.hex().upper()


class Checker:
    def __init__(self):
        self.checked = 0

    def equal(self, what, found, expected):
        self.checked += 1
        if isinstance(found, bytes):
            found = hexed(found)
        if found != expected:
            raise SystemExit(f"{what}: the file says {expected}, the page gives {found}")

    def frozen(self, path, made):
        """The file is what would be made today, byte for byte."""
        if not path.exists():
            raise SystemExit(f"{path} is not there; --new writes it")
        if path.read_text(encoding="utf-8") != made:
            raise SystemExit(f"{path} is not what the page gives; a frozen file is never changed")
        self.checked += 1

    def file(self, path):
        vectors = json.loads(path.read_text(encoding="utf-8"))
        if path.name == "rfid48-mifare-classic-1k.json":
            return self.first_file(vectors)
        site = self.site(path.name, vectors["site"])
        for slug in vectors.get("technologies", ()):
            for card in vectors["cards"]:
                self.card(site, slug, card)
        for image in vectors.get("images", ()):
            self.image(site, image)

    def site(self, name, block):
        site = Site({entry["version"]: bytes.fromhex(entry["site_key"]) for entry in block["versions"]})
        self.equal(f"{name}: site mark", site.mark, block["site_mark"])
        for entry in block["versions"]:
            version = entry["version"]
            self.equal(f"{name}: check value", site.check_value(version), entry["check_value"])
            for purpose in ("read", "write", "tag"):
                self.equal(f"{name}: {purpose} master", site.master(purpose, version), entry[purpose])
        return site

    def card(self, site, slug, card):
        name = f"{slug}: {card['name']}"
        uid = bytes.fromhex(card["uid"])
        runs = [(run["at"], bytes.fromhex(run["bytes"])) for run in card["memory"]]
        keys = [(key["number"], key["version"], bytes.fromhex(key["key"])) for key in card["keys"]]
        opened = read(site, card["held"], uid, slug, Card(runs, keys))
        self.equal(f"{name}: copies", len(opened), len(card["copies"]))
        for copy, fields in enumerate(opened):
            self.equal(f"{name}: copy {COPIES[copy]}", fields, card["copies"][copy])
        pair = (opened + [None])[:2]
        self.equal(f"{name}: which counts", which_counts(pair), card["counts"])
        self.decisions(name, pair, card["decisions"])

    def decisions(self, name, pair, cases):
        for case in cases:
            found = decide(pair, case["door"], case["highest_issue"], case["now"])
            self.equal(f"{name}: {case}", found, case["decision"])

    def image(self, site, image):
        placing, copy = PLACINGS[image["technology"]], COPIES.index(image["copy"])
        uid, content = bytes.fromhex(image["uid"]), bytes.fromhex(image["image"])
        fields = open_image(site, (1, 2), uid, placing.code, copy, content, placing.most, placing.formats)
        self.equal(f"{image['name']}: fields", fields, image["fields"])

    # The first file has a shape of its own, and says which doors open instead of which fields an image has.

    def first_file(self, vectors):
        for vector in vectors["an10922"]:
            derived = an10922(bytes.fromhex(vector["master"]), bytes.fromhex(vector["input"]))
            self.equal("AN10922 " + vector["input"], derived, vector["derived"])
        for card in vectors["cards"]:
            self.first_card(card)

    def first_card(self, card):
        name, version, placing = card["name"], card["key_version"], PLACINGS[card["technology"]]
        uid = bytes.fromhex(card["uid"])
        site = Site({version: bytes.fromhex(card["site_key"])})
        self.equal(f"{name}: site mark", site.mark, card["site_mark"])
        self.equal(f"{name}: check value", site.check_value(version), card["check_value"])
        for purpose, master in card["masters"].items():
            self.equal(f"{name}: {purpose} master", site.master(purpose, version), master)
        opened = []
        for copy, letter in enumerate(COPIES):
            expected, sector = card["copies"][letter], placing.chain(copy)[0]
            trailer = placing.trailer(site, version, uid, sector)
            self.equal(f"{name}: trailer {letter}", trailer, expected["trailer"])
            tag_key = site.key("tag", version, uid, placing.code, copy)
            self.equal(f"{name}: tag key {letter}", tag_key, expected["tag_key"])
            image = bytes.fromhex(expected["image"])
            fields = open_image(site, (version,), uid, placing.code, copy, image, 48, ("rfid48",))
            self.equal(f"{name}: copy {letter}", with_doors(fields), expected["fields"])
            opened.append(fields)
        cases = [
            case | {"door": "{kind} {number}".format(**case["door"])} for case in card["decisions"]
        ]
        self.decisions(name, opened, cases)


def with_doors(fields):
    if fields is None:
        return None
    first, count = fields["rooms"] or (0, 0)
    doors = {"guest": list(range(first, first + count)), "common": list(fields["common_doors"])}
    for door in fields["additional"]:
        kind, number = door.split()
        doors[kind].append(int(number))
    told = {name: fields[name] for name in ("sequence", "number", "function", "start", "end", "issue")}
    return told | {"guest_doors": doors["guest"], "common_doors": doors["common"]}
