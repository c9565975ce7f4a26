"""
Stand-ins for packages that cache the ORM, whose entries nothing invalidates.

``cache_querysets`` does as django-cacheops, which replaces methods of QuerySet, ``cache_sql`` as
django-cachalot, which replaces SQLCompiler.execute_sql. Neither caches rows that are read for update.
"""

from collections.abc import Callable
from copy import copy
from typing import Any

import pytest
from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet
from django.db.models.sql.compiler import SQLCompiler, SQLDeleteCompiler, SQLUpdateCompiler


def cache_querysets(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[Any, Any] = {}
    fetch_all = QuerySet._fetch_all

    def cached_fetch_all(rows: Any) -> None:
        key = _key_of(rows)
        if rows._result_cache is None and key is not None:
            if key not in known:
                known[key] = list(rows._iterable_class(rows))
            rows._result_cache = [copy(row) for row in known[key]]
        fetch_all(rows)

    monkeypatch.setattr(QuerySet, "_fetch_all", cached_fetch_all)
    for name in ("get", "first", "last", "exists", "count", "aggregate"):
        monkeypatch.setattr(QuerySet, name, _cached(getattr(QuerySet, name), known))


def _cached(method: Callable[..., Any], known: dict[Any, Any]) -> Callable[..., Any]:
    def cached_method(rows: Any, *args: Any, **kwargs: Any) -> Any:
        key = _key_of(rows)
        if key is None:
            return method(rows, *args, **kwargs)
        key = (method.__name__, key, repr(args), repr(kwargs))
        if key not in known:
            known[key] = method(rows, *args, **kwargs)
        return copy(known[key])

    return cached_method


def _key_of(rows: Any) -> Any:
    """Return what the rows are cached under, or None for rows that are read for update."""
    if rows.query.select_for_update:
        return None
    try:
        sql = rows.query.get_compiler(rows.db).as_sql()
    except EmptyResultSet:
        return None
    return (rows.db, str(sql), rows._iterable_class)


def cache_sql(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[Any, Any] = {}
    execute_sql: Any = SQLCompiler.execute_sql

    def cached_execute_sql(compiler: Any, result_type: str = "multi", **how: Any) -> Any:
        writes = isinstance(compiler, SQLUpdateCompiler | SQLDeleteCompiler)
        if writes or compiler.query.select_for_update:
            return execute_sql(compiler, result_type, **how)
        try:
            key = (compiler.using, str(compiler.as_sql()), result_type)
        except EmptyResultSet:
            return execute_sql(compiler, result_type, **how)
        if key not in known:
            found = execute_sql(compiler, result_type, **how)
            known[key] = list(found) if result_type == "multi" else found
        return known[key]

    monkeypatch.setattr(SQLCompiler, "execute_sql", cached_execute_sql)
