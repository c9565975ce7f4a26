"""Serve two tenants in turn, whose users have the same keys, names and passwords."""

import time
from contextlib import suppress
from io import StringIO
from typing import Any

import django
import jwt
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import Group  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from tests.projects.two_databases.current import tenant  # noqa: E402
from tokens import sessions  # noqa: E402
from tokens.feed import readers  # noqa: E402
from tokens.models import DeniedToken, Session, SigningKey, ThrottleCount  # noqa: E402

PASSWORD = "correct horse battery staple"
TENANTS = ("one", "two")


def main() -> None:
    call_command("migrate", database="default", verbosity=0)
    for alias in TENANTS:
        # Without the tenant, as an operator does.
        call_command("migrate", database=alias, verbosity=0)
        with tenant(alias):
            call_command("check")
            assert SigningKey.objects.count() == 2
            assert Group.objects.filter(name="Support").exists()
            get_user_model().objects.create_user("ada", f"ada@{alias}.example", PASSWORD, pk=1)
    pairs = {alias: sign_in(alias) for alias in TENANTS}
    for _ in range(3):
        for here, there in (TENANTS, TENANTS[::-1]):
            assert call(here, pairs[here]) == (200, {"email": f"ada@{here}.example"})
            assert call(there, pairs[here])[0] == 401
            assert post(there, "refresh", {"refresh": pairs[here]["refresh"]}).status_code == 401
    wait_until_it_is_seen()
    for alias in TENANTS:
        with tenant(alias):
            claims = sessions.authenticate(pairs[alias]["access"]).claims
            assert claims.iss == f"https://{alias}.example"
    for alias in TENANTS:
        assert_a_session_ends_in_its_own_database(alias, pairs)
    assert_wrong_passwords_count_for_their_tenant()
    assert_a_rollback_undoes_no_end()
    assert_streams_tell_of_their_own_tenant()
    print("agreed")  # noqa: T201


def client(alias: str, **headers: Any) -> APIClient:
    return APIClient(HTTP_HOST=f"{alias}.example", **headers)


def post(alias: str, name: str, body: dict[str, str]) -> Any:
    return client(alias).post(f"/api/token/{name}/" if name else "/api/token/", body)


def sign_in(alias: str) -> dict[str, str]:
    answer = post(alias, "", {"username": "ada", "password": PASSWORD})
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def call(alias: str, pair: dict[str, str]) -> tuple[int, Any]:
    answer = client(alias, HTTP_AUTHORIZATION=f"Bearer {pair['access']}").get("/who/")
    return answer.status_code, answer.json()


def wait_until_it_is_seen() -> None:
    """The thread that writes it knows no current tenant."""
    deadline = time.monotonic() + 60
    while not all(Session.objects.using(alias).get().seen for alias in TENANTS):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def assert_a_session_ends_in_its_own_database(alias: str, pairs: dict[str, Any]) -> None:
    others = {other: DeniedToken.objects.using(other).count() for other in TENANTS}
    kept = sign_in(alias)
    assert post(alias, "revoke", {"token": pairs[alias]["refresh"]}).status_code == 200
    assert call(alias, pairs[alias])[0] == 401
    assert call(alias, kept)[0] == 200
    for other in TENANTS:
        added = DeniedToken.objects.using(other).count() - others[other]
        assert added == (other == alias)
    with tenant(alias):
        call_command("rotate_secret", interactive=False, stdout=StringIO())
        assert call(alias, kept)[0] == 200
        words = ["--all", "--reason=leak", "--noinput"]
        call_command("revoke_tokens", *words, stdout=StringIO(), stderr=StringIO())
    assert call(alias, kept)[0] == 401


def assert_wrong_passwords_count_for_their_tenant() -> None:
    for _ in range(12):
        answer = post("one", "", {"username": "ada", "password": "wrong"})
    assert answer.status_code == 429
    assert ThrottleCount.objects.using("one").exists()
    sign_in("two")


def assert_a_rollback_undoes_no_end() -> None:
    pair = sign_in("two")
    assert call("two", pair)[0] == 200
    with tenant("two"), suppress(LookupError), transaction.atomic(using="two"):
        sessions.revoke(pair["refresh"])
        raise LookupError
    assert call("two", pair)[0] == 401


def assert_streams_tell_of_their_own_tenant() -> None:
    for alias in TENANTS:
        with tenant(alias):
            key = readers.create("shop")
            denied = set(DeniedToken.objects.filter(kind="sid").values_list("value", flat=True))
        told = async_to_sync(first_event)(alias, key.reveal())
        assert told["iss"] == f"https://{alias}.example"
        assert {sid for sids in told["denied"]["sid"].values() for sid in sids} == denied != set()


async def first_event(alias: str, key: str) -> dict[str, Any]:
    """Return the payload of the first document of a stream, which the thread of all streams has read."""
    headers = [(b"host", f"{alias}.example".encode()), (b"authorization", f"Bearer {key}".encode())]
    path = {"path": "/api/denials/events/", "query_string": b""}
    scope = {"type": "http", "method": "GET", "headers": headers, **path}
    communicator: Any = ApplicationCommunicator
    site = communicator(get_asgi_application(), scope)
    await site.send_input({"type": "http.request"})
    assert (await site.receive_output(60))["status"] == 200
    event = (await site.receive_output(60))["body"].decode()
    await site.send_input({"type": "http.disconnect"})
    await site.wait()
    document = event.partition("data: ")[2].strip()
    return dict(jwt.decode(document, options={"verify_signature": False}))


main()
