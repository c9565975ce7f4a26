"""The claims of a token as a mapping, with the methods by which simplejwt's users read and set them."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from ..jose import TokenType
from . import issuing
from .names.backends import TokenBackend
from .names.exceptions import TokenError
from .names.utils import datetime_from_epoch, datetime_to_epoch


class ClaimsMapping:
    """``payload``, read and written by ``token[…]``. The repr shows the claims."""

    token_type: str | None = None
    lifetime: timedelta | None = None
    current_time: datetime
    payload: dict[str, Any]
    _jose_type: ClassVar[TokenType] = TokenType.ACCESS

    def __repr__(self) -> str:
        return repr(self.payload)

    def __getitem__(self, key: str) -> Any:
        return self.payload[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.payload[key] = value

    def __delitem__(self, key: str) -> None:
        del self.payload[key]

    def __contains__(self, key: str) -> bool:
        return key in self.payload

    def get(self, key: str, default: Any = None) -> Any:
        return self.payload.get(key, default)

    @property
    def sid(self) -> Any:
        """The id of the session, as the claims of this app's own authentication class have it."""
        return issuing.sid_in(self.payload.get("jti"))

    def verify(self) -> None:
        """Raise TokenError for claims that are not good. A subclass may add conditions."""
        self.check_exp()
        self.verify_token_type()

    def verify_token_type(self) -> None:
        if self.payload.get(issuing.type_claim()) != self.token_type:
            raise TokenError(_("Token has wrong type"))

    def set_jti(self) -> None:
        self.payload["jti"] = issuing.new_jti(self._jose_type)

    def set_exp(
        self,
        claim: str = "exp",
        from_time: datetime | None = None,
        lifetime: timedelta | None = None,
    ) -> None:
        begin = self.current_time if from_time is None else from_time
        lasts = self.lifetime if lifetime is None else lifetime
        self.payload[claim] = datetime_to_epoch(begin + (lasts or timedelta(0)))

    def set_iat(self, claim: str = "iat", at_time: datetime | None = None) -> None:
        self.payload[claim] = datetime_to_epoch(at_time or self.current_time)

    def check_exp(self, claim: str = "exp", current_time: datetime | None = None) -> None:
        """Raise TokenError if the time in ``claim`` has passed by more than SIMPLE_JWT's LEEWAY."""
        try:
            until = datetime_from_epoch(self.payload[claim])
        except KeyError as error:
            raise TokenError(_("Token has no '%s' claim") % claim) from error
        if until <= (current_time or self.current_time) - self.token_backend.get_leeway():
            raise TokenError(_("Token '%s' claim has expired") % claim)

    @property
    def token_backend(self) -> TokenBackend:
        from .names.state import token_backend

        return token_backend

    def get_token_backend(self) -> TokenBackend:
        return self.token_backend

    def until(self) -> int:
        return int(self.payload.get("exp", 0))
