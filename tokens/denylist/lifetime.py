"""How long a denial matters. The one place for this rule."""

from datetime import datetime, timedelta

from ..conf import conf


def last_accepted(expires_at: datetime) -> datetime:
    """
    Return the instant after which no host accepts a token that expires at ``expires_at``.

    Two leeways: one that the host grants, and one for its clock, which may be as far behind.
    """
    return expires_at + 2 * conf.TOKENS_LEEWAY


def longest_accepted() -> timedelta:
    """Return how long an access token issued now can be accepted, by any host's clock."""
    # Within the grace, the same pair is given again with a freshly dated access token.
    return conf.TOKENS_ACCESS_LIFETIME + conf.TOKENS_REFRESH_GRACE + 2 * conf.TOKENS_LEEWAY
