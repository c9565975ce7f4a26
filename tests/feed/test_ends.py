"""Each way to end a session or token is in the feed, at the next reading and by an increment."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tests.feed.reader import Reader
from tests.support.grace import be_used
from tokens import clock, keyring, sessions
from tokens.errors import TokenError
from tokens.models import EndReason
from tokens.operations import revocation
from tokens.sessions import TokenPair

Poll = Callable[[], dict[str, Any]]


class Story:
    """A user with two sessions, of which the second is used to end the first."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.pair, self.other = sessions.start(user), sessions.start(user)

    def call(self, method: str, path: str, pair: TokenPair, **body: Any) -> None:
        api = APIClient()
        api.credentials(HTTP_AUTHORIZATION=f"Bearer {raw(pair)}")
        answer = getattr(api, method)(path, body or None)
        assert answer.status_code < 300, answer.content


def raw(pair: TokenPair) -> str:
    return pair.raw_access.reveal() if hasattr(pair.raw_access, "reveal") else pair.raw_access


def sign_out(story: Story) -> None:
    story.call("post", "/api/logout/", story.pair)


def sign_out_everywhere(story: Story) -> None:
    story.call("post", "/api/logout/all/", story.other)


def end_own_session(story: Story) -> None:
    story.call("delete", f"/api/sessions/{story.pair.session.pk}/", story.other)


def revoke_access_token(story: Story) -> None:
    story.call("post", "/api/token/revoke/", story.other, token=raw(story.pair))


def revoke_by_staff(story: Story) -> None:
    sessions.end([story.pair.session], reason=EndReason.REVOKED, note="stolen")


def sign_out_by_staff(story: Story) -> None:
    sessions.revoke_user(story.user, note="left")


def reuse(story: Story) -> None:
    now = clock.now()
    for seconds in (0, 0, 60):
        be_used(story.pair)
        try:
            sessions.refresh(story.pair.raw_refresh, now=now + timedelta(seconds=seconds))
        except TokenError:
            return
    raise AssertionError("no reuse")


def change_password(story: Story) -> None:
    body = {"current_password": PASSWORD, "new_password": "a quite different one 27"}
    story.call("post", "/api/me/password/", story.other, **body)


def deactivate(story: Story) -> None:
    story.user.is_active = False
    story.user.save()


def delete(story: Story) -> None:
    get_user_model().objects.get(pk=story.user.pk).delete()


def revoke_the_key(story: Story) -> None:
    keyring.rotate(keyring.plan_rotation(revoke_previous=True))


def revoke_everything(story: Story) -> None:
    revocation.carry_out(revocation.everything(), note="leak")


WAYS = (
    sign_out,
    sign_out_everywhere,
    end_own_session,
    revoke_access_token,
    revoke_by_staff,
    sign_out_by_staff,
    reuse,
    change_password,
    deactivate,
    delete,
    revoke_the_key,
    revoke_everything,
)


@pytest.mark.parametrize("end", WAYS, ids=lambda way: way.__name__)
def test_an_end_is_in_the_next_increment(
    end: Callable[[Story], None], user: Any, reader: Reader, poll: Poll
) -> None:
    bystander = sessions.start(get_user_model().objects.create_user("bob", password=PASSWORD))
    story = Story(user)
    assert poll()["from"] is None
    assert not reader.refuses(raw(story.pair))
    end(story)
    reader.jwks = keyring.jwks()  # The key may be another one.
    payload = poll()
    assert payload["from"] is not None
    assert reader.refuses(raw(story.pair))
    is_for_all = end in {revoke_the_key, revoke_everything}
    assert reader.refuses(raw(bystander)) is is_for_all
    # Whoever begins now has the same list.
    another = Reader(keyring.jwks())
    another.apply(APIClient().get("/api/denials/").content.decode())
    assert another.denied == reader.denied


def test_a_password_change_refuses_the_former_tokens_of_the_session_that_continues(
    user: Any, reader: Reader, poll: Poll, frozen_clock: Any
) -> None:
    first = sessions.start(user)
    second = sessions.refresh(first.raw_refresh)
    poll()
    user.set_password("a quite different one 27")
    third = sessions.change_password(user, keep=first.session.pk)
    poll()
    assert reader.refuses(raw(first))
    assert reader.refuses(raw(second))
    assert not reader.refuses(raw(third))
    frozen_clock.shift(timedelta(minutes=1))
    fourth = sessions.refresh(third.raw_refresh)
    poll()
    assert not reader.refuses(raw(fourth))


def test_without_a_grace_a_password_change_refuses_all_earlier_tokens_of_the_user(
    user: Any, reader: Reader, poll: Poll, settings: Any, frozen_clock: Any
) -> None:
    settings.TOKENS_REFRESH_GRACE = timedelta(0)
    pair = sessions.start(user)
    former = [pair]
    for _ in range(150):
        frozen_clock.shift(timedelta(seconds=1))
        pair = sessions.refresh(pair.raw_refresh)
        former.append(pair)
    poll()
    user.set_password("a quite different one 27")
    following = sessions.change_password(user, keep=pair.session.pk)
    poll()
    assert all(reader.refuses(raw(one)) for one in former)
    # Refused although it is good, until its first refresh after the leeway.
    assert reader.refuses(raw(following))
    frozen_clock.shift(timedelta(seconds=11))
    following = sessions.refresh(following.raw_refresh)
    poll()
    assert not reader.refuses(raw(following))


def test_the_end_of_very_many_sessions_of_a_user_is_a_cut_off(
    user: Any, reader: Reader, poll: Poll, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokens.sessions.ending.BATCH_SIZE", 3)
    pairs = [sessions.start(user) for _ in range(5)]
    poll()
    user.is_active = False
    user.save()
    payload = poll()
    assert [cut["sub"] for cut in payload["cut_offs"]] == [str(user.pk)]
    assert not payload["denied"]["sid"]
    assert all(reader.refuses(raw(pair)) for pair in pairs)


def test_a_user_who_signs_in_after_a_cut_off_is_accepted_at_the_first_refresh_after_the_leeway(
    user: Any, reader: Reader, poll: Poll, frozen_clock: Any
) -> None:
    sessions.revoke_user(user, note="lost phone")
    pair = sessions.start(user)
    poll()
    assert reader.refuses(raw(pair))  # It fails closed.
    frozen_clock.shift(timedelta(seconds=11))
    pair = sessions.refresh(pair.raw_refresh)
    poll()
    assert not reader.refuses(raw(pair))


def test_what_no_longer_matters_is_forgotten_by_both_sides(
    user: Any, reader: Reader, poll: Poll, frozen_clock: Any
) -> None:
    story = Story(user)
    sign_out(story)
    sign_out_by_staff(story)
    assert poll()["count"] == 3
    frozen_clock.shift(timedelta(minutes=7))
    assert poll()["count"] == 0
    assert reader.denied == {}
