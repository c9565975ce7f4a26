"""
Read rows as the database has them now, past caches that patch Django's ORM.

django-cacheops replaces methods of ``QuerySet``, and django-cachalot ``SQLCompiler.execute_sql``. Both
return what was read before, also after another process, or SQL of its own, has changed it. No decision
about a token may rest on that, so the tables of this app are read with Django's own methods.
``locked`` reads rows and locks them.

Such packages patch the ORM in ``AppConfig.ready()``. This module is imported before, with the models.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import connections, models, router
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row")
Model = TypeVar("Model", bound=models.Model)

_execute_sql = SQLCompiler.execute_sql


class _Uncached:
    """A mixin for queries: their SQL is run by Django's own method."""

    def get_compiler(self, *args: Any, **kwargs: Any) -> Any:
        compiler: Any = super().get_compiler(*args, **kwargs)  # type: ignore[misc]
        compiler.__class__ = _uncached_compiler(compiler.__class__)
        return compiler


class _UncachedQuery(_Uncached, Query):
    pass


class UncachedQuerySet(models.QuerySet[Model]):
    """
    The rows of a model of this app.

    An aggregate over a slice, or after ``distinct()``, is not covered: Django makes another query for it.
    """

    _fetch_all = models.QuerySet._fetch_all
    aggregate = models.QuerySet.aggregate
    count = models.QuerySet.count
    exists = models.QuerySet.exists
    first = models.QuerySet.first
    get = models.QuerySet.get
    last = models.QuerySet.last

    def __init__(self, model: Any = None, query: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(model, query or _UncachedQuery(model), *args, **kwargs)


def locked(rows: "models.QuerySet[Any, Row]", *, of: Sequence[str] = ()) -> Any:
    """
    Lock the rows of a query against changes until the transaction ends.

    Not against foreign keys that come to point to them: otherwise a transaction that has inserted one
    would wait for this one at its commit, while this one waits for a row that the other has changed.
    """
    features = connections[router.db_for_write(rows.model)].features
    return rows.select_for_update(of=tuple(of), no_key=features.has_select_for_no_key_update)


def fetch_uncached(rows: "models.QuerySet[Any, Row]") -> list[Row]:
    """Return the rows of a query, also of another app's model, such as the user's."""
    rows = rows.all()
    query: Any = rows.query
    query.__class__ = _uncached_query(query.__class__)
    iterate: Any = rows._iterable_class
    return list(iterate(rows))


@cache
def _uncached_query(query_class: Any) -> Any:
    if issubclass(query_class, _Uncached):
        return query_class
    return type(query_class.__name__, (_Uncached, query_class), {})


@cache
def _uncached_compiler(compiler_class: Any) -> Any:
    return type(compiler_class.__name__, (compiler_class,), {"execute_sql": _execute_sql})
