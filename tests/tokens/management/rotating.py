"""Run ``manage.py rotate_secret`` in this process, and read the ring."""

import json
from io import StringIO
from typing import Any

from django.core.management import call_command

from tokens.models import SigningKey


def rotate(*words: str) -> str:
    out = StringIO()
    call_command("rotate_secret", *words, stdout=out)
    return out.getvalue()


def rotate_json(*words: str) -> dict[str, Any]:
    return dict(json.loads(rotate(*words, "--json")))


def ring() -> dict[str, str]:
    return dict(SigningKey.objects.values_list("kid", "state"))


def kid_of(state: str) -> str:
    return str(SigningKey.objects.get(state=state).kid)
