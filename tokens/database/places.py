"""
Where this app's tables are now: the database, and the schema if each tenant has one of its own.

A router may choose another database for each tenant, and django-tenants another schema of PostgreSQL.
The sessions, keys and denials of one tenant do not apply to another. So a process keeps what it remembers
of them in a ``PerPlace``, and does later work ``within`` the place where the work began.

If a connection has the attribute ``schema_name``, as with django-tenants, it is in that schema. If the
routers do not allow this app's tables there, the tables are in the schema that all tenants share.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, router, transaction
from django.db.models import Model

T = TypeVar("T")

# If there are more, what is remembered of the oldest place is dropped, and read again if needed.
MOST_PLACES = 1000


class Place(NamedTuple):
    """A database, by its alias and its name, and the schema of the current tenant if it has its own."""

    alias: str
    name: Any
    schema: str | None = None


# The places of aliases whose connections have no schema, and the schemas that were looked up.
_plain: dict[str, Place] = {}
_known: dict[Place, Place] = {}


def alias_of(model: type[Model]) -> str:
    """Return the alias of the database that the routers choose for writing this model."""
    # Every request asks several times. Without a router, Django's answer is always the default.
    return router.db_for_write(model) if router.routers else DEFAULT_DB_ALIAS


def place_of(model: type[Model]) -> Place:
    """Return where the table of this model is now. It takes half a microsecond."""
    alias = alias_of(model)
    # Without the connection: finding it takes as long as all the rest.
    name = connections.settings[alias]["NAME"]
    plain = _plain.get(alias)
    if plain is not None and plain.name is name:
        return plain
    connection: Any = connections[alias]
    if not hasattr(connection, "schema_name"):
        _plain[alias] = Place(alias, name)
        return _plain[alias]
    found = Place(alias, name, connection.schema_name)
    known = _known.get(found)
    return known if known is not None else _look_up(found, model)


def _look_up(found: Place, model: type[Model]) -> Place:
    try:
        is_its_own = router.allow_migrate_model(found.alias, model)
    except LookupError:
        return found  # django-tenants, if the schema was set without the tenant's type.
    _known[found] = found if is_its_own else found._replace(schema=None)
    return _known[found]


def differs_by_thread(model: type[Model]) -> bool:
    """
    Return whether the table may be at another place for another thread's connection.

    django-tenants sets the tenant on the connection, and each thread has a connection of its own.
    """
    alias = alias_of(model)
    return alias not in _plain and hasattr(connections[alias], "schema_name")


@contextmanager
def within(place: Place) -> Iterator[Any]:
    """Yield this thread's connection to the place, with its schema set while the block runs."""
    connection: Any = connections[place.alias]
    if place.schema is None or connection.schema_name == place.schema:
        yield connection
        return
    tenant, include_public = connection.tenant, connection.include_public_schema
    connection.set_schema(place.schema)
    try:
        yield connection
    finally:
        connection.set_tenant(tenant, include_public)


def atomic(model: type[Model], **options: Any) -> Any:
    """Return Django's ``atomic`` for the database of this model."""
    return transaction.atomic(using=alias_of(model), **options)


def on_commit(work: Callable[[], None], model: type[Model], *, robust: bool = False) -> None:
    """Call ``work`` within the place where the model is now, once its transaction commits."""
    place = place_of(model)

    def there() -> None:
        with within(place):
            work()

    # Only a connection with schemas can be at another place by then.
    then = work if place.schema is None else there
    transaction.on_commit(then, using=place.alias, robust=robust)


def non_atomic_requests(view: Any) -> Any:
    """Keep a view out of the transactions of ATOMIC_REQUESTS, on every database."""
    for alias in connections:
        view = transaction.non_atomic_requests(using=alias)(view)
    return view


class PerPlace(Generic[T]):
    """
    One object for each place, made at its first use. A forked process makes its own. Thread-safe.

    ``drop`` is called with each object that is no longer needed.
    """

    def __init__(self, make: Callable[[], T], *, drop: Callable[[T], None] | None = None) -> None:
        self._make = make
        self._drop = drop
        self._of_parents: list[Any] = []
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        # The parent's objects may hold its connections, which a child must neither use nor close.
        self._of_parents.append(getattr(self, "_made", None))
        self._lock = threading.Lock()  # Before a fork, another thread may have held it.
        self._made: dict[Place, T] = {}

    def at(self, place: Place) -> T:
        """Return the object of this place."""
        found = self._made.get(place)
        return found if found is not None else self._add(place)

    def of(self, model: type[Model]) -> T:
        """Return the object of the place where the table of this model is now."""
        return self.at(place_of(model))

    def forget(self) -> None:
        """Drop all of them."""
        with self._lock:
            made, self._made = list(self._made.values()), {}
        self._drop_all(made)

    def _add(self, place: Place) -> T:
        over = []
        with self._lock:
            if (found := self._made.get(place)) is None:
                found = self._made[place] = self._make()
                if len(self._made) > MOST_PLACES:
                    over.append(self._made.pop(next(iter(self._made))))
        self._drop_all(over)
        return found

    def _drop_all(self, made: list[T]) -> None:
        if self._drop is not None:
            for each in made:
                self._drop(each)
