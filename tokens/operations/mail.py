"""
Mail to users about their own sessions, if TOKENS_NOTIFY_USERS is on (ASVS 6.3.5, 6.3.7).

Mail is sent after the event is committed and contains no token and no link. Mail that cannot be
sent is logged, and has no effect on the request.

It is in the language of the user, and not in that of the request: a stranger who signs in as the user
would otherwise choose one that the user cannot read.
"""

from logging import ERROR
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from .. import branding, signals
from ..client import provider_network
from ..client.devices import device_of
from ..client.families import families_of
from ..conf import conf
from ..models import Session, SessionKind

MAX_COMPARED_SESSIONS = 100


def on_session_started(sender: Any, session: Session, **kwargs: Any) -> None:
    """Send the user mail if this sign-in comes from a new device or network."""
    if conf.TOKENS_NOTIFY_USERS and is_from_a_new_device(session):
        _send("new_device", session, address=session.ip_address)


def on_reuse_detected(sender: Any, session: Session, client: Any, **kwargs: Any) -> None:
    """Send the user mail that their session ended because a refresh token was reused."""
    if conf.TOKENS_NOTIFY_USERS:
        _send("reuse", session, address=client.ip_address)


def on_refresh_repeated(
    sender: Any, session: Session, client: Any, elsewhere: bool, **kwargs: Any
) -> None:
    """Send the user mail the first time that a superseded token comes from elsewhere."""
    if conf.TOKENS_NOTIFY_USERS and elsewhere and not session.repeats_elsewhere:
        _send("elsewhere", session, address=client.ip_address)


def is_from_a_new_device(session: Session) -> bool:
    """
    Return whether none of the user's last 100 sessions began on the same device and network.

    It is False for a user's first session, because there is no other to compare with. An access token
    that came alone was no sign-in, and of a session that was imported the client is not known.
    """
    others = Session.objects.filter(user=session.user_id).exclude(pk=session.pk)
    others = others.exclude(kind=SessionKind.ACCESS).exclude(ip_address=None, user_agent="")
    newest = others.order_by("-started_at").values_list("user_agent", "ip_address")
    known = {_device_and_network(*other) for other in newest[:MAX_COMPARED_SESSIONS]}
    return bool(known) and _device_and_network(session.user_agent, session.ip_address) not in known


def _device_and_network(user_agent: str, address: str | None) -> tuple[tuple[str, str], str]:
    # Not device_of(), by which all unknown devices of a network would be the same one.
    return families_of(user_agent), provider_network(address)


def language_of(user: Any) -> str:
    """
    Return the language of mail to the user: the one that TOKENS_USER_LANGUAGE names, or LANGUAGE_CODE.

    It is LANGUAGE_CODE too if the function fails, or names a language that is not in LANGUAGES. A
    warning in a foreign language is better than none.
    """
    try:
        function = conf.TOKENS_USER_LANGUAGE
        code = function(user) if function else None
        return translation.get_supported_language_variant(code) if code else settings.LANGUAGE_CODE
    except LookupError:
        return settings.LANGUAGE_CODE
    except Exception as error:
        why = {"reason": type(error).__name__}
        signals.log("language_unknown", level=ERROR, user=user.pk, **why)
        return settings.LANGUAGE_CODE


def _send(mail: str, session: Session, *, address: str | None) -> None:
    user: Any = session.user
    recipient = getattr(user, user.get_email_field_name(), "")
    if not recipient:
        return
    try:
        with translation.override(language_of(user)):
            context = {
                "service": branding.site_name(),
                "name": user.get_username(),
                "session": session,
                "device": device_of(session.user_agent),
                "address": address or _("unknown"),
                "last_address": session.refreshed_ip_address or _("unknown"),
            }
            subject = render_to_string(f"tokens/mail/{mail}_subject.txt", context)
            body = render_to_string(f"tokens/mail/{mail}.txt", context)
        send_mail(" ".join(subject.splitlines()), body, None, [recipient])
    except Exception as error:
        # The type only: each mail backend has its own errors, whose texts name the recipient.
        why = {"mail": mail, "reason": type(error).__name__}
        signals.log("mail_not_sent", level=ERROR, sid=session.pk, user=user.pk, **why)
