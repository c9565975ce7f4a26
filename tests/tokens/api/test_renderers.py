"""The renderer of the browsable API; its pages: tests/wire/test_pages.py and tests/browser/."""

from rest_framework import serializers

from tokens.api.renderers import BrowsableAPIRenderer


class Name(serializers.Serializer[dict[str, str]]):
    name = serializers.CharField()


def test_a_list_has_no_form() -> None:
    form = BrowsableAPIRenderer().render_form_for_serializer(Name(many=True))
    assert form is None
