"""A site with old and new sessions, for tests of pages full of rows."""

from contextlib import suppress
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.utils import timezone

from tests.support.grace import be_used
from tokens import sessions
from tokens.errors import RefreshTokenReused
from tokens.models import EndReason, Session
from tokens.sessions import TokenPair

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)
PEOPLE = ("ada", "alan", "barbara", "donald", "edsger", "frances", "katherine", "radia")


def live_in() -> dict[str, TokenPair]:
    """Sign PEOPLE in, some long ago, with one incident and one sign-out; return pairs by name."""
    now = timezone.now()
    users = get_user_model().objects
    pairs = {}
    for at, name in enumerate(PEOPLE):
        user = users.filter(username=name).first() or users.create_user(
            name, f"{name}@example.org", "correct horse battery staple"
        )
        for ago in range(at % 4 + 1):
            client = sessions.Client(f"192.0.2.{10 * at + ago}", (FIREFOX, SAFARI, CHROME)[ago % 3])
            began = now - timedelta(days=ago * 3, hours=at)
            pairs[name] = sessions.start(user, client=client, now=began)
    stolen = pairs["radia"]
    owner = sessions.Client("2001:db8::17", SAFARI)
    be_used(sessions.refresh(stolen.raw_refresh, client=owner, now=now))
    with suppress(RefreshTokenReused):
        sessions.refresh(
            stolen.raw_refresh,
            client=sessions.Client("203.0.113.99", CHROME),
            now=now + timedelta(minutes=1),
        )
    katherine = Session.objects.filter(user__username="katherine")[:1]
    sessions.end(katherine, reason=EndReason.LOGOUT, client=sessions.Client("192.0.2.60"))
    return pairs
