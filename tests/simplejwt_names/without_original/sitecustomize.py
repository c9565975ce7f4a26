"""Python runs this first where this folder is on its path: simplejwt is as if it were not installed."""

import sys
from importlib.abc import MetaPathFinder
from typing import Any


class Without(MetaPathFinder):
    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname.partition(".")[0] == "rest_framework_simplejwt":
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


sys.meta_path.insert(0, Without())
