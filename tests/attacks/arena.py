"""The running site, its honest users, and the tokens that an attacker may have."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.contrib.auth import get_user_model
from django.db import models
from django.test import override_settings

from tests.conftest import PASSWORD
from tests.support.forging import Target, compact, target_of
from tests.support.processes import Site
from tokens import keyring, sessions
from tokens.api import cookies
from tokens.client.cookie import full_name
from tokens.keyring.rotation import make_row
from tokens.models import DeniedToken, Session, SigningKey, ThrottleCount
from tokens.sessions import TokenPair

from .client import Answer, Client

WATCHED: tuple[type[models.Model], ...] = (get_user_model(), Session, DeniedToken, SigningKey)
Rows = dict[str, list[dict[str, Any]]]
Test = TypeVar("Test", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Attack:
    """A token that no honest client sends, and the source of the attack."""

    name: str
    source: str
    forge: Callable[["Arena"], str]

    def __str__(self) -> str:
        return self.name


def known_from(source: str, *, each: Mapping[str, str] | None = None) -> Callable[[Test], Test]:
    """
    Set the source of an attack on its test, whose name is the name of the attack.

    ``each`` has the names of its variants, each with its own source or an empty one.
    """

    def note(test: Test) -> Test:
        test.source, test.each = source, each or {}  # type: ignore[attr-defined]
        return test

    return note


class Arena:
    """
    One site with several workers, and a key ring with a key of every algorithm.

    ``honest`` and ``other`` are live pairs of two users, ``auditor`` is the pair of a user who may
    introspect. ``access`` and ``refresh`` are the tokens of ``honest``, split into their parts.
    """

    def __init__(self) -> None:
        self._numbers = count(1)
        keyring.ensure()
        now = datetime.now(UTC)
        until = now + timedelta(days=1)
        for algorithm in keyring.ALGORITHMS:
            if algorithm != keyring.signing_key().algorithm:
                row = make_row(algorithm, state=SigningKey.State.RETIRED, now=now)
                row.retired_at, row.verifies_until = now, until
                row.save(force_insert=True)
        keyring.forget()
        self.kids = dict(
            SigningKey.objects.exclude(state=SigningKey.State.NEXT).values_list("algorithm", "kid")
        )
        self.honest, self.other = self.person("honest"), self.person("other")
        self.auditor = self.person("auditor", is_superuser=True)
        self.access = target_of(self.honest.raw_access)
        self.refresh = target_of(self.honest.raw_refresh)

    def go_to(self, site: Site) -> None:
        self.client = Client(urlsplit(site.base).port or 0)

    def person(self, name: str, **more: Any) -> TokenPair:
        """Return the pair of a new user with this name."""
        people: Any = get_user_model()._default_manager
        person = people.create_user(name, f"{name}@example.org", PASSWORD, **more)
        # Long enough for all attacks on a busy machine.
        with override_settings(TOKENS_ACCESS_LIFETIME=timedelta(hours=1)):
            return sessions.start(person)

    def somebody(self, kind: str) -> TokenPair:
        """Return the pair of a new user whose name begins with ``kind``."""
        return self.person(f"{kind}-{next(self._numbers)}")

    def of(self, algorithm: str) -> Target:
        """Return the honest access token, signed by the ring's key of this algorithm."""
        key = keyring.verification_key(self.kids[algorithm], now=datetime.now(UTC))
        header = {"alg": algorithm, "kid": key.kid, "typ": "at+jwt"}
        target = Target(compact(header, self.access.payload, self.access.own), key)
        return Target(target.token(target.own), key)

    def doors(self, raw_token: str) -> Iterator[tuple[str, Answer]]:
        """Send the token to each endpoint that takes one; yield each name and answer."""
        send, post = self.client.send, self.client.post
        yield "GET me", send("GET", "/api/me/", bearer=raw_token)
        if '"' not in raw_token:  # A quoted cookie is the same cookie (RFC 6265 §4.1.1).
            cookie = ("Cookie", f"{full_name(cookies.ACCESS)}={raw_token}")
            yield "GET me by cookie", send("GET", "/api/me/", cookie)
        sid = self.honest.session.pk
        yield "DELETE session", send("DELETE", f"/api/sessions/{sid}/", bearer=raw_token)
        yield "POST logout", post("/api/logout/", bearer=raw_token)
        yield "POST logout/others", post("/api/logout/others/", bearer=raw_token)
        yield "verify", post("/api/token/verify/", token=raw_token)
        yield "refresh", post("/api/token/refresh/", refresh=raw_token)
        yield "blacklist", post("/api/token/blacklist/", refresh=raw_token)

    def assert_refused_everywhere(self, raw_token: str) -> None:
        """Check that every endpoint refuses the token, and that none fails."""
        for door, answer in self.doors(raw_token):
            assert_refusal(answer, door)
        # These two answer 200 to a bad token, and do nothing (RFC 7009 §2.2, RFC 7662 §2.2).
        for answer, harmless in (
            (self.client.post("/api/token/revoke/", token=raw_token), {}),
            (
                self.client.post(
                    "/api/token/introspect/", token=raw_token, bearer=self.auditor.raw_access
                ),
                {"active": False},
            ),
        ):
            assert answer.is_json, answer
            assert answer.status == 400 or (answer.status, answer.json()) == (200, harmless)

    def assert_honest_ones_go_on(self) -> None:
        """Check that an access token and a refresh token of two users are still valid."""
        assert self.client.get("/api/me/", bearer=self.honest.raw_access).status == 200
        raw_refresh = self.other.raw_refresh
        assert self.client.post("/api/token/verify/", token=raw_refresh).status == 200


def assert_refusal(answer: Answer, what: str = "", *, more: frozenset[int] = frozenset()) -> None:
    """Check that this is a refusal in JSON, and the only answer on its connection."""
    assert answer.status in {400, 401, 403, 413} | more, (what, answer)
    assert answer.is_json, (what, answer)
    assert len(answer.statuses) == 1, (what, answer)


def person_of(pair: TokenPair) -> Any:
    """Return the user as the database has it now."""
    return get_user_model()._default_manager.get(pk=pair.session.user_id)


def rows() -> Rows:
    """Return the rows that no refused request may change."""
    return {
        model.__name__: [
            # The site's own thread notes within a second that an honest token was used.
            {name: value for name, value in row.items() if name != "seen"}
            for row in model._default_manager.order_by("pk").values()
        ]
        for model in WATCHED
    }


@contextmanager
def committed(django_db_blocker: Any) -> Iterator[None]:
    """Commit what tests write: the site runs in other processes and sees only that."""
    with django_db_blocker.unblock():
        clear()
        yield
        clear()


def clear() -> None:
    """Leave the database as after a migration: with a key ring and without users."""
    SigningKey.objects.all().delete()
    DeniedToken.objects.all().delete()
    get_user_model()._default_manager.all().delete()
    ThrottleCount.objects.all().delete()
    DeniedToken.objects.all().delete()  # Deleting users denies their sessions.
    keyring.forget()
    keyring.ensure()
