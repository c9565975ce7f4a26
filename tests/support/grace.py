"""Let a session's current pair be older than the grace, or seen in use, without waiting for either."""

from datetime import timedelta

from django.db.models import F

from tokens import sessions
from tokens.models import Session
from tokens.sessions import TokenPair


def end_grace(pair: TokenPair) -> None:
    """Let the session's last rotation be a minute older, so that the next refresh rotates again."""
    earlier = F("refreshed_at") - timedelta(minutes=1)
    Session.objects.filter(pk=pair.session.pk).update(refreshed_at=earlier)


def be_used(pair: TokenPair) -> None:
    """Let the session's current pair be seen in use, so that its answer was not lost."""
    Session.objects.filter(pk=pair.session.pk).update(seen=True)


def rotate_twice(pair: TokenPair) -> TokenPair:
    """Return the pair after two rotations: then the refresh token of ``pair`` is a reuse."""
    second = sessions.refresh(pair.raw_refresh)
    end_grace(second)
    return sessions.refresh(second.raw_refresh)
