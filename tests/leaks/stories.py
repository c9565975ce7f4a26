"""Run each door with each failure, and search the reports."""

import base64
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

from django.conf import settings

from tokens import keyring
from tokens.jose import encode
from tokens.keyring import sealing
from tokens.models import SigningKey
from tokens.sessions import pairs
from tokens.testing import forget

from .doors import DOORS, LEAK, NEW_PASSWORD, PASSWORD, WRONG_PASSWORD, Visit
from .failures import FAILURES
from .reports import Reports, of_a_command

# Part of an answer that is no report: it is meant to hold tokens.
_ANSWERS = range(200, 300)


@dataclass(frozen=True)
class Finding:
    door: str
    failure: str
    report: str
    secret: str
    count: int


@dataclass
class Outcome:
    """``reports`` and ``broken`` count by kind, to show that there was something to search."""

    findings: list[Finding]
    reports: Counter[str]
    broken: Counter[str]
    stories: int = 0


def run(
    sentry: dict[str, Any],
    doors: Iterable[str] = DOORS,
    failures: Iterable[str] = FAILURES,
) -> Outcome:
    reports, outcome = Reports(sentry), Outcome([], Counter(), Counter())
    for door in doors:
        finished: set[str] = set()
        for failure in failures:
            kind = failure.partition(": ")[2]
            if failure.startswith("statement") and kind in finished:
                continue
            found, broke = _tell(reports, door, failure, outcome)
            if failure.startswith("statement") and not broke:
                finished.add(kind)  # The door runs fewer statements.
            outcome.findings += found
    return outcome


def _tell(
    reports: Reports, door: str, failure: str, outcome: Outcome
) -> tuple[list[Finding], bool]:
    issued: list[str] = []

    def recorded(*arguments: Any, **more: Any) -> Any:
        issued.append(encode(*arguments, **more))
        return issued[-1]

    if door == "rotate_secret":
        _begin_key_ring()  # It refuses to rotate twice within a second.
    visit = Visit()
    keys = list(_key_material())
    forget()
    with reports.collecting() as collected, mock.patch.object(pairs, "encode", recorded):
        broke = _use({**DOORS, **LEAK}[door], visit, FAILURES[failure], collected)
    forget()
    outcome.stories += 1
    outcome.broken[failure] += broke
    outcome.reports.update({kind: len(texts) for kind, texts in collected.items()})
    secrets = {
        "the password": [PASSWORD],
        "the wrong password": [WRONG_PASSWORD],
        "the new password": [NEW_PASSWORD],
        "an access token": list(_spellings([visit.access])),
        "a refresh token": list(_spellings([visit.refresh])),
        "a new token": list(_spellings(issued)),
        "key material": keys,
    }
    return [
        Finding(door, failure, kind, name, count)
        for kind, texts in collected.items()
        for name, spellings in secrets.items()
        if (count := sum(_count(text, spellings) for text in texts))
    ], broke


def _use(door: Any, visit: Visit, failure: Any, collected: dict[str, list[str]]) -> bool:
    """Return whether the door broke."""
    try:
        with failure():
            answer = door(visit)
    except SystemExit:
        return False
    except Exception:
        collected["page"].append(of_a_command())
        return True
    if answer is None:
        return False
    messages = answer.cookies.get("messages")
    shown = [answer.get("Location", ""), messages.value if messages else ""]
    if answer.status_code not in _ANSWERS:
        shown.append(answer.content.decode())
    collected["answer"] = shown
    return bool(answer.status_code >= 500)


def _count(text: str, spellings: list[str]) -> int:
    """Return how often a spelling occurs; parts of a longer one that occurs are not counted again."""
    pattern = "|".join(map(re.escape, sorted(spellings, key=len, reverse=True)))
    return len(re.findall(pattern, text)) if pattern else 0


def _spellings(tokens: Iterable[str]) -> Iterator[str]:
    """Return each token, its signing input and its signature."""
    for raw in tokens:
        signing_input, _, signature = raw.rpartition(".")
        yield from (raw, signing_input, signature)


def _key_material() -> Iterator[str]:
    """Return TOKENS_SECRET, the key that it gives, and the signing keys, as a report may spell them."""
    secret = settings.TOKENS_SECRET
    fernet = sealing._fernet(secret)
    yield secret
    for half in (fernet._signing_key, fernet._encryption_key):
        yield from _of_bytes(half)
    yield from _of_bytes(fernet._signing_key + fernet._encryption_key)
    for row in SigningKey.objects.exclude(state=SigningKey.State.REVOKED):
        yield from _of_bytes(keyring.verification_key(row.kid, now=row.created_at).material)


def _of_bytes(data: bytes) -> Iterator[str]:
    yield base64.urlsafe_b64encode(data).decode().rstrip("=")
    yield data.hex()
    # The repr ends where a report trims it.
    yield repr(data)[2:-1][:40]


def _begin_key_ring() -> None:
    SigningKey.objects.all().delete()
    keyring.ensure()
