"""What the scripts here share: the hands at an encoder, sentences for what goes otherwise than expected, and the steps.

A script reads the line that `cardbridge demo --json` prints from standard input, prints one line for each step, and stops
with a sentence at the first that goes wrong.
"""

import json
import sys
from datetime import datetime, timezone
from importlib.metadata import version

import httpx

# Longer than the demo waits for a card.
PATIENCE = {"timeout": 60, "polling_interval": 0.05}


class Wrong(Exception):
    """A step went otherwise than it should."""


def expect(what, found, expected):
    if found != expected:
        raise Wrong(f"{what} is {found!r}, not {expected!r}")


def expect_given(what, found):
    if not found:
        raise Wrong(f"{what} is missing: {found!r}")


def expect_said(what, found, *words):
    missing = [word for word in words if word not in found]
    if missing:
        raise Wrong(f"{what} does not say {missing}: {found}")


class Desk:
    """The hands at the encoder: the lab's verbs."""

    def __init__(self, lab, encoder):
        self._http = httpx.Client(base_url=lab, timeout=10)
        self._encoder = encoder

    def _ask(self, method, path, **arguments):
        answer = self._http.request(method, path, **arguments)
        if answer.status_code != 200:
            raise Wrong(f"the lab answered {method} {path} with {answer.status_code}: {answer.text}")
        return answer

    def put(self, uid, technology="mifare_classic_1k", **options):
        card = {"technology": technology, "uid": uid, **options}
        self._ask("PUT", f"/encoders/{self._encoder}/card", json=card)

    def take_off(self):
        self._ask("DELETE", f"/encoders/{self._encoder}/card")

    def memory(self, uid):
        return self._ask("GET", f"/cards/{uid}/memory").content

    def set_memory(self, uid, image):
        kind = {"content-type": "application/octet-stream"}
        self._ask("PUT", f"/cards/{uid}/memory", content=image, headers=kind)

    def log(self):
        return self._ask("GET", f"/encoders/{self._encoder}/log").json()

    def written_by(self, action_attempt_id):
        """What an attempt wrote on whatever card, as the card saw it."""
        return [write for write in self.log()["writes"] if write["action_attempt_id"] == action_attempt_id]

    def show_to_lock(self, uid, entrance, commit=False, at=None):
        shown = {"uid": uid, "at": iso(at or datetime.now(timezone.utc)), "commit": str(commit).lower()}
        return self._ask("GET", f"/locks/{entrance}/decision", params=shown).json()


def iso(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def whereabouts():
    line = sys.stdin.readline()
    if not line:
        raise Wrong("pipe the line of `cardbridge demo --json` into this script")
    demo = json.loads(line)
    if "error" in demo:
        raise Wrong(demo["error"]["message"])
    return demo


def follow(steps_of):
    """Takes the steps, pairs of a sentence and what to do, that `steps_of` makes of a demo's whereabouts."""
    print(f"seam {version('seam')} for Python", flush=True)
    current = "the demo is there"
    try:
        for number, (name, step) in enumerate(steps_of(whereabouts()), start=1):
            current = f"step {number}: {name}"
            step()
            print(current, flush=True)
    except Exception as error:  # whatever the SDK raises belongs into the sentence
        why = str(error) if isinstance(error, Wrong) else f"{type(error).__name__}: {error}"
        sys.exit(f"failed at {current}: {why}")
