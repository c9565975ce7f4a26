"""
Run the tests with every supported version of Python, Django, DRF and the database.

``nox`` runs everything, and ``nox -s "tests(py3.12-django6.1-drf3.18-sqlite)"`` one cell. ``nox -s
corners`` runs the tests that depend on versions most, with the oldest and with the newest ones.
``nox -s versions`` compares what a request costs. ``nox -l`` lists the sessions. Arguments after
``--`` replace the paths that pytest is given.

Each session installs requirements-dev.txt with the versions of Django and DRF replaced, so all else is
as ``make coverage`` has it.
"""

from itertools import product
from pathlib import Path
from typing import Any

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv"
nox.options.error_on_external_run = True
nox.options.error_on_missing_interpreters = True  # Otherwise a session would be skipped.
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["tests"]

# Which Django each Python runs, and which DRF has been released for each Django.
PYTHONS = {
    "3.11": ("5.2",),
    "3.12": ("5.2", "6.0", "6.1"),
    "3.13": ("5.2", "6.0", "6.1"),
    "3.14": ("5.2", "6.0", "6.1"),
}
DRFS = {"5.2": ("3.16", "3.17", "3.18"), "6.0": ("3.17", "3.18"), "6.1": ("3.18",)}
NOT_YET = {("3.14", "3.16")}  # DRF 3.17 is the first that names Python 3.14.
ENGINES = ("sqlite", "postgresql")

OLDEST = ("3.11", "5.2", "3.16")
NEWEST = ("3.13", "6.1", "3.18")  # 3.14 runs in `tests`, where it is installed.

CELLS = [
    (python, django, drf, engine)
    for python, djangos in PYTHONS.items()
    for django in djangos
    for drf, engine in product(DRFS[django], ENGINES)
    if (python, drf) not in NOT_YET
]
# One on each database, for `.ci/run`: `tests` has the others.
CORNERS = [(*OLDEST, "postgresql"), (*NEWEST, "sqlite")]

SUITE = (
    "tests/accounts",
    "tests/asgi",
    "tests/asynchronous",
    "tests/config",
    "tests/connections",
    "tests/feed",
    "tests/http",
    "tests/simplejwt_names",
    "tests/status_list",
    "tests/takeover",
    "tests/tickets",
    "tests/tokens",
    "tests/wire",
)
# What breaks first with another version: private names of Django, the admin, requests, and the answers
# of DRF. The packages of others (limits/test_doors.py) take minutes: `tests` has them.
CORE = (
    "tests/tokens/test_private_django.py",
    "tests/tokens/database/test_compiled_sql.py",
    "tests/tokens/database/test_lasting.py",
    "tests/tokens/test_uncached.py",
    "tests/tokens/test_instants.py",
    "tests/tokens/admin",
    "tests/tokens/sessions/test_query.py",
    "tests/tokens/sessions/test_receivers.py",
    "tests/tokens/snapshot/test_requests.py",
    "tests/accounts",
    "tests/tokens/api",
    "tests/http/test_bodies.py",
    "tests/http/test_charsets.py",
    "tests/wire/test_caching.py",
    "tests/wire/test_openapi.py",
    "tests/wire/test_simplejwt_contract.py",
)


def name_of(cell: tuple[str, str, str, str]) -> str:
    python, django, drf, engine = cell
    return f"py{python}-django{django}-drf{drf}-{engine}"


def matrix(cells: list[tuple[str, str, str, str]]) -> Any:
    return nox.parametrize(
        "python,django,drf,engine", [nox.param(*cell, id=name_of(cell)) for cell in cells]
    )


@nox.session
@matrix(CELLS)
def tests(session: nox.Session, django: str, drf: str, engine: str) -> None:
    """Run what `make coverage` runs of the app and the project, with one set of versions."""
    install(session, django, drf)
    run(session, engine, SUITE)


@nox.session
@matrix(CORNERS)
def corners(session: nox.Session, django: str, drf: str, engine: str) -> None:
    """Run the tests that depend on versions most, with the oldest and with the newest ones."""
    install(session, django, drf)
    run(session, engine, CORE)


@nox.session(python=NEWEST[0])
def versions(session: nox.Session) -> None:
    """Compare what a request costs with the newest Django and with the one that is pinned."""
    install(session, NEWEST[1], NEWEST[2])
    newest = f"{session.virtualenv.location}/bin/python"
    pinned = Path(session.create_tmp()) / "pinned"
    session.run("uv", "venv", "-q", "--clear", "-p", newest, str(pinned), external=True)
    python = f"{pinned}/bin/python"
    requirements = ("--no-verify-hashes", "-r", "requirements.txt")
    session.run("uv", "pip", "install", "-q", "-p", python, *requirements, external=True)
    session.run("python", "-m", "benchmarks.versions", python, newest)


def install(session: nox.Session, django: str, drf: str) -> None:
    replaced = Path(session.create_tmp()) / "versions.txt"
    replaced.write_text(f"django=={django}.*\ndjangorestframework=={drf}.*\n")
    # The hashes are those of the pinned versions.
    session.install(
        "-q", "--no-verify-hashes", "--override", str(replaced), "-r", "requirements-dev.txt"
    )
    # An override also overrides what the others require. A package that does not support this
    # Django fails the session by its name, instead of leaving its tests out.
    session.run("uv", "pip", "check", silent=True, external=True)
    # create_tmp() sets it. Some tests copy the project, and such a copy must not be within the project.
    session.env.pop("TMPDIR", None)
    session.run(
        "python",
        "-c",
        "import django, rest_framework, sys; "
        "print(f'Python {sys.version.split()[0]}, Django {django.__version__}, "
        "DRF {rest_framework.__version__}')",
    )


def run(session: nox.Session, engine: str, paths: tuple[str, ...]) -> None:
    pytest = ("python", "-m", "pytest", "-n", "auto", "--dist", "worksteal", "-q")
    which = ("-p", "no:cacheprovider", "-m", "not browser and not leaks and not services")
    services = ("python", "-m", "tests.support.services") if engine == "postgresql" else ()
    # pytest makes errors of its own process's warnings; this is for the processes that tests start.
    warnings = "error::DeprecationWarning,error::PendingDeprecationWarning"
    arguments = (*services, *pytest, *which, *(session.posargs or paths))
    session.run(*arguments, env={"PYTHONWARNINGS": warnings})
