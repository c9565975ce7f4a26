"""
Phrases that the commands and the admin share: numbers, times, the cost of a revocation.

The admin's are in the language of the request. Commands speak English, so ``counted`` is for them only.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from django.utils.formats import number_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _


def utc(instant: datetime | None) -> str | None:
    """Return ``instant`` in RFC 3339 format, in UTC and whole seconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if instant else None


def counted(number: int, noun: str, *, exact: bool = True) -> str:
    """Return "1 session", "1,234 sessions", or if not exact "at least 5,000 sessions"."""
    return f"{amount(number, exact=exact)} {noun}" + ("" if number == 1 else "s")


def amount(number: int, *, exact: bool = True) -> str:
    """Return "1,234", or "at least 1,234" for a count that stopped at a limit."""
    # Without a language, Django groups no digits.
    text = number_format(number, force_grouping=True) if get_language() else f"{number:,}"
    return text if exact else _("at least %(number)s") % {"number": text}


def keys(number: int) -> str:
    return ngettext("%(number)s key", "%(number)s keys", number) % {"number": amount(number)}


def sessions(number: int, *, exact: bool = True) -> str:
    """Return "1 session", or if not exact "at least 5,000 sessions"."""
    text = ngettext("%(number)s session", "%(number)s sessions", number)
    return text % {"number": amount(number, exact=exact)}


def of_users(number: int, *, exact: bool = True) -> str:
    """Return "of 1 user": in some languages the preposition changes the noun."""
    text = ngettext("of %(number)s user", "of %(number)s users", number)
    return text % {"number": amount(number, exact=exact)}


def sessions_of_users(count: int, users: int, *, exact: bool = True) -> str:
    """Return "3 sessions of 2 users"."""
    return f"{sessions(count, exact=exact)} {of_users(users, exact=exact)}"


def cost_of_ending(what: object) -> str:
    """Return the warning that is shown before ``what``, such as "3 sessions of 2 users", is revoked."""
    text = _(
        "This revokes %(sessions)s. Every token is refused from the next request on. It cannot be undone."
    )
    return text % {"sessions": what}


def cost_of_revoking(kids: Sequence[str], *, sessions: int, users: int, exact: bool = True) -> str:
    """Return the warning that is shown before these keys are revoked."""
    text = _(
        "This revokes %(keys)s and with them %(sessions)s, who must sign in again. It cannot be undone."
    )
    return text % {
        "keys": keys(len(kids)),
        "sessions": sessions_of_users(sessions, users, exact=exact),
    }
