"""The hook for drf-spectacular; the whole document: tests/wire/test_openapi.py."""

from typing import Any

from rest_framework.serializers import BaseSerializer

from tokens.api import password_views, serializers
from tokens.api.schema import add_common_answers


def test_members_of_a_path_that_are_no_operations_stay_as_they_are() -> None:
    document: dict[str, Any] = {"paths": {"/api/me/": {"parameters": [{"name": "id"}]}}}
    assert add_common_answers(document, None, None, True) == {
        "paths": {"/api/me/": {"parameters": [{"name": "id"}]}}
    }


def test_every_serializer_has_a_component_name_of_the_app_for_each_generator() -> None:
    found = [
        value
        for module in (serializers, password_views)
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, BaseSerializer)
        and value.__module__ == module.__name__
    ]
    assert len(found) > 9
    names = [value.Meta.ref_name for value in found]  # type: ignore[attr-defined]
    assert len(set(names)) == len(names)
    assert all(name.startswith("Tokens") for name in names)
    described = [value._spectacular_annotation["component_name"] for value in found]  # type: ignore[attr-defined]
    assert described == names
