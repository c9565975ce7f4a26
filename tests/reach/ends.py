"""Ten ways to end a session or a token, through the door that people use."""

import time
from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model

from tests.support.processes import Answer, Site
from tokens import keyring, sessions
from tokens.keyring import ring
from tokens.models import EndReason
from tokens.sessions import TokenPair

PASSWORD = "correct horse battery staple"


class Story:
    """A user with two sessions. The first, or its access token, is about to end."""

    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        self.user: Any = get_user_model().objects.create_user(name, password=PASSWORD)
        self.pair, self.other = sessions.start(self.user), sessions.start(self.user)

    @property
    def token(self) -> str:
        return self.pair.raw_access

    def post(self, path: str, pair: TokenPair, expected: int, **body: str) -> Answer:
        answer = self.site.ask(path, body=body, raw_access=pair.raw_access)
        assert answer.status == expected, (path, answer.status, answer.body)
        return answer


def sign_out(story: Story) -> None:
    story.post("/api/logout/", story.pair, 204)


def sign_out_everywhere(story: Story) -> None:
    story.post("/api/logout/all/", story.other, 204)


def own_session(story: Story) -> None:
    story.site.delete(f"/api/sessions/{story.pair.session.pk}/", story.other.raw_access)


def access_token(story: Story) -> None:
    story.post("/api/token/revoke/", story.other, 200, token=story.token)


def staff(story: Story) -> None:
    sessions.end([story.pair.session], reason=EndReason.REVOKED, note="lost phone")


def reuse(story: Story) -> None:
    """The last request is the one that ends it: those before are made by ``prepare_reuse``."""
    refresh = story.pair.raw_refresh
    answer = story.site.ask("/api/token/refresh/", body={"refresh": refresh})
    assert answer.status == 401, answer.body


def prepare_reuse(story: Story) -> None:
    refresh = story.pair.raw_refresh
    for _ in range(2):
        answer = story.site.ask("/api/token/refresh/", body={"refresh": refresh})
        assert answer.status == 200, answer.body
        refresh = answer.json()["refresh"]


def password_change(story: Story) -> None:
    body = {"current_password": PASSWORD, "new_password": "a quite different one 27"}
    story.post("/api/me/password/", story.other, 200, **body)


def deactivation(story: Story) -> None:
    story.user.is_active = False
    story.user.save()


def deletion(story: Story) -> None:
    story.user.delete()


def key_revoked(story: Story) -> None:
    keyring.rotate(keyring.plan_rotation(revoke_previous=True))


def prepare_key_revoked(story: Story) -> None:
    """Two rotations within this time are a mistake, and the second is refused."""
    time.sleep(ring.SIGNER_MAX_AGE + 0.1)


ENDS: dict[str, Callable[[Story], None]] = {
    "sign out": sign_out,
    "sign out everywhere": sign_out_everywhere,
    "own session": own_session,
    "access token": access_token,
    "staff": staff,
    "reuse": reuse,
    "password change": password_change,
    "deactivation": deactivation,
    "deletion": deletion,
    "key revoked": key_revoked,
}
PREPARED = {"reuse": prepare_reuse, "key revoked": prepare_key_revoked}
ONE_AT_A_TIME = {"key revoked"}  # It ends everybody's sessions.
