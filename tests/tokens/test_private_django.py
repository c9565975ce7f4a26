"""
What this app uses of Django that is not documented still does its work in this version of Django.

Where such a name is gone, a request would go through the ORM, ten times slower, or not work at all.
Decision 40 lists the names, and the tests of those that are not tested here.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import ROOT
from tokens import clock, sessions
from tokens.database import compiled_sql

DECISION = ROOT / "docs/decisions/0040-versions.md"
# Documented by Django or Python, or set by this app without a statement that assigns it.
NOT_PRIVATE = {"_base_manager", "_default_manager", "_meta", "_replace", "_state", "_sub"}


def test_no_statement_goes_through_the_orm(
    user: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compiled_sql, "_compiled", {})
    pair = sessions.start(user)
    presented = sessions.Presented(sessions.authenticate(pair.raw_access).claims)
    for _ in range(2):
        (accepted,) = sessions.judge_all([presented], now=clock.now())
        assert isinstance(accepted, sessions.Accepted)
        presented = presented._replace(before=accepted)
    sessions.refresh(pair.raw_refresh)
    compiled = compiled_sql._compiled
    assert {name for _, name in compiled} == {
        "a rotation",
        "a sign-in",
        "the lock of a user with up to 100 sessions",
        "the query for at+jwt",
        "the query for many denials",
        "the query for many sessions",
        "the query for rt+jwt",
    }
    assert all(statement is not None for _, statement in compiled.values())
    assert "goes through the ORM" not in caplog.text


def test_the_story_above_runs_every_statement_that_is_compiled() -> None:
    """A new statement needs a place in it."""
    names = {
        ast.unparse(node.args[1]).partition("[")[0]
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "compiled_for_database"
    }
    # The first has a query for each type of token, and the last one is that of many_rows.fetch().
    assert names == {"*_COMPILE", "_name()", "'a rotation'", "'a sign-in'", "name"}


def test_every_private_name_of_django_is_in_the_table() -> None:
    text = DECISION.read_text()
    assert not {name: used for name, used in private_names().items() if f"`{name}`" not in text}


def test_the_table_has_no_private_name_that_is_unused() -> None:
    rows = [line for line in DECISION.read_text().splitlines() if line.startswith("| `_")]
    named = {word.strip("`,") for row in rows for word in row.split("|")[1].split()}
    used = set(private_names())
    assert {name for name in named if name.startswith("_")} <= used


def test_a_file_named_in_the_table_exists() -> None:
    lines = [line for line in DECISION.read_text().splitlines() if line.startswith("| `")]
    named = {
        word.strip("`,;")
        for line in lines
        for word in line.split()
        if word.strip("`,;").endswith(".py")
    }
    assert len(named) > 10
    assert not {name for name in named if not (ROOT / name).is_file()}


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / "tokens").rglob("*.py")):
        if "migrations" not in path.parts:
            yield path, ast.parse(path.read_text())


@cache
def private_names() -> dict[str, set[str]]:
    """Return where the app uses each name with an underscore that it does not define itself."""
    own = {name for _, tree in sources() for node in ast.walk(tree) for name in defined(node)}
    used: dict[str, set[str]] = {}
    for path, tree in sources():
        for node in ast.walk(tree):
            for name in named_privately(node):
                if name not in own | NOT_PRIVATE and not name.startswith("_tokens_"):
                    used.setdefault(name, set()).add(str(path.relative_to(ROOT)))
    return used


def defined(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.ImportFrom):
        yield from (alias.asname for alias in node.names if alias.asname)
    elif (
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    ):
        yield node.attr


def named_privately(node: ast.AST) -> Iterator[str]:
    """Yield a private attribute, or a text or a keyword argument that names one."""
    if isinstance(node, ast.Attribute):
        name = node.attr
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        name = node.value
    elif isinstance(node, ast.keyword) and node.arg:
        name = node.arg
    else:
        return
    if re.fullmatch("_[a-z][a-z_]*", name):
        yield name
