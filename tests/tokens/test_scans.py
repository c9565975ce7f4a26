"""
No page, call or command reads a whole table, by the plan of each statement that it runs.

A scan that has no start in an index is allowed only under a LIMIT, in the index's own order.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tokens import denylist, keyring, sessions
from tokens.limits.good_networks import was_used_by
from tokens.models import DeniedToken, EndReason, Session
from tokens.operations import pruning

pytestmark = pytest.mark.slow

GROWING = ("tokens_session", "tokens_deniedtoken", "accounts_user")
SMALL_INDEXES = ("user_staff", "user_superuser", "user_inactive")  # with few rows each
# The plan nodes that may stand between a LIMIT and the scan that it stops.
STREAMS = {"Limit", "Result", "Nested Loop", "LockRows", "Incremental Sort"}

SESSIONS, DENIALS, KEYS = (
    f"/admin/tokens/{name}/" for name in ("session", "deniedtoken", "signingkey")
)
USERS = "/admin/accounts/user/"
PAGES = [
    "/admin/",
    SESSIONS,
    f"{SESSIONS}?p=2",
    *(f"{SESSIONS}?state={state}" for state in ("live", "ended", "expired", "key_revoked")),
    *(f"{SESSIONS}?reason={reason}" for reason in ("reuse", "logout")),
    *(f"{SESSIONS}?refreshed={when}" for when in ("hour", "earlier")),
    f"{SESSIONS}?state=ended&refreshed=hour",
    f"{SESSIONS}?reason=reuse&refreshed=earlier",
    *(f"{SESSIONS}?user=USER&state={state}" for state in ("live", "ended", "expired")),
    *(f"{SESSIONS}?q={term}" for term in ("ada", "ada@example.org", "SID", "JTI", "192.0.2.1")),
    *(f"{SESSIONS}?q=192.0.2.1&state={state}" for state in ("live", "ended", "expired")),
    *(f"{SESSIONS}?q={part}" for part in ("user1", "nobody", "192.0.2.0/24", "192.0.2.1/32")),
    *(f"{SESSIONS}?{which}" for which in ("device=Linux", "device=other", "browser=Firefox")),
    *(f"{SESSIONS}?network={which}" for which in ("192.0.2.0/24", "192.0.2.1/32", "2001:db8::")),
    f"{SESSIONS}?user=USER&network=192.0.2.0/24&device=other",
    *(f"{SESSIONS}export/{query}" for query in ("", "?state=ended", "?state=expired", "?q=user1")),
    f"{SESSIONS}export/?reason=reuse&network=192.0.2.0/24",
    f"{SESSIONS}SID/change/",
    f"{SESSIONS}SID/revoke/",
    DENIALS,
    *(f"{DENIALS}?kind={kind}" for kind in DeniedToken.Kind.values),
    *(
        f"{DENIALS}?q={term}"
        for term in ("ada", "ada@example.org", "SID", "JTI", "nobody", "user1")
    ),
    f"{DENIALS}export/",
    f"{DENIALS}export/?kind=sid",
    f"{DENIALS}DENIAL/change/",
    KEYS,
    f"{KEYS}rotate/",
    f"{KEYS}revoke-previous/",
    USERS,
    f"{USERS}?o=2",
    *(f"{USERS}?q={term}" for term in ("ada", "ADA@example.org", "exam")),
    *(f"{USERS}?is_{what}__exact=1" for what in ("staff", "superuser")),
    f"{USERS}?is_active__exact=0",
    *(f"{USERS}USER/{page}/" for page in ("change", "sign-out", "delete", "history")),
]


@pytest.fixture
def _rows(
    own_cache: None, user: Any, django_user_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Create enough rows for an index to pay and for each bound of a page to apply."""
    for module in ("tokens.operations.tally", "tokens.admin.sessions"):
        monkeypatch.setattr(f"{module}.WINDOW", 20)
    monkeypatch.setattr("accounts.admin.WINDOW", 150)
    monkeypatch.setattr("tokens.admin.search.MAX_BESIDE_INCIDENTS", 5)
    monkeypatch.setattr("tokens.admin.search.MAX_INCIDENTS", 5)
    monkeypatch.setattr("tokens.admin.networks.MAX_IN_NETWORK", 50)
    monkeypatch.setattr("tokens.admin.export.BATCH", 700)
    monkeypatch.setattr("tokens.admin.deletion.WINDOW", 20)
    users = django_user_model.objects.bulk_create(
        django_user_model(
            username=f"user{i}",
            email=f"user{i}@example.org",
            is_active=bool(i % 100),
            is_staff=not i % 90,
            is_superuser=not i % 80,
        )
        for i in range(300)
    )
    now, pair = timezone.now(), sessions.start(user, client=sessions.Client("192.0.2.1"))
    Session.objects.bulk_create(_session(pair.session, [user, *users], i) for i in range(3000))
    DeniedToken.objects.bulk_create(
        DeniedToken(
            value=f"{i:032x}.{i}a" if i % 9 else str(uuid4()),
            kind="jti" if i % 9 else "sid",
            user=users[i % 300],
            reason="revoked",
            denied_at=now - timedelta(minutes=i),
            until=now + timedelta(minutes=6 - i),
        )
        for i in range(3000)
    )
    denylist.deny([("a" * 32, None)], kind=DeniedToken.Kind.KEY, reason="leak", until=now)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            # The planner often reads tables this small whole, whatever indexes they have.
            cursor.execute("SET LOCAL enable_seqscan = off")
            # EXPLAIN does not accept a prepared statement.
            monkeypatch.setattr(connection.connection, "prepare_threshold", None)
    cache.clear()


def _session(made: Session, users: list[Any], i: int) -> Session:
    began = made.started_at - timedelta(hours=i)
    columns = {field.attname: getattr(made, field.attname) for field in Session._meta.fields}
    ended = {"ended_at": began, "end_reason": ["reuse", "logout"][i % 4 // 2]} if i % 2 else {}
    return Session(
        **columns
        | {
            "id": uuid4(),
            "user_id": users[i % len(users)].pk,
            "started_at": began,
            "refreshed_at": began,
            "idle_until": began + timedelta(days=14),
            "expires_at": began + timedelta(days=90),
            "ip_address": f"192.0.2.{i % 100}",
            "ended_ip_address": f"192.0.2.{i % 100}" if ended else None,
            **ended,
        }
    )


@pytest.fixture
def scans(_rows: None) -> Callable[[Callable[[], Any]], list[str]]:
    """Return a function that returns a call's statements that read a growing table whole."""

    def run(call: Callable[[], Any]) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            answer = call()
            b"".join(getattr(answer, "streaming_content", ()))
        assert getattr(answer, "status_code", 200) in {200, 302}
        statements = [query["sql"] for query in captured.captured_queries]
        asked = [sql for sql in statements if re.match(r"SELECT|UPDATE|DELETE", sql)]
        assert asked
        return [sql for sql in asked if any(t in sql for t in GROWING) and reads_all(sql)]

    return run


def reads_all(sql: str) -> bool:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
            plan = cursor.fetchone()[0]
            plan = json.loads(plan) if isinstance(plan, str) else plan
            return any(_unbounded(plan[0]["Plan"], limited=False))
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        steps = [str(row[3]) for row in cursor.fetchall()]
    scanned = [step for step in steps if step.startswith(tuple(f"SCAN {t}" for t in GROWING))]
    scanned = [step for step in scanned if not step.endswith(SMALL_INDEXES)]
    stops = " LIMIT " in sql and not any("TEMP B-TREE FOR ORDER BY" in step for step in steps)
    return bool(scanned) and not stops


def _unbounded(node: dict[str, Any], *, limited: bool) -> Iterator[bool]:
    kind = node["Node Type"]
    limited = kind == "Limit" or (limited and (kind in STREAMS or kind.endswith("Scan")))
    if kind.endswith("Scan") and node.get("Relation Name") in GROWING:
        begins = "Index Cond" in node or kind == "Bitmap Heap Scan"
        begins |= node.get("Index Name") in SMALL_INDEXES
        yield not begins and not limited
    for child in node.get("Plans", ()):
        yield from _unbounded(child, limited=limited)


def test_the_pages_of_the_admin(
    admin_client: Client, user: Any, scans: Callable[[Any], list[str]]
) -> None:
    session = Session.objects.filter(ended_at=None).first()
    assert session
    words = {
        "USER": user.pk,
        "SID": session.pk,
        "JTI": f"{session.pk.hex}.0r",
        "DENIAL": DeniedToken.objects.values_list("pk", flat=True)[0],
    }
    found = {}
    for page in PAGES:
        address = page
        for word, value in words.items():
            address = address.replace(word, str(value))
        cache.clear()
        found[page] = scans(partial(admin_client.get, address))
    unbounded = {page: read for page, read in found.items() if read}
    assert not unbounded, unbounded


def test_revoking_a_session_in_the_admin(admin_client: Client, scans: Any) -> None:
    session = Session.objects.filter(ended_at=None).first()
    assert session
    page = f"{SESSIONS}{session.pk}/revoke/"
    assert scans(lambda: admin_client.post(page, {"reason": "lost"})) == []


def test_the_list_of_my_sessions(user: Any, scans: Any) -> None:
    pair = sessions.start(user)
    client = Client(headers={"Authorization": f"Bearer {pair.raw_access}"})
    assert scans(lambda: client.get("/api/sessions/")) == []


def test_the_life_of_a_session(user: Any, scans: Any) -> None:
    pair = sessions.start(user)
    assert scans(lambda: sessions.authenticate(pair.raw_access)) == []
    assert scans(lambda: sessions.refresh(pair.raw_refresh)) == []
    assert scans(lambda: was_used_by(user, "192.0.2.1", now=timezone.now())) == []
    assert scans(lambda: sessions.end_all(user, reason=EndReason.LOGOUT)) == []


def test_deactivating_and_deleting_a_user(user: Any, scans: Any) -> None:
    user.is_active = False
    assert scans(user.save) == []
    assert scans(user.delete) == []


@pytest.mark.parametrize(
    "words",
    [
        ["list_keys"],
        ["rotate_secret", "--dry-run"],
        ["rotate_secret", "--revoke-previous", "--dry-run"],
        ["revoke_tokens", "--user", "ada", "--reason", "lost", "--dry-run"],
        ["revoke_tokens", "--session", "SID", "--reason", "lost", "--dry-run"],
        ["revoke_tokens", "--jti", "JTI", "--reason", "lost", "--dry-run"],
    ],
)
def test_a_command(scans: Any, words: list[str]) -> None:
    session = Session.objects.filter(ended_at=None).first()
    assert session
    named = {"SID": str(session.pk), "JTI": f"{session.pk.hex}.0a"}
    given = [named.get(word, word) for word in words]
    assert scans(lambda: call_command(*given, stdout=StringIO())) == []


def test_planning_a_rotation(scans: Any) -> None:
    assert scans(keyring.plan_rotation) == []


def test_asking_whether_pruning_is_overdue(scans: Any) -> None:
    assert scans(pruning.overdue) == []


def test_a_scan_is_seen(scans: Any) -> None:
    assert scans(lambda: list(Session.objects.filter(user_agent="x")))
    assert scans(lambda: list(Session.objects.order_by("user_agent")[:5]))
    assert scans(lambda: Session.objects.order_by("-started_at").filter(generation=3).count())


def test_a_page_costs_no_more_statements_with_more_rows(
    admin_client: Client, user: Any, own_cache: None
) -> None:
    def statements() -> dict[str, int]:
        counts = {}
        for page in (SESSIONS, f"{SESSIONS}?q=ad", f"{SESSIONS}?network=192.0.2.0/24", "/admin/"):
            cache.clear()
            with CaptureQueriesContext(connection) as captured:
                assert admin_client.get(page).status_code == 200
            counts[page] = len(captured)
        return counts

    sessions.start(user, client=sessions.Client("192.0.2.1"))
    statements()  # What Django caches per process is paid for.
    few = statements()
    for _ in range(100):
        sessions.start(user, client=sessions.Client("192.0.2.1"))
    assert statements() == few
