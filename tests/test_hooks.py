"""The hooks that run before a commit."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]


def test_each_check_of_make_lint_except_the_audit_is_a_hook_that_downloads_nothing() -> None:
    makefile = (ROOT / "Makefile").read_text()
    checks = makefile.partition("LINTS := ")[2].splitlines()[0].split()
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    assert [hook["id"] for hook in repository["hooks"]] == checks
    for hook in repository["hooks"]:
        assert (hook["language"], hook["entry"]) == ("system", f"make -s {hook['id']}")
