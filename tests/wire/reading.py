"""What a browser without scripts sends and shows on the pages of sessions."""

import re
from typing import Any

from django.http import QueryDict
from rest_framework.test import APIClient

from tokens import sessions
from tokens.models import Session

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
FORMS = "/api/sessions/page/"


def send(client: APIClient, address: str, **fields: str) -> Any:
    body = {**fields, "csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    return client.post(address, body, format="multipart")


def page_of(client: APIClient, address: str = "/api/sessions/") -> str:
    return re.sub(r"\s+", " ", client.get(address).content.decode())


def mine() -> Session:
    return Session.objects.earliest("started_at")


def start(user: Any, address: str = "192.0.2.1", agent: str = FIREFOX) -> Session:
    return sessions.start(user, client=sessions.Client(address, agent)).session


def done_by(answer: Any) -> str:
    """Return what the page that the answer leads to will say, by its word in the address."""
    path, _, query = answer["Location"].partition("?")
    assert path == "/api/sessions/"
    return QueryDict(query)["done"].partition(":")[0]
