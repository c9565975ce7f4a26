"""One package answers to the name of another."""

import sys
from collections.abc import Iterator
from importlib import import_module, reload
from importlib.util import find_spec

import pytest
from django.core.exceptions import ImproperlyConfigured

if find_spec("tokens.simplejwt_names") is None:
    pytest.skip("the package was deleted", allow_module_level=True)

from tokens.simplejwt_names import alias

NAME = "a_name_of_nothing"


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    finders = list(sys.meta_path)
    yield
    sys.meta_path[:] = finders
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


def test_a_module_is_found_under_both_names() -> None:
    alias.install(NAME, "tokens.jose")
    codec = import_module(f"{NAME}.codec")
    assert codec is import_module("tokens.jose.codec")
    assert codec.__spec__ is not None
    assert codec.__spec__.name == "tokens.jose.codec"
    assert reload(sys.modules["tokens.jose.base64url"]) is import_module(f"{NAME}.base64url")
    assert import_module(NAME) is import_module("tokens.jose")


def test_a_module_that_the_package_lacks_is_found_nowhere() -> None:
    alias.install(NAME, "tokens.jose")
    with pytest.raises(ModuleNotFoundError, match=rf"No module named '{NAME}\.nothing'"):
        import_module(f"{NAME}.nothing")
    with pytest.raises(ModuleNotFoundError, match="a_name_of_nothing_else"):
        import_module(f"{NAME}_else")


def test_a_second_installation_changes_nothing() -> None:
    alias.install(NAME, "tokens.jose")
    import_module(NAME)
    before = list(sys.meta_path)
    alias.install(NAME, "tokens.jose")
    assert sys.meta_path == before


def test_a_name_that_was_imported_before_is_refused_with_what_to_do() -> None:
    alias.install(NAME, "tokens.jose")
    import_module(NAME)
    with pytest.raises(ImproperlyConfigured, match=r'List "tokens\.other" first') as refused:
        alias.install(NAME, "tokens.other.names")
    assert "settings module" in str(refused.value)
