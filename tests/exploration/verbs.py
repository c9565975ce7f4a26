"""What a player can do: each verb calls ``tokens`` as a view or a command does."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.hashers import make_password

from tokens import keyring, sessions
from tokens.api.password_views import _save
from tokens.errors import PasswordChanged
from tokens.jose import TokenType
from tokens.models import EndReason, Session
from tokens.operations import pruning
from tokens.secret import Secret
from tokens.sessions import TokenPair, seen
from tokens.sessions.receivers import password_attempt, was_outdated

from .player import Player, Verb

NAME = "ada"

P = ParamSpec("P")


def _verb(function: Callable[Concatenate[Player, P], None]) -> Callable[P, Verb]:
    """Return a function that takes all arguments but the first, and returns what waits for that."""

    @wraps(function)
    def make(*args: P.args, **kwargs: P.kwargs) -> Verb:
        return lambda me: function(me, *args, **kwargs)

    return make


# Clients. ``of`` and ``to`` name the store whose tokens are used, and which gets the answer.


@_verb
def sign_in(me: Player, to: str, password: str = "old") -> None:
    def work() -> TokenPair:
        with password_attempt(password):
            user = authenticate(username=NAME, password=password)
        if user is None or was_outdated(user):
            raise PasswordChanged("The password is wrong.")
        return sessions.start(user, client=me.client)

    if pair := me.act(f"sign in with the {password} password", work):
        after = frozenset(fact.what for fact in me.knew)
        me.store(me.world.hand_out(pair, password=password, signed_in_after=after), to)


@_verb
def refresh(
    me: Player, of: str, to: str = "", *, lost: bool = False, at_once: bool = False
) -> None:
    """The answer may be lost, or arrive at once: before anybody else acts."""
    held = me.world.held[of]
    work = partial(sessions.refresh, held.raw_refresh, client=me.client)
    pair = me.act(f"refresh {held}", work, uses=held)
    if not pair:
        return
    record = [name for name, sid, _ in me.process.events if sid == held.sid]
    if not {("session_refreshed",), ("refresh_repeated",)} & {tuple(record[:1])}:
        me.world.violate(f"{me.name}: refresh {held} is on record as {record}")
    new = me.world.hand_out(pair, of=held)
    if at_once:
        me.world.held[to or of] = new
    elif not lost:
        me.store(new, to or of)


@_verb
def call(me: Player, of: str) -> None:
    """Do nothing if there is no token, because the sign-in was refused."""
    if held := me.world.held.get(of):
        work = partial(sessions.authenticate, held.raw_access)
        me.act(f"call with {held}", work, uses=held, type=TokenType.ACCESS)


@_verb
def revoke(me: Player, of: str) -> None:
    held = me.world.held[of]
    work = partial(sessions.revoke, held.raw_refresh, client=me.client)
    if me.act(f"revoke {held}", work, uses=held):
        me.ended(held.sid)


@_verb
def revoke_access(me: Player, of: str) -> None:
    mine = me.world.held[of]
    work = partial(sessions.revoke, mine.raw_access, client=me.client)
    if me.act(f"revoke the access token {mine}", work, uses=mine):
        same = (mine.sid, mine.generation, TokenType.ACCESS)
        me.answer(
            f"access token {mine} was denied",
            lambda held, type: (held.sid, held.generation, type) == same,
        )


@_verb
def change_password(me: Player, of: str, new: str = "new") -> None:
    """Change the password as the view does."""
    held = me.world.held[of]

    def work() -> TokenPair:
        user: Any = sessions.authenticate(held.raw_access).user
        save = partial(_save, user, Secret(new), checked=user.password)
        return sessions.change_password(user, keep=held.sid, save=save, client=me.client)

    if pair := me.act(f"change the password with {held}", work, uses=held):
        _former_password_ends(me, held.password)
        me.store(me.world.hand_out(pair, of=held, password=new), of)


@_verb
def wait(me: Player, seconds: float) -> None:
    """Let time pass for everybody."""
    me.pause(f"{seconds:g} seconds pass")
    me.world.processes.seconds += seconds


@_verb
def late(me: Player, seconds: float) -> None:
    """Let the next requests arrive so many seconds later than those of others."""
    me.process.offset = seconds


@_verb
def steal(me: Player, of: str, to: str) -> None:
    me.world.held[to] = me.world.held[of]


@_verb
def write_notes(me: Player) -> None:
    """Write what this process has noted as seen, as its thread does within a second."""
    me.act("write notes", seen.flush)


@_verb
def rolled_back(me: Player, *verbs: Verb) -> None:
    me.roll_back(verbs)


# Staff and operators


@_verb
def end(me: Player, *of: str) -> None:
    """End these sessions in one transaction."""
    sids = [me.world.held[name].sid for name in of]
    rows = Session.objects.filter(pk__in=sids)
    me.act("end sessions", lambda: sessions.end(rows, reason=EndReason.REVOKED))
    for sid in sids:
        me.ended(sid)


@_verb
def end_all(me: Player) -> None:
    known = {held.sid for held in me.world.handed}
    me.act("end all sessions", lambda: sessions.end_all(_user(), reason=EndReason.REVOKED))
    for sid in known:
        me.ended(sid)


@_verb
def revoke_user(me: Player) -> None:
    known = {held.sid for held in me.world.handed}
    me.act("revoke the user's sessions", lambda: sessions.revoke_user(_user(), note="staff"))
    me.answer("the user was revoked", lambda held, type: held.sid in known, sweeping=True)


@_verb
def revoke_everything(me: Player) -> None:
    known = {held.sid for held in me.world.handed}
    me.act("revoke everything", lambda: sessions.revoke_everything(note="operator"))
    me.answer(
        "everything was revoked", lambda held, type: held.sid in known, ends=False, sweeping=True
    )


@_verb
def set_password(me: Player, new: str = "new", former: str = "old") -> None:
    def work() -> None:
        user = _user()
        user.set_password(new)
        user.save()

    me.act("set a new password", work)
    _former_password_ends(me, former)


@_verb
def deactivate(me: Player) -> None:
    def work() -> None:
        user = _user()
        user.is_active = False
        user.save(update_fields=["is_active"])

    me.act("deactivate the user", work)
    me.answer("the user was deactivated", lambda held, type: True, lasts=False)


@_verb
def delete(me: Player) -> None:
    me.act("delete the user", lambda: _user().delete())
    me.answer("the user was deleted", lambda held, type: True, lasts=False)


@_verb
def rotate_secret(me: Player, *, revoke_previous: bool = False) -> None:
    def work() -> Any:
        plan = keyring.plan_rotation(revoke_previous=revoke_previous)
        keyring.rotate(plan)
        return plan

    if plan := me.act("rotate the secret", work):
        revoked = set(plan.revoked)
        me.answer("the key was revoked", lambda held, type: bool(held.kids & revoked), ends=False)


@_verb
def prune(me: Player) -> None:
    me.act("prune", pruning.prune)


@_verb
def outdate_hash(me: Player) -> None:
    """Store the same password as a hash that the next sign-in replaces, and keep the sessions."""
    user = _user()
    user.password = make_password("old", "short")
    get_user_model().objects.update(password=user.password)
    Session.objects.update(auth_hash=user.get_session_auth_hash())


def _former_password_ends(me: Player, former: str) -> None:
    me.answer("the password was changed", lambda held, type: held.password == former, lasts=False)


def _user() -> Any:
    return get_user_model().objects.get(username=NAME)
