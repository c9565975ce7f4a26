"""What must be true of every answer, and of everything that the server prints."""

import re
from collections.abc import Iterator

from config.api_paths import is_api_path

from .exchange import Answer
from .requests import Sent
from .values import MARKER

# These are pages by themselves.
PAGES = (
    "/api/docs/",
    "/api/login/",
    "/api/login/continue/",
    "/api/logout/page/",
    "/api/sessions/page/",
)
# The start of a line of the site's own logs, of a traceback, of gunicorn's and of uvicorn's.
LINE = re.compile(r"\d{4}-\d\d-\d\d|\| |\[\d{4}-|INFO: |WARNING: |$")


def broken_by(sent: Sent, answer: Answer) -> Iterator[str]:
    """Yield each promise that this answer breaks."""
    if answer.status == -1:
        yield "the server is silent"
    elif answer.status == 0 and sent.is_whole:
        yield "a whole request has no answer"
    elif answer.status >= 500 and not (answer.status == 503 and answer.header("retry-after")):
        yield f"the status is {answer.status}"
    if (
        "html" in answer.header("content-type")
        and answer.body
        and is_api_path(sent.path)
        and sent.path not in PAGES
        and not sent.accepts_html
    ):
        yield f"HTML under {sent.path}"


def broken_by_log(printed: str) -> Iterator[str]:
    """Yield each line that holds what no log may hold, or that was forged."""
    for line in printed.splitlines():
        if MARKER in line.lower():
            yield f"a secret is in the log: {line[:300]}"
        if not LINE.match(line):
            yield f"a line of the log has another form: {line[:300]!r}"
