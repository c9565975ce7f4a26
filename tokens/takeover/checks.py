"""What ``manage.py check`` says about the switch."""

from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError

from .. import clock
from . import their_settings
from .models import Switch
from .their_settings import CannotTakeOver


def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Report a SIMPLE_JWT whose tokens cannot be verified."""
    try:
        their_settings.read()
    except CannotTakeOver as error:
        return [
            Error(
                f"SIMPLE_JWT: {error}",
                hint="Set what the former site had, or remove the takeover app from INSTALLED_APPS: "
                "then every user signs in once more.",
                id="tokens.E058",
            )
        ]
    return []


def check_over(**kwargs: Any) -> list[CheckMessage]:
    """Say that the switch is over, so that the app can be removed."""
    try:
        switch = Switch.objects.first()
    except DatabaseError:
        return []  # The tables do not exist yet.
    if switch is None or switch.is_open(clock.now()):
        return []
    return [
        Warning(
            "The switch from djangorestframework-simplejwt is over: none of its tokens is accepted.",
            hint='Run "manage.py migrate tokens_takeover zero", and remove the takeover app from '
            "INSTALLED_APPS, and SIMPLE_JWT.",
            id="tokens.W058",
        )
    ]
