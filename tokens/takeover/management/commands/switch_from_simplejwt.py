"""``manage.py switch_from_simplejwt``: check, begin, watch and end the switch."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import urlopen

from django.core.management.base import CommandError

from .... import clock
from ....errors import KeyRingError
from ....management.base import OperatorCommand
from ....operations.wording import counted
from ... import importing, status, their_settings
from ...models import BlacklistedToken, OutstandingToken, Switch
from ...their_settings import CannotTakeOver, TheirSettings

MOST_AHEAD = timedelta(days=1)
TIMEOUT = 10  # seconds


class Command(OperatorCommand):
    help = (
        "Take over a live site of djangorestframework-simplejwt: its tokens go on working until they "
        "expire. docs/takeover.md describes the switch."
    )
    when_interrupted = "What was imported stays. Run the command again to go on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        act = parser.add_mutually_exclusive_group(required=True)
        act.add_argument("--check", action="store_true", help="say what is there and what changes")
        act.add_argument("--adopt", action="store_true", help="accept and import the former tokens")
        act.add_argument("--status", action="store_true", help="count who still uses former tokens")
        act.add_argument("--close", action="store_true", help="accept no former token any more")
        parser.add_argument(
            "--cut-over",
            type=_instant,
            metavar="INSTANT",
            help='with --adopt: the instant after which the former site issues no token, as "now" or '
            "in ISO 8601 with an offset; an hour from now by default",
        )
        self.add_change_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            theirs = their_settings.read()
        except CannotTakeOver as error:
            raise CommandError(f"SIMPLE_JWT: {error}") from None
        if options["cut_over"] is not None and not options["adopt"]:
            raise CommandError("--cut-over belongs to --adopt.")
        if options["check"]:
            self._check(theirs, options)
        elif options["adopt"]:
            self._adopt(theirs, options)
        elif options["status"]:
            self._status(options)
        else:
            self._close(options)

    def _check(self, theirs: TheirSettings, options: dict[str, Any]) -> None:
        blacklist = importing.has_blacklist()
        found = {
            "algorithm": theirs.algorithm,
            "key": "JWK_URL" if theirs.key is None else "SIMPLE_JWT or SECRET_KEY",
            "user_id_field": theirs.user_id_field,
            "rotates": theirs.rotates,
            "blacklists_after_rotation": theirs.blacklists,
            "blacklist_tables": blacklist,
            "active_users": importing.active_users().count(),
            "outstanding_tokens": importing.outstanding().count() if blacklist else 0,
            "blacklisted_tokens": BlacklistedToken.objects.count() if blacklist else 0,
            "all_tokens": OutstandingToken.objects.count() if blacklist else 0,
        }
        changes = list(status.what_changes(theirs))
        lost = list(status.what_is_lost(theirs, has_blacklist=blacklist))
        if options["json"]:
            self.print_json({"found": found, "changes": changes, "not_carried_over": lost})
            return
        self.stdout.write("Found")
        for name, value in found.items():
            self.stdout.write(f"  {name.replace('_', ' ')}: {value}")
        for heading, sentences in (
            ("What changes for clients", changes),
            ("What cannot be carried over", lost),
        ):
            self.stdout.write(heading)
            for sentence in sentences:
                self.stdout.write(f"  - {sentence}")
        self.stdout.write("Nothing was changed.")

    def _adopt(self, theirs: TheirSettings, options: dict[str, Any]) -> None:
        now = clock.now()
        cut_over = options["cut_over"] and options["cut_over"](now)
        if cut_over and cut_over > now + MOST_AHEAD:
            raise CommandError("The cut-over is more than a day ahead. Nothing was changed.")
        former = Switch.objects.first()
        if former is not None and not former.is_open(now):
            raise CommandError("The switch is over, and cannot be opened again.")
        users = importing.active_users().count()
        tokens = importing.outstanding().count() if importing.has_blacklist() else 0
        what = f"{counted(users, 'active user')} and {counted(tokens, 'refresh token')}"
        if options["dry_run"]:
            self._say(options, f"This would import {what}. Nothing was changed.", {"dry_run": True})
            return
        if options["interactive"]:
            self.confirm(f"This accepts the tokens of the former site, and imports {what}.")
        key = "" if theirs.key is not None else _pinned_key(theirs)
        switch = importing.open_switch(theirs, cut_over_at=cut_over, public_key=key, now=now)
        done = importing.run(switch, theirs, report=self.progress(), now=now)
        self._say(
            options,
            f"Imported {counted(done.users, 'user')} and {counted(done.tokens, 'refresh token')}. "
            f"{done.known} tokens were known before, {done.blacklisted} are blacklisted, "
            f"{done.refused} are of users who may not come in, and {done.unreadable} cannot be "
            f"verified.\nTokens that were issued until {switch.cut_over_at:%Y-%m-%d %H:%M:%S} UTC are "
            f"accepted, at most until {switch.closes_at:%Y-%m-%d %H:%M:%S} UTC.",
            {**asdict(done), **_times(switch)},
        )

    def _status(self, options: dict[str, Any]) -> None:
        switch = self._switch()
        now = clock.now()
        found = status.status(now=now)
        state = "open" if switch.is_open(now) else "over"
        self._say(
            options,
            f"The switch is {state}; the cut-over is at {switch.cut_over_at:%Y-%m-%d %H:%M:%S} UTC, and it "
            f"closes at {(switch.closed_at or switch.closes_at):%Y-%m-%d %H:%M:%S} UTC.\n"
            f"{counted(found.unshown, 'imported refresh token')} not shown yet.\n"
            f"{counted(found.shown, 'former refresh token')} shown, {found.lately} of them within a day.\n"
            f"{counted(found.unproven, 'session')} of clients that refresh with their first token.",
            {"state": state, **asdict(found), **_times(switch)},
        )

    def _close(self, options: dict[str, Any]) -> None:
        self._switch()
        now = clock.now()
        found = status.status(now=now)
        cost = (
            f"{counted(found.unshown, 'refresh token')} not shown yet, and {found.lately} that were shown "
            "within a day"
        )
        if options["dry_run"]:
            self._say(options, f"This would refuse {cost}. Nothing was changed.", asdict(found))
            return
        if options["interactive"]:
            self.confirm(
                f"This refuses every token of the former site from now on: {cost}. Users without "
                "another token must sign in again. This cannot be undone."
            )
        ended = status.close(now=now)
        self._say(
            options,
            f"Closed. {counted(ended, 'session')} for former tokens ended.",
            {"sessions_ended": ended, **asdict(found)},
        )

    def _switch(self) -> Switch:
        switch = Switch.objects.first()
        if switch is None:
            raise CommandError("The switch has not begun. Run the command with --check first.")
        return switch

    def _say(self, options: dict[str, Any], text: str, data: dict[str, Any]) -> None:
        if options["json"]:
            self.print_json(data)
        else:
            self.stdout.write(text)


def _times(switch: Switch) -> dict[str, str | None]:
    return {
        "cut_over_at": switch.cut_over_at.isoformat(),
        "closes_at": switch.closes_at.isoformat(),
        "closed_at": switch.closed_at.isoformat() if switch.closed_at else None,
    }


def _pinned_key(theirs: TheirSettings) -> str:
    """Return the key that JWK_URL has now. Raises CommandError."""
    if not theirs.jwk_url.startswith(("https://", "http://")):
        raise CommandError("JWK_URL is no address of the web.")
    try:
        with urlopen(theirs.jwk_url, timeout=TIMEOUT) as answer:  # noqa: S310
            key_set = json.load(answer)
        return importing.pinned_key(key_set, theirs.algorithm)
    except (OSError, ValueError, AttributeError, KeyRingError) as error:
        raise CommandError(f"JWK_URL: {error} Nothing was changed.") from None


def _instant(text: str) -> Any:
    """Return a function of the present that returns the instant."""
    if text == "now":
        return lambda now: now
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ArgumentTypeError(f'{text!r} is not "now", and no instant with an offset.')
    return lambda now: instant.astimezone(UTC)
