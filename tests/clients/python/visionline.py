"""What hotels do with cards, after Visionline, through the whole system with the official Python SDK.

By hand, with `pip install seam`:

    cardbridge demo --json --card-deadline 2s | python visionline.py

Overrides, joiners and staff at the virtual locks; as many doors as `rfid48` holds; what a scan tells of a card, each
thing once as it is and once as it is not; a stay that is extended.
"""

from datetime import datetime, timedelta, timezone

import httpx
from seam import Seam, SeamHttpInvalidInputError

from desk import PATIENCE, Desk, Wrong, expect, expect_given, expect_said, follow, iso

TOLD_BY_A_SCAN = ["cancelled", "discarded", "expired", "overridden", "overwritten", "pending_auto_update"]
OPENS = {"granted": True}


class Visionline:
    """One site, one encoder; every step works in rooms of its own."""

    def __init__(self, demo):
        self.seam = Seam(api_key=demo["api_key"], endpoint=demo["endpoint"])
        self.system, self.encoder = demo["acs_system_id"], demo["acs_encoder_ids"][0]
        name = next(at_hand["name"] for at_hand in httpx.get(f"{demo['lab']}/encoders").json()
                    if at_hand["acs_encoder_id"] == self.encoder)
        self.desk = Desk(demo["lab"], name)
        doors = {"guest": [], "common": []}
        for entrance in self.seam.acs.entrances.list(acs_system_id=self.system):
            doors[entrance.visionline_metadata.door_category].append(entrance)
        self.names = {door.acs_entrance_id: door.display_name for doors in doors.values() for door in doors}
        self.rooms = [door.acs_entrance_id for door in doors["guest"]]
        self.common = [door.acs_entrance_id for door in doors["common"]]
        self.user = self.seam.acs.users.create(acs_system_id=self.system, full_name="Jane Doe").acs_user_id
        self.now = datetime.now(timezone.utc)
        self.since = iso(self.now - timedelta(minutes=1))
        self.cards = 0

    def steps(self):
        yield "33 rooms, 28 common doors and 7 more are on one card", self.as_many_doors_as_fit
        yield "an eighth additional door is refused, with what would fit", self.one_door_too_many
        yield "an override locks the guest before out, who is invalid from then on", self.override
        yield "a joiner shares its stay's room, and neither locks the other out", self.joiner
        yield "auto_join overrides an empty room and joins an occupied one", self.auto_join
        yield "a staff card overrides nobody and is overridden by nobody", self.staff
        yield "an extended stay is pending until its card is encoded again", self.extended
        yield "a scan tells of an ordinary card", self.ordinary
        yield "a scan tells of an expired card", self.expired
        yield "a scan tells of a cancelled credential", self.cancelled
        yield "a scan tells of a discarded card", self.discarded
        yield "a scan tells of an overwritten credential", self.overwritten

    def create(self, doors, starts_at=None, ends_at=None, **metadata):
        return self.seam.acs.credentials.create(
            acs_user_id=self.user, access_method="card", allowed_acs_entrance_ids=doors,
            starts_at=iso(starts_at or self.now), ends_at=iso(ends_at or self.now + timedelta(days=2)),
            visionline_metadata=metadata or {"override": True},
        ).acs_credential_id

    def new_card(self):
        self.cards += 1
        uid = f"04B1B2B3B4{self.cards:04X}"
        self.desk.put(uid, "ntag213")
        return uid

    def encode(self, credential, uid=None):
        """Encodes on that card, else on a new one; its UID."""
        if uid is None:
            uid = self.new_card()
        else:
            self.desk.put(uid, "ntag213")
        attempt = self.seam.acs.encoders.encode_credential(
            acs_credential_id=credential, acs_encoder_id=self.encoder, wait_for_action_attempt=PATIENCE)
        expect("card_number", attempt.result.card_number, uid)
        return uid

    def scan(self, uid):
        self.desk.put(uid, "ntag213")
        return self.seam.acs.encoders.scan_credential(
            acs_encoder_id=self.encoder, wait_for_action_attempt=PATIENCE).result

    def told(self, uid):
        """What a scan tells of a card beside its doors: the names of what is so."""
        metadata = self.scan(uid).acs_credential_on_encoder.visionline_metadata
        return [name for name in TOLD_BY_A_SCAN if getattr(metadata, name)]

    def opens(self, uid, door):
        return self.desk.show_to_lock(uid, door, commit=True)

    def expect_valid(self, credential, expected):
        metadata = self.seam.acs.credentials.get(acs_credential_id=credential).visionline_metadata
        expect("is_valid", metadata.is_valid, expected)
        events = self.seam.events.list(acs_credential_id=credential, since=self.since)
        told = [event.event_type for event in events if event.event_type == "acs_credential.invalidated"]
        expect("acs_credential.invalidated", len(told), 0 if expected else 1)

    def as_many_doors_as_fit(self):
        rooms, additional = self.rooms[:33], self.rooms[40:45] + self.common[28:30]
        doors = rooms + self.common[:28] + additional
        credential = self.create(doors, card_format="rfid48", override=True)
        uid = self.encode(credential)
        metadata = self.scan(uid).acs_credential_on_encoder.visionline_metadata
        expect("card_format", metadata.card_format, "rfid48")
        expect("guest doors", sorted(metadata.guest_acs_entrance_ids), sorted(rooms + self.rooms[40:45]))
        expect("common doors", sorted(metadata.common_acs_entrance_ids), sorted(self.common))
        for door in doors:
            expect(f"the lock of {self.names[door]}", self.opens(uid, door), OPENS)
        for door in [self.rooms[33], self.rooms[39], self.rooms[45]]:
            expect(f"the lock of {self.names[door]}", self.opens(uid, door)["granted"], False)

    def one_door_too_many(self):
        doors = self.rooms[:33] + self.common[:28] + self.rooms[36:44]
        try:
            self.create(doors, card_format="rfid48", override=True)
        except SeamHttpInvalidInputError as refused:
            errors = refused.get_validation_error_messages("allowed_acs_entrance_ids")
            expect_given("what is wrong with the doors", errors)
            expect_said("the message", " ".join(errors), "would hold 68", "card_format TLCode")
        else:
            raise Wrong("a credential was made that no card can hold")

    def override(self):
        room = self.rooms[0]
        first = self.create([room, self.common[0]])
        first_card = self.encode(first)
        expect("the first guest's door", self.opens(first_card, room), OPENS)
        expect("what a scan tells", self.told(first_card), [])
        second = self.create([room, self.common[0]])
        self.expect_valid(first, True)
        second_card = self.encode(second)
        self.expect_valid(first, False)
        self.expect_valid(second, True)
        # Locks are offline: the first card opens until the second one was there.
        expect("the first guest's door", self.opens(first_card, room), OPENS)
        expect("the second guest's door", self.opens(second_card, room), OPENS)
        expect("the first guest's door", self.opens(first_card, room), {"granted": False, "reason": "overridden"})
        expect("the pool", self.opens(first_card, self.common[0]), OPENS)
        expect("what a scan tells", self.told(first_card), ["overridden"])

    def joiner(self):
        room = self.rooms[1]
        stay = self.create([room])
        stay_card = self.encode(stay)
        one = self.scan(stay_card).acs_credential_on_encoder.visionline_metadata.number_of_issued_cards
        expect("number_of_issued_cards", one, 1)
        joiner = self.create([room], joiner_acs_credential_ids=[stay])
        joiner_card = self.encode(joiner)
        for card in (stay_card, joiner_card, stay_card):
            expect("the door", self.opens(card, room), OPENS)
        self.expect_valid(stay, True)
        two = self.scan(stay_card).acs_credential_on_encoder.visionline_metadata.number_of_issued_cards
        expect("number_of_issued_cards", two, 2)

    def auto_join(self):
        room = self.rooms[2]
        before = self.create([room])
        before_card = self.encode(before)
        expect("the door", self.opens(before_card, room), OPENS)
        joins = self.create([room], auto_join=True)
        joins_card = self.encode(joins)
        for card in (joins_card, before_card):
            expect("the door of an occupied room", self.opens(card, room), OPENS)
        self.expect_valid(before, True)
        self.seam.acs.credentials.delete(acs_credential_id=before)
        self.seam.acs.credentials.delete(acs_credential_id=joins)
        overrides_card = self.encode(self.create([room], auto_join=True))
        expect("the door", self.opens(overrides_card, room), OPENS)
        expect("the guests' before", self.opens(before_card, room), {"granted": False, "reason": "overridden"})

    def staff(self):
        room = self.rooms[3]
        staff = self.create([room, self.common[0]], card_function_type="staff")
        guest_card, staff_card = self.encode(self.create([room])), self.encode(staff)
        for card in (guest_card, staff_card):
            expect("the door", self.opens(card, room), OPENS)
        override_card = self.encode(self.create([room]))
        expect("the door", self.opens(override_card, room), OPENS)
        expect("the guest's", self.opens(guest_card, room)["granted"], False)
        expect("the staff's", self.opens(staff_card, room), OPENS)
        self.expect_valid(staff, True)

    def extended(self):
        room = self.rooms[4]
        credential = self.create([room])
        card = self.encode(credential)
        longer = self.now + timedelta(days=5)
        self.seam.acs.credentials.update(acs_credential_id=credential, ends_at=iso(longer))
        result = self.scan(card)
        expect("warnings", [warning.warning_code for warning in result.warnings],
               ["acs_credential_on_encoder_out_of_sync"])
        expect("what a scan tells", self.told(card), ["pending_auto_update"])
        fourth_day = self.now + timedelta(days=4)
        expect("on the fourth day", self.desk.show_to_lock(card, room, at=fourth_day)["granted"], False)
        self.encode(credential, card)
        expect("what a scan tells", self.told(card), [])
        expect("on the fourth day", self.desk.show_to_lock(card, room, at=fourth_day), OPENS)
        self.expect_valid(credential, True)

    def ordinary(self):
        room = self.rooms[5]
        card = self.encode(self.create([room, self.common[3]], card_format="TLCode", override=True))
        on_encoder = self.scan(card).acs_credential_on_encoder
        metadata = on_encoder.visionline_metadata
        for name in TOLD_BY_A_SCAN:
            expect(name, getattr(metadata, name), False)
        expect("card_format", metadata.card_format, "TLCode")
        expect("card_holder", metadata.card_holder, "Jane Doe")
        expect("card_id", metadata.card_id, card)
        expect("number_of_issued_cards", metadata.number_of_issued_cards, 1)
        expect("guest doors", metadata.guest_acs_entrance_ids, [room])
        expect("common doors", metadata.common_acs_entrance_ids, [self.common[3]])

    def expired(self):
        room = self.rooms[6]
        yesterday, now = self.now - timedelta(days=1), datetime.now(timezone.utc)
        # A card holds whole minutes, so this one ends with the minute that has begun, or with one that begins at once.
        card = self.encode(self.create([room], starts_at=yesterday, ends_at=now + timedelta(seconds=8)))
        deadline = now + timedelta(seconds=20)
        while "expired" not in (told := self.told(card)) and datetime.now(timezone.utc) < deadline:
            pass
        expect("what a scan tells", told, ["expired"])
        expect("the door an hour later", self.desk.show_to_lock(card, room, at=now + timedelta(hours=1))["granted"], False)
        expect("the door an hour before", self.desk.show_to_lock(card, room, at=now - timedelta(hours=1)), OPENS)

    def cancelled(self):
        credential = self.create([self.rooms[7]])
        card = self.encode(credential)
        self.seam.acs.credentials.delete(acs_credential_id=credential)
        result = self.scan(card)
        expect("on Seam", result.acs_credential_on_seam, None)
        expect("what a scan tells", self.told(card), ["cancelled"])

    def discarded(self):
        uid = self.new_card()
        as_delivered = self.desk.memory(uid)
        credential = self.create([self.rooms[8]])
        self.encode(credential, uid)
        written = self.desk.memory(uid)
        self.desk.set_memory(uid, as_delivered)
        expect("on a wiped card", self.scan(uid).acs_credential_on_encoder, None)
        self.expect_valid(credential, False)
        self.desk.set_memory(uid, written)
        expect("what a scan tells", self.told(uid), ["discarded"])
        self.encode(credential, uid)
        expect("what a scan tells", self.told(uid), [])

    def overwritten(self):
        credential = self.create([self.rooms[9]])
        card = self.encode(credential)
        image = self.desk.memory(card)
        self.encode(self.create([self.rooms[10]]), card)
        self.expect_valid(credential, False)
        self.desk.set_memory(card, image)
        expect("what a scan tells", self.told(card), ["overwritten"])


if __name__ == "__main__":
    follow(lambda demo: Visionline(demo).steps())
