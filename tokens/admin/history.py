"""The events of one session, in chronological order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .. import denylist
from ..client.devices import device_of
from ..jose import TokenType, jti_of
from ..models import DeniedToken, EndReason, Session
from ..operations.wording import amount
from .base import user_text

# The newest generations, whose access tokens are looked up in the denylist. An access token's
# lifetime is minutes, so those of earlier generations have expired.
MAX_GENERATIONS = 50


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    title: str
    details: tuple[str, ...] = ()

    @property
    def local_time(self) -> datetime:
        # Templates convert nothing without USE_TZ, and their filter "localtime" drops ``fold``.
        return timezone.localtime(self.at)


def history(session: Session, *, now: datetime) -> list[Event]:
    """Return the session's events, with four queries at most, regardless of its age."""
    denials = {row.value: row for row in _denials(session)}
    own, of_key = denials.pop(str(session.pk), None), denials.pop(session.kid, None)
    events = [
        Event(
            session.started_at,
            _("Signed in"),
            (
                _("on %(device)s") % {"device": device_of(session.user_agent)},
                _from(session.ip_address),
            ),
        ),
        *_refreshes(session),
        *(_denied_access_token(row) for row in denials.values()),
    ]
    if of_key:
        events.append(
            Event(of_key.denied_at, _("Its signing key was revoked"), _by_and_reason(of_key))
        )
    if not session.ended_at:
        events += map(
            _cut_off, denylist.find_cut_offs(str(session.user_id), begun_at=session.started_at)
        )
    if session.ended_at:
        events.append(_end(session, session.ended_at, own))
    elif session.idle_until <= now:
        is_absolute = session.idle_until == session.expires_at
        limit = _("absolute limit") if is_absolute else _("idle limit")
        events.append(Event(session.idle_until, _("Expired"), (limit,)))
    return sorted(events, key=lambda event: event.at)


def _denials(session: Session) -> list[DeniedToken]:
    generations = range(max(0, session.generation - MAX_GENERATIONS), session.generation + 1)
    jtis = [jti_of(session.pk, generation, TokenType.ACCESS) for generation in generations]
    return denylist.find([str(session.pk), session.kid, *jtis])


def _refreshes(session: Session) -> Iterator[Event]:
    if session.generation:
        number = session.generation
        title = ngettext("Last of %(number)s refresh", "Last of %(number)s refreshes", number)
        yield Event(
            session.refreshed_at,
            _("Refreshed once") if number == 1 else title % {"number": amount(number)},
            (_from(session.refreshed_ip_address), *_repeats(session)),
        )


def _repeats(session: Session) -> Iterator[str]:
    """Yield how often a pair was given again: lost answers, calls in parallel, or a thief."""
    if session.repeats:
        number = session.repeats
        yield ngettext(
            "a pair was asked for again %(number)s time",
            "a pair was asked for again %(number)s times",
            number,
        ) % {"number": amount(number)}
    if session.repeats_elsewhere:
        number = session.repeats_elsewhere
        yield ngettext(
            "%(number)s time from another network and another browser or app than the one that "
            "refreshed: a copy of the tokens may be in use",
            "%(number)s times from another network and another browser or app than the one that "
            "refreshed: a copy of the tokens may be in use",
            number,
        ) % {"number": amount(number)}


def _cut_off(row: DeniedToken) -> Event:
    return Event(row.denied_at, _("Revoked with all sessions"), _by_and_reason(row))


def _denied_access_token(row: DeniedToken) -> Event:
    return Event(
        row.denied_at, _("An access token was denied"), (f"jti {row.value}", *_by_and_reason(row))
    )


def _end(session: Session, at: datetime, denial: DeniedToken | None) -> Event:
    match session.end_reason:
        case EndReason.REUSE:
            return Event(
                at,
                _("Ended: a refresh token was reused"),
                (
                    _("a rotated token was presented from %(address)s")
                    % {"address": _address(session.ended_ip_address)},
                    _last_rotation(session),
                    _(
                        "One of the two clients has a stolen copy. It is not known which, so both "
                        "are signed out (RFC 9700 §4.14.2)"
                    ),
                ),
            )
        case EndReason.REVOKED if denial is None:
            return Event(at, _("Ended: revoked"), _from_log(session))
    address = (_from(session.ended_ip_address),) if session.ended_ip_address else ()
    # A denial without a note of staff repeats the end reason, which the title has already.
    reason = _by_and_reason(denial) if denial and denial.reason != session.end_reason else ()
    title = _("Ended: %(reason)s") % {"reason": session.get_end_reason_display()}
    return Event(at, title, (*address, *reason))


def _last_rotation(session: Session) -> str:
    number = session.generation
    return ngettext(
        "the last of %(number)s rotation was requested from %(address)s",
        "the last of %(number)s rotations was requested from %(address)s",
        number,
    ) % {"number": amount(number), "address": _address(session.refreshed_ip_address)}


def _by_and_reason(row: DeniedToken) -> tuple[str, ...]:
    by = (_by(row.denied_by),) if row.denied_by else ()
    return (*by, _("reason: %(reason)s") % {"reason": row.reason})


def _from_log(session: Session) -> tuple[str, ...]:
    """Return the staff user and the reason from the admin's log: the denial may be pruned."""
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Session), object_id=str(session.pk)
    )
    entry = entries.select_related("user").order_by("-action_time").first()
    return (_by(user_text(entry.user)), entry.get_change_message()) if entry else ()


def _by(user: object) -> str:
    return _("by %(staff)s") % {"staff": user}


def _from(address: str | None) -> str:
    return _("from %(address)s") % {"address": _address(address)}


def _address(address: str | None) -> str:
    return address or _("an unknown address")
