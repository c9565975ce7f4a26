"""``explain`` finds every reason why a request with a token would be refused."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.utils import timezone

from tests.support.grace import rotate_twice
from tests.support.hiding import hide_users
from tokens import denylist, keyring, sessions
from tokens.conf import conf
from tokens.errors import TokenError
from tokens.jose import TokenType, jti_of
from tokens.models import DeniedToken, EndReason, Session, SigningKey
from tokens.operations import revocation
from tokens.operations.explanation import STEPS, Explanation, explain

pytestmark = pytest.mark.django_db


def found(explanation: Explanation) -> dict[str, str]:
    return {step.name: step.found for step in explanation.steps}


def refusals(explanation: Explanation) -> list[str]:
    return [step.name for step in explanation.steps if step.passed is False]


def forged(pair: sessions.TokenPair, *, key: str | None = None, **changes: Any) -> str:
    """Return the access token with other claims, signed by ``key`` or by the ring's key."""
    members = jwt.decode(pair.raw_access, options={"verify_signature": False})
    header = jwt.get_unverified_header(pair.raw_access)
    for name in ("kid", "typ"):
        header[name] = changes.pop(name, header[name])
    material = key or keyring.signing_key().material
    return jwt.encode({**members, **changes}, material, algorithm="HS256", headers=header)


def refusal_of_a_request(raw_token: str) -> str:
    try:
        sessions.verify(raw_token)
    except TokenError as error:
        return str(error)
    return ""


def deny(value: str, kind: DeniedToken.Kind, by: Any) -> None:
    until = timezone.now() + timedelta(hours=1)
    denylist.deny([(value, None)], kind=kind, reason="laptop stolen", by=by, until=until)


def end(pair: sessions.TokenPair, user: Any) -> str:
    sessions.end([pair.session], reason=EndReason.REVOKED, note="laptop stolen", by=user)
    return pair.raw_access


def rotated_twice(pair: sessions.TokenPair, user: Any) -> str:
    rotate_twice(pair)
    return pair.raw_refresh


def after(change: Callable[[sessions.TokenPair, Any], Any]) -> Callable[..., str]:
    def make(pair: sessions.TokenPair, user: Any) -> str:
        change(pair, user)
        return pair.raw_access

    return make


def deactivate(pair: sessions.TokenPair, user: Any) -> None:
    type(user).objects.filter(pk=user.pk).update(is_active=False)


def change_password(pair: sessions.TokenPair, user: Any) -> None:
    type(user).objects.filter(pk=user.pk).update(password="another")


def revoke_key(pair: sessions.TokenPair, user: Any) -> None:
    plan = keyring.plan_rotation(revoke_previous=True)
    keyring.rotate(plan, by=user, reason="laptop stolen")


def bring_to_its_limit(pair: sessions.TokenPair, user: Any) -> None:
    limit = timezone.now() - timedelta(hours=1)
    Session.objects.update(idle_until=limit, expires_at=limit)


KINDS = DeniedToken.Kind


# How a token is made invalid, the steps that refuse it, and their messages.
CASES: dict[str, tuple[Callable[[sessions.TokenPair, Any], str], list[str], str]] = {
    "a good access token": (lambda pair, user: pair.raw_access, [], ""),
    "a good refresh token": (lambda pair, user: pair.raw_refresh, [], ""),
    "garbage": (lambda pair, user: "garbage", ["format"], "three base64url parts"),
    "an unknown key": (lambda pair, user: forged(pair, kid="other"), ["key"], "no key has"),
    "a kid that cannot be stored": (lambda pair, user: forged(pair, kid="\0"), ["key"], "no key"),
    "a revoked key": (after(revoke_key), ["key"], "by ada: laptop stolen"),
    "a forgery": (
        lambda pair, user: forged(pair, key="x" * 32),
        ["signature"],
        "did not sign this token",
    ),
    "another type": (lambda pair, user: forged(pair, typ="JWT"), ["type"], "typ"),
    "a float for exp": (lambda pair, user: forged(pair, exp=1e10), ["type"], "exp"),
    "another issuer": (lambda pair, user: forged(pair, iss="evil"), ["issuer"], "'evil'"),
    "an expired token": (lambda pair, user: forged(pair, exp=1, iat=1), ["expiry"], "1970-"),
    "a token of the future": (lambda pair, user: forged(pair, iat=2**33), ["expiry"], "future"),
    "a denied token": (
        after(
            lambda pair, user: deny(
                jti_of(pair.session.pk, pair.session.generation, TokenType.ACCESS),
                KINDS.TOKEN,
                user,
            )
        ),
        ["denylist"],
        "by ada: laptop stolen",
    ),
    "a denied key": (
        after(lambda pair, user: deny(pair.session.kid, KINDS.KEY, user)),
        ["denylist"],
        "by ada: laptop stolen",
    ),
    "an ended session": (end, ["denylist", "session"], "revoked"),
    "a session over": (after(bring_to_its_limit), ["session"], "absolute limit"),
    "a rotated refresh token": (rotated_twice, ["session"], "generation 2 since"),
    "a pruned session": (
        after(lambda pair, user: Session.objects.all().delete()),
        ["session"],
        "does not exist",
    ),
    "another user's sub": (lambda pair, user: forged(pair, sub="1"), ["user"], "'1'"),
    "an inactive user": (after(deactivate), ["user"], "not active"),
    "another password": (after(change_password), ["user"], "has changed"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_refusal_is_found_at_its_step_and_decided_as_for_a_request(
    user: Any, case: str
) -> None:
    make, steps, words = CASES[case]
    raw_token = make(sessions.start(user), user)
    explanation = explain(raw_token)
    assert explanation.refusal == refusal_of_a_request(raw_token)
    assert refusals(explanation) == steps
    assert explanation.accepted is not bool(steps)
    assert [step.name for step in explanation.steps] == list(STEPS)
    if steps:
        assert words in found(explanation)[steps[-1]] + found(explanation)[steps[0]]
    assert raw_token not in repr(explanation)


def test_all_the_reasons_are_seen(user: Any) -> None:
    pair = sessions.start(user)
    end(pair, user)
    deactivate(pair, user)
    later = timezone.now() + conf.TOKENS_ACCESS_LIFETIME + conf.TOKENS_LEEWAY
    explanation = explain(pair.raw_access, now=later)
    assert refusals(explanation) == ["expiry", "denylist", "session", "user"]


def test_a_step_that_was_not_reached_is_no_step_that_passed(user: Any) -> None:
    explanation = explain(forged(sessions.start(user), key="x" * 32))
    passed = [step.passed for step in explanation.steps]
    assert passed == [True, True, False, None, None, None, None, None, None]


@pytest.mark.parametrize("target", ["everything", "of_user"])
def test_a_cut_off_is_named_with_its_reason(user: Any, target: str) -> None:
    pair = sessions.start(user)
    words = ["ada"] if target == "of_user" else []
    revocation.carry_out(getattr(revocation, target)(*words), note="backup lost")
    whose = "of the user" if words else "of all users"
    explanation = explain(pair.raw_access)
    assert f"every session {whose} before" in found(explanation)["denylist"]
    assert "revoked: backup lost" in found(explanation)["denylist"]
    assert explanation.refusal == refusal_of_a_request(pair.raw_access)


def test_a_key_that_only_verifies_says_until_when(user: Any) -> None:
    pair = sessions.start(user)
    keyring.rotate(keyring.plan_rotation())
    row = SigningKey.objects.get(state="retired")
    key = found(explain(pair.raw_access))["key"]
    assert row.kid in key
    assert "only verifies" in key
    assert f"until {row.verifies_until:%Y-%m-%dT%H:%M}" in key


def nobody(user: Any) -> bool:
    return False


def test_the_projects_own_rule_is_named(user: Any, settings: Any) -> None:
    pair = sessions.start(user)
    settings.TOKENS_USER_RULE = f"{__name__}.nobody"
    (step,) = [step for step in explain(pair.raw_access).steps if step.passed is False]
    assert step.name == "user"
    assert step.found.startswith("TOKENS_USER_RULE does not let ada")


def test_a_user_whom_the_default_manager_hides_is_named(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = sessions.start(user)
    hide_users(monkeypatch, username="ada")
    (step,) = [step for step in explain(pair.raw_access).steps if step.passed is False]
    assert step.name == "user"
    assert step.found.startswith("the default manager of the user model hides ada")
