"""Search terms to sessions and users. Each search uses an index."""

import ipaddress
import re
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from ..jose import parse_jti
from ..models import Session
from ..operations.tally import first_window

# Per search term: in some projects several users have the same email address.
MAX_USERS = 100
MAX_INCIDENTS = 100
MAX_BESIDE_INCIDENTS = 900  # sessions that started at the same IP address


# In base64url, a JOSE header begins with eyJ, which is {". Names of users do not look like this.
_TOKEN = re.compile(r"eyJ[\w-]{10,}[\w.-]*", re.ASCII)


def find_token(text: str) -> str | None:
    """
    Return the token in ``text``, which may be a whole answer or header, or None without a token.

    A part of a token counts as a token: it must not get into an address or a log either.
    """
    found = _TOKEN.search(text)
    return found[0] if found else None


def find_sessions(rows: QuerySet[Session], term: str) -> QuerySet[Session]:
    """Return the rows that match a sid, a jti, an IP address, a username or an email address."""
    term = term.strip()
    if not term:
        return rows
    if find_token(term) or "\0" in term:
        return rows.none()
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
    return newest(rows.filter(user_id__in=find_users(term)))


def newest(rows: QuerySet[Session]) -> QuerySet[Session]:
    """Return the newest WINDOW of one user's or address's sessions, to be put in any order."""
    found, _complete = first_window(rows, "-started_at")
    return found  # type: ignore[no-any-return]


def find_users(term: str) -> list[Any]:
    """
    Return the keys of the users with exactly this username or, ignoring case, email address.

    The email address is looked up by ``Lower("email")``. A project needs an index on that.
    """
    user_model = get_user_model()
    users = user_model._default_manager
    by_name = users.filter(**{user_model.USERNAME_FIELD: term})
    email = user_model.get_email_field_name()
    ids = list(by_name.values_list("pk", flat=True)[:MAX_USERS])
    if "@" in term and _has_field(user_model, email):
        # Without this condition the planner could not use an index that omits empty addresses.
        by_email = users.alias(lowered=Lower(email)).filter(lowered=term.lower())
        ids += by_email.exclude(**{email: ""}).values_list("pk", flat=True)[:MAX_USERS]
    return ids


def user_key(text: str) -> Any:
    """Return ``text`` as a user's key, or None if it cannot be one."""
    try:
        return None if "\0" in text else get_user_model()._meta.pk.to_python(text)
    except ValidationError:
        return None


def _has_field(model: Any, name: str) -> bool:
    return any(field.name == name for field in model._meta.concrete_fields)


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
