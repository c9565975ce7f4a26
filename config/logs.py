"""One log record as one line, of text or JSON. No value in it can start another line."""

import json
import logging
import re
from datetime import UTC, datetime
from types import TracebackType

from tokens.api.quoting import csrf_reason

from .request_id import current_request_id

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class RequestIdFilter(logging.Filter):
    """Add the request's id to each record that is logged during a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        if request_id := current_request_id():
            record.request_id = request_id
        return True


class NoQueryFilter(logging.Filter):
    """Remove the query, which may hold tokens, from the addresses in a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                re.sub(r"\?\S*", "", arg) if isinstance(arg, str) else arg for arg in record.args
            )
        return True


class CSRFFilter(logging.Filter):
    """Quote no more than an origin in the reason of a refusal by Django's CSRF check."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(csrf_reason(str(arg)) for arg in record.args)
        return True


class HostFilter(logging.Filter):
    """Keep the host that is not allowed if it is a name. A folded header could be a token."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None  # The traceback ends with the same message.
        if not re.match(r"Invalid HTTP_HOST header: '[\w.:\[\]-]{1,255}'\.", str(record.msg)):
            record.msg = "Invalid HTTP_HOST header."
        return True


class ProtocolErrorFilter(logging.Filter):
    """Drop the traceback of uvicorn's parser, whose last line quotes what the client sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if type(error).__name__.endswith("ProtocolError"):
            record.exc_info = None
        return True


class TextFormatter(logging.Formatter):
    """Lines of text. A traceback follows its record, each of its lines prefixed by a bar."""

    def __init__(self) -> None:
        line = "{asctime} {levelname} {name} {request_id} {message}"
        super().__init__(line, style="{", defaults={"request_id": "-"})

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # Another formatter may have cached its own text.
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:
        return _printable(super().formatMessage(record))

    def formatException(self, ei: ExcInfo) -> str:
        return _barred(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:
        return _barred(super().formatStack(stack_info))


class JSONFormatter(logging.Formatter):
    """One JSON object per line. The fields of an event of ``tokens`` are members of it."""

    def format(self, record: logging.LogRecord) -> str:
        members = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": getattr(record, "event", None) or record.getMessage(),
        }
        if request_id := getattr(record, "request_id", None):
            members["request_id"] = request_id
        if record.exc_info:
            members["exception"] = self.formatException(record.exc_info)
        return json.dumps({**members, **getattr(record, "fields", {}), **members})


def _barred(text: str) -> str:
    return "\n".join(f"| {_printable(line)}" for line in text.splitlines())


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
