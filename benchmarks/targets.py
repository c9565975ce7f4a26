"""The target ratios of this project. docs/performance.md shows each with the measured one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A limit on the ratio ``one`` ÷ ``other`` in a row, per engine, SQLite first."""

    says: str
    row: str
    one: str
    other: str
    limits: tuple[float, float]
    at_least: bool = False


TARGETS = [
    Target(
        "`authenticate()` strict ÷ simplejwt, seen before",
        "authenticate, seen before",
        "latchkey",
        "simplejwt",
        (0.25, 0.5),
    ),
    Target(
        "the same, with tokens never seen before",
        "authenticate, never seen",
        "latchkey",
        "simplejwt",
        (0.4, 0.6),
    ),
    Target(
        "`authenticate()` snapshot ÷ simplejwt's stateless class, seen before",
        "authenticate, seen before",
        "snapshot",
        "simplejwt-stateless",
        (0.25, 0.25),
    ),
    Target(
        "a view that needs the user's key: snapshot ÷ no authentication",
        "whole view",
        "snapshot",
        "none",
        (1.10, 1.10),
    ),
    Target(
        "the same, with its URL and middleware",
        "whole request",
        "snapshot",
        "none",
        (1.10, 1.10),
    ),
    Target(
        "HTTP requests per second: strict ÷ simplejwt",
        "HTTP, seconds per request",
        "simplejwt",
        "latchkey",
        (1.3, 1.3),
        at_least=True,
    ),
    Target(
        "HTTP requests per second: snapshot ÷ no authentication",
        "HTTP, seconds per request",
        "none",
        "snapshot",
        (0.9, 0.9),
        at_least=True,
    ),
    Target(
        "`GET /api/me/` of this project ÷ a view of a bare DRF project",
        "GET /api/me/",
        "latchkey",
        "a bare view",
        (2.2, 2.2),
    ),
    Target(
        "`GET /api/me/` over HTTP, requests per second: this project ÷ a bare one with simplejwt",
        "the project over HTTP, seconds per request",
        "simplejwt",
        "latchkey",
        (1.1, 1.1),
        at_least=True,
    ),
    Target(
        "refresh ÷ simplejwt with rotation and blacklist",
        "refresh",
        "latchkey",
        "simplejwt-blacklist",
        (0.3, 0.3),
    ),
    Target("refresh ÷ allauth", "refresh", "latchkey", "allauth", (0.6, 0.6)),
    Target(
        "sign-in without the hash ÷ simplejwt with its blacklist app",
        "sign-in, without the hash",
        "latchkey",
        "simplejwt-blacklist",
        (0.7, 0.7),
    ),
    Target(
        "a whole sign-in with a quick hash and the limits ÷ simplejwt with its blacklist app",
        "sign-in, whole view with a quick hash",
        "latchkey",
        "simplejwt-blacklist",
        (2.0, 2.0),
    ),
    Target(
        "the same ÷ simplejwt with `UPDATE_LAST_LOGIN` too",
        "sign-in, whole view with a quick hash",
        "latchkey",
        "simplejwt-blacklist, with last_login",
        (2.0, 2.0),
    ),
    Target(
        "prune expired rows ÷ simplejwt's `flushexpiredtokens`",
        "prune expired rows",
        "latchkey",
        "simplejwt-blacklist",
        (0.5, 0.5),
    ),
    Target(
        "sign-in p99 during a prune ÷ without one",
        "sign-in with Argon2 beside a prune, p99",
        "latchkey",
        "latchkey, none going on",
        (2.0, 2.0),
    ),
    Target(
        "the same, without the hash",
        "sign-in without the hash beside a prune, p99",
        "latchkey",
        "latchkey, none going on",
        (2.0, 2.0),
    ),
]

BY_SIZE = "by size, "
FLAT = 1.3
FLAT_ROWS = (
    "authenticate",
    "refresh",
    "admin: sessions",
    "admin: denylist",
    "admin: search by jti",
)
