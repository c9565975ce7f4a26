"""The files for containers agree with the project. No image is built here."""

import json
import re
import shlex
from fnmatch import fnmatch
from typing import Any

import pytest
import yaml

from config import gunicorn_conf
from tests.support.processes import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SITE = COMPOSE["services"]["site"]
PUBLISHED = re.compile(r"^# ?([A-Z_]+)=|^([A-Z_]+)=", re.MULTILINE)


def instructions() -> list[tuple[str, str]]:
    """Return each instruction of Dockerfile with what follows it."""
    lines = [line for line in DOCKERFILE.splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (word, rest.strip())
        for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)
    ]


def arguments_of(name: str) -> list[str]:
    return [rest for word, rest in instructions() if word == name]


def documented() -> set[str]:
    text = (ROOT / ".env.example").read_text()
    return {one or other for one, other in PUBLISHED.findall(text)}


def test_every_file_that_the_image_gets_exists() -> None:
    copied = [shlex.split(rest) for rest in arguments_of("COPY") if "--from" not in rest]
    sources = [source for words in copied for source in words[:-1]]
    assert sorted(sources) == ["accounts", "config", "manage.py", "requirements.txt", "tokens"]
    assert all((ROOT / source).exists() for source in sources)
    # .dockerignore lets exactly these in.
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert sorted(line[1:] for line in ignored if line.startswith("!")) == sorted(sources)


@pytest.mark.parametrize("path", ["config/.env", "tokens/__pycache__", "accounts/db.sqlite3"])
def test_no_secret_and_no_database_gets_into_an_image(path: str) -> None:
    patterns = [
        line.replace("**/", "*") for line in (ROOT / ".dockerignore").read_text().splitlines()
    ]
    again = patterns[patterns.index("!requirements.txt") + 1 :]
    assert any(fnmatch(path, pattern) for pattern in again)


def test_the_image_has_a_python_that_the_project_supports() -> None:
    assert arguments_of("FROM") == ["${PYTHON_IMAGE} AS build", "${PYTHON_IMAGE}"]
    (image,) = arguments_of("ARG")
    found = re.fullmatch(r"PYTHON_IMAGE=python:(\d+)\.(\d+)-slim-[a-z]+", image)
    assert found is not None, "pinned by a tag that names the version and the system"
    version = (int(found[1]), int(found[2]))
    named = re.search(r"python3\.(\d+)((?: python3\.\d+)*)", (ROOT / "Makefile").read_text())
    assert named is not None
    known = {int(minor) for minor in re.findall(r"python3\.(\d+)", named[0])}
    assert version[0] == 3
    assert version[1] in known


def test_the_site_is_served_as_make_serve_does() -> None:
    (command,) = arguments_of("CMD")
    assert json.loads(command) == ["python", "-m", "config.serve"]
    makefile = (ROOT / "Makefile").read_text()
    assert "/python -m config.serve" in makefile
    assert "command" not in SITE
    assert "entrypoint" not in SITE


def test_the_health_check_is_a_module_of_the_project() -> None:
    (check,) = arguments_of("HEALTHCHECK")
    command = json.loads(check.partition("CMD ")[2])
    assert command == ["python", "-m", "config.health_check"]
    assert (ROOT / "config/health_check.py").exists()


def test_the_site_does_not_run_as_root() -> None:
    words = [word for word, _ in instructions()]
    assert arguments_of("USER") == ["10001:10001"]
    assert words.index("USER") < words.index("CMD")
    assert words[words.index("USER") :].count("COPY") == 0
    assert (SITE["cap_drop"], SITE["read_only"]) == (["ALL"], True)


def test_packages_are_installed_with_hashes() -> None:
    install = next(rest for rest in arguments_of("RUN") if "requirements.txt" in rest)
    assert "--require-hashes" in json.loads(install)


def test_the_ports_agree() -> None:
    assert arguments_of("EXPOSE") == ["8000"]
    assert "BIND=0.0.0.0:8000" in " ".join(arguments_of("ENV"))
    assert SITE["environment"]["BIND"] == "0.0.0.0:8000"
    assert SITE["ports"] == ["127.0.0.1:${PORT:-8000}:8000"]
    published = [name for name, service in COMPOSE["services"].items() if "ports" in service]
    assert published == ["site"]


@pytest.mark.parametrize("service", ["site", "migrate"])
def test_each_variable_is_documented(service: str) -> None:
    named = set(COMPOSE["services"][service]["environment"])
    assert named - documented() == {"BIND"}
    assert COMPOSE["services"][service]["env_file"] == [{"path": ".env", "required": False}]


def test_no_secret_has_a_default() -> None:
    text = (ROOT / "compose.yaml").read_text()
    for name in ("SECRET_KEY", "TOKEN_SECRET", "POSTGRES_PASSWORD"):
        uses = re.findall(rf"\$\{{{name}([^}}]*)\}}", text)
        assert uses
        assert all(use.startswith(":?is not set. Set it in .env") for use in uses), name


def test_what_the_site_needs_is_there_before_it_starts() -> None:
    services = COMPOSE["services"]
    assert {name: at["condition"] for name, at in SITE["depends_on"].items()} == {
        "migrate": "service_completed_successfully",
        "postgres": "service_healthy",
        "redis": "service_healthy",
    }
    assert services["migrate"]["command"][:3] == ["python", "manage.py", "migrate"]
    assert services["migrate"]["restart"] == "no"
    assert all("test" in services[name]["healthcheck"] for name in ("postgres", "redis"))
    url = SITE["environment"]["DATABASE_URL"]
    at = services["postgres"]["environment"]
    assert url.startswith(f"postgres://{at['POSTGRES_USER']}:")
    assert url.endswith(f"@postgres:5432/{at['POSTGRES_DB']}")
    assert SITE["environment"]["CACHE_URL"] == "redis://redis:6379/0"
    assert list(COMPOSE["volumes"]) == ["postgres"]


def test_compose_waits_for_running_requests() -> None:
    assert int(SITE["stop_grace_period"].removesuffix("s")) > gunicorn_conf.graceful_timeout
