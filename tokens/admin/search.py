"""Find sessions and users by a search term. Each search uses an index."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from ..jose import parse_jti
from ..models import Session, value_from
from ..operations.name_parts import MAX_USERS, find_by_part
from ..operations.tally import first_window
from ..operations.users import find_users
from ..secret import RawToken, Secret, hide
from .networks import network_in, of_network

EACH = 25  # sessions of each user that a part of a name finds
MAX_INCIDENTS = 100
MAX_BESIDE_INCIDENTS = 900  # sessions that started at the same IP address


# In base64url, a JOSE header begins with eyJ, which is {". Names of users do not look like this.
_TOKEN = re.compile(r"eyJ[\w-]{10,}[\w.-]*", re.ASCII)


def find_token(text: RawToken) -> Secret[str] | None:
    """
    Return the token in ``text``, which may be a whole answer or header, or None without a token.

    A part of a token counts as a token: it must not get into an address or a log either.
    """
    found = _TOKEN.search(hide(text).reveal())
    return Secret(found[0]) if found else None


@dataclass(frozen=True, slots=True)
class People:
    """
    The users whom a search term names.

    ``by_part`` is True if the term is only a part of their names. ``is_complete`` is False if there are
    more users.
    """

    users: tuple[Any, ...] = ()
    by_part: bool = False
    is_complete: bool = True


NOBODY = People()


def find_people(term: str) -> People:
    """Return the users with this username or email address, or else with this part in their name."""
    keys = find_users(term)
    if keys:
        users = get_user_model()._default_manager.filter(pk__in=keys[:MAX_USERS])
        return People(tuple(users), is_complete=len(keys) <= MAX_USERS)
    found, is_complete = find_by_part(term)
    return People(tuple(found), by_part=True, is_complete=is_complete)


def find_sessions(rows: QuerySet[Session], term: str) -> tuple[QuerySet[Session], People]:
    """
    Return the rows that match a sid, a jti, an IP address or network, or a name, and the users.

    A name is a whole username or email address, or else a part of a username. By a part, the newest
    EACH sessions of each of these users are found.
    """
    term = term.strip()
    if not term:
        return rows, NOBODY
    if find_token(term) or "\0" in term:
        return rows.none(), NOBODY
    if (by_id := _by_id(rows, term)) is not None:
        return by_id, NOBODY
    people = find_people(term)
    if not people.by_part:
        return newest(rows.filter(user_id__in=[user.pk for user in people.users])), people
    keys: list[UUID] = []
    for user in people.users:
        of_user = rows.filter(user_id=user.pk).order_by("-started_at")
        keys += of_user.values_list("pk", flat=True)[:EACH]
    return rows.filter(pk__in=keys), people


def _by_id(rows: QuerySet[Session], term: str) -> QuerySet[Session] | None:
    """Return the rows of a sid, jti, user's key, IP address or network; None for another term."""
    if parsed := parse_jti(term):
        return rows.filter(pk=parsed[0])
    if sid := _uuid(term):
        return rows.filter(Q(pk=sid) | Q(user_id=user_key(term)))
    if address := _address(term):
        # A separate query for these few rows, so that each of the two conditions uses its index.
        incidents = Session.objects.filter(ended_ip_address=address).order_by("-ended_at")
        ids = list(incidents.values_list("pk", flat=True)[:MAX_INCIDENTS])
        here = newest(rows.filter(ip_address=address))
        if not ids:
            return here
        # Keys, because with the two conditions joined by OR no index has the rows in order.
        begun = here.order_by("-started_at").values_list("pk", flat=True)[:MAX_BESIDE_INCIDENTS]
        return rows.filter(pk__in=[*begun, *ids])
    if "/" in term and (network := network_in(term)):
        found, _is_complete = of_network(rows, network, order="-started_at")
        return found  # type: ignore[no-any-return]
    return None


def newest(rows: QuerySet[Session]) -> QuerySet[Session]:
    """Return the newest WINDOW of one user's or address's sessions, to be put in any order."""
    found, _complete = first_window(rows, "-started_at")
    return found  # type: ignore[no-any-return]


def user_key(text: str) -> Any:
    """Return ``text`` as a user's key, or None if it cannot be one."""
    return value_from(text, get_user_model()._meta.pk)


def _uuid(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None


def _address(term: str) -> str | None:
    try:
        return str(ipaddress.ip_address(term))
    except ValueError:
        return None
