"""
Run the story of a project, and live through the hour that comes twice in Berlin.

On 25 October 2026, the clock shows 02:30 at 00:30 UTC and again at 01:30 UTC.
"""

from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core import mail  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import F, Max, Min  # noqa: E402
from django.test.utils import (  # noqa: E402
    override_settings,
    setup_databases,
    setup_test_environment,
    teardown_databases,
)
from django.urls import reverse  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from tests.projects import story  # noqa: E402
from tokens import sessions  # noqa: E402
from tokens.admin.history import history  # noqa: E402
from tokens.admin.overview import numbers_of_days  # noqa: E402
from tokens.database.background import forbid_threads  # noqa: E402
from tokens.errors import Denied, Expired, RefreshTokenReused, SessionEnded, TokenError  # noqa: E402
from tokens.models import DailyCount, DeniedToken, EndReason, PruneRun, Session, SigningKey  # noqa: E402
from tokens.operations import pruning  # noqa: E402
from tokens.sessions import TokenPair, seen  # noqa: E402
from tokens.testing import forget  # noqa: E402

MINUTE = timedelta(minutes=1)
FIRST = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 CEST
SECOND = FIRST + 60 * MINUTE  # 02:30 CET


def at(moment: datetime) -> AbstractContextManager[Any]:
    return mock.patch("tokens.clock.now", return_value=moment)


def user() -> Any:
    return get_user_model().objects.get(username="ada")


def row(pair: TokenPair) -> Session:
    return Session.objects.get(pk=pair.session.pk)


def refusal(verb: Any, *args: Any, **how: Any) -> type[TokenError] | None:
    try:
        verb(*args, **how)
    except TokenError as error:
        return type(error)
    return None


def sessions_last_as_long_as_they_should() -> None:
    pair = sessions.start(user(), idle=45 * MINUTE, now=FIRST)
    claims = sessions.authenticate(pair.raw_access, now=FIRST).claims
    assert claims.exp - claims.iat == 300
    assert row(pair).started_at == FIRST
    assert row(pair).idle_until == FIRST + 45 * MINUTE  # 02:15 CET: before 02:30, by the clock
    early, late = FIRST + 44 * MINUTE, FIRST + 46 * MINUTE
    assert [
        Session.objects.live(now=now).filter(pk=pair.session.pk).count() for now in (early, late)
    ] == [1, 0]
    assert refusal(sessions.refresh, pair.raw_refresh, now=late) is Expired
    successor = sessions.refresh(pair.raw_refresh, now=early)
    claims = sessions.authenticate(successor.raw_access, now=early).claims
    assert claims.exp - claims.iat == 300
    assert row(pair).refreshed_at == early
    assert successor.refresh_expires_at == row(pair).idle_until == early + 45 * MINUTE


def a_refresh_token_comes_back_after_the_grace() -> None:
    for began in (FIRST, FIRST + 59 * MINUTE, SECOND):
        pair = sessions.start(user(), now=began - MINUTE)
        successor = sessions.refresh(pair.raw_refresh, now=began)
        assert sessions.refresh(pair.raw_refresh, now=began).raw_refresh == successor.raw_refresh
        sessions.authenticate(successor.raw_access, now=began)
        seen.flush()
        mail.outbox.clear()
        assert refusal(sessions.refresh, pair.raw_refresh, now=began + MINUTE) is RefreshTokenReused
        assert row(pair).ended_at == began + MINUTE
        assert refusal(sessions.authenticate, successor.raw_access, now=began) is SessionEnded
        assert f"{began - MINUTE:%-d %B %Y, %H:%M} UTC" in str(mail.outbox[0].body)


def a_revoked_access_token_is_refused() -> None:
    for now in (FIRST, SECOND):
        pair = sessions.start(user(), now=now)
        sessions.revoke(pair.raw_access, now=now)
        assert refusal(sessions.authenticate, pair.raw_access, now=now) is Denied
        denial = DeniedToken.objects.get(value=sessions.read_claims(pair.raw_access, now=now).jti)
        assert denial.denied_at == now
        assert now + 5 * MINUTE < denial.until < now + 7 * MINUTE
        with override_settings(TOKENS_DENYLIST_MODE="snapshot"):
            forget()
            assert refusal(sessions.authenticate, pair.raw_access, now=now) is Denied
        story_of_the_api = APIClient()
        with at(now):
            pair = sessions.start(user())
            answer = story_of_the_api.post("/api/token/revoke/", {"token": pair.raw_access})
            assert answer.status_code == 200
            story_of_the_api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
            assert story_of_the_api.get("/api/sessions/").status_code == 401


def every_way_into_the_database_and_out_keeps_the_instant() -> None:
    Session.objects.all().delete()
    second, first = (sessions.start(user(), now=now).session.pk for now in (SECOND, FIRST))
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT CAST(started_at AS text) FROM tokens_session ORDER BY 1")
            stored = [text for (text,) in cursor.fetchall()]
        assert stored == ["2026-10-25 00:30:00", "2026-10-25 01:30:00"], "Not in UTC."
    rows = Session.objects.order_by("-started_at")
    assert list(rows.values_list("pk", "started_at")) == [(second, SECOND), (first, FIRST)]
    assert [session.started_at for session in rows] == [SECOND, FIRST]
    assert [session.started_at for session in rows.iterator()] == [SECOND, FIRST]
    assert [session.started_at for session in rows.only("pk")] == [SECOND, FIRST]
    assert rows.aggregate(Min("started_at"), Max("started_at")) == {
        "started_at__min": FIRST,
        "started_at__max": SECOND,
    }
    for lookup, found in (("gt", [second]), ("gte", [second, first]), ("lt", []), ("lte", [first])):
        assert (
            list(rows.filter(**{f"started_at__{lookup}": FIRST}).values_list("pk", flat=True))
            == found
        )
    assert rows.get(started_at=SECOND).pk == second
    assert rows.get(started_at__in=[FIRST]).pk == first
    assert rows.get(started_at__range=(FIRST - MINUTE, FIRST + MINUTE)).pk == first
    rows.filter(pk=first).update(refreshed_at=SECOND, ended_at=None)
    assert rows.get(pk=first).refreshed_at == SECOND
    rows.update(refreshed_at=F("started_at"))
    assert set(rows.values_list("refreshed_at", flat=True)) == {FIRST, SECOND}
    changed = rows.get(pk=first)
    changed.refreshed_at = SECOND
    Session.objects.bulk_update([changed], ["refreshed_at"])
    changed.refresh_from_db()
    assert (changed.refreshed_at, changed.refreshed_at.tzinfo) == (SECOND, UTC)
    changed.refreshed_at = FIRST
    changed.save()
    assert rows.get(pk=first).refreshed_at == FIRST
    assert all(
        instant.tzinfo is UTC
        for key in SigningKey.objects.all()
        for instant in (key.created_at, key.signs_since)
        if instant
    )


def a_naive_time_is_local_time() -> None:
    naive = datetime(2026, 7, 1, 12)  # noqa: DTZ001
    run, _ = PruneRun.objects.update_or_create(defaults={"started_at": naive}, pk=1)
    run.refresh_from_db()
    assert run.started_at == datetime(2026, 7, 1, 10, tzinfo=UTC)


def the_second_page_of_sessions_follows_the_first() -> None:
    Session.objects.all().delete()
    begun = [FIRST + timedelta(seconds=80 * number) for number in range(90)]  # two hours
    for now in begun:
        sessions.start(user(), now=now)
    with at(begun[-1]):
        api = APIClient()
        pair = sessions.start(user())
        api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
        page, listed = "/api/sessions/", []
        while page:
            answer = api.get(page)
            assert answer.status_code == 200, (page, answer.content)
            listed += answer.json()["results"]
            page = answer.json()["next"]
    shown = [datetime.fromisoformat(one["started_at"]) for one in listed]
    assert shown == [begun[-1], *reversed(begun)]
    assert listed[-1]["started_at"] == "2026-10-25T02:30:00+02:00"
    assert listed[-1]["expires_at"] == "2027-01-23T01:30:00+01:00"


def staff_sees_local_times() -> None:
    Session.objects.all().delete()
    root = get_user_model().objects.create_superuser("root")
    story.assert_answers("admin:index", user=root)
    for now, zone, offset in ((FIRST, "CEST", "+02:00"), (SECOND, "CET", "+01:00")):
        session = sessions.start(user(), now=now).session
        page = story.assert_answers("admin:tokens_session_change", session.pk, user=root)
        assert f'title="2026-10-25 02:30:00 {zone}"' in page
        assert f'<time datetime="2026-10-25T02:30:00{offset}">2026-10-25 02:30:00</time>' in page
        assert history(row_of(session), now=now)[0].at == now
    page = story.assert_answers("admin:tokens_session_changelist", user=root)
    assert page.index("02:30:00 CET") < page.index("02:30:00 CEST")
    for chosen in ("state=live", "state=expired", "reason=logout", "refreshed=hour", "q=ada"):
        address = reverse("admin:tokens_session_changelist") + f"?{chosen}"
        assert story.browser_of(root).get(address).status_code == 200, chosen
    midnight = datetime(2026, 10, 25, 23, tzinfo=UTC)  # in Berlin
    for number, day in ((3, date(2026, 10, 25)), (1, date(2026, 10, 26))):
        DailyCount.objects.update_or_create(day=day, defaults={"sign_ins": number})
    for now, shown in ((midnight - MINUTE, [0, 3]), (midnight, [3, 1])):
        assert numbers_of_days(now=now)[1]["sign_ins"][-2:] == shown


def row_of(session: Session) -> Any:
    return Session.objects.with_revoked().get(pk=session.pk)


def pruning_deletes_what_is_old_enough() -> None:
    Session.objects.all().delete()
    DeniedToken.objects.all().delete()
    kept = timedelta(days=30)
    with override_settings(TOKENS_RETENTION=kept):
        for now in (FIRST, SECOND):
            pair = sessions.start(user(), now=now)
            sessions.end([pair.session], reason=EndReason.LOGOUT, now=now)
        done = pruning.prune(now=FIRST + kept + 30 * MINUTE)
        assert (done.deleted["sessions"], Session.objects.get().ended_at) == (1, SECOND)
    sessions.revoke(sessions.start(user(), now=FIRST).raw_access, now=FIRST)
    sessions.revoke(sessions.start(user(), now=SECOND).raw_access, now=SECOND)
    done = pruning.prune(now=FIRST + 70 * MINUTE)  # An hour after the first denial mattered.
    assert DeniedToken.objects.get(kind="jti").denied_at == SECOND
    run = PruneRun.objects.get()
    assert run.finished_at
    assert timedelta(0) <= run.finished_at - run.started_at < MINUTE


def a_dump_can_be_loaded() -> None:
    Session.objects.all().delete()
    for now in (FIRST, SECOND):
        sessions.start(user(), now=now)
    before = list(Session.objects.order_by("pk").values())
    keys = list(SigningKey.objects.order_by("pk").values())
    with TemporaryDirectory() as folder:
        path = Path(folder) / "dump.json"
        call_command("dumpdata", "tokens", output=str(path))
        for model in (Session, SigningKey, DeniedToken):
            model.objects.all().delete()
        call_command("loaddata", str(path), stdout=StringIO())
    assert list(Session.objects.order_by("pk").values()) == before
    millisecond = timedelta(milliseconds=1)  # JSON has no more digits.
    for key, loaded in zip(keys, SigningKey.objects.order_by("pk").values(), strict=True):
        assert abs(loaded["created_at"] - key["created_at"]) < millisecond


def main() -> None:
    # A test database is dropped only if no other thread has a connection.
    forbid_threads()
    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        get_user_model().objects.create_user("ada", "ada@example.org", story.PASSWORD)
        sessions_last_as_long_as_they_should()
        a_refresh_token_comes_back_after_the_grace()
        a_revoked_access_token_is_refused()
        every_way_into_the_database_and_out_keeps_the_instant()
        if not settings.USE_TZ:
            a_naive_time_is_local_time()
        the_second_page_of_sessions_follows_the_first()
        staff_sees_local_times()
        pruning_deletes_what_is_old_enough()
        a_dump_can_be_loaded()
        user().delete()
        story.run(label="tokens")
    finally:
        forget()  # A copy of the denylist has a connection of its own.
        teardown_databases(databases, verbosity=0)
    print("agreed")  # noqa: T201


main()
