"""Judge many access tokens at once: the rule of one request, by two statements for each batch."""

from collections.abc import Callable, Iterator, Sequence
from contextvars import Context
from datetime import datetime
from functools import partial
from typing import NamedTuple, TypeVar

from django.db import DatabaseError, router

from .. import denylist
from ..denylist import Denials
from ..jose import Claims
from ..models import Session
from . import batch_query
from .auth_hash import depends_on_password_only
from .batch_query import Texts
from .decision import decide
from .eligibility import depends_on_columns_only, hides_users, users_query

T = TypeVar("T")

BATCH_SIZE = 500  # tokens


class Accepted(NamedTuple):
    """What accepted a token: as long as the rows are the same, it is accepted until the limit."""

    fingerprint: int | None  # None if more than the rows decides
    expires_at: datetime
    users: str = ""  # The query by which the default manager finds users, if it may hide some.


class Presented(NamedTuple):
    """
    A token to judge, what accepted it the last time, and the context to judge it in.

    TOKENS_USER_RULE and the default manager of the user model may read a variable of the context.
    None stands for the context of the caller.
    """

    claims: Claims
    before: Accepted | None = None
    context: Context | None = None

    def run(self, work: Callable[[], T]) -> T:
        return work() if self.context is None else self.context.run(work)


# A TokenError refuses the token. Another error was raised by TOKENS_USER_RULE, or by the user model.
Outcome = Accepted | Exception


def judge_all(many: Sequence[Presented], *, now: datetime) -> list[Outcome]:
    """
    Return for each of these access tokens why it is refused, or what accepted it.

    ``decide`` is not asked again while the rows that it judges are the same. It notes no token as
    seen in use. Raises DatabaseError.
    """
    outcomes: dict[int, Outcome] = {}
    for users, places in _groups(many, outcomes):
        for start in range(0, len(places), BATCH_SIZE):
            batch = places[start : start + BATCH_SIZE]
            outcomes.update(zip(batch, _judge([many[at] for at in batch], users, now), strict=True))
    return [outcomes[at] for at in range(len(many))]


def _groups(
    many: Sequence[Presented], outcomes: dict[int, Outcome]
) -> Iterator[tuple[str, Sequence[int]]]:
    """Yield where the tokens are whose users one query finds, and note what raised an error."""
    if not hides_users():
        yield "", range(len(many))
        return
    groups: dict[str, list[int]] = {}
    for at, each in enumerate(many):
        try:
            users = each.before.users if each.before else each.run(users_query)
        except DatabaseError:
            raise
        except Exception as error:
            outcomes[at] = error
        else:
            groups.setdefault(users, []).append(at)
    yield from groups.items()


def _judge(batch: Sequence[Presented], users: str, now: datetime) -> list[Outcome]:
    rows_decide = depends_on_columns_only() and depends_on_password_only()
    alias = router.db_for_read(Session)
    # The denials first: an end that commits in between is then told by its session's row.
    denials_of = denylist.find_denials([each.claims for each in batch], alias=alias)
    denials = [denials_of(each.claims) for each in batch]
    outcomes: dict[int, Outcome] = {}
    known = [at for at, each in enumerate(batch) if _may_be_same(each.before, now)]
    if known:
        find_texts = partial(batch_query.find_texts, [batch[at].claims for at in known])
        found = batch[0].run(partial(find_texts, alias=alias))
        for at, texts in zip(known, found, strict=True):
            claims, before, _ = batch[at]
            if before and texts and before.fingerprint == _fingerprint(claims, texts, denials[at]):
                outcomes[at] = before
    changed = [at for at in range(len(batch)) if at not in outcomes]
    if changed:
        find = partial(batch_query.find_sessions, [batch[at].claims for at in changed])
        rows = batch[0].run(partial(find, alias=alias, with_texts=rows_decide))
        for at, row in zip(changed, rows, strict=True):
            outcomes[at] = _decide(batch[at], row, denials[at], users, now)
    return [outcomes[at] for at in range(len(batch))]


def _may_be_same(before: Accepted | None, now: datetime) -> bool:
    return before is not None and before.fingerprint is not None and now < before.expires_at


def _decide(
    presented: Presented,
    row: tuple[Session, Texts] | None,
    denials: Denials,
    users: str,
    now: datetime,
) -> Outcome:
    claims = presented.claims
    found, texts = None, ()
    if row is not None:
        session, texts = row
        found = session, denylist.refuse(denials, claims, begun_at=session.started_at)
    try:
        session = presented.run(partial(decide, claims, found, now=now))
    except DatabaseError:
        raise
    except Exception as error:
        # A rule that raises for one user must not keep the others from being judged.
        return error
    fingerprint = _fingerprint(claims, texts, denials) if texts else None
    return Accepted(fingerprint, session.expires_at, users)


def _fingerprint(claims: Claims, texts: Texts, denials: Denials) -> int:
    # With the token: a renewed connection has another one, and the same rows.
    return hash((claims.jti, texts, denials))
