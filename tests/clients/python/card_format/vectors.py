"""Makes the golden vectors from the page: one file of whole cards per technology, and one of single images per format.

The same input gives the same bytes, always: nothing here is random or asks the clock.
"""

from placing import PLACINGS
from single_images import rfid48_images, tlcode_images
from whole_cards import SITE, Maker

COMMENT = "Frozen: do not change this file. docs/card-format.md says what the bytes mean; tests/clients/python/card_format made it."


def site_block():
    versions = [
        {
            "version": version,
            "site_key": site_key.hex().upper(),
            "check_value": SITE.check_value(version).hex().upper(),
            "read": SITE.master("read", version).hex().upper(),
            "write": SITE.master("write", version).hex().upper(),
            "tag": SITE.master("tag", version).hex().upper(),
        }
        for version, site_key in SITE.site_keys.items()
    ]
    return {"site_mark": SITE.mark.hex().upper(), "versions": versions}


def files():
    """Every file: its name and what stands in it. Technologies with the same placing share a file."""
    made = {}
    for slug in PLACINGS:
        alike = [other for other in PLACINGS if PLACINGS[other] is PLACINGS[slug]]
        if slug == alike[0]:
            name = slug if len(alike) == 1 else slug.rsplit("_", 1)[0]
            made[f"{name}.json"] = {
                "comment": COMMENT,
                "technologies": alike,
                "site": site_block(),
                "cards": Maker(slug).all(),
            }
    for name, images in (("rfid48-images.json", rfid48_images()), ("tlcode-images.json", tlcode_images())):
        made[name] = {"comment": COMMENT, "site": site_block(), "images": images}
    return made
