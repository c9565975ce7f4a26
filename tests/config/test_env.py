"""An invalid value is refused with its name, the value and the valid ones."""

import re
import runpy
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from decouple import UndefinedValueError
from django.core.exceptions import ImproperlyConfigured

from config import env as readers
from config.env import ROOT, Environment
from tokens.conf import Setting, Settings

EXAMPLE = (ROOT / ".env.example").read_text()
README = (ROOT / "README.md").read_text()


GOOD = "a secret that is long enough 0123456789"
OTHER = "another secret that is long enough 0123456789"
FORMER = "a former secret that is long enough 0123456789"
SECRETS = {"SECRET_KEY": GOOD, "TOKEN_SECRET": OTHER}


def environment(**values: str) -> Environment:
    def source(name: str, **how: Any) -> str:
        if name in values:
            return values[name]
        if "default" in how:
            return str(how["default"])
        raise UndefinedValueError(name)

    return Environment(source)


def database(env: Environment) -> Any:
    return env.database("NAME", default_path=Path("/data/db.sqlite3"))


READERS: dict[str, Any] = {
    "flag": lambda env: env.flag("NAME", default=False),
    "whole_number": lambda env: env.whole_number("NAME", 0, at_most=10),
    "seconds": lambda env: env.seconds("NAME", timedelta(seconds=5)),
    "choice": lambda env: env.choice("NAME", "a", ("a", "b")),
    "rate": lambda env: env.rate("NAME", "10/min"),
    "word": lambda env: env.word("NAME", "latchkey"),
    "hosts": lambda env: env.hosts("NAME", ["localhost"]),
    "origins": lambda env: env.origins("NAME"),
    "origins or one": lambda env: env.origins("NAME", default=("http://localhost:1",)),
    "database": database,
    "cache": lambda env: env.cache("NAME"),
}


@pytest.mark.parametrize(
    ("reader", "value", "read"),
    [
        ("flag", "On", True),
        ("flag", "0", False),
        ("whole_number", "10", 10),
        ("seconds", "60", timedelta(minutes=1)),
        ("choice", "b", "b"),
        ("rate", "", ""),
        ("rate", "5/hour", "5/hour"),
        ("origins or one", "", []),
        ("hosts", "example.org, .example.net,[::1]", ["example.org", ".example.net", "[::1]"]),
        ("origins", "https://a.org,http://b.org:81", ["https://a.org", "http://b.org:81"]),
    ],
)
def test_values_that_make_sense(reader: str, value: str, read: Any) -> None:
    assert READERS[reader](environment(NAME=value)) == read


@pytest.mark.parametrize(
    ("reader", "default"),
    [
        ("flag", False),
        ("whole_number", 0),
        ("seconds", timedelta(seconds=5)),
        ("choice", "a"),
        ("rate", "10/min"),
        ("hosts", ["localhost"]),
        ("origins", []),
        ("origins or one", ["http://localhost:1"]),
        (
            "cache",
            {
                "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
                "OPTIONS": {"MAX_ENTRIES": 10_000},
            },
        ),
    ],
)
def test_defaults(reader: str, default: Any) -> None:
    assert READERS[reader](environment()) == default


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        ("flag", "maybe"),
        ("whole_number", "-1"),
        ("whole_number", "11"),
        ("whole_number", "one"),
        ("seconds", "0"),
        ("seconds", "5m"),
        ("seconds", "999999999"),
        ("choice", "c"),
        ("rate", "10/week"),
        ("hosts", "https://example.org"),
        ("hosts", "example.org:80"),
        ("origins", "example.org"),
        ("origins", "https://example.org/path"),
        ("origins", "https://[bad"),
        ("origins", "https://example.org:99999"),
        ("hosts", "a b"),
        ("word", ""),
        ("database", "postgres://"),
        ("cache", "redis://"),
        ("cache", "redis://host:port/0"),
        ("database", "oracle://scott:tiger@host/db"),
        ("database", "postgres://user:tiger@host:port/db"),
        ("cache", "memcached://tiger@host"),
    ],
)
def test_values_that_make_none_are_refused_in_a_sentence(reader: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^NAME is '.*'\. It may be .+\.$") as error:
        READERS[reader](environment(NAME=value))
    assert "tiger" not in str(error.value)


def test_a_missing_or_short_secret_is_refused_and_never_quoted() -> None:
    with pytest.raises(ImproperlyConfigured, match="NAME is not set"):
        environment().secret("NAME")
    with pytest.raises(ImproperlyConfigured, match="has 6 characters") as error:
        environment(NAME="tiger!").secret("NAME")
    assert "tiger" not in str(error.value)
    assert environment(NAME=GOOD).secret("NAME") == GOOD


@pytest.mark.parametrize(
    "weak", ["x", "tiger" * 6, "t" * 40, "tige" * 10, f"django-insecure-{GOOD}"]
)
def test_a_secret_that_can_be_guessed_is_refused_and_never_quoted(weak: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^NAME (has|begins) .*can be guessed") as error:
        environment(NAME=weak).secret("NAME")
    assert f" {weak} " not in f" {error.value} "
    with pytest.raises(
        ImproperlyConfigured, match=r"^Value 2 of NAME .* Remove it\. So\.$"
    ) as error:
        environment(NAME=f"{GOOD},{weak}").former_secrets("NAME", way_out="So.")
    assert f" {weak} " not in f" {error.value} "


def test_former_secrets_are_separated_by_commas() -> None:
    found = environment(NAME=f"{GOOD}, {OTHER}").former_secrets("NAME", way_out="")
    assert found == [GOOD, OTHER]
    assert environment().former_secrets("NAME", way_out="") == []


def test_the_database_is_sqlite_beside_manage_py_or_the_one_in_the_url() -> None:
    assert database(environment())["NAME"] == "/data/db.sqlite3"
    found = database(environment(NAME="postgres://ada:secret@db:5433/app"))
    assert found["ENGINE"] == "django.db.backends.postgresql"
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db", 5433, "app")
    cache = READERS["cache"](environment(NAME="redis://cache:6379/1"))
    assert cache["LOCATION"] == "redis://cache:6379/1"


def test_every_name_that_is_read_is_in_env_example_and_the_reverse() -> None:
    names = re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "config/settings.py").read_text())
    names += re.findall(r'self\.choice\("([A-Z_]+)"', (ROOT / "config/env.py").read_text())
    documented = re.findall(r"^#? ?([A-Z_]+)=", EXAMPLE, re.M)
    assert sorted(names) == sorted(documented)
    assert len(set(names)) == 23


def app_defaults() -> dict[str, str]:
    """Return each variable whose default the app declares, with the default as it is spelt there."""
    source = (ROOT / "config/settings.py").read_text()
    read = re.findall(r'^(TOKENS_\w+) = env\.\w+\(\s*"([A-Z_]+)",\s*Settings\.', source, re.M)
    defaults = {variable: vars(Settings)[name].default for name, variable in read}
    return {
        variable: str(int(default.total_seconds()) if isinstance(default, timedelta) else default)
        for variable, default in defaults.items()
    }


def test_settings_have_the_apps_defaults_where_the_environment_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = read_settings(monkeypatch, **SECRETS)
    # What the project sets for itself is no matter of the environment.
    own = {"TOKENS_SECRET", "TOKENS_SITE_NAME", "TOKENS_ME_SERIALIZER"}
    names = {name for name in read if name.startswith("TOKENS_")} - own
    declared = {
        name: setting.default
        for name, setting in vars(Settings).items()
        if isinstance(setting, Setting)
    }
    assert len(names) >= len(app_defaults())
    assert {name: read[name] for name in names} == {name: declared[name] for name in names}


def read_settings(monkeypatch: pytest.MonkeyPatch, **values: str) -> dict[str, Any]:
    env = environment(**values)
    monkeypatch.setattr(readers, "_dot_env", lambda: env._source)
    monkeypatch.delitem(sys.modules, "config.settings", raising=False)
    return runpy.run_module("config.settings")


def test_former_secret_keys_are_djangos_fallbacks_and_never_the_secret_of_the_tokens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    former = [FORMER, f"older {FORMER}"]
    read = read_settings(monkeypatch, **SECRETS, SECRET_KEY_FALLBACKS=", ".join(former))
    assert read["SECRET_KEY_FALLBACKS"] == former
    with pytest.raises(ImproperlyConfigured, match="TOKEN_SECRET equals") as error:
        read_settings(monkeypatch, **SECRETS, SECRET_KEY_FALLBACKS=f"{former[0]},{OTHER}")
    assert OTHER not in str(error.value)


@pytest.mark.parametrize("name", ["SECRET_KEY_FALLBACKS", "TOKEN_SECRET_FALLBACKS"])
def test_a_former_secret_that_can_be_guessed_stops_the_start_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with pytest.raises(
        ImproperlyConfigured, match=rf"^Value 1 of {name} has 1 character,"
    ) as error:
        read_settings(monkeypatch, **SECRETS, **{name: "x"})
    way_out = "sign in again" if name.startswith("SECRET") else "--secret-lost"
    assert way_out in str(error.value)


@pytest.mark.parametrize(
    ("former", "match"),
    [
        (GOOD, "contains SECRET_KEY"),
        (FORMER, "contains SECRET_KEY or one of SECRET_KEY_FALLBACKS"),
        (OTHER, "contains TOKEN_SECRET"),
    ],
)
def test_a_former_secret_of_the_tokens_is_no_secret_that_is_in_use(
    monkeypatch: pytest.MonkeyPatch, former: str, match: str
) -> None:
    values = {**SECRETS, "SECRET_KEY_FALLBACKS": FORMER, "TOKEN_SECRET_FALLBACKS": former}
    with pytest.raises(ImproperlyConfigured, match=match) as error:
        read_settings(monkeypatch, **values)
    assert former not in str(error.value)


def test_env_example_and_the_readme_state_the_apps_defaults() -> None:
    expected = app_defaults()
    assert len(expected) == 9
    example = dict(re.findall(r"^# ([A-Z_]+)=(.*)$", EXAMPLE, re.M))
    assert {variable: example.get(variable) for variable in expected} == expected
    rows = re.findall(r"^\| (.*) \| .* \| `([^`]*)`.* \|$", README, re.M)
    readme = {name: default for names, default in rows for name in re.findall(r"[A-Z_]+", names)}
    assert {variable: readme.get(variable) for variable in expected} == expected


def test_a_file_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_bytes(b"SECRET_KEY=\xff")
    monkeypatch.setattr(readers, "ROOT", tmp_path)
    with pytest.raises(ImproperlyConfigured, match=r"\.env cannot be read"):
        Environment()
