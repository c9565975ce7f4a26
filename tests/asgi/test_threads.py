"""What a request and a handshake hand to threads, and that they leave no lost connection behind."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.exceptions import PermissionDenied, SynchronousOnlyOperation

from tests.asgi.talking import authenticate as message
from tests.asgi.talking import bearer, hello, status, talk
from tests.asgi.test_requests import answer, ask
from tests.asgi.test_requests import bearer as header
from tests.asynchronous.hops import Hops
from tokens import sessions, snapshot
from tokens.asgi import authenticate, credentials
from tokens.sessions import TokenPair
from tokens.snapshot import reader


@pytest.fixture
def copied(pair: TokenPair, snapshot_mode: None) -> TokenPair:
    """A pair that the snapshot accepts."""
    sessions.authenticate(pair.raw_access)
    reader.flush()
    return pair


async def names_key(scope: Any, receive: Any, send: Any) -> None:
    user = await authenticate(scope)
    await answer(send, str(user.pk))


async def names_user(scope: Any, receive: Any, send: Any) -> None:
    user = await authenticate(scope, load_user=True)
    await answer(send, f"{user} {scope['user']}")


def test_in_snapshot_mode_a_request_takes_no_thread(
    copied: TokenPair, user: Any, hops: Hops, django_assert_num_queries: Any
) -> None:
    hops.take()
    with django_assert_num_queries(0):
        sent = ask(names_key, header(copied.raw_access), required=True)
    assert sent[1]["body"] == str(user.pk).encode()
    assert hops.take() == 0


def test_in_snapshot_mode_the_user_is_loaded_in_one_thread(copied: TokenPair, hops: Hops) -> None:
    hops.take()
    assert ask(names_user, header(copied.raw_access))[1]["body"] == b"ada ada"
    assert hops.take() == 1


def test_in_strict_mode_a_request_takes_one_thread(pair: TokenPair, hops: Hops) -> None:
    sessions.authenticate(pair.raw_access)
    hops.take()
    assert ask(names_user, header(pair.raw_access))[1]["body"] == b"ada ada"
    assert hops.take() == 1


def test_junk_takes_no_thread(pair: TokenPair, hops: Hops, django_assert_num_queries: Any) -> None:
    sessions.authenticate(pair.raw_access)
    hops.take()
    with django_assert_num_queries(0):
        assert ask(names_user, header("x"), required=True)[0]["status"] == 401
        assert status(talk(headers=bearer(f"{pair.raw_access}x"))) == 401
        assert talk(message("x"), first_message=True)[-1]["code"] == 4401
    assert hops.take() == 0


def test_a_handshake_takes_one_thread(pair: TokenPair, hops: Hops) -> None:
    sessions.authenticate(pair.raw_access)
    hops.take()
    assert hello(talk(headers=bearer(pair.raw_access)))["user"] == "ada"
    assert hops.take() == 1


def test_in_snapshot_mode_a_handshake_takes_one_thread_for_the_user_or_none(
    copied: TokenPair, hops: Hops, django_assert_num_queries: Any
) -> None:
    hops.take()
    assert hello(talk(headers=bearer(copied.raw_access)))["user"] == "ada"
    assert hops.take() == 1
    names: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        names.append(str(scope["user"].pk))
        with pytest.raises(SynchronousOnlyOperation):
            str(scope["user"])

    with django_assert_num_queries(0):
        talk(headers=bearer(copied.raw_access), load_user=False, app=app)
    assert len(names) == 1
    assert hops.take() == 0


def test_in_snapshot_mode_a_renewal_takes_no_thread(copied: TokenPair, hops: Hops) -> None:
    hops.take()
    sent = talk(message(copied.raw_access), headers=bearer(copied.raw_access))
    assert '"authenticated"' in sent[2]["text"]
    assert hops.take() == 1  # That of the handshake, which loads the user.


def test_a_user_who_is_refused_when_loaded_is_anonymous(
    copied: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions.revoke(copied.raw_refresh)
    # The copy has not seen it yet.
    monkeypatch.setattr(snapshot, "accepts", lambda claims, **options: True)
    sessions.set_shortcut(snapshot.accepts)
    assert ask(names_user, header(copied.raw_access))[1]["body"] == b"AnonymousUser AnonymousUser"
    assert status(talk(headers=bearer(copied.raw_access))) == 401


def test_a_user_who_is_refused_in_a_synchronous_view_is_forbidden(
    copied: TokenPair, caplog: pytest.LogCaptureFixture
) -> None:
    sessions.revoke(copied.raw_refresh)
    sessions.set_shortcut(lambda claims, **options: True)
    raised: list[Exception] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        with pytest.raises(PermissionDenied) as refused:
            await sync_to_async(str)(scope["user"])
        raised.append(refused.value)
        await answer(send, "")

    ask(app, header(copied.raw_access))
    assert str(raised[0]) == "The access token was refused."
    assert "access_refused" in caplog.text


def test_lost_connections_are_replaced_around_each_query(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(credentials, "close_old_connections", lambda: order.append("close"))
    judged = sessions.authentication._judged

    def noting(*args: Any, **kwargs: Any) -> Any:
        order.append("query")
        return judged(*args, **kwargs)

    monkeypatch.setattr(sessions.authentication, "_judged", noting)
    sessions.authenticate(pair.raw_access)
    order.clear()
    talk(headers=bearer(pair.raw_access))
    assert order == ["close", "query", "close"]


def test_a_consumer_passes_what_channels_has_for_queries(pair: TokenPair, user: Any) -> None:
    in_thread = pytest.importorskip("channels.db").database_sync_to_async

    async def story() -> Any:
        return await sessions.aauthenticate(pair.raw_access, in_thread=in_thread)

    assert async_to_sync(story)().user == user
