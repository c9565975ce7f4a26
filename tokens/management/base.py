"""What the operators' commands share: sentences for trouble, questions, progress and tables."""

import json
import logging
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, ProgrammingError

from ..errors import KeyRingError, with_hint
from ..models import MAX_REASON_LENGTH

PROGRESS_INTERVAL = 2.0  # seconds


class OperatorCommand(BaseCommand):
    """A command whose every failure is a sentence that says what to do, and exit status 1."""

    # A ring that does not open is this command's to explain, in one sentence.
    requires_system_checks = ()
    # What is true when it stops in the middle.
    when_cut_short = "Nothing was changed."

    def add_change_arguments(self, parser: ArgumentParser) -> None:
        """Add what every command has that asks before it changes something."""
        self.add_report_arguments(parser)
        parser.add_argument(
            "--noinput", "--no-input", action="store_false", dest="interactive", help="do not ask"
        )

    def add_report_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would happen")
        parser.add_argument("--json", action="store_true", help="print JSON for programs")

    def execute(self, *args: Any, **options: Any) -> str | None:
        _spare_terminals()
        try:
            return super().execute(*args, **options)
        except (OperationalError, InterfaceError, ProgrammingError) as error:
            raise CommandError(_database_trouble(error, self.when_cut_short)) from error
        except KeyRingError as error:
            raise CommandError(with_hint(error)) from error
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted. {self.when_cut_short}", returncode=130) from None

    def confirm(self, question: str) -> None:
        """Return after a typed «yes»; anything else is a CommandError, and nothing has happened."""
        # On stderr, so that standard output stays what was asked for.
        self.stderr.write(f"{question}\nType 'yes' to go on: ", ending="")
        self.stderr.flush()
        answer = sys.stdin.readline() if sys.stdin else ""  # None: closed by the caller.
        if not answer:
            raise CommandError("Nobody answered, so nothing was changed. Scripts say --noinput.")
        if answer.strip().lower() != "yes":
            raise CommandError("Nothing was changed.")

    def progress(self) -> Callable[[str], None]:
        """Return what is told how far long work is, and says so on stderr every few seconds."""
        spoke_at = time.monotonic()

        def tell(how_far: str) -> None:
            nonlocal spoke_at
            if time.monotonic() - spoke_at >= PROGRESS_INTERVAL:
                spoke_at = time.monotonic()
                self.stderr.write(how_far, style_func=str)
                self.stderr.flush()

        return tell

    def print_json(self, data: Any) -> None:
        self.stdout.write(json.dumps(data, indent=2))

    def print_table(self, heading: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        lines = [heading, *rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(heading))]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def reason(text: str) -> str:
    """Return the value of ``--reason``, as the denylist can hold it."""
    stripped = text.strip()
    if not 1 <= len(stripped) <= MAX_REASON_LENGTH or not stripped.isprintable():
        raise ArgumentTypeError(
            f"say why in one line of 1 to {MAX_REASON_LENGTH} characters, for the staff."
        )
    return stripped


def _database_trouble(error: Exception, when_cut_short: str) -> str:
    cause = str(error).strip().splitlines()[:1] or [type(error).__name__]
    if "no such table" in cause[0] or "does not exist" in cause[0]:
        return f'The database lacks a table ({cause[0]}). Run "manage.py migrate" first.'
    return (
        f"The database does not answer: {cause[0]}. Is DATABASE_URL right, and is it running? "
        f"{when_cut_short}"
    )


def _spare_terminals() -> None:
    """Keep log lines that only confirm what a command says itself off the operator's terminal."""
    for handler in logging.getLogger().handlers:
        stream = getattr(handler, "stream", None)
        if stream is not None and not stream.closed and stream.isatty():
            handler.setLevel(max(handler.level, logging.WARNING))
