"""The official guide for card encoders, followed step by step with the official Python SDK.

Reads the line that `cardbridge demo --json` prints from standard input, prints one line for each step, and stops with
a sentence at the first one that goes otherwise than the guide says. By hand, with `pip install seam`:

    cardbridge demo --json --card-deadline 3s | python guide.py

What a person would do with their hands (a card put on the encoder, a card shown to a door) is asked of the demo's lab.
"""

from datetime import datetime, timedelta, timezone

import httpx
from seam import Seam, SeamActionAttemptFailedError

from desk import PATIENCE, Desk, Wrong, expect, expect_given, follow, iso

FIRST_CARD, SECOND_CARD, THIRD_CARD, COPY = "04A1B2C3", "04A1B2C4", "04A1B2C5", "04A1B2C6"
FOREIGN_CARD = "04F0F0F0"


class Guide:
    """The steps, in order; each leaves behind what the next ones need."""

    def __init__(self, demo):
        self.seam = Seam(api_key=demo["api_key"], endpoint=demo["endpoint"])
        self.system = demo["acs_system_id"]
        self.lab = demo["lab"]
        self.demo_encoders = demo["acs_encoder_ids"]
        now = datetime.now(timezone.utc)
        self.since = iso(now - timedelta(minutes=1))
        self.starts_at, self.ends_at = iso(now), iso(now + timedelta(days=2))

    def steps(self):
        yield "a user is created", self.create_user
        yield "a credential is created and not issued", self.create_credential
        yield "the encoders are listed", self.list_encoders
        yield "without a card the attempt ends as no_card_on_encoder", self.encode_without_card
        yield "a blank card is encoded", self.encode_blank_card
        yield "the credential has become issued", self.get_credential
        yield "a scan shows the same credential on both sides", self.scan
        yield "the card opens its doors", self.open_doors
        yield "the same credential does not go onto a second card", self.encode_second_card
        yield "a foreign card is refused and left as it was", self.encode_foreign_card
        yield "a second credential goes onto the first card, as reissued", self.encode_first_card_again
        yield "an override for the room goes onto another card and opens it", self.encode_override
        yield "the first image, restored to its card, is overridden", self.restore_first_image
        yield "the first image, copied to another card, opens nothing", self.copy_first_image

    def create_user(self):
        user = self.seam.acs.users.create(acs_system_id=self.system, full_name="Jane Doe", email_address="jane@example.com")
        expect("full_name", user.full_name, "Jane Doe")
        expect("acs_system_id", user.acs_system_id, self.system)
        self.user = user.acs_user_id

    def new_credential(self, **visionline_metadata):
        credential = self.seam.acs.credentials.create(
            acs_user_id=self.user,
            access_method="card",
            allowed_acs_entrance_ids=[self.room, self.common_door],
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            visionline_metadata={"card_format": "rfid48", **visionline_metadata},
        )
        expect("is_issued", credential.is_issued, False)
        return credential

    def create_credential(self):
        entrances = self.seam.acs.entrances.list(acs_system_id=self.system)
        doors = {"guest": [], "common": []}
        for entrance in entrances:
            doors[entrance.visionline_metadata.door_category].append(entrance.acs_entrance_id)
        expect_given("a guest door", doors["guest"])
        expect_given("a common door", doors["common"])
        self.room, self.common_door = doors["guest"][0], doors["common"][0]
        credential = self.new_credential(override=True)
        expect("acs_user_id", credential.acs_user_id, self.user)
        expect("access_method", credential.access_method, "card")
        expect("external_type", credential.external_type, "visionline_card")
        expect("issued_at", credential.issued_at, None)
        expect("card_number", credential.card_number, None)
        self.credential = credential.acs_credential_id

    def list_encoders(self):
        encoders = self.seam.acs.encoders.list(acs_system_id=self.system)
        found = sorted(encoder.acs_encoder_id for encoder in encoders)
        expect("acs_encoder_ids", found, sorted(self.demo_encoders))
        self.encoder = encoders[0].acs_encoder_id
        name = next(at_hand["name"] for at_hand in httpx.get(f"{self.lab}/encoders").json()
                    if at_hand["acs_encoder_id"] == self.encoder)
        self.desk = Desk(self.lab, name)

    def encode(self, credential):
        return self.seam.acs.encoders.encode_credential(
            acs_credential_id=credential, acs_encoder_id=self.encoder, wait_for_action_attempt=PATIENCE
        )

    def encode_fails(self, credential, code):
        try:
            attempt = self.encode(credential)
        except SeamActionAttemptFailedError as failed:
            expect("error.type", failed.code, code)
            expect_given("error.message", str(failed))
        else:
            raise Wrong(f"the attempt ended as {attempt.status}, not with {code}")

    def encode_without_card(self):
        attempt = self.seam.acs.encoders.encode_credential(
            acs_credential_id=self.credential, acs_encoder_id=self.encoder, wait_for_action_attempt=False
        )
        expect("action_type", attempt.action_type, "ENCODE_CREDENTIAL")
        expect("status", attempt.status, "pending")
        try:
            self.seam.action_attempts.get(
                action_attempt_id=attempt.action_attempt_id, wait_for_action_attempt=PATIENCE
            )
        except SeamActionAttemptFailedError as failed:
            expect("error.type", failed.code, "no_card_on_encoder")
        else:
            raise Wrong("the attempt ended well although there was no card")
        ended = self.seam.action_attempts.get(
            action_attempt_id=attempt.action_attempt_id, wait_for_action_attempt=False
        )
        expect("status", ended.status, "error")
        expect("is_issued", self.seam.acs.credentials.get(acs_credential_id=self.credential).is_issued, False)

    def encode_blank_card(self):
        self.desk.put(FIRST_CARD)
        attempt = self.encode(self.credential)
        expect("status", attempt.status, "success")
        self.expect_issued(attempt.result, self.credential, FIRST_CARD)
        self.first_image = self.desk.memory(FIRST_CARD)

    def expect_issued(self, credential, credential_id, uid):
        expect("acs_credential_id", credential.acs_credential_id, credential_id)
        expect("is_issued", credential.is_issued, True)
        expect("card_number", credential.card_number, uid)
        expect_given("issued_at", credential.issued_at)

    def get_credential(self):
        credential = self.seam.acs.credentials.get(acs_credential_id=self.credential)
        self.expect_issued(credential, self.credential, FIRST_CARD)
        metadata = credential.visionline_metadata
        expect("card_id", metadata.card_id, FIRST_CARD)
        expect_given("credential_id", metadata.credential_id)
        expect("is_valid", metadata.is_valid, True)
        expect("guest_acs_entrance_ids", metadata.guest_acs_entrance_ids, [self.room])
        expect("common_acs_entrance_ids", metadata.common_acs_entrance_ids, [self.common_door])
        self.expect_events(self.credential, ["acs_credential.issued"])

    def expect_events(self, credential, expected):
        events = self.seam.events.list(acs_credential_id=credential, since=self.since)
        expect("the credential's events", sorted(event.event_type for event in events), sorted(expected))

    def scan(self):
        attempt = self.seam.acs.encoders.scan_credential(
            acs_encoder_id=self.encoder, wait_for_action_attempt=PATIENCE
        )
        expect("action_type", attempt.action_type, "SCAN_CREDENTIAL")
        on_encoder, on_seam = attempt.result.acs_credential_on_encoder, attempt.result.acs_credential_on_seam
        expect("warnings", attempt.result.warnings, [])
        expect("acs_credential_id on Seam", on_seam.acs_credential_id, self.credential)
        expect("card_number on the encoder", on_encoder.card_number, on_seam.card_number)
        expect("is_issued on the encoder", on_encoder.is_issued, True)
        metadata = on_encoder.visionline_metadata
        expect("card_format on the encoder", metadata.card_format, "rfid48")
        expect("guest doors on the encoder", metadata.guest_acs_entrance_ids, [self.room])
        expect("common doors on the encoder", metadata.common_acs_entrance_ids, [self.common_door])

    def open_doors(self):
        for door in (self.room, self.common_door):
            expect("the lock's decision", self.desk.show_to_lock(FIRST_CARD, door), {"granted": True})

    def encode_second_card(self):
        self.desk.put(SECOND_CARD)
        before = self.desk.memory(SECOND_CARD)
        self.encode_fails(self.credential, "credential_cannot_be_reissued")
        expect("the second card's memory", self.desk.memory(SECOND_CARD), before)
        expect("card_number", self.seam.acs.credentials.get(acs_credential_id=self.credential).card_number, FIRST_CARD)

    def encode_foreign_card(self):
        self.desk.put(FOREIGN_CARD, foreign=True)
        before = self.desk.memory(FOREIGN_CARD)
        self.second_credential = self.new_credential(auto_join=True).acs_credential_id
        self.encode_fails(self.second_credential, "incompatible_card_format")
        expect("the foreign card's memory", self.desk.memory(FOREIGN_CARD), before)

    def encode_first_card_again(self):
        self.desk.put(FIRST_CARD)
        self.expect_issued(self.encode(self.second_credential).result, self.second_credential, FIRST_CARD)
        self.expect_events(self.second_credential, ["acs_credential.reissued"])
        self.expect_events(self.credential, ["acs_credential.issued", "acs_credential.invalidated"])
        first = self.seam.acs.credentials.get(acs_credential_id=self.credential)
        expect("is_valid of the first credential", first.visionline_metadata.is_valid, False)
        expect("the lock's decision", self.desk.show_to_lock(FIRST_CARD, self.room), {"granted": True})

    def encode_override(self):
        override = self.new_credential(override=True).acs_credential_id
        self.desk.put(THIRD_CARD)
        self.expect_issued(self.encode(override).result, override, THIRD_CARD)
        decision = self.desk.show_to_lock(THIRD_CARD, self.room, commit=True)
        expect("the lock's decision", decision, {"granted": True})
        second = self.seam.acs.credentials.get(acs_credential_id=self.second_credential)
        expect("is_valid of the second credential", second.visionline_metadata.is_valid, False)

    def restore_first_image(self):
        self.desk.set_memory(FIRST_CARD, self.first_image)
        expect("the first card's memory", self.desk.memory(FIRST_CARD), self.first_image)
        decision = self.desk.show_to_lock(FIRST_CARD, self.room)
        expect("the lock's decision", decision, {"granted": False, "reason": "overridden"})
        # A common door is not overridden (docs/card-format.md), which shows that the image is whole.
        expect("the common lock's decision", self.desk.show_to_lock(FIRST_CARD, self.common_door), {"granted": True})

    def copy_first_image(self):
        self.desk.put(COPY)
        self.desk.set_memory(COPY, self.first_image)
        for door in (self.room, self.common_door):
            expect("granted", self.desk.show_to_lock(COPY, door)["granted"], False)
        self.desk.take_off()


if __name__ == "__main__":
    follow(lambda demo: Guide(demo).steps())
