"""What ``manage.py check`` says about the feed."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError

from ..api.addresses import classes_of_views
from ..conf import conf
from ..models import SigningKey
from . import rows
from .publication import HMAC, HMAC_HINT
from .readers import READERS


def check_readers(**kwargs: Any) -> list[CheckMessage]:
    if conf.TOKENS_FEED_READERS in READERS:
        return []
    return [
        Error(
            f"TOKENS_FEED_READERS is {conf.TOKENS_FEED_READERS!r}.",
            hint='Set it to "services", the default, or to "everybody", which requires no key.',
            id="tokens.E059",
        )
    ]


def check_signing_key(**kwargs: Any) -> list[CheckMessage]:
    """Report an HMAC key: no service could verify the feed that the project serves."""
    if not _is_served() or not _algorithm().startswith("HS"):
        return []
    return [Error(HMAC, hint=HMAC_HINT, id="tokens.E060")]


def check_everybody(**kwargs: Any) -> list[CheckMessage]:
    if conf.TOKENS_FEED_READERS != "everybody" or not _is_served():
        return []
    return [
        Warning(
            'TOKENS_FEED_READERS is "everybody": anyone who can reach the address of the feed sees how '
            "many sessions end, and the primary keys of users whom staff sign out everywhere.",
            hint='Set it to "services", and create a key for each service in the admin, or silence '
            "this warning if only your services can reach the address.",
            id="tokens.W069",
        )
    ]


def check_user_rule(**kwargs: Any) -> list[CheckMessage]:
    # As it is set: tokens.E014 reports a path that cannot be imported.
    if not getattr(settings, "TOKENS_USER_RULE", None) or not _is_served():
        return []
    return [
        Warning(
            "TOKENS_USER_RULE is set, and the feed cannot contain it: other services accept the access "
            "tokens of a user whom the rule refuses, until they expire.",
            hint="Call sessions.end_all(user, reason=…) where your code changes what the rule reads, and "
            "silence this warning.",
            id="tokens.W070",
        )
    ]


def check_grace(**kwargs: Any) -> list[CheckMessage]:
    """Warn if a session can have too many former tokens for the feed to list them."""
    if not rows.has_unnamed_tokens() or not _is_served():
        return []
    return [
        Warning(
            "TOKENS_REFRESH_GRACE is so short that a session can have more than "
            f"{rows.MOST_FORMER_TOKENS} tokens at once. After a password change, other services "
            "refuse the user's new tokens too, if they are issued within TOKENS_LEEWAY.",
            hint="Set it to 10 seconds or more, or let clients refresh after a 401.",
            id="tokens.W071",
        )
    ]


def _is_served() -> bool:
    # Imported late, because the view imports the routes.
    from .views import DenialsView

    return DenialsView in classes_of_views()


def _algorithm() -> str:
    signing = SigningKey.objects.filter(state=SigningKey.State.SIGNING)
    try:
        algorithm = signing.values_list("algorithm", flat=True).first()
    except DatabaseError:
        algorithm = None  # The tables do not exist yet.
    return algorithm or conf.TOKENS_ALGORITHM
