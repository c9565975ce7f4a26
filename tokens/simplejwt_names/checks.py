"""System checks: what SIMPLE_JWT asks for and does not get."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Warning

from ..conf import conf
from ..jose import REGISTERED_CLAIMS
from ..keyring import ALGORITHMS
from .names.settings import DEFAULTS, api_settings
from .names.state import token_backend


def check_simple_jwt(**kwargs: Any) -> list[CheckMessage]:
    """Warn about each setting that is not honoured, and say why."""
    return [
        Warning(f'SIMPLE_JWT["{name}"] is not honoured: {why}', hint=hint, id="tokens.W061")
        for name, why, hint in _not_honoured()
    ]


def check_clients_keep_tokens(**kwargs: Any) -> list[CheckMessage]:
    """Warn if clients that keep their first refresh token will be signed out."""
    rotation = getattr(settings, "TOKENS_ROTATION", "always")
    if api_settings.ROTATE_REFRESH_TOKENS or rotation == "on_proof":
        return []
    return [
        Warning(
            'SIMPLE_JWT["ROTATE_REFRESH_TOKENS"] is False and TOKENS_ROTATION is "always": a client that '
            "keeps its first refresh token is signed out when it uses it again.",
            hint='Set TOKENS_ROTATION to "on_proof" while such clients are in use.',
            id="tokens.W062",
        )
    ]


def _not_honoured() -> Iterator[tuple[str, str, str]]:
    given = api_settings.user_settings
    for name in sorted(given.keys() - DEFAULTS.keys()):
        yield name, "there is no such setting.", "Remove it."
    yield from _about_keys(given)
    yield from _about_claims(given)
    if not api_settings.CHECK_USER_IS_ACTIVE:
        why = "no inactive user is let in."
        yield "CHECK_USER_IS_ACTIVE", why, "Give such users another way in, or activate them."
    if api_settings.CHECK_REVOKE_TOKEN:
        why = "no token has a digest of the password's hash. A new password ends every session anyway."
        yield "CHECK_REVOKE_TOKEN", why, "Remove it, with REVOKE_TOKEN_CLAIM."
    if token_backend.get_leeway() > conf.TOKENS_LEEWAY:
        why = f"TOKENS_LEEWAY is less: {conf.TOKENS_LEEWAY.total_seconds():.0f} s."
        yield "LEEWAY", why, "Synchronize the clocks of your hosts with NTP, and lower it."
    if api_settings.ACCESS_TOKEN_LIFETIME > conf.TOKENS_ACCESS_LIFETIME:
        why = "TOKENS_ACCESS_LIFETIME is less, so each access token has a session of its own."
        yield "ACCESS_TOKEN_LIFETIME", why, "Remove TOKENS_ACCESS_LIFETIME, or lower this one."
    if timedelta(0) >= api_settings.REFRESH_TOKEN_LIFETIME:
        yield "REFRESH_TOKEN_LIFETIME", "no session would begin.", "Set a positive timedelta."
    if not str(api_settings.AUTH_HEADER_NAME).startswith("HTTP_"):
        why = "request.META has no header under this key."
        yield "AUTH_HEADER_NAME", why, 'Let it begin with "HTTP_".'


def _about_keys(given: Any) -> Iterator[tuple[str, str, str]]:
    jwks = "Let other services verify tokens with /.well-known/jwks.json."
    if given.get("SIGNING_KEY") not in {None, settings.SECRET_KEY}:
        yield "SIGNING_KEY", "the keys of the key ring sign.", jwks
    for name in ("VERIFYING_KEY", "JWK_URL"):
        if given.get(name):
            yield name, "the keys of the key ring verify.", jwks
    if api_settings.ALGORITHM not in ALGORITHMS:
        hint = f"Set it to one of {', '.join(ALGORITHMS)}."
        yield "ALGORITHM", "the key ring does not have it.", hint
    if not isinstance(api_settings.AUDIENCE, str | None):
        why = "the claim aud is one string."
        yield "AUDIENCE", why, "Set TOKENS_AUDIENCE to the one that all services accept."


def _about_claims(given: Any) -> Iterator[tuple[str, str, str]]:
    if api_settings.JTI_CLAIM != "jti":
        yield "JTI_CLAIM", "it is jti in every token.", "Remove it."
    if api_settings.TOKEN_TYPE_CLAIM is None:
        yield "TOKEN_TYPE_CLAIM", "every token has its type.", "Remove it."
    keys = {"pk", get_user_model()._meta.pk.attname}
    is_sub = api_settings.USER_ID_CLAIM == "sub" and api_settings.USER_ID_FIELD in keys
    if api_settings.USER_ID_CLAIM in REGISTERED_CLAIMS and not is_sub:
        why = f"the claim {api_settings.USER_ID_CLAIM} is the app's own."
        yield "USER_ID_CLAIM", why, "Choose another name. The claim sub is the user's primary key."
