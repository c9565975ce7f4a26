"""What pruning deletes and keeps; it un-revokes nothing. test_pruning_batches tests how."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.support.grace import be_used
from tests.support.rollbacks import savepoint
from tokens import denylist, keyring, sessions
from tokens.conf import conf
from tokens.errors import RefreshTokenReused, TokenError
from tokens.limits import counts
from tokens.models import DeniedToken, EndReason, Session, SigningKey, ThrottleCount
from tokens.operations import pruning

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def ended(user: Any, *, at: datetime, reason: EndReason = EndReason.LOGOUT) -> Session:
    session = sessions.start(user, now=at - DAY).session
    sessions.end([session], reason=reason, now=at)
    return session


def deny(*values: str, until: datetime) -> None:
    denylist.deny(
        [(value, None) for value in values],
        kind=DeniedToken.Kind.TOKEN,
        reason="lost",
        until=until,
        now=NOW - DAY,
    )


def is_left(session: Session) -> bool:
    return Session.objects.filter(pk=session.pk).exists()


class TestWhatGoes:
    @pytest.mark.parametrize("reason", [r for r in EndReason if r is not EndReason.REUSE])
    def test_a_session_goes_when_it_ended_a_retention_ago(
        self, user: Any, reason: EndReason
    ) -> None:
        kept = ended(user, at=NOW - conf.TOKENS_RETENTION, reason=reason)
        gone = ended(user, at=NOW - conf.TOKENS_RETENTION - MOMENT, reason=reason)
        assert pruning.prune(now=NOW).deleted["sessions"] == 1
        assert (is_left(kept), is_left(gone)) == (True, False)

    def test_the_record_of_an_incident_is_kept_longer(self, user: Any) -> None:
        at = NOW - conf.TOKENS_INCIDENT_RETENTION
        kept = ended(user, at=at, reason=EndReason.REUSE)
        gone = ended(user, at=at - MOMENT, reason=EndReason.REUSE)
        assert pruning.prune(now=NOW).deleted["sessions"] == 1
        assert (is_left(kept), is_left(gone)) == (True, False)

    def test_an_expired_session_is_deleted_a_retention_after_its_limit(self, user: Any) -> None:
        limit = NOW - conf.TOKENS_RETENTION
        kept = sessions.start(user, now=limit - conf.TOKENS_SESSION_LIFETIME).session
        gone = sessions.start(user, now=limit - conf.TOKENS_SESSION_LIFETIME - MOMENT).session
        assert pruning.prune(now=NOW).deleted["sessions"] == 1
        assert (is_left(kept), is_left(gone)) == (True, False)

    def test_denials_keys_and_counts_go_and_what_matters_stays(self, user: Any) -> None:
        deny("past", until=NOW - DAY)
        deny("future", until=NOW + DAY)
        keyring.rotate(keyring.plan_rotation(now=NOW - 30 * DAY), now=NOW - 30 * DAY)
        former = SigningKey.objects.filter(state="retired")
        assert former.count() == 1
        charge = counts.Charge
        counts.take([charge("past", counts.Rate(1, 60))], now=NOW - timedelta(minutes=1))
        counts.take([charge("present", counts.Rate(1, 60))], now=NOW)
        assert pruning.prune(now=NOW).deleted == {
            "denials": 1,
            "sessions": 0,
            "throttle_counts": 1,
            "keys": 1,
        }
        assert DeniedToken.objects.get().value == "future"
        assert ThrottleCount.objects.get().caller == "present"
        assert sorted(SigningKey.objects.values_list("state", flat=True)) == ["next", "signing"]

    def test_what_is_due_is_counted_and_what_is_counted_goes(self, user: Any) -> None:
        ended(user, at=NOW - 91 * DAY)
        ended(user, at=NOW - 400 * DAY, reason=EndReason.REUSE)
        deny("a", "b", until=NOW - DAY)
        due = pruning.count(now=NOW)
        assert due == {"denials": 4, "sessions": 2, "throttle_counts": 0, "keys": 0}
        assert pruning.prune(now=NOW).deleted == due
        assert not any(pruning.count(now=NOW).values())

    def test_what_could_have_gone_a_week_ago_is_overdue(self, user: Any) -> None:
        ended(user, at=NOW - 98 * DAY)
        assert pruning.overdue(now=NOW) == ["denials", "sessions"]
        assert pruning.overdue(now=NOW - 2 * DAY) == ["denials"]
        pruning.prune(now=NOW)
        assert pruning.overdue(now=NOW) == []


class TestNothingIsUnrevoked:
    """test_model runs random histories with prunings between their steps."""

    def test_a_pruned_session_is_refused_as_unknown(self, user: Any) -> None:
        first = sessions.start(user, now=NOW)
        second = sessions.refresh(first.raw_refresh, now=NOW + DAY)
        be_used(second)
        with pytest.raises(RefreshTokenReused):
            sessions.refresh(first.raw_refresh, now=NOW + 2 * DAY)
        pruning.prune(now=NOW + 400 * DAY)
        assert not Session.objects.exists()
        for raw_token in (second.raw_access, second.raw_refresh, first.raw_refresh):
            for now in (NOW + DAY, NOW + 400 * DAY):
                with pytest.raises(TokenError):
                    sessions.verify(raw_token, now=now)

    def test_a_key_that_is_gone_takes_its_denial_with_it_and_nothing_else(self, user: Any) -> None:
        pair = sessions.start(user, now=NOW)
        keyring.rotate(keyring.plan_rotation(revoke_previous=True, now=NOW), now=NOW)
        pruning.prune(now=NOW + 400 * DAY)
        assert not SigningKey.objects.filter(state="revoked").exists()
        assert not DeniedToken.objects.exists()
        for now in (NOW, NOW + 400 * DAY):
            with pytest.raises(TokenError):
                sessions.verify(pair.raw_access, now=now)

    @pytest.mark.slow
    @hypothesis_settings(
        max_examples=150,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        clocks=st.fixed_dictionaries(
            {host: st.sampled_from([0, 1, 4, 5]) for host in ("issue", "deny", "prune", "verify")}
        ),
        denied_after=st.sampled_from([0, 100, 299, 309]),
        pruned_at=st.integers(305, 320) | st.sampled_from([0, 3910, 3920, 90000]),
        verified_after=st.integers(0, 5) | st.sampled_from([60, 4000]),
        what=st.sampled_from(["token", "session", "rotated", "key"]),
    )
    def test_not_on_hosts_whose_clocks_are_five_seconds_apart(
        self,
        clocks: dict[str, int],
        denied_after: int,
        pruned_at: int,
        verified_after: int,
        what: str,
    ) -> None:
        def at(host: str, seconds: int) -> datetime:
            return NOW + timedelta(seconds=seconds + clocks[host])

        keyring.forget()
        sid = savepoint()
        user: Any = get_user_model().objects.create_user("eve", "eve@example.org", "x")
        pair = sessions.start(user, now=at("issue", 0))
        try:
            revoke(pair, what, now=at("deny", denied_after))
        except TokenError:
            assert what in {"token", "rotated"}  # expired by that host's clock
        else:
            pruned = max(denied_after, pruned_at)
            pruning.prune(now=at("prune", pruned))
            for raw_token in (pair.raw_access, *([pair.raw_refresh] if what != "token" else [])):
                with pytest.raises(TokenError):
                    sessions.verify(raw_token, now=at("verify", pruned + verified_after))
        finally:
            transaction.savepoint_rollback(sid)


def revoke(pair: sessions.TokenPair, what: str, *, now: datetime) -> None:
    match what:
        case "token":
            sessions.revoke(pair.raw_access, now=now)
        case "session":
            sessions.end([pair.session], reason=EndReason.REVOKED, now=now)
        case "rotated":
            successor = sessions.refresh(pair.raw_refresh, now=now)
            sessions.revoke(successor.raw_refresh, now=now)
        case "key":
            keyring.rotate(keyring.plan_rotation(revoke_previous=True, now=now), now=now)


class TestCosts:
    def test_every_query_walks_an_index_in_its_order(self) -> None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # The planner reads a table without rows whole, whatever indexes it has.
                cursor.execute("SET LOCAL enable_seqscan = off")
        due = pruning.due(now=NOW)
        for rows in [*due["denials"], *due["sessions"]]:
            plan = rows.values_list("pk", flat=True)[:10].explain()
            walks = "Index" if connection.vendor == "postgresql" else "SEARCH"
            assert walks in plan, plan
            for detour in ("Sort", "Seq Scan", "TEMP B-TREE"):
                assert detour not in plan, plan

    def test_a_rotation_rewrites_no_index(self, user: Any) -> None:
        changed = {"generation", "kid", "refreshed_at", "refreshed_ip_address", "idle_until"}
        pair = sessions.start(user)
        if connection.vendor == "postgresql":
            assert hot_updates(lambda: sessions.refresh(pair.raw_refresh)) == (1, 1)
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, "tokens_session")
        indexed = {c for one in found.values() if one["index"] for c in one["columns"]}
        assert indexed >= {"ended_at", "expires_at"}
        assert not indexed & changed

    def test_a_run_with_nothing_to_do_costs_a_few_queries(
        self,
    ) -> None:
        pruning.prune(now=NOW)
        with CaptureQueriesContext(connection) as captured:
            pruning.prune(now=NOW)
        written = [q["sql"] for q in captured.captured_queries if "DELETE" in q["sql"]]
        assert written == []
        assert len(captured) <= 20


def hot_updates(do: Any) -> tuple[int, int]:
    """Return how many rows of sessions ``do`` updates, and how many without touching an index."""

    def counts() -> tuple[int, int]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_stat_get_xact_tuples_updated('tokens_session'::regclass),"
                " pg_stat_get_xact_tuples_hot_updated('tokens_session'::regclass)"
            )
            updated, hot = cursor.fetchone()
        return updated, hot

    before = counts()
    do()
    after = counts()
    return after[0] - before[0], after[1] - before[1]
