"""``manage.py explain_token``: walk through a token, and say who refused it, when and why."""

import getpass
import sys
from argparse import SUPPRESS, ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from ...operations.explanation import Explanation, explain
from ...operations.wording import utc
from ..base import OperatorCommand

# A terminal hands over a typed line of at most 4,095 characters, and drops the rest of it.
TERMINAL_LINE = 4095
VERDICTS = {True: "ok", False: "REFUSED", None: "-"}


class Command(OperatorCommand):
    help = (
        "Say step by step why a token is accepted or refused. It is read from standard input, or "
        "asked for without an echo: on the command line, `ps` and the shell's history would see "
        "it. Exit status 0 when it would be accepted, 1 otherwise. Nothing is changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON for programs")
        # Caught here because argparse would quote it in its complaint.
        parser.add_argument("on_the_command_line", nargs="*", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["on_the_command_line"]:
            raise CommandError(
                "A token on the command line is in the shell's history now, and was seen by `ps`. "
                "Revoke it, and type or pipe the next one: manage.py explain_token < file"
            )
        explanation = explain(_ask())
        if options["json"]:
            self.print_json(_as_json(explanation))
        else:
            self.print_table(
                ("STEP", "VERDICT", "FOUND"),
                [(step.name, VERDICTS[step.passed], step.found) for step in explanation.steps],
            )
            verdict = "refused: " + explanation.refusal if explanation.refusal else "accepted."
            self.stdout.write(f"\nThis token would be {verdict}")
        if not explanation.accepted:
            sys.exit(1)


def _ask() -> str:
    """Return the token without what is often copied with it."""
    typed = sys.stdin is not None and sys.stdin.isatty()
    text = _typed() if typed else _piped()
    if typed and len(text) >= TERMINAL_LINE:
        raise CommandError(
            "The terminal cut this token off. Pipe it: manage.py explain_token < file"
        )
    words = text.split()
    if words and words[0].lower() == "authorization:":
        del words[0]
    if words and words[0].lower() == "bearer":
        del words[0]
    if not words:
        raise CommandError("There is no token on standard input.")
    return " ".join(words)


def _typed() -> str:
    try:
        return getpass.getpass("Token (it is not shown): ")
    except EOFError:
        return ""


def _piped() -> str:
    if sys.stdin is None:  # Closed by the caller.
        return ""
    # Far longer than a token may be, and bytes that are no text make no token either.
    return sys.stdin.buffer.read(100_000).decode("ascii", "replace")


def _as_json(explanation: Explanation) -> dict[str, Any]:
    claims = explanation.claims
    return {
        "accepted": explanation.accepted,
        "refusal": explanation.refusal or None,
        "token": claims
        and {
            "type": claims.type,
            "kid": claims.kid,
            "jti": claims.jti,
            "sid": str(claims.sid),
            "sub": claims.sub,
            "generation": claims.generation,
            "expires_at": utc(claims.expires_at),
        },
        "steps": [
            {"step": step.name, "passed": step.passed, "found": step.found}
            for step in explanation.steps
        ],
        "denials": [
            {
                "kind": row.kind,
                "id": row.value,
                "denied_at": utc(row.denied_at),
                "denied_by": row.denied_by and row.denied_by.get_username(),
                "reason": row.reason,
                "until": utc(row.until),
            }
            for row in explanation.denials
        ],
    }
