"""
Create, publish, rotate, revoke, re-encrypt and delete signing keys.

    next ──────▶ signing ──────▶ retired ──────▶ deleted
    published    the one signer  verifies until its last token has expired

A revoked key verifies nothing, and its row is deleted later.

``plan_rotation`` returns a plan that can be shown and confirmed. ``rotate`` then carries out this
plan in one transaction, or raises RotationConflict if the ring has changed meanwhile.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, router, transaction
from django.db.models import Q, QuerySet

from .. import clock, denylist, signals
from ..conf import conf
from ..database import lasting, places
from ..models import DeniedToken, SigningKey
from ..secret import Secret, hides_locals
from . import jwk, ring
from .sealing import Sealer

State = SigningKey.State


class RotationConflict(Exception):
    """Another rotation was first. This one changed nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    What a rotation will do to the ring. Keys are named by their ``kid``.

    ``successor`` is None if the rotation creates it. The next key is always created.
    """

    algorithm: str
    former: str
    successor: str | None
    discarded: str | None
    revoked: tuple[str, ...]
    verifies_until: datetime


def ensure(*, using: str | None = None) -> bool:
    """
    Create a signing key and a next key if there is no key; return whether this call did.

    In the database of the alias ``using``, by default where the routers put them.
    """
    using = using or router.db_for_write(SigningKey)
    keys = SigningKey.objects.using(using)
    if keys.exists():
        return False
    now = clock.now()
    algorithm = conf.TOKENS_ALGORITHM
    rows = [make_row(algorithm, state=state, now=now) for state in (State.SIGNING, State.NEXT)]
    try:
        with transaction.atomic(using=using):
            keys.bulk_create(rows)
    except IntegrityError:
        return False  # Another process was first.
    finally:
        ring.forget()
    return True


def plan_rotation(
    *,
    algorithm: str | None = None,
    revoke_previous: bool = False,
    now: datetime | None = None,
) -> Plan:
    """
    Return a plan by which the published key signs, or a new key if ``algorithm`` is another one.

    With ``revoke_previous`` both keys are new and every other key is revoked, also the published
    one: it may have leaked together with the signing key. Raises KeyRingError.
    """
    now = now or clock.now()
    rows = {row.state: row for row in SigningKey.objects.filter(state__in=_UNIQUE_STATES)}
    if State.SIGNING not in rows:
        raise ring.no_signing_key()
    former, published = rows[State.SIGNING], rows.get(State.NEXT)
    algorithm = algorithm or (published or former).algorithm
    serves = published and published.algorithm == algorithm and not revoke_previous
    verifying = Q(state=State.RETIRED, verifies_until__gt=now) | Q(state__in=_UNIQUE_STATES)
    revoked = SigningKey.objects.filter(verifying).order_by("created_at", "kid")
    return Plan(
        algorithm=algorithm,
        former=former.kid,
        successor=published.kid if published and serves else None,
        discarded=published.kid if published and not serves else None,
        revoked=tuple(revoked.values_list("kid", flat=True)) if revoke_previous else (),
        verifies_until=_last_token_expires(former, now=now),
    )


def rotate(
    plan: Plan,
    *,
    by: Any = None,
    reason: str = "signing key revoked",
    now: datetime | None = None,
) -> None:
    """
    Carry out ``plan`` completely or not at all.

    Every process signs with the successor within SIGNER_MAX_AGE. A revoked key is refused from the
    next request on. ``by`` is the staff member. Raises RotationConflict, KeyRingError, and
    RuntimeError in a transaction of the caller, whose rollback would undo a revocation.
    """
    lasting.require_no_transaction(SigningKey)
    now = now or clock.now()
    # Outside the transaction: an RSA key takes a second to create, and other writers would wait.
    following = make_row(plan.algorithm, state=State.NEXT, now=now)
    successor = None
    if plan.successor is None:
        successor = make_row(plan.algorithm, state=State.SIGNING, now=now)
    try:
        with places.atomic(SigningKey):
            _refuse_right_after_another(now=now)
            _carry_out(plan, successor=successor, following=following, now=now)
            if plan.revoked:
                _revoke(plan, by=by, reason=reason, now=now)
    except IntegrityError:
        raise RotationConflict(_CONFLICT) from None
    finally:
        ring.forget()
    prune(now=now)
    what = {
        "kid": successor.kid if successor else plan.successor,
        "former": plan.former,
        "reason": reason if plan.revoked else "",
    }
    signals.send(
        signals.key_rotated,
        sender=SigningKey,
        fields={**what, "revoked": ",".join(plan.revoked), "by": by and by.pk},
        arguments={**what, "revoked": plan.revoked, "by": by},
    )


def publish(algorithm: str, *, now: datetime | None = None) -> str:
    """
    Replace the key that is published ahead by a new key, and return its ``kid``.

    The signing key stays. Services that cache the JWK Set then know the key of a new algorithm
    before it signs. Raises RotationConflict, KeyRingError.
    """
    lasting.require_no_transaction(SigningKey)
    row = make_row(algorithm, state=State.NEXT, now=now or clock.now())
    published = SigningKey.objects.filter(state=State.NEXT).values_list("kid", flat=True)
    kids = list(published)
    try:
        with places.atomic(SigningKey):
            _expect(SigningKey.objects.filter(kid__in=kids, state=State.NEXT).delete()[0], kids)
            row.save(force_insert=True)
    except IntegrityError:
        raise RotationConflict(_CONFLICT) from None
    finally:
        ring.forget()
    signals.log("key_published", kid=row.kid, algorithm=algorithm)
    return row.kid


def reseal(*, dry_run: bool = False) -> list[str]:
    """
    Seal every key under TOKENS_SECRET that a fallback sealed, and return their ``kid``s.

    Afterwards the fallbacks are not needed. Raises KeyRingError, RotationConflict.
    """
    lasting.require_no_transaction(SigningKey)
    sealer = Sealer()
    rows = sealer.sealed_otherwise(SigningKey.objects.exclude(state=State.REVOKED))
    opened = [(row, Secret(sealer.open(row))) for row in rows]
    if dry_run:
        return [row.kid for row in rows]
    with places.atomic(SigningKey):
        for row, private_jwk in opened:
            untouched = SigningKey.objects.filter(kid=row.kid, sealed=row.sealed)
            _expect(untouched.update(sealed=sealer.seal(private_jwk.reveal())), [row.kid])
    ring.forget()
    return [row.kid for row in rows]


def prunable(*, now: datetime) -> QuerySet[SigningKey]:
    """Return the keys that ``removable_at`` says can be deleted by ``now``."""
    ends = {row.kid: removable_at(row) for row in SigningKey.objects.all()}
    over = [kid for kid, end in ends.items() if end and end <= now]
    return SigningKey.objects.filter(kid__in=over)


def prune(*, now: datetime | None = None) -> int:
    """Delete the prunable keys and return their number. A token is accepted by none of them."""
    count, _ = prunable(now=now or clock.now()).delete()
    return count


def removable_at(row: SigningKey) -> datetime | None:
    """Return when the row can be deleted, or None for the signing and the next key."""
    if row.verifies_until is None:
        return None
    if row.state == State.REVOKED:
        # It verifies nothing. Staff can see it for as long as its tokens could have been valid.
        return row.verifies_until + conf.TOKENS_REFRESH_LIFETIME
    return row.verifies_until


@hides_locals
def make_row(algorithm: str, *, state: SigningKey.State, now: datetime) -> SigningKey:
    """Return a new key as an unsaved row. Raises KeyRingError."""
    private_jwk = jwk.make(algorithm)
    return SigningKey(
        kid=private_jwk["kid"],
        algorithm=algorithm,
        state=state,
        sealed=Sealer().seal(private_jwk),
        created_at=now,
        signs_since=now if state == State.SIGNING else None,
        longest_life=conf.TOKENS_REFRESH_LIFETIME,
    )


_UNIQUE_STATES = (State.SIGNING, State.NEXT)
_CONFLICT = "Another rotation was first. Nothing was changed by this one."


def _last_token_expires(key: SigningKey, *, now: datetime) -> datetime:
    """Return a time from which on no token of this key is accepted."""
    # Tokens from before TOKENS_REFRESH_LIFETIME was shortened expire later than those signed now.
    longest = max(key.longest_life, conf.TOKENS_REFRESH_LIFETIME)
    # For SIGNER_MAX_AGE after the commit, other processes still sign with the former key.
    last = now + timedelta(seconds=ring.SIGNER_MAX_AGE) + longest
    return last + conf.TOKENS_LEEWAY


def _refuse_right_after_another(*, now: datetime) -> None:
    """
    Raise RotationConflict within SIGNER_MAX_AGE of another rotation.

    If two are started at once, the second would retire the key that the first has just put in use.
    """
    moment = timedelta(seconds=ring.SIGNER_MAX_AGE)
    if SigningKey.objects.filter(retired_at__range=(now - moment, now + moment)).exists():
        raise RotationConflict(_CONFLICT)


def _carry_out(
    plan: Plan, *, successor: SigningKey | None, following: SigningKey, now: datetime
) -> None:
    former = SigningKey.objects.filter(kid=plan.former, state=State.SIGNING)
    # Computed again, because the plan may have waited for a confirmation. The row is locked because
    # a process that signs longer-lived tokens may be updating ``longest_life``.
    verifies_until = plan.verifies_until
    for key in former.select_for_update():
        verifies_until = max(verifies_until, _last_token_expires(key, now=now))
    stopped = {"retired_at": now, "verifies_until": verifies_until}
    _expect(former.update(state=State.RETIRED, **stopped), [plan.former])
    if plan.discarded:
        # It never signed, so no token of it exists.
        discarded = SigningKey.objects.filter(kid=plan.discarded, state=State.NEXT)
        if plan.revoked:
            _expect(discarded.update(state=State.RETIRED, **stopped), [plan.discarded])
        else:
            _expect(discarded.delete()[0], [plan.discarded])
    if successor:
        successor.save(force_insert=True)
    else:
        promoted = SigningKey.objects.filter(kid=plan.successor, state=State.NEXT)
        _expect(promoted.update(state=State.SIGNING, signs_since=now), [plan.successor])
    following.save(force_insert=True)


def _revoke(plan: Plan, *, by: Any, reason: str, now: datetime) -> None:
    revoked = SigningKey.objects.filter(kid__in=plan.revoked, state=State.RETIRED)
    _expect(revoked.update(state=State.REVOKED, verifies_until=now, sealed=""), plan.revoked)
    denylist.deny(
        [(kid, None) for kid in plan.revoked],
        kind=DeniedToken.Kind.KEY,
        reason=reason,
        by=by,
        # Processes drop the key within RING_MAX_AGE. The denial stays longer, because a session is
        # not live while its key is denied.
        until=plan.verifies_until,
        now=now,
    )


def _expect(count: int, kids: Any) -> None:
    """Raise RotationConflict, which rolls back the transaction, unless every row was as planned."""
    if count != len(kids):
        raise RotationConflict(_CONFLICT)
