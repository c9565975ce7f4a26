"""Sign in one member per database, and compare what both queries return."""

from contextlib import suppress
from datetime import date

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from tests.projects.other_users.models import Member  # noqa: E402
from tests.projects.other_users.router import Router  # noqa: E402
from tests.tokens.sessions.test_query import parts_of  # noqa: E402
from tokens import sessions  # noqa: E402
from tokens.database import compiled_sql  # noqa: E402
from tokens.database.background import forbid_threads  # noqa: E402
from tokens.errors import UnknownKey  # noqa: E402
from tokens.sessions import locking, query, verified  # noqa: E402


def main() -> None:
    # The thread would change a row between the two queries that are compared.
    forbid_threads()
    now = timezone.now()
    for alias in ("default", "other"):
        call_command("migrate", run_syncdb=True, database=alias, verbosity=0, skip_checks=True)
    pairs = {}
    for alias in ("default", "other"):
        Router.alias = alias
        member = get_user_model().objects.create_user(
            alias, badge=alias, joined_on=date(2026, 1, 1)
        )
        pairs[alias] = sessions.start(member, now=now)
    for alias, pair in pairs.items():
        Router.alias = alias
        user = sessions.authenticate(pair.raw_access).session.user
        assert isinstance(user, Member)
        assert (user.badge, user._state.db) == (alias, alias)
        claims = verified.read(pair.raw_access, now=now)
        found = query.find(claims)
        assert compiled_sql._compiled[alias, "the query for at+jwt"][1] is not None
        assert compiled_sql._compiled[alias, locking._name()][1] is not None
        assert found is not None
        assert parts_of(found) == parts_of(query.find_through_orm(claims, alias=alias))
    claims = verified.read(pairs["other"].raw_access, now=now)
    Router.alias = "default"
    assert query.find(claims) is None
    with suppress(UnknownKey):
        verified.read(pairs["other"].raw_access, now=now)
        raise AssertionError("A key of another database verified the token.")
    print("agreed")  # noqa: T201


main()
