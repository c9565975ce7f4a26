"""``TokenBackend``: tokens as dictionaries of claims."""

from datetime import timedelta
from typing import Any

from .exceptions import (
    ExpiredTokenError,
    TokenBackendError,
    TokenBackendExpiredToken,
    TokenError,
)
from .settings import api_settings


class TokenBackend:
    """
    Encodes and decodes the tokens of this app.

    It takes no key and no algorithm: the key ring has them. To verify tokens of another issuer, use
    PyJWT itself.
    """

    def get_leeway(self) -> timedelta:
        leeway = api_settings.LEEWAY
        return leeway if isinstance(leeway, timedelta) else timedelta(seconds=leeway or 0)

    def encode(self, payload: dict[str, Any]) -> str:
        """Return a token with these claims, of the class that its type names; an access token if none."""
        from .tokens import AccessToken, RefreshToken, SlidingToken

        named = payload.get(api_settings.TOKEN_TYPE_CLAIM)
        classes: dict[Any, Any] = {"refresh": RefreshToken, "sliding": SlidingToken}
        token = classes.get(named, AccessToken)()
        token.payload = {**token.payload, **payload}
        return str(token)

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """Return the claims of a token of any type. A revoked one is refused."""
        from .tokens import UntypedToken

        try:
            return UntypedToken(token, verify=verify).payload
        except ExpiredTokenError as error:
            raise TokenBackendExpiredToken(*error.args) from error
        except TokenError as error:
            raise TokenBackendError(*error.args) from error
