"""A system check for admin sites without ``protect_passwords`` or ``extend``."""

from django.contrib.admin import AdminSite
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Warning

from ..api.addresses import views
from .passwords import is_protected
from .users import UserSessions

# The project may keep the app at any dotted path.
APP = __name__.removesuffix(".admin.checks")


def check_admin_sites() -> list[CheckMessage]:
    """Warn about each admin site in the URLconf that limits no passwords or shows no sessions."""
    messages: list[CheckMessage] = []
    for site in _sites():
        if not is_protected(site):
            messages.append(
                Warning(
                    f"The admin site {site.name!r} does not limit guesses at its page for a new "
                    "password, and error reports may show passwords.",
                    hint=f"Call {APP}.admin.passwords.protect_passwords(site) before its URLs are loaded.",
                    id="tokens.W047",
                )
            )
        user_model = get_user_model()
        if site.is_registered(user_model) and not isinstance(
            site.get_model_admin(user_model), UserSessions
        ):
            messages.append(
                Warning(
                    f"The admin site {site.name!r} does not show the sessions of users, and cannot sign "
                    "users out.",
                    hint=f"Call {APP}.admin.users.extend(site) after the user model is registered.",
                    id="tokens.W048",
                )
            )
    return messages


def _sites() -> list[AdminSite]:
    """Return each admin site that has a route in the project, once, in the order of the URLconf."""
    found = (getattr(view, "admin_site", None) for view in views())
    return [site for site in dict.fromkeys(found) if isinstance(site, AdminSite)]
