"""
Mail to a person about their own sessions, where TOKENS_NOTIFY_USERS is on (ASVS 6.3.5, 6.3.7).

It goes out when the event is committed, holds no token and no link, and fails nobody: what could
not be sent is logged.
"""

import ipaddress
from logging import ERROR
from typing import Any

from django.core.mail import send_mail
from django.template.loader import render_to_string

from .. import signals
from ..client import device_of
from ..conf import conf
from ..models import Session

# What a person changes from day to day within their own provider is no other network.
IPV4_PREFIX, IPV6_PREFIX = 24, 48
COMPARED_SESSIONS = 100


def on_session_started(sender: Any, session: Session, **kwargs: Any) -> None:
    """Write to the person if they sign in from a device and network that are new to them."""
    if conf.TOKENS_NOTIFY_USERS and is_from_a_new_device(session):
        _send("new_device", session, address=session.ip_address)


def on_reuse_detected(sender: Any, session: Session, client: Any, **kwargs: Any) -> None:
    """Write to the person that a session of theirs ended because an old token came back."""
    if conf.TOKENS_NOTIFY_USERS:
        _send("reuse", session, address=client.ip_address)


def is_from_a_new_device(session: Session) -> bool:
    """
    Tell whether none of the person's last hundred sessions began on such a device in that network.

    A first session is none from a new device: there is nothing that it could differ from.
    """
    others = Session.objects.filter(user=session.user_id).exclude(pk=session.pk)
    newest = others.order_by("-started_at").values_list("user_agent", "ip_address")
    known = {_place(*other) for other in newest[:COMPARED_SESSIONS]}
    return bool(known) and _place(session.user_agent, session.ip_address) not in known


def _place(user_agent: str, address: str | None) -> tuple[str, str]:
    return device_of(user_agent), _neighbourhood(address) if address else ""


def _neighbourhood(address: str) -> str:
    parsed = ipaddress.ip_address(address)
    prefix = IPV4_PREFIX if parsed.version == 4 else IPV6_PREFIX
    return str(ipaddress.ip_network((parsed, prefix), strict=False))


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
        # Each mail backend has errors of its own, and their texts name the recipient.
        why = {"mail": mail, "reason": type(error).__name__}
        signals.log("mail_not_sent", level=ERROR, sid=session.pk, user=user.pk, **why)
