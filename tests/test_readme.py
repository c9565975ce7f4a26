"""The README's commands work as it says, and its table has every setting."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PASSWORD
from tests.support import curl
from tokens import keyring

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def run(command: str, names: dict[str, str]) -> tuple[int, Any]:
    """Run one curl line with its variables filled in; return the status and the body."""
    for name, value in names.items():
        command = command.replace(f"${name}", value)
    assert "$" not in command, command
    status, body = curl.run(command)
    return status, json.loads(body)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("find", [shutil.which, lambda name: None], ids=["installed", "missing"])
def test_the_story_in_curl_goes_as_told(
    live_server: Any,
    django_user_model: Any,
    monkeypatch: pytest.MonkeyPatch,
    find: Callable[[str], str | None],
) -> None:
    """With curl where it is installed, and with the stand-in for machines that lack it."""
    monkeypatch.setattr(shutil, "which", find)
    keyring.ensure()
    password = PASSWORD.replace(" ", "-")
    django_user_model.objects.create_user("ada", "ada@example.org", password)
    story = README.partition("## The story in curl")[2].partition("\n## ")[0]
    commands = [
        line for block in re.findall(r"```sh\n(.*?)```", story, re.S) for line in block.splitlines()
    ]
    names = {"SITE": live_server.url, "USERNAME": "ada", "PASSWORD": password}
    statuses = []
    for command in commands:
        status, body = run(command, names)
        statuses.append(status)
        if "access" in body:
            names.update(ACCESS=body["access"], REFRESH=body["refresh"])
    assert statuses == [200, 200, 200, 200, 200, 401]


def test_the_two_commands_and_every_target_it_names_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert (
        {"run", "test", "demo"}
        <= set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.M))
        <= targets
    )


def test_the_pictures_and_pages_it_leads_to_exist() -> None:
    targets = re.findall(r"\]\(([^):]+)\)", README)
    assert any(target.endswith(".png") for target in targets)
    assert [target for target in targets if not (ROOT / target).is_file()] == []


def test_the_settings_table_has_every_name_of_the_environment() -> None:
    table = README.partition("## Settings")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    example = (ROOT / ".env.example").read_text()
    assert documented == set(re.findall(r"^#? ?([A-Z_]+)=", example, re.M))
