"""What is refused although its signature is good: deny, is_denied, prunable."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import router, transaction
from django.db.models import Exists, Q, QuerySet
from django.utils import timezone

from .. import signals
from ..conf import conf
from ..jose import Claims
from ..models import DeniedToken
from . import snapshot

# The host that prunes may be ahead of the one that still verifies the token. Five seconds are what
# clocks are apart at most; an hour costs nothing, and bears a clock that was set wrong.
PRUNE_SAFETY_MARGIN = timedelta(hours=1)


def denied(claims: Claims) -> Exists:
    """Return the denylist's answer as an expression, for the one query of a request."""
    # SQLite makes a table of an IN's values first, and takes twice as long.
    jti, sid, kid = claims.ids
    return Exists(DeniedToken.objects.filter(Q(value=jti) | Q(value=sid) | Q(value=kid)))


def is_denied(claims: Claims) -> bool:
    return DeniedToken.objects.filter(value__in=claims.ids).exists()


def find(values: Iterable[str]) -> list[DeniedToken]:
    """Return the rows of those of these ids that are denied, with who denied them."""
    return list(DeniedToken.objects.filter(value__in=list(values)).select_related("denied_by"))


def deny(
    values: Iterable[tuple[str, Any]],
    *,
    kind: DeniedToken.Kind,
    reason: str,
    until: datetime,
    by: Any = None,
    address: str | None = None,
    now: datetime | None = None,
) -> None:
    """
    Deny every id of ``values``, pairs of an id and its user's primary key or None.

    An id that is denied already keeps its first row: who denied it first, and why, stays true.
    ``address`` is where the denial came from, for the log.
    """
    denied_at = now or timezone.now()
    values = list(values)
    DeniedToken.objects.bulk_create(
        [
            DeniedToken(
                value=value,
                kind=kind,
                user_id=user_id,
                reason=reason,
                denied_by=by,
                denied_at=denied_at,
                until=until,
            )
            for value, user_id in values
        ],
        batch_size=500,
        ignore_conflicts=True,
    )
    if conf.TOKENS_DENYLIST_MODE == "snapshot":
        # Once it is committed, so that a rollback refuses nobody.
        alias = router.db_for_write(DeniedToken)
        transaction.on_commit(
            partial(snapshot.add, [value for value, _ in values], until=until), using=alias
        )
        transaction.on_commit(partial(snapshot.notify, alias), using=alias)
    if kind is not DeniedToken.Kind.TOKEN:
        return  # The end of the session, or the rotation, tells of it.
    for jti, user_id in values:
        what = {"jti": jti, "reason": reason, "address": address}
        signals.send(
            signals.token_denied,
            sender=DeniedToken,
            fields={**what, "user": user_id, "by": by and by.pk},
            arguments={**what, "user_id": user_id, "by": by, "until": until},
        )


def prunable(*, now: datetime) -> QuerySet[DeniedToken]:
    """Return the rows that no host needs any more to refuse a token, the longest over first."""
    return DeniedToken.objects.filter(until__lt=now - PRUNE_SAFETY_MARGIN).order_by("until")
