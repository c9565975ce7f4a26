"""What a process remembers, and what it does later, belongs to one database and schema."""

import os
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, router, transaction

from tokens import keyring, sessions
from tokens.database import lasting, places
from tokens.database.places import PerPlace, Place, place_of, within
from tokens.errors import UnknownKey
from tokens.keyring import ring
from tokens.models import DeniedToken, Session, SigningKey
from tokens.sessions import seen


class Schemas:
    """What django-tenants adds to a connection. It changes no table here."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.include_public: list[bool] = []
        monkeypatch.setattr(connection, "set_schema", self.set_schema, raising=False)
        monkeypatch.setattr(connection, "set_tenant", self.set_tenant, raising=False)
        monkeypatch.setattr(connection, "include_public_schema", False, raising=False)
        for name in ("tenant", "schema_name"):
            monkeypatch.setattr(connection, name, "public", raising=False)

    def set_schema(self, name: str) -> None:
        self.set_tenant(name, True)

    def set_tenant(self, tenant: str, include_public: bool) -> None:
        wrapper: Any = connection
        wrapper.tenant = wrapper.schema_name = tenant
        self.include_public.append(include_public)


@pytest.fixture
def schemas(monkeypatch: pytest.MonkeyPatch) -> Schemas:
    monkeypatch.setattr(places, "_plain", {})
    monkeypatch.setattr(places, "_known", {})
    return Schemas(monkeypatch)


def schema() -> str | None:
    return place_of(Session).schema


def test_a_place_is_a_database_by_its_alias_and_its_name(monkeypatch: Any) -> None:
    name = connection.settings_dict["NAME"]
    assert place_of(Session) == Place("default", name)
    monkeypatch.setitem(connection.settings_dict, "NAME", "another")
    assert place_of(Session) == Place("default", "another")


def test_each_schema_is_a_place(schemas: Schemas) -> None:
    for name in ("one", "two", "one"):
        schemas.set_schema(name)
        assert schema() == name


def test_where_the_routers_keep_the_app_out_its_tables_are_the_shared_ones(
    schemas: Schemas, monkeypatch: Any
) -> None:
    monkeypatch.setattr(router, "allow_migrate_model", lambda *args: False)
    for name in ("one", "two"):
        schemas.set_schema(name)
        assert schema() is None


def test_a_schema_of_which_a_router_knows_no_type_is_asked_about_again(
    schemas: Schemas, monkeypatch: Any
) -> None:
    types: dict[str, bool] = {}
    schemas.set_schema("one")
    with monkeypatch.context() as patched:
        patched.setattr(router, "allow_migrate_model", lambda *args: types["no type"])
        assert schema() == "one"
    monkeypatch.setattr(router, "allow_migrate_model", lambda *args: False)
    assert schema() is None


def test_the_former_schema_returns_after_work_within_another(schemas: Schemas) -> None:
    schemas.set_tenant("one", False)
    with suppress(LookupError), within(place_of(Session)._replace(schema="two")):
        assert schema() == "two"
        raise LookupError
    assert schema() == "one"
    assert schemas.include_public == [False, True, False]
    with within(place_of(Session)), within(place_of(Session)._replace(schema=None)):
        assert schema() == "one"
    assert len(schemas.include_public) == 3


@pytest.mark.django_db
def test_each_place_has_a_copy_of_its_key_ring(user: Any, schemas: Schemas) -> None:
    schemas.set_schema("one")
    pair = sessions.start(user)
    kid = sessions.authenticate(pair.raw_access).claims.kid
    schemas.set_schema("two")
    SigningKey.objects.all().delete()  # The keys of another tenant.
    assert keyring.ensure()
    with pytest.raises(UnknownKey):
        sessions.authenticate(pair.raw_access)
    known = ring._caches.of(SigningKey).ring
    assert known is not None
    assert kid not in known.keys


@pytest.mark.django_db(transaction=True)
def test_what_waits_for_a_commit_is_done_in_the_schema_where_it_began(schemas: Schemas) -> None:
    done: list[str | None] = []
    schemas.set_schema("one")
    with transaction.atomic():
        places.on_commit(lambda: done.append(schema()), DeniedToken)
        schemas.set_schema("two")
    assert done == ["one"]
    assert schema() == "two"


@pytest.mark.django_db(transaction=True)
def test_what_a_rollback_undoes_is_done_again_in_the_schema_where_it_was_done(
    schemas: Schemas,
) -> None:
    done: list[str | None] = []
    schemas.set_schema("one")
    with transaction.atomic():
        lasting.do(lambda: done.append(schema()), Session)
        schemas.set_schema("two")
        transaction.set_rollback(True)
    assert done == ["one", "one"]
    assert schema() == "two"


@pytest.mark.django_db
def test_what_was_seen_is_written_in_its_schema(
    user: Any, schemas: Schemas, monkeypatch: Any
) -> None:
    written: list[tuple[str | None, int]] = []
    monkeypatch.setattr(seen, "_mark", lambda rows, _: written.append((schema(), len(rows))))
    pair = sessions.start(user)
    for name, times in (("one", 1), ("two", 3)):
        schemas.set_schema(name)
        for generation in range(times):
            seen.note(pair.session.pk, generation)
    schemas.set_schema("public")
    seen.flush()
    assert written == [("one", 1), ("two", 1)]


@pytest.mark.django_db(transaction=True)  # In a transaction, no copy is read.
def test_the_user_of_a_snapshot_is_loaded_from_the_schema_of_the_request(
    user: Any, schemas: Schemas, settings: Any, monkeypatch: Any
) -> None:
    pytest.importorskip("tokens.snapshot")
    settings.TOKENS_DENYLIST_MODE = "snapshot"
    judge, judged = sessions.authentication.judge, []
    schemas.set_schema("one")
    pair = sessions.start(user)

    def noted(claims: Any, **options: Any) -> Any:
        judged.append(schema())
        return judge(claims, **options)

    monkeypatch.setattr(sessions.authentication, "judge", noted)
    found = sessions.authenticate(pair.raw_access)
    assert judged == []
    schemas.set_schema("public")
    assert found.user.username == "ada"
    assert judged == ["one"]


def test_of_too_many_places_the_first_is_dropped(monkeypatch: Any) -> None:
    monkeypatch.setattr(places, "MOST_PLACES", 2)
    dropped: list[list[int]] = []
    lists: PerPlace[list[int]] = PerPlace(list, drop=dropped.append)
    for number in range(3):
        lists.at(Place("default", number)).append(number)
        assert lists.at(Place("default", number)) == [number]
    assert dropped == [[0]]
    lists.forget()
    assert dropped == [[0], [1], [2]]
    assert lists.at(Place("default", 2)) == []


def test_two_threads_that_come_first_get_the_same(monkeypatch: Any) -> None:
    place = Place("default", "")
    lists: PerPlace[list[int]] = PerPlace(list)
    first = lists.at(place)
    assert lists._add(place) is first


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_remembers_nothing() -> None:
    lists: PerPlace[list[int]] = PerPlace(list)
    of_parent = lists.of(Session)
    of_parent.append(1)
    with lists._lock:
        child = os.fork()
    if not child:
        os._exit(0 if lists.of(Session) == [] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert lists.of(Session) is of_parent
