"""The pages of users in the admin."""

from typing import Any

LIST = "/admin/accounts/user/"


def page(user: Any, name: str = "change") -> str:
    return f"{LIST}{user.pk}/{name}/"
