"""The hook for drf-spectacular; the whole document: tests/wire/test_openapi.py."""

from typing import Any

from tokens.api.schema import add_common_answers


def test_members_of_a_path_that_are_no_operations_stay_as_they_are() -> None:
    document: dict[str, Any] = {"paths": {"/api/me/": {"parameters": [{"name": "id"}]}}}
    assert add_common_answers(document, None, None, True) == {
        "paths": {"/api/me/": {"parameters": [{"name": "id"}]}}
    }
