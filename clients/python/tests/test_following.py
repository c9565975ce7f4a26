"""How the feed is followed over HTTP, and what happens while it cannot be."""

import asyncio
import os
import threading
import time
from collections.abc import Callable

import pytest
from latchkey_verify import InvalidToken, Unavailable, Verifier, following, web

from .authority import AUDIENCE, ISSUER, Authority

PATIENCE = 60


def becomes(condition: Callable[[], bool]) -> bool:
    """Wait until the condition holds. No test measures anything by it."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def refused(verifier: Verifier, token: str) -> bool:
    try:
        verifier.verify(token)
    except InvalidToken:
        return True
    return False


@pytest.mark.parametrize("pushes", [False, True])
def test_a_denial_arrives_by_itself(pushes: bool, verifier: Verifier, authority: Authority) -> None:
    authority.pushes = pushes
    token, other = authority.token(), authority.token(sid="session-2")
    assert verifier.verify(token).sub == "ada"
    authority.deny("sid", "session-1")
    assert becomes(lambda: refused(verifier, token))
    verifier.verify(other)
    assert any("events" in path for path in authority.asked)
    assert any("?after=one%3A0" in path for path in authority.asked) or pushes


def test_a_compressed_document_is_read_and_a_bomb_is_not(
    address: str, authority: Authority
) -> None:
    authority.mode = "gzip"
    reading = Verifier(address, issuer=ISSUER, audience=AUDIENCE)
    ask = reading._request("")
    reading._accept(reading._web.get(*ask))
    assert reading._has_news()
    authority.mode = "bomb"
    with pytest.raises(OSError, match="too large"):
        reading._web.get(*ask)


def test_nothing_starts_before_the_first_token(verifier: Verifier, authority: Authority) -> None:
    assert verifier._thread is None
    assert not authority.asked
    verifier.verify(authority.token())
    assert authority.asked


@pytest.mark.parametrize("mode", ["down", "huge", "slow", "redirect"])
def test_an_authority_that_answers_badly_makes_everything_unavailable_until_it_recovers(
    mode: str, address: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "MAX_BYTES", 200_000)
    good, revoked = authority.token(), authority.token(sid="revoked")
    authority.deny("sid", "revoked")
    verifier = Verifier(address, issuer=ISSUER, audience=AUDIENCE, interval=0.02, bound=1)
    try:
        verifier.verify(good)
        authority.mode = mode

        def is_silent() -> bool:
            try:
                verifier.verify(good)
            except Unavailable:
                return True
            return False

        assert becomes(is_silent)
        for _ in range(10_000):
            with pytest.raises(Unavailable):
                verifier.verify(revoked)
        authority.mode = "serve"
        assert becomes(lambda: not is_silent())
        with pytest.raises(InvalidToken):
            verifier.verify(revoked)
    finally:
        verifier.close()


def test_a_verifier_that_begins_without_its_authority_is_unavailable(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = Verifier("http://127.0.0.1:9", issuer=ISSUER, audience=AUDIENCE)
    monkeypatch.setattr(following, "PATIENCE", 0.0)
    with pytest.raises(Unavailable):
        verifier.verify(authority.token())
    with pytest.raises(Unavailable):
        asyncio.run(verifier.averify(authority.token()))
    verifier.close()


def test_a_redirect_does_not_get_the_credential(
    address: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.mode = "redirect"
    verifier = Verifier(address, issuer=ISSUER, audience=AUDIENCE, credential="secret")
    monkeypatch.setattr(following, "PATIENCE", 0.0)
    verifier.start()
    assert becomes(lambda: len(authority.asked) > 1)
    verifier.close()
    assert "/elsewhere/" not in authority.asked
    assert "secret" not in repr(verifier)


def test_a_fork_follows_by_itself(verifier: Verifier, authority: Authority) -> None:
    token = authority.token()
    verifier.verify(token)
    denied, told = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover
        result = b"0"
        try:
            verifier.verify(token)
            os.write(told[1], b"1")
            os.read(denied[0], 1)
            result = b"1" if becomes(lambda: refused(verifier, token)) else b"0"
        finally:
            os.write(told[1], result)
            os._exit(0)
    assert os.read(told[0], 1) == b"1"
    authority.deny("sid", "session-1")
    os.write(denied[1], b"1")
    assert os.read(told[0], 1) == b"1"
    os.waitpid(child, 0)


def test_it_stops_cleanly(address: str, authority: Authority) -> None:
    authority.pushes = True
    verifier = Verifier(address, issuer=ISSUER, audience=AUDIENCE)
    verifier.verify(authority.token())
    verifier.close()
    assert not any(thread.name == "latchkey-verify" for thread in threading.enumerate())


def test_an_event_loop_is_not_blocked(verifier: Verifier, authority: Authority) -> None:
    async def story() -> None:
        tokens = await asyncio.gather(*(verifier.averify(authority.token()) for _ in range(20)))
        assert {token.sub for token in tokens} == {"ada"}
        assert (await verifier.averify(authority.token())).sub == "ada"

    asyncio.run(story())


@pytest.mark.parametrize(
    "address", ["http://accounts.example.com", "ftp://127.0.0.1", "file:///etc/passwd", "accounts"]
)
def test_an_address_without_tls_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not https"):
        Verifier(address, issuer=ISSUER, audience=AUDIENCE)


def test_an_address_without_tls_can_be_allowed() -> None:
    Verifier("http://web:8000", issuer=ISSUER, audience=AUDIENCE, allow_http=True)


def test_a_wrong_option_is_refused() -> None:
    with pytest.raises(ValueError, match="on_silence"):
        Verifier("https://a.example", issuer="", audience="", on_silence="x")  # type: ignore[arg-type]
