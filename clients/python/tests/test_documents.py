"""What a reader makes of documents, good and forged. Time is handed in."""

from typing import Any

import jwt
import pytest
from latchkey_verify import InvalidToken, Unavailable
from latchkey_verify.errors import RefusedDocument
from latchkey_verify.verifier import MALFORMED

from .authority import ISSUER, Authority, Key
from .conftest import Clock, Reader


def begins(cursor: str) -> Any:
    return {"from": cursor}


def test_a_token_is_accepted_until_one_of_its_ids_is_denied(
    reader: Reader, authority: Authority
) -> None:
    for number, kind in enumerate(("sid", "jti")):
        taken: Any = {kind: f"taken-{number}"}
        token = authority.token(**taken)
        reader.accept(authority.document())
        reader.verify(token)
        authority.deny(kind, f"taken-{number}")
        reader.accept(authority.document(after=number))
        with pytest.raises(InvalidToken):
            reader.verify(token)


def test_a_denied_key_signs_neither_tokens_nor_documents(
    reader: Reader, authority: Authority, clock: Clock
) -> None:
    token, old = authority.token(), authority.key
    reader.accept(authority.document())
    reader.verify(token)
    authority.key = Key("second")
    authority.published.append(authority.key.public())
    authority.deny("kid", "first")
    clock.pass_(1)
    reader.accept(authority.document())
    with pytest.raises(InvalidToken):
        reader.verify(token)
    reader.verify(authority.token())
    with pytest.raises(RefusedDocument):
        reader.accept(authority.document(key=old))


@pytest.mark.parametrize("sub", [None, "ada", "*"])
def test_a_cut_off_refuses_what_was_issued_up_to_its_second(
    sub: str | None, reader: Reader, authority: Authority, clock: Clock
) -> None:
    now = int(clock.now)
    authority.cut_offs = [
        (sub, now, now + 320),
        (sub, now - 50, now + 270),
        ("bob", now + 9, now + 9),
    ]
    reader.accept(authority.document())
    for iat in (now - 1, now):
        with pytest.raises(InvalidToken):
            reader.verify(authority.token(sub=sub or "ada", iat=iat))
    reader.verify(authority.token(sub=sub or "ada", iat=now + 1))
    if sub:
        reader.verify(authority.token(sub="eve"))


def test_a_user_whose_key_is_an_asterisk_is_not_everybody(
    reader: Reader, authority: Authority, clock: Clock
) -> None:
    now = int(clock.now)
    authority.cut_offs = [(None, now - 50, now + 270), ("*", now - 50, now + 270)]
    reader.accept(authority.document())
    with pytest.raises(InvalidToken):
        reader.verify(authority.token(iat=now - 50))
    reader.verify(authority.token())


def test_what_no_longer_matters_is_forgotten_as_the_digest_does(
    reader: Reader, authority: Authority, clock: Clock
) -> None:
    now = int(clock.now)
    authority.deny("sid", "a", now + 5)
    authority.deny("sid", "b", now + 9)
    authority.deny("sid", "a", now + 7)
    authority.entries = authority.entries[1:]  # A reader keeps the latest.
    authority.cut_offs = [("bob", now, now + 5)]
    reader.accept(authority.document())
    assert len(reader.verifier._denials.entries) == 3
    for seconds, left in ((5, 2), (2, 1), (2, 0)):
        clock.pass_(seconds)
        authority.cut_offs = []
        reader.accept(authority.document(after=2))
        assert len(reader.verifier._denials.entries) == left
    assert not reader.verifier._denials.before


def test_an_id_that_is_listed_twice_keeps_the_later_instant(
    reader: Reader, authority: Authority, clock: Clock
) -> None:
    now = int(clock.now)
    authority.deny("sid", "a", now + 5)
    reader.accept(authority.document())
    authority.entries = [("sid", "a", now + 9)]
    reader.accept(authority.document(after=0, **begins("one:1")))
    again: Any = {"sid": {str(now + 7): ["a"]}, "jti": {}, "kid": {}}
    reader.accept(authority.document(after=1, denied=again))
    clock.pass_(6)
    reader.accept(authority.document(after=1))
    assert reader.verifier._denials.entries == {"sid a": now + 9}


def test_an_increment_from_which_an_entry_was_dropped_costs_the_cursor(
    reader: Reader, authority: Authority
) -> None:
    """The signature forbids it to a stranger. This is for the authority's own mistakes."""
    reader.accept(authority.document())
    authority.deny("sid", "session-1")
    with pytest.raises(RefusedDocument):
        reader.accept(authority.document(after=1, **begins("one:0")))
    assert reader.verifier._cursor == ""
    with pytest.raises(RefusedDocument):
        reader.accept(authority.document(count=0))
    reader.accept(authority.document())
    with pytest.raises(InvalidToken):
        reader.verify(authority.token())


def test_an_older_document_is_never_accepted_again(
    reader: Reader, authority: Authority, clock: Clock
) -> None:
    before = authority.document()
    reader.accept(before)
    clock.pass_(2)
    authority.deny("sid", "session-1")
    reader.accept(authority.document())
    with pytest.raises(RefusedDocument):
        reader.accept(before)
    with pytest.raises(InvalidToken):
        reader.verify(authority.token())


def test_an_epoch_that_was_left_is_not_accepted_again(
    reader: Reader, authority: Authority, clock: Clock
) -> None:
    left = authority.document()
    clock.pass_(1)
    authority.epoch = "two"
    authority.deny("sid", "session-1")
    reader.accept(authority.document())
    with pytest.raises(RefusedDocument):
        reader.accept(left)
    authority.epoch = "one"
    with pytest.raises(RefusedDocument):
        reader.accept(authority.document(after=1))  # An increment of another epoch.
    with pytest.raises(InvalidToken):
        reader.verify(authority.token())


def test_a_new_epoch_begins_anew(reader: Reader, authority: Authority, clock: Clock) -> None:
    authority.deny("sid", "lost in the restore")
    reader.accept(authority.document())
    clock.pass_(1)
    authority.epoch, authority.entries = "two", []
    reader.accept(authority.document())
    assert not reader.verifier._denials.entries


@pytest.mark.parametrize(
    "forge",
    [
        lambda a: a.document(key=Key("first")),
        lambda a: a.document(key=Key("unknown")),
        lambda a: a.document(typ="at+jwt"),
        lambda a: a.document(typ="rt+jwt"),
        lambda a: a.document(iss="https://evil.example"),
        lambda a: a.document(iss=None),
        lambda a: a.document(digest="AAAAAAAAAAAAAAAAAAAAAB"),
        lambda a: a.document(count=5),
        lambda a: a.document(at=int(a.now() * 1000) + 10_001),
        lambda a: a.document(at=int(a.now() * 1000) - 10_001),
        lambda a: a.document(at="now"),
        lambda a: a.document(at=float("nan")),
        lambda a: a.document(at=None),
        lambda a: a.document(at=10**400),
        lambda a: a.document(denied=[]),
        lambda a: a.document(denied={"sid": {"soon": ["x"]}}),
        lambda a: a.document(cut_offs=[{"sub": 5}]),
        lambda a: a.document(cut_offs=None),
        lambda a: a.document(after=7),
        lambda a: a.token(),
        lambda a: a.key.sign({"iss": ISSUER}, "denials+jwt"),
        lambda a: a.document()[:-4],
        lambda a: a.document().replace(".", "", 1),
        lambda a: "",
        lambda a: "{}",
        lambda a: "é.é.é",
        lambda a: "." * 1_000_000,
    ],
)
def test_a_forged_document_changes_nothing(
    forge: Any, reader: Reader, authority: Authority, clock: Clock
) -> None:
    authority.deny("sid", "session-1")
    reader.accept(authority.document())
    until = reader.verifier._until
    clock.pass_(1)
    with pytest.raises((RefusedDocument, jwt.PyJWTError, *MALFORMED)):
        reader.accept(forge(authority))
    assert reader.verifier._until == until
    assert reader.verifier._denials.entries.keys() == {"sid session-1"}


def test_a_document_is_no_token(reader: Reader, authority: Authority) -> None:
    reader.accept(authority.document())
    now = int(authority.now())
    claims: Any = {"aud": "https://api.example.com", "exp": now + 9, "iat": now, "sub": "a"}
    as_token = authority.document(sid="s", jti="j", **claims)
    with pytest.raises(InvalidToken):
        reader.verify(as_token)


def test_past_the_bound_everything_is_unavailable_until_there_is_news(
    reader: Reader, authority: Authority, clock: Clock
) -> None:
    good, revoked = authority.token(), authority.token(sid="revoked")
    authority.deny("sid", "revoked")
    reader.accept(authority.document())
    clock.pass_(10)
    reader.verify(good)
    clock.pass_(0.01)
    for token in [revoked] * 100_000 + [good]:
        with pytest.raises(Unavailable):
            reader.verify(token)
    reader.accept(authority.document())
    reader.verify(good)
    with pytest.raises(InvalidToken):
        reader.verify(revoked)


def test_news_is_as_old_as_its_stamp_however_late_it_comes(
    reader: Reader, authority: Authority, clock: Clock
) -> None:
    document = authority.document()
    clock.pass_(8)
    reader.accept(document)
    clock.pass_(2.01)
    with pytest.raises(Unavailable):
        reader.verify(authority.token())
    with pytest.raises(RefusedDocument):
        reader.accept(document)


@pytest.mark.parametrize("step", [-3600, -5, 3600])
def test_no_step_of_the_clock_makes_news_younger(
    step: int, reader: Reader, authority: Authority, clock: Clock
) -> None:
    token = authority.token(exp=int(clock.now) + 9000, iat=int(clock.now) - 4000)
    reader.accept(authority.document())
    clock.now += step
    clock.pass_(10.01)
    with pytest.raises(Unavailable):
        reader.verify(token)


def test_news_that_came_late_grows_old_although_the_clock_steps_back(
    reader: Reader, authority: Authority, clock: Clock
) -> None:
    document = authority.document()
    clock.pass_(8)
    reader.accept(document)
    clock.now -= 60
    clock.pass_(2.01)
    with pytest.raises(Unavailable):
        reader.verify(authority.token())


def test_news_that_came_late_grows_old_although_the_machine_sleeps(
    reader: Reader, authority: Authority, clock: Clock
) -> None:
    """Some monotonic clocks stand still while a machine is suspended."""
    document = authority.document()
    clock.pass_(8)
    reader.accept(document)
    clock.now += 2.01
    with pytest.raises(Unavailable):
        reader.verify(authority.token())


def test_on_silence_accept_goes_on_with_what_is_known(
    reader: Reader, authority: Authority, clock: Clock
) -> None:
    reader.verifier.on_silence = "accept"
    authority.deny("sid", "revoked")
    reader.accept(authority.document())
    clock.pass_(60)
    reader.verify(authority.token())
    with pytest.raises(InvalidToken):
        reader.verify(authority.token(sid="revoked"))
