"""The claim ``aud`` of the two types of token."""

from ..conf import conf
from ..jose import TokenType


def audience_of(type: TokenType) -> str:
    """
    Return for whom tokens of this type are (RFC 7519 §4.1.3).

    An access token is for the services of TOKENS_AUDIENCE. A refresh token is for the issuer's own
    token endpoint only, so a service that checks ``aud`` refuses it.
    """
    if type is TokenType.ACCESS:
        return conf.TOKENS_AUDIENCE
    return f"{conf.TOKENS_ISSUER}/token/refresh"
