"""``dumpdata``, ``migrate`` and ``loaddata`` copy everything, and tokens stay valid."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import IntegrityError

from tests.support.processes import ROOT, manage
from tests.support.servers import own_postgres, url_of
from tokens import keyring, sessions
from tokens.models import Session, SigningKey
from tokens.operations.support_group import NAME

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

PAGE = (ROOT / "docs/operations.md").read_text()


def documented(command: str) -> list[str]:
    """Return the words of the line with this command in docs/operations.md."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"manage.py {command}")]
    return shlex.split(line)[1:]


def dump(path: Path) -> None:
    *words, file = documented("dumpdata")
    assert file == "dump.json"
    call_command(*words, str(path))


@pytest.fixture
def moved_group() -> Group:
    """Give the group another key than ``migrate`` gives it."""
    Group.objects.filter(name=NAME).delete()
    Group.objects.create(name="Editors").delete()
    group = Group.objects.create(name=NAME)
    assert group.pk != 1
    return group


@pytest.fixture
def raw_tokens(user: Any, moved_group: Group) -> list[str]:
    """Return an access token that is good, and one that was revoked, after a rotation."""
    user.groups.add(moved_group)
    keyring.rotate(keyring.plan_rotation())
    good, revoked = sessions.start(user), sessions.start(user)
    sessions.revoke(revoked.raw_refresh)
    return [good.raw_access, revoked.raw_access]


def assert_copied(folder: Path, url: str, raw_tokens: list[str]) -> None:
    """Dump this test's database, load it at ``url``, and ask there about both tokens."""
    dump(folder / "dump.json")
    done = manage(*documented("migrate"), "-v0", DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    load = [*documented("loaddata")[:-1], str(folder / "dump.json")]
    done = manage(*load, DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    good, revoked = raw_tokens
    answer = manage("explain_token", "--json", answer=good, DATABASE_URL=url)
    assert json.loads(answer.stdout)["accepted"] is True, answer.stdout
    answer = manage("explain_token", "--json", answer=revoked, DATABASE_URL=url)
    assert json.loads(answer.stdout)["accepted"] is False, answer.stdout


def test_a_dump_is_loaded_into_a_new_sqlite_database(tmp_path: Path, raw_tokens: list[str]) -> None:
    assert_copied(tmp_path, f"sqlite:///{tmp_path}/new.sqlite3", raw_tokens)


@pytest.mark.services
def test_a_dump_is_loaded_into_a_new_postgresql_database(
    tmp_path: Path, raw_tokens: list[str]
) -> None:
    with own_postgres() as server:
        assert_copied(tmp_path, url_of(server.port), raw_tokens)


def load_other_ring(folder: Path) -> set[str]:
    """Load the rows of another key ring, as a dump has them, and return their ids."""
    keyring.ensure()
    path = folder / "keys.json"
    call_command("dumpdata", f"{SigningKey._meta.label}", output=str(path))
    rows = json.loads(path.read_text())
    for row in rows:
        row["pk"] = f"other-{row['pk']}"[:40]
    path.write_text(json.dumps(rows))
    call_command("loaddata", str(path), verbosity=0)
    return {row["pk"] for row in rows}


def test_the_keys_of_a_dump_replace_those_that_signed_nothing(tmp_path: Path) -> None:
    loaded = load_other_ring(tmp_path)
    assert set(SigningKey.objects.values_list("pk", flat=True)) == loaded


def test_a_key_that_has_signed_is_not_replaced(tmp_path: Path, user: Any) -> None:
    pair = sessions.start(user)
    with pytest.raises(IntegrityError):
        load_other_ring(tmp_path)
    assert sessions.authenticate(pair.raw_access).user == user


def test_a_group_that_staff_have_joined_is_not_replaced(user: Any) -> None:
    group = Group.objects.get(name=NAME)
    copy = Group(pk=group.pk + 7, name=NAME)
    sessions.start(user)
    with pytest.raises(IntegrityError):
        copy.save_base(raw=True)


def test_saving_a_key_or_a_group_deletes_nothing() -> None:
    keyring.ensure()
    before = set(SigningKey.objects.values_list("pk", flat=True))
    for row in SigningKey.objects.all():
        row.save()
    Group.objects.get(name=NAME).save()
    assert set(SigningKey.objects.values_list("pk", flat=True)) == before
    assert Group.objects.filter(name=NAME).exists()
    assert not Session.objects.exists()
