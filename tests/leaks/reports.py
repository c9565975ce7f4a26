"""What Django, sentry-sdk and the log say of an error, as text that can be searched."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sentry_sdk
from django.core import mail
from django.core.signals import got_request_exception
from django.test import override_settings
from django.utils.log import AdminEmailHandler
from django.utils.safestring import SafeString
from django.views import debug
from sentry_sdk.scrubber import DEFAULT_DENYLIST, EventScrubber
from sentry_sdk.transport import Transport

from tokens.api.cookies import ACCESS, REFRESH
from tokens.client.cookie import full_name

# Sentry's defaults, and everything that it can be told to send.
SENTRY: dict[str, dict[str, Any]] = {
    "defaults": {},
    "everything": {"send_default_pii": True, "max_request_body_size": "always"},
    # What the option that replaces send_default_pii collects by default.
    "collection": {"data_collection": {}, "max_request_body_size": "always"},
    # As docs/security.md says.
    "with the scrubber": {
        "send_default_pii": True,
        "max_request_body_size": "always",
        "event_scrubber": EventScrubber(
            denylist=[*DEFAULT_DENYLIST, *map(full_name, (ACCESS, REFRESH))]
        ),
    },
}
REPORTER = "tests.leaks.reports._Reporter"


class _Collector(Transport):
    """Keeps each event as the text that would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    def capture_envelope(self, envelope: Any) -> None:
        for item in envelope.items:
            self.sent.append(item.get_bytes().decode())


class _Records(logging.Handler):
    """Keeps the message, the arguments and the attributes of each record."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        attributes = {name: value for name, value in vars(record).items() if name != "exc_info"}
        self.seen.append(f"{self.format(record)} {attributes!r}")


class Reports:
    """Collects by kind what is reported while ``collecting`` runs."""

    def __init__(self, sentry: dict[str, Any]) -> None:
        self._sentry = _Collector()
        # Without lines of source code, which take long to read.
        sentry_sdk.init(
            "http://public@localhost/1",
            transport=self._sentry,
            include_source_context=False,
            **sentry,
        )
        self._records, self._mail = _Records(), AdminEmailHandler(True, reporter_class=REPORTER)
        self._mail.setLevel(logging.ERROR)

    @contextmanager
    def collecting(self) -> Iterator[dict[str, list[str]]]:
        found: dict[str, list[str]] = {"page": []}
        self._sentry.sent, self._records.seen, mail.outbox = [], [], []

        def receive(request: Any, **arguments: Any) -> None:
            found["page"].append(page(request))

        loggers = [logging.getLogger(name) for name in ("", "django")]
        for logger in loggers:
            logger.addHandler(self._records)
        logging.getLogger().addHandler(self._mail)
        got_request_exception.connect(receive)
        try:
            yield found
        finally:
            got_request_exception.disconnect(receive)
            logging.getLogger().removeHandler(self._mail)
            for logger in loggers:
                logger.removeHandler(self._records)
            sentry_sdk.flush()
            found["sentry"] = self._sentry.sent
            found["log"] = self._records.seen
            found["mail"] = [
                repr([sent.subject, sent.body, getattr(sent, "alternatives", "")])
                for sent in mail.outbox
            ]


class _Reporter(debug.ExceptionReporter):
    """
    Returns all that Django's page and mail show. Their layout takes a tenth of a second.
    """

    def get_traceback_html(self) -> SafeString:
        shown = self.get_traceback_data()
        frames = [frame["vars"] for frame in shown.pop("frames")]
        return SafeString("\n".join(map(repr, [shown, str(self.exc_value), *frames])))

    get_traceback_text = get_traceback_html


def page(request: Any) -> str:
    """Return what Django's page about the current error shows under DEBUG."""
    with override_settings(DEBUG=True):
        return _Reporter(request, *sys.exc_info()).get_traceback_html()


def of_a_command() -> str:
    """Let Sentry have the current error of a command, and return what ``page`` returns."""
    sentry_sdk.capture_exception()
    return page(None)
