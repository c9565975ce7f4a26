"""What the commands share: error messages, confirmation, progress and tables."""

import json
import logging
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.utils import translation

from ..errors import KeyRingError, with_hint
from ..models import MAX_REASON_LENGTH

PROGRESS_INTERVAL = 2.0  # seconds


class OperatorCommand(BaseCommand):
    """
    A command that reports every failure in one sentence, with exit status 1.

    It speaks English and ignores LANGUAGE_CODE: scripts read its output, and users search the web for it.
    """

    # The system checks would report a key ring that cannot be opened in their own format.
    requires_system_checks = ()
    # What an error message says about the state after an interruption.
    when_interrupted = "Nothing was changed."

    def add_change_arguments(self, parser: ArgumentParser) -> None:
        """Add the options of a command that asks for confirmation before it changes something."""
        self.add_report_arguments(parser)
        parser.add_argument(
            "--noinput",
            "--no-input",
            action="store_false",
            dest="interactive",
            help="do not ask for confirmation",
        )

    def add_report_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="report what would happen, and change nothing"
        )
        parser.add_argument("--json", action="store_true", help="print JSON for programs")

    def execute(self, *args: Any, **options: Any) -> str | None:
        _limit_terminal_logs()
        try:
            with translation.override(None):
                return super().execute(*args, **options)
        except (OperationalError, InterfaceError, ProgrammingError) as error:
            raise CommandError(_describe_database_error(error, self.when_interrupted)) from error
        except KeyRingError as error:
            raise CommandError(with_hint(error)) from error
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted. {self.when_interrupted}", returncode=130) from None

    def confirm(self, question: str) -> None:
        """
        Return after the operator has typed "yes".

        Raises CommandError for any other answer. Nothing may have been changed before this call.
        """
        # On stderr, so that standard output has the result only.
        self.stderr.write(f"{question}\nType 'yes' to go on: ", ending="")
        self.stderr.flush()
        answer = sys.stdin.readline() if sys.stdin else ""  # None if the caller closed it.
        if not answer:
            self.stderr.write("")  # The question has no line break, and no answer was typed.
            raise CommandError("No answer, so nothing was changed. In scripts, use --noinput.")
        if answer.strip().lower() != "yes":
            raise CommandError("Nothing was changed.")

    def progress(self) -> Callable[[str], None]:
        """Return a function that writes its text to stderr, once per PROGRESS_INTERVAL at most."""
        written_at = time.monotonic()

        def report(text: str) -> None:
            nonlocal written_at
            if time.monotonic() - written_at >= PROGRESS_INTERVAL:
                written_at = time.monotonic()
                self.stderr.write(text, style_func=str)
                self.stderr.flush()

        return report

    def print_json(self, data: Any) -> None:
        self.stdout.write(json.dumps(data, indent=2))

    def print_table(self, heading: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        lines = [heading, *rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(heading))]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def reason(text: str) -> str:
    """Return the value of ``--reason``, checked to fit the denylist's column."""
    stripped = text.strip()
    if not 1 <= len(stripped) <= MAX_REASON_LENGTH or not stripped.isprintable():
        raise ArgumentTypeError(
            f"give a reason in one line of 1 to {MAX_REASON_LENGTH} characters. Staff can read it."
        )
    return stripped


def whole_number(text: str, *, most: int) -> int:
    """Return the value of an option that takes 1 to ``most``."""
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= most:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a number from 1 to {most}.")


def _describe_database_error(error: Exception, when_interrupted: str) -> str:
    cause = str(error).strip().splitlines()[:1] or [type(error).__name__]
    if "no such table" in cause[0] or "does not exist" in cause[0]:
        return f'The database lacks a table ({cause[0]}). Run "manage.py migrate" first.'
    return (
        f"The database does not answer: {cause[0]}. Check the setting DATABASES, and whether the "
        f"database is running. {when_interrupted}"
    )


def _limit_terminal_logs() -> None:
    """Log only warnings and errors to a terminal: other lines repeat what the command prints."""
    for handler in logging.getLogger().handlers:
        stream = getattr(handler, "stream", None)
        if stream is not None and not stream.closed and stream.isatty():
            handler.setLevel(max(handler.level, logging.WARNING))
