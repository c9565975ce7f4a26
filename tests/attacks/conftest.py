from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.processes import running_site
from tokens.sessions import TokenPair

from .arena import Arena, committed, rows

WORKERS = 3


@pytest.fixture(scope="package")
def db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with committed(django_db_blocker):
        yield


@pytest.fixture(scope="package")
def arena(db: None) -> Iterator[Arena]:
    arena = Arena()
    with running_site(workers=WORKERS) as site:
        arena.go_to(site)
        yield arena


@pytest.fixture
def honest_ones_go_on(arena: Arena) -> Iterator[None]:
    """Check afterwards that the sessions of other users still work."""
    yield
    arena.assert_honest_ones_go_on()


@pytest.fixture
def victim(arena: Arena) -> TokenPair:
    return arena.somebody("victim")


@pytest.fixture
def nothing_changes(arena: Arena) -> Iterator[None]:
    """Check afterwards that no row has changed and that the sessions of other users work."""
    before = rows()
    yield
    assert rows() == before
    arena.assert_honest_ones_go_on()
