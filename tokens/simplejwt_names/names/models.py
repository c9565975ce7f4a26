"""``TokenUser``: a user who is known by the claims of a token only."""

from functools import cached_property
from typing import Any, NoReturn

from django.contrib.auth.models import Group, Permission
from django.db.models.manager import EmptyManager

from .settings import api_settings


class TokenUser:
    """
    What ``request.user`` is with JWTStatelessUserAuthentication: its attributes are the token's claims.

    The session and its user were asked whether they accept the token, but neither is loaded here.
    """

    is_active = True
    is_authenticated = True
    is_anonymous = False

    _groups = EmptyManager(Group)
    _user_permissions = EmptyManager(Permission)

    def __init__(self, token: Any) -> None:
        self.token = token

    def __str__(self) -> str:
        return f"TokenUser {self.id}"

    @cached_property
    def id(self) -> Any:
        return self.token[api_settings.USER_ID_CLAIM]

    @cached_property
    def pk(self) -> Any:
        return self.id

    @cached_property
    def username(self) -> Any:
        return self.token.get("username", "")

    @cached_property
    def is_staff(self) -> Any:
        return self.token.get("is_staff", False)

    @cached_property
    def is_superuser(self) -> Any:
        return self.token.get("is_superuser", False)

    def __eq__(self, other: object) -> bool:
        return self.id == other.id if isinstance(other, TokenUser) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def __getattr__(self, name: str) -> Any:
        """Return the claim of this name, or None."""
        if name == "token":
            raise AttributeError(name)  # While an instance is copied or unpickled.
        return self.token.get(name, None)

    def _no_row(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError("A TokenUser has no row in the database.")

    save = delete = set_password = check_password = _no_row

    @property
    def groups(self) -> Any:
        return self._groups

    @property
    def user_permissions(self) -> Any:
        return self._user_permissions

    def get_group_permissions(self, obj: Any = None) -> set[str]:
        return set()

    def get_all_permissions(self, obj: Any = None) -> set[str]:
        return set()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return False

    def has_perms(self, perm_list: Any, obj: Any = None) -> bool:
        return False

    def has_module_perms(self, module: str) -> bool:
        return False

    def get_username(self) -> Any:
        return self.username
