"""Every card that the lab has, in both formats, through the whole system with the official Python SDK.

By hand, with `pip install seam`:

    cardbridge demo --json --card-deadline 2s | python cards.py

For each: a blank card is encoded for one stay and scanned, the locks open, it is encoded for the next stay, after which
the first one's image is overridden, and encoding it once more writes nothing. Then what cannot be used, and what is
said of it.
"""

from datetime import datetime, timedelta, timezone

import httpx
from seam import Seam, SeamActionAttemptFailedError

from desk import PATIENCE, Desk, Wrong, expect, expect_said, follow, iso

CLASSIC = ["mifare_classic_mini", "mifare_classic_1k", "mifare_classic_4k"]
ONE_SMALL_COPY = ["mifare_ultralight", "mifare_ultralight_ev1_48"]
PAGES = ["mifare_ultralight_ev1_128", "mifare_ultralight_c", "ntag213", "ntag215", "ntag216"]
DESFIRE = ["desfire_ev1", "desfire_ev2", "desfire_ev3"]
FILES = [*DESFIRE, "ntag424_dna"]
ALL = CLASSIC + ONE_SMALL_COPY + PAGES + FILES

OPENS = {"granted": True}
FORMATS = {"rfid48": ALL, "TLCode": [name for name in ALL if name not in ONE_SMALL_COPY]}


def uid_of(number, technology):
    """A UID that no other card here has: 4 bytes for MIFARE Classic, else 7."""
    return f"05C0{number:04X}" if technology in CLASSIC else f"04C0D1E2F3{number:04X}"


class Cards:
    """One site, one encoder, and the cards that are put on it."""

    def __init__(self, demo):
        self.seam = Seam(api_key=demo["api_key"], endpoint=demo["endpoint"])
        self.system, self.encoder = demo["acs_system_id"], demo["acs_encoder_ids"][0]
        name = next(at_hand["name"] for at_hand in httpx.get(f"{demo['lab']}/encoders").json()
                    if at_hand["acs_encoder_id"] == self.encoder)
        self.desk = Desk(demo["lab"], name)
        doors = {"guest": [], "common": []}
        for entrance in self.seam.acs.entrances.list(acs_system_id=self.system):
            doors[entrance.visionline_metadata.door_category].append(entrance.acs_entrance_id)
        self.rooms, self.common = doors["guest"], doors["common"]
        self.user = self.seam.acs.users.create(acs_system_id=self.system, full_name="Ada Lovelace").acs_user_id
        self.number = 0

    def steps(self):
        for card_format, technologies in FORMATS.items():
            for technology in technologies:
                yield (f"{technology} carries {card_format} for two stays",
                       lambda t=technology, f=card_format: self.two_stays(t, f))
        for technology in ["mifare_classic_1k", "mifare_classic_4k"]:
            yield f"{technology} with a 7-byte UID", lambda t=technology: self.two_stays(t, "rfid48", seven_bytes=True)
        for technology in DESFIRE:
            yield f"{technology} with a random UID", lambda t=technology: self.two_stays(t, "rfid48", random_uid=True)
        for technology in ALL:
            yield f"{technology} of somebody else is refused", lambda t=technology: self.foreign(t)
        yield "ntag424_dna with a random UID is refused", self.hidden_uid
        for technology in ONE_SMALL_COPY:
            yield f"{technology} does not hold TLCode", lambda t=technology: self.too_small(t)
        for technology in ["mifare_classic_mini", *PAGES[:3], "ntag424_dna"]:
            yield f"a TLCode of many doors does not fit on {technology}", lambda t=technology: self.too_long(t)
        yield "a MIFARE Classic that was prepared for rfid48 takes no long TLCode", self.prepared_for_less
        yield "two cards on the encoder are neither written nor read", self.two_cards

    def new_uid(self, technology):
        self.number += 1
        return uid_of(self.number, technology)

    def credential(self, card_format, room, doors=None, **metadata):
        now = datetime.now(timezone.utc)
        metadata = metadata or {"override": True}
        return self.seam.acs.credentials.create(
            acs_user_id=self.user, access_method="card",
            allowed_acs_entrance_ids=doors or [room, self.common[0]],
            starts_at=iso(now), ends_at=iso(now + timedelta(days=2)),
            visionline_metadata={"card_format": card_format, **metadata},
        ).acs_credential_id

    def encode(self, credential):
        attempt = self.seam.acs.encoders.encode_credential(
            acs_credential_id=credential, acs_encoder_id=self.encoder, wait_for_action_attempt=PATIENCE)
        expect("status", attempt.status, "success")
        return attempt

    def refused(self, credential):
        """Why an encode failed: its type, its sentence, and what it wrote."""
        attempt = self.seam.acs.encoders.encode_credential(
            acs_credential_id=credential, acs_encoder_id=self.encoder, wait_for_action_attempt=False)
        try:
            self.seam.action_attempts.get(
                action_attempt_id=attempt.action_attempt_id, wait_for_action_attempt=PATIENCE)
        except SeamActionAttemptFailedError as failed:
            return failed.code, str(failed), self.desk.written_by(attempt.action_attempt_id)
        raise Wrong("the attempt ended well")

    def scan(self):
        return self.seam.acs.encoders.scan_credential(
            acs_encoder_id=self.encoder, wait_for_action_attempt=PATIENCE).result

    def expect_scanned(self, credential, card_format, room):
        result = self.scan()
        expect("warnings", result.warnings, [])
        expect("acs_credential_id", result.acs_credential_on_seam.acs_credential_id, credential)
        metadata = result.acs_credential_on_encoder.visionline_metadata
        expect("card_format", metadata.card_format, card_format)
        expect("guest doors", metadata.guest_acs_entrance_ids, [room])
        expect("common doors", metadata.common_acs_entrance_ids, [self.common[0]])

    def expect_opens(self, uid, room, other):
        for door in (room, self.common[0]):
            expect("the lock's decision", self.desk.show_to_lock(uid, door, commit=True), OPENS)
        expect("another room", self.desk.show_to_lock(uid, other)["granted"], False)

    def two_stays(self, technology, card_format, seven_bytes=False, **options):
        uid = self.new_uid("" if seven_bytes else technology)
        room, other = self.rooms[self.number % len(self.rooms)], self.rooms[(self.number + 1) % len(self.rooms)]
        self.desk.put(uid, technology, **options)

        blank = self.scan()
        expect("a credential on a blank card", blank.acs_credential_on_encoder, None)
        first = self.credential(card_format, room)
        issued = self.encode(first).result
        expect("card_number", issued.card_number, uid)
        self.expect_scanned(first, card_format, room)
        self.expect_opens(uid, room, other)
        image = None if technology in FILES else self.desk.memory(uid)

        second = self.credential(card_format, room)
        self.encode(second)
        self.expect_scanned(second, card_format, room)
        self.expect_opens(uid, room, other)
        expect("is_valid of the first stay",
               self.seam.acs.credentials.get(acs_credential_id=first).visionline_metadata.is_valid, False)

        again = self.encode(second)
        expect("what an unchanged credential writes", self.desk.written_by(again.action_attempt_id), [])
        self.expect_opens(uid, room, other)

        if image is not None:
            self.desk.set_memory(uid, image)
            expect("the first stay, restored", self.desk.show_to_lock(uid, room),
                   {"granted": False, "reason": "overridden"})

    def expect_refused(self, credential, kind, *words):
        """The encode fails and says so, nothing was written, and the credential goes onto another card."""
        found, message, written = self.refused(credential)
        expect("error.type", found, kind)
        expect_said("the message", message, *words)
        expect("what was written", written, [])
        self.desk.put(self.new_uid("desfire_ev2"), "desfire_ev2")
        self.encode(credential)

    def foreign(self, technology):
        self.desk.put(self.new_uid(technology), technology, foreign=True)
        credential = self.credential("rfid48", self.rooms[0])
        self.expect_refused(credential, "incompatible_card_format", "belongs to another system", "use a blank card")

    def hidden_uid(self):
        self.desk.put(self.new_uid("ntag424_dna"), "ntag424_dna", random_uid=True)
        credential = self.credential("rfid48", self.rooms[0])
        self.expect_refused(credential, "incompatible_card_format", "it hides its UID")

    def too_small(self, technology):
        self.desk.put(self.new_uid(technology), technology)
        credential = self.credential("TLCode", self.rooms[0])
        self.expect_refused(credential, "incompatible_card_format", "does not fit this card", "holds rfid48 only")

    def long_credential(self):
        """Every other room, so that no two are neighbours, and every common door."""
        return self.credential("TLCode", None, doors=self.rooms[::2] + self.common)

    def too_long(self, technology):
        self.desk.put(self.new_uid(technology), technology)
        self.expect_refused(self.long_credential(), "incompatible_card_format", "does not fit this card")

    def prepared_for_less(self):
        uid = self.new_uid("mifare_classic_1k")
        self.desk.put(uid, "mifare_classic_1k")
        self.encode(self.credential("rfid48", self.rooms[0]))
        self.expect_refused(self.long_credential(), "incompatible_card_format", "does not fit this card")
        expect("the lock's decision", self.desk.show_to_lock(uid, self.rooms[0]), OPENS)

    def two_cards(self):
        self.desk.put(self.new_uid("ntag213"), "ntag213")
        self.desk.put(self.new_uid("mifare_classic_1k"), "mifare_classic_1k", beside=True)
        credential = self.credential("rfid48", self.rooms[0])
        self.expect_refused(credential, "uncategorized_error", "leave only one")


if __name__ == "__main__":
    follow(lambda demo: Cards(demo).steps())
