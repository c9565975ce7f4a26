"""Who does what at the same time."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from .player import Verb
from .processes import copy
from .search import Scenario
from .verbs import (
    call,
    change_password,
    deactivate,
    delete,
    end,
    end_all,
    late,
    outdate_hash,
    prune,
    refresh,
    revoke,
    revoke_access,
    revoke_everything,
    revoke_user,
    rolled_back,
    rotate_secret,
    set_password,
    sign_in,
    steal,
    wait,
    write_notes,
)

OVER = 31.0  # seconds after which the grace is over

# Before
SIGNED_IN = (sign_in("page"),)
TWO = (sign_in("page"), sign_in("phone"))
ENDED = (sign_in("old"), revoke("old")) * 3
LONG_AGO = (*ENDED, wait(100 * 86400.0))
# The refresh token is of a later generation, and will be rotated.
ROTATED = (sign_in("page"), wait(OVER), refresh("page"), wait(OVER))
LOST = (*ROTATED, steal("page", "queue"), refresh("page", lost=True))
ENDING_GRACE = (*ROTATED, refresh("page"), wait(29))
SHARED = (*ROTATED, steal("page", "thief"))
# The thief has what was superseded, and the page has used its successor.
OUTDATED = (
    *(sign_in("page"), steal("page", "thief")),
    *(refresh("page"), call("page"), write_notes(), wait(OVER)),
)

# Meanwhile
CALL = (call("page"),)
REFRESH = (refresh("page"),)
PAGE = (refresh("page"), call("page"))
NOTED = (*PAGE, write_notes())
PHONE = (refresh("phone"), call("phone"))
THIEF = (refresh("thief"), call("thief"))
NEW = (sign_in("phone"), call("phone"))
NEWER = (sign_in("tablet"), call("tablet"))
REVOKE = (revoke("page"),)
CHANGE = (change_password("page"), call("page"))
REVOKE_KEYS = (rotate_secret(revoke_previous=True),)
QUEUE = (refresh("queue", "page"),)
AT_ONCE = refresh("page", at_once=True)
# A process in snapshot mode reads its copy, and reads it again when the bound has passed.
READ = (call("page"), wait(2), call("page"))

LATE_ANSWER = "an answer arrives late, after another call has rotated"


def _meanwhile(name: str, verb: Verb, **more: Any) -> Scenario:
    """Return a scenario in which staff do something while a client signs in and one refreshes."""
    return Scenario(name, SIGNED_IN, {"staff": (verb,), "phone": NEW, "page": PAGE}, **more)


def _snapshot(
    name: str, before: Sequence[Verb], only_on: str = "", **actors: Sequence[Verb]
) -> Scenario:
    """Return a scenario in snapshot mode with a bound of one second."""
    settings = {
        "TOKENS_DENYLIST_MODE": "snapshot",
        "TOKENS_DENYLIST_MAX_STALENESS": timedelta(seconds=1),
    }
    return Scenario(f"snapshot: {name}", before, actors, settings=settings, only_on=only_on)


TABS = ("tab 1", "tab 2", "tab 3", "page")  # Tabs have the store of the page.
REFRESHES = [
    Scenario("two tabs refresh", SIGNED_IN, {"tab 1": NOTED, "tab 2": NOTED}, TABS),
    Scenario(
        "three calls in flight refresh",
        ROTATED,
        {"tab 1": NOTED, "tab 2": PAGE, "tab 3": REFRESH * 2},
        TABS,
    ),
    Scenario(
        "a lost answer is asked for again, late",
        (*LOST, wait(10 * OVER)),
        {"tab 1": (*QUEUE, call("page"), write_notes()), "tab 2": QUEUE},
        TABS,
    ),
    Scenario(
        "queued calls use a superseded token, late in the grace",
        (*LOST, wait(20)),
        {"tab 1": (*QUEUE, *CALL, write_notes(), *REFRESH), "tab 2": (late(20), *QUEUE)},
        TABS,
    ),
    Scenario(
        "a pair is given again while another call rotates",
        ENDING_GRACE,
        {"tab 1": (late(2), AT_ONCE, *CALL, write_notes()), "tab 2": (AT_ONCE,)},
        TABS,
    ),
    Scenario("the owner and a thief refresh", SHARED, {"page": PAGE, "thief": THIEF}, ("page",)),
    Scenario("a thief is late", OUTDATED, {"page": PAGE, "thief": THIEF, "tab": CALL}),
    Scenario("two thieves are late", OUTDATED, {"thief": THIEF, "thief 2": THIEF, "tab": CALL}),
]
ENDS = [
    Scenario("a sign-out", ROTATED, {"tab 1": PAGE, "tab 2": REFRESH, "tab 3": REVOKE}),
    Scenario("two sign-outs", SIGNED_IN, {"tab 1": REVOKE, "tab 2": REVOKE, "page": PAGE}),
    Scenario(
        "an access token is revoked",
        ROTATED,
        {"tab 1": (revoke_access("page"), *CALL), "tab 2": PAGE, "tab 3": CALL},
    ),
    Scenario(
        "a sign-out is rolled back",
        ROTATED,
        {"staff": (rolled_back(revoke_access("page"), revoke("page")),), "page": PAGE},
    ),
    Scenario(
        "a reuse is rolled back",
        OUTDATED,
        {"thief": (rolled_back(refresh("thief")),), "page": PAGE},
    ),
    Scenario(
        "all sessions end",
        TWO,
        {"staff": (end_all(),), "phone": PHONE, "page": (sign_in("page"), call("page"))},
    ),
    _meanwhile("the sessions of a user are revoked", revoke_user()),
    _meanwhile("everything is revoked", revoke_everything()),
    Scenario(
        "sign-ins at the limit",
        SIGNED_IN,
        {"phone": NEW, "tablet": NEWER, "page": REVOKE},
        settings={"TOKENS_SESSIONS_PER_USER": 1},
    ),
    Scenario(
        "pruning by a clock that is an hour ahead",
        (*LONG_AGO, *TWO),
        {"operator": (late(3600), prune()), "page": (revoke_access("page"),), "phone": PHONE},
        honest=("phone",),
    ),
]
USERS = [
    _meanwhile("staff set a password", set_password()),
    _meanwhile("a deactivation", deactivate()),
    _meanwhile(
        "a deactivation is rolled back", rolled_back(deactivate()), honest=("phone", "page")
    ),
    _meanwhile("a deletion", delete()),
    Scenario("a password change and a thief", SHARED, {"page": CHANGE, "thief": THIEF}, ("page",)),
    Scenario(
        "a password change, a refresh and a sign-in",
        TWO,
        {"page": (change_password("page"), refresh("page")), "phone": PHONE, "tablet": NEWER},
        honest=("page",),
    ),
    Scenario(
        "two sessions change the password",
        TWO,
        {"page": CHANGE, "phone": (change_password("phone", "newer"),)},
    ),
    Scenario(
        "a deactivation, a password change and a sign-out",
        SIGNED_IN,
        {"staff": (deactivate(),), "page": CHANGE, "tab": REVOKE},
    ),
    Scenario(
        "two sign-ins store a better hash",
        (*SIGNED_IN, outdate_hash()),
        {"phone": NEW, "tablet": (sign_in("tablet"),), "page": PAGE},
        honest=("phone", "tablet", "page"),
    ),
]
KEYS = [
    _meanwhile("a rotation", rotate_secret(), honest=("staff", "phone", "page"), ring_age=2.0),
    Scenario(
        "two rotations",
        SIGNED_IN,
        {"operator": (rotate_secret(),), "operator 2": (rotate_secret(),), "page": PAGE},
        honest=("page",),
        ring_age=2.0,
    ),
    _meanwhile("the keys are revoked", *REVOKE_KEYS, ring_age=2.0),
    Scenario(
        "the keys are revoked during a password change",
        SIGNED_IN,
        {"operator": REVOKE_KEYS, "page": CHANGE},
        ring_age=2.0,
    ),
]
SNAPSHOT = [
    _snapshot("a sign-out", ROTATED, reader=READ, page=PAGE, tab=REVOKE),
    # Numbers are given in another order than commits on PostgreSQL only.
    _snapshot(
        "sign-outs commit in any order",
        (*TWO, *ENDED, sign_in("tablet")),
        "postgresql",
        reader=READ,
        page=REVOKE,
        staff=(end("phone", "tablet"),),
    ),
    _snapshot(
        "an access token is revoked and rolled back",
        SIGNED_IN,
        reader=READ,
        staff=(rolled_back(revoke_access("page")),),
    ),
    _snapshot("a password change", TWO, reader=READ, phone=(change_password("phone"),)),
    _snapshot("a password change and a thief", SHARED, reader=READ, page=CHANGE),
    _snapshot("everything is revoked", TWO, reader=READ, operator=(revoke_everything(),)),
    _snapshot("a deactivation", SIGNED_IN, reader=READ, staff=(deactivate(),)),
    _snapshot("a deletion", SIGNED_IN, reader=READ, staff=(delete(),)),
    _snapshot("the keys are revoked", SIGNED_IN, reader=READ, operator=REVOKE_KEYS),
    _snapshot(
        "pruning by a clock that is an hour ahead",
        (*LONG_AGO, *SIGNED_IN, steal("page", "tab"), revoke("tab")),
        reader=READ,
        operator=(late(3600), prune()),
    ),
]
LAST = [
    Scenario(
        LATE_ANSWER,
        ENDING_GRACE,
        {"tab 1": (late(2), *NOTED), "tab 2": REFRESH},
        TABS,
    )
]
STRICT = [*REFRESHES, *ENDS, *USERS, *KEYS]
SCENARIOS = {each.name: each for each in [*STRICT, *(SNAPSHOT if copy else []), *LAST]}
