"""The project with Django's page of errors, and with Sentry, whose events go to standard output."""

import sys

import sentry_sdk
from sentry_sdk.transport import Transport

from tests.settings import *  # noqa: F403


class Printer(Transport):
    """Prints each event as the text that would be sent."""

    def capture_envelope(self, envelope: object) -> None:
        for item in envelope.items:  # type: ignore[attr-defined]
            sys.stdout.write(f"sentry: {item.get_bytes().decode()}\n")
            sys.stdout.flush()


DEBUG = True
ROOT_URLCONF = "tests.tickets.urls"
sentry_sdk.init("http://public@localhost/1", transport=Printer, data_collection={})
