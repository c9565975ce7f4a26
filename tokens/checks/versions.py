"""Versions of Django on which the app works, but many times slower."""

from typing import Any

import django
from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError

from ..sessions import query


def check_compiled_query(**kwargs: Any) -> list[CheckMessage]:
    """Warn if the ORM compiles the query of each request anew."""
    try:
        if query.is_compiled():
            return []
    except DatabaseError:
        return []  # check_signing_keys reports it.
    return [
        Warning(
            f"The query of a request cannot be compiled once with Django {django.__version__}, so "
            "each request takes many times longer. The log has the reason.",
            hint="Use a version of Django that the app supports.",
            id="tokens.W053",
        )
    ]
