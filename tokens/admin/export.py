"""
A list as CSV: what is shown, of all its pages.

The rows are read by the keys that follow those of the last batch, each batch by a query of its own.
So memory is constant, and no transaction and no cursor stays open while a client reads slowly.
"""

import csv
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextvars import Context, copy_context
from datetime import datetime
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db.models import Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from ..database.places import Place, place_of, within

BATCH = 500  # rows; SQLite refuses the query for a thousand users
BOM = "\ufeff"  # Without it, spreadsheets do not read the text as UTF-8.
FULL_WIDTH = ("\uff1d", "\uff0b", "\uff0d", "\uff20")  # =, +, - and @
# A cell that begins with one of these is a formula for a spreadsheet (OWASP, "CSV Injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", *FULL_WIDTH)
# A spreadsheet may take other separators than the comma, and then quotes that are not at the beginning
# of its line protect nothing: each place in a text where a cell could begin.
_WITHIN = re.compile(rf"""([;\t\r\n][ "]*)(?=[-=+@{"".join(FULL_WIDTH)}])""")

Columns = Sequence[tuple[str, Callable[[Any], Any]]]


def safe_cell(value: Any) -> str:
    """Return the text of a cell. A spreadsheet shows it as it is, and computes nothing."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    text = _WITHIN.sub(r"\1'", str(value))
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


def csv_answer(
    request: HttpRequest, rows: QuerySet[Any], columns: Columns, *, name: str
) -> StreamingHttpResponse:
    """Return the rows as a file, in their order: that of one column, or of the primary key."""
    place = place_of(rows.model)
    parts = _there(_texts(rows.using(place.alias), columns), place, copy_context())
    # Under ASGI, Django reads a synchronous iterator to its end before it sends anything.
    body: Any = _asynchronous(parts) if isinstance(request, ASGIRequest) else parts
    answer = StreamingHttpResponse(body, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _there(parts: Iterator[str], place: Place, context: Context) -> Iterator[str]:
    """Yield the parts, each made for the request's tenant, which its middleware has left by then."""

    def following() -> str | None:
        with within(place):
            return next(parts, None)

    while (part := context.run(following)) is not None:
        yield part


class _Echo:
    """A file for ``csv`` that returns each line instead of storing it."""

    def write(self, line: str) -> str:
        return line


def _texts(rows: QuerySet[Any], columns: Columns) -> Iterator[str]:
    write = csv.writer(_Echo(), quoting=csv.QUOTE_ALL).writerow
    yield BOM + str(write([name for name, _value in columns]))
    for batch in batches(rows):
        yield "".join(
            str(write([safe_cell(value(row)) for _name, value in columns])) for row in batch
        )


def batches(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """Yield all rows, BATCH of them at a time."""
    order = _column_of(rows)
    column, backwards = order.removeprefix("-"), order.startswith("-")
    rows = rows.order_by(*dict.fromkeys((order, "-pk" if backwards else "pk")))
    batch = list(rows[:BATCH])
    while batch:
        yield batch
        if len(batch) < BATCH:
            return
        batch = list(rows.filter(_after(batch[-1], column, backwards=backwards))[:BATCH])


def _column_of(rows: QuerySet[Any]) -> str:
    first = (*rows.query.order_by, "pk")[0]
    return str(first)


def _after(row: Any, column: str, *, backwards: bool) -> Q:
    """Return the condition that a row comes after this one. The first part is a range of the index."""
    than = "lt" if backwards else "gt"
    value = getattr(row, column)
    beyond = Q(**{f"{column}__{than}": value}) | Q(**{f"pk__{than}": row.pk})
    return Q(**{f"{column}__{than}e": value}) & beyond


async def _asynchronous(parts: Iterable[str]) -> AsyncIterator[str]:
    iterator, following = iter(parts), sync_to_async(cast(Any, next))
    # StopIteration cannot be raised into a coroutine.
    while (part := await following(iterator, None)) is not None:
        yield part
