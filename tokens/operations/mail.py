"""
Mail to users about their own sessions, if TOKENS_NOTIFY_USERS is on (ASVS 6.3.5, 6.3.7).

Mail is sent after the event is committed and contains no token and no link. Mail that cannot be
sent is logged, and has no effect on the request.
"""

from logging import ERROR
from typing import Any

from django.core.mail import send_mail
from django.template.loader import render_to_string

from .. import signals
from ..client import device_of, provider_network
from ..conf import conf
from ..models import Session

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

    It is False for a user's first session, because there is no other to compare with.
    """
    others = Session.objects.filter(user=session.user_id).exclude(pk=session.pk)
    newest = others.order_by("-started_at").values_list("user_agent", "ip_address")
    known = {_device_and_network(*other) for other in newest[:MAX_COMPARED_SESSIONS]}
    return bool(known) and _device_and_network(session.user_agent, session.ip_address) not in known


def _device_and_network(user_agent: str, address: str | None) -> tuple[str, str]:
    return device_of(user_agent), provider_network(address)


def _send(mail: str, session: Session, *, address: str | None) -> None:
    user: Any = session.user
    recipient = getattr(user, user.get_email_field_name(), "")
    if not recipient:
        return
    context = {
        "service": conf.TOKENS_ISSUER,
        "name": user.get_username(),
        "session": session,
        "device": device_of(session.user_agent),
        "address": address or "unknown",
    }
    try:
        subject = render_to_string(f"tokens/mail/{mail}_subject.txt", context)
        body = render_to_string(f"tokens/mail/{mail}.txt", context)
        send_mail(" ".join(subject.split()), body, None, [recipient])
    except Exception as error:
        # The type only: each mail backend has its own errors, whose texts name the recipient.
        why = {"mail": mail, "reason": type(error).__name__}
        signals.log("mail_not_sent", level=ERROR, sid=session.pk, user=user.pk, **why)
