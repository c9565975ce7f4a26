"""docs/settings.md documents every setting of the app, with its type and its default."""

import ast
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from tokens.conf import Setting, Settings

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "settings.md").read_text()
ENTRY = re.compile(
    r"^### (\w+)\n\n(?P<type>.+) · unit: .+ · default: `(?P<default>.*)`\n\n(?P<text>(?!#).+)", re.M
)
DECLARED = {name: value for name, value in vars(Settings).items() if isinstance(value, Setting)}


def default_of(text: str) -> Any:
    """Return the value that ``timedelta(days=14)`` or a literal stands for."""
    if duration := re.fullmatch(r"timedelta\((\w+)=(\d+)\)", text):
        return timedelta(**{duration[1]: int(duration[2])})
    return ast.literal_eval(text)


def type_of(default: Any) -> str:
    if default is None:
        return "`str` or `None`"
    if isinstance(default, list | tuple):
        return "`list[str]` or `tuple[str, ...]`"
    return f"`{type(default).__name__}`"


def test_every_setting_has_one_heading_and_every_heading_is_a_setting() -> None:
    assert sorted(re.findall(r"^### (.+)$", PAGE, re.M)) == sorted(DECLARED)


def test_every_heading_is_followed_by_the_declared_type_and_default() -> None:
    stated = {
        entry[1]: (entry["type"], default_of(entry["default"])) for entry in ENTRY.finditer(PAGE)
    }
    assert stated == {
        name: (type_of(setting.default), setting.default) for name, setting in DECLARED.items()
    }
