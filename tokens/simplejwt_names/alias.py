"""Let one package answer to the name of another, with all its modules."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

from django.core.exceptions import ImproperlyConfigured


class _AliasLoader(Loader):
    """Gives the module of another name. It is executed once, under that name."""

    def __init__(self, target: str) -> None:
        self._target = target

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(self._target)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has replaced it, by which relative imports and reload() find the module.
        module.__spec__ = self._spec


class AliasFinder(MetaPathFinder):
    """Finds ``alias`` and the modules below it in ``package``."""

    def __init__(self, alias: str, package: str) -> None:
        self.alias = alias
        self.package = package

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.alias and not fullname.startswith(f"{self.alias}."):
            return None
        name = self.package + fullname.removeprefix(self.alias)
        found = find_spec(name)
        if found is None:
            # Not None, or the next finder would look for a module of the original.
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        is_package = found.submodule_search_locations is not None
        return ModuleSpec(fullname, _AliasLoader(name), is_package=is_package)


def install(alias: str, package: str) -> None:
    """
    Let ``import alias`` import ``package``.

    Raises ImproperlyConfigured if a package of the name ``alias`` was imported before: code that has
    imported it would go on with the original.
    """
    wanted = AliasFinder(alias, package)
    installed = [finder for finder in sys.meta_path if isinstance(finder, AliasFinder)]
    if any(vars(finder) == vars(wanted) for finder in installed):
        return
    if alias in sys.modules:
        raise ImproperlyConfigured(
            f"{alias} was imported before {package} could provide it. List "
            f'"{package.rpartition(".")[0]}" first in INSTALLED_APPS, and import nothing from {alias} in '
            "your settings module."
        )
    sys.meta_path.insert(0, wanted)
