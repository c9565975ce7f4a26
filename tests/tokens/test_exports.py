"""Each package exports names that exist."""

from importlib import import_module
from pkgutil import walk_packages

import pytest

import tokens

PACKAGES = [
    module.name
    for module in walk_packages(tokens.__path__, "tokens.")
    if module.ispkg and hasattr(import_module(module.name), "__all__")
]


def test_packages_with_exports_are_found() -> None:
    assert {"tokens.client", "tokens.limits", "tokens.sessions"} <= set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_name_exists(package: str) -> None:
    """A name of a module is one, although the package has not imported it yet."""
    names: dict[str, object] = {}
    exec(f"from {package} import *", names)
    assert set(import_module(package).__all__) <= set(names)
