"""A body is parsed into Secrets, and answered as if it held plain text."""

from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory

from tests.conftest import PASSWORD
from tokens.api.hiding import secret_names
from tokens.api.serializers import RefreshSerializer, SignInSerializer
from tokens.api.views import RefreshView, RevokeView, SignInView
from tokens.secret import Secret


def parsed(body: Any, view: Any = RefreshView, format: str = "json") -> Request:
    plain = APIRequestFactory().post("/", body, format=format)
    made = view()
    made.format_kwarg = None
    request: Request = made.initialize_request(plain)
    return request


@pytest.mark.parametrize("raw", ["\ud800", "a\udfffb", "ü\ud800", "a\0b"])
def test_text_that_no_token_has_is_refused_as_in_other_fields(raw: str) -> None:
    class Plain(serializers.Serializer[Any]):
        refresh = serializers.CharField()

    ours, theirs = RefreshSerializer(data={"refresh": raw}), Plain(data={"refresh": raw})
    assert not ours.is_valid()
    assert not theirs.is_valid()
    assert ours.errors == theirs.errors


class TestData:
    def test_every_name_of_a_token_is_hidden(self) -> None:
        data = parsed({"refresh": "raw", "access": "raw", "other": "plain"}).data
        assert {name: type(value) for name, value in data.items()} == {
            "refresh": Secret,
            "access": Secret,
            "other": str,
        }

    def test_a_form_is_hidden_in_djangos_post_too(self) -> None:
        request = parsed({"refresh": "raw", "next": "/", "token": ""}, format="multipart")
        assert isinstance(request.data["refresh"], Secret)
        assert isinstance(request._request.POST["refresh"], Secret)
        assert (request.data["next"], request.data["token"]) == ("/", "")

    @pytest.mark.parametrize("empty", [None, "", True, False, 0])
    def test_what_is_no_secret_stays_as_it_is(self, empty: Any) -> None:
        assert parsed({"refresh": empty}).data == {"refresh": empty}

    def test_a_body_that_is_no_object_stays_as_it_is(self) -> None:
        data: Any = parsed(["raw"]).data
        assert data == ["raw"]

    def test_a_hint_is_no_secret(self) -> None:
        data = parsed({"token": "raw", "token_type_hint": "access_token"}, RevokeView).data
        assert data["token_type_hint"] == "access_token"

    def test_a_serializer_of_a_project_gets_what_it_declares(self) -> None:
        class Own(SignInSerializer):
            password: Any = serializers.CharField()
            code = serializers.CharField()

        assert "password" not in secret_names(Own)
        assert "password" in secret_names(SignInSerializer)
        assert "refresh" in secret_names(RefreshSerializer)

        class OwnView(SignInView):
            serializer_class = Own

        assert parsed({"password": "raw"}, OwnView).data == {"password": "raw"}


class TestAnswers:
    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ("", "This field may not be blank."),
            (None, "This field may not be null."),
            (True, "Not a valid string."),
            (["a"], "Not a valid string."),
            ({"a": "b"}, "Not a valid string."),
        ],
    )
    @pytest.mark.django_db
    def test_a_body_that_is_refused_is_refused_as_before(
        self, api: APIClient, value: Any, message: str
    ) -> None:
        answer = api.post("/api/token/refresh/", {"refresh": value})
        assert (answer.status_code, answer.json()) == (400, {"refresh": [message]})

    def test_a_number_is_a_password(self, api: APIClient, user: Any) -> None:
        user.set_password("12345678")
        user.save()
        assert api.post("/api/token/", {"username": "ada", "password": 12345678}).status_code == 200

    def test_a_page_does_not_show_a_token_again(
        self, api: APIClient, signed_in: dict[str, Any]
    ) -> None:
        body = {"refresh": [signed_in["refresh"]], "token": signed_in["access"]}
        for path in ("/api/token/refresh/", "/api/token/verify/"):
            page = api.post(path, body, HTTP_ACCEPT="text/html").content.decode()
            assert "&lt;Secret" not in page
            assert signed_in["refresh"] not in page
            assert signed_in["access"] not in page

    def test_the_name_is_shown_again(self, api: APIClient, user: Any) -> None:
        body = {"username": "ada lovelace", "password": PASSWORD * 200}
        page = api.post("/api/token/", body, HTTP_ACCEPT="text/html").content.decode()
        assert 'value="ada lovelace"' in page
        assert PASSWORD not in page
