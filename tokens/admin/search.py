"""What somebody types into the search field, to sessions, by an index each time."""

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

# Namesakes: an e-mail address need not be unique in every project.
MAX_USERS = 100
MAX_INCIDENTS = 100
MAX_BESIDE_INCIDENTS = 900  # sessions that began at the same address


# Every JOSE header begins with {", and a name with eyJ and so much after it is nobody's.
_TOKEN = re.compile(r"eyJ[\w-]{10,}[\w.-]*", re.ASCII)


def find_token(text: str) -> str | None:
    """
    Return the token in a text, be it a whole answer or header that somebody pasted; None without.

    What looks like a part of a token counts as one: it must not come near an address or a log.
    """
    found = _TOKEN.search(text)
    return found[0] if found else None


def find_sessions(rows: QuerySet[Session], term: str) -> QuerySet[Session]:
    """Return those of ``rows`` that a sid, a jti, an address, a user's name or e-mail names."""
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
        # Few rows, and an index of its own, so that the other address keeps its index.
        incidents = Session.objects.filter(ended_ip_address=address).order_by("-ended_at")
        ids = list(incidents.values_list("pk", flat=True)[:MAX_INCIDENTS])
        here = newest(rows.filter(ip_address=address))
        if not ids:
            return here
        # Joined by OR, the two conditions would leave a planner without an index in any order.
        begun = here.order_by("-started_at").values_list("pk", flat=True)[:MAX_BESIDE_INCIDENTS]
        return rows.filter(pk__in=[*begun, *ids])
    return newest(rows.filter(user_id__in=find_users(term)))


def newest(rows: QuerySet[Session]) -> QuerySet[Session]:
    """Return the newest WINDOW of one user's or address's sessions, whatever order is asked for."""
    found, _all = first_window(rows, "-started_at")
    return found  # type: ignore[no-any-return]


def find_users(term: str) -> list[Any]:
    """
    Return the keys of the users of exactly this name or e-mail address, its case aside.

    An e-mail address is looked up by ``Lower("email")``, as an index on it should be made.
    """
    user_model = get_user_model()
    users = user_model._default_manager
    by_name = users.filter(**{user_model.USERNAME_FIELD: term})
    email = user_model.get_email_field_name()
    ids = list(by_name.values_list("pk", flat=True)[:MAX_USERS])
    if "@" in term and _has_field(user_model, email):
        # Excluding the empty address lets the planner use an index that leaves it out.
        by_email = users.alias(lowered=Lower(email)).filter(lowered=term.lower())
        ids += by_email.exclude(**{email: ""}).values_list("pk", flat=True)[:MAX_USERS]
    return ids


def user_key(text: str) -> Any:
    """Return what ``text`` says as a key of a user, None where keys are of another form."""
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
