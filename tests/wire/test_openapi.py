"""``/api/schema/`` has every address and matches the answers exactly, as a fuzzer confirms."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tokens import sessions
from tokens.api import schema_groups

OPERATIONS = {
    ("/api/token/", "post"),
    ("/api/token/refresh/", "post"),
    ("/api/token/verify/", "post"),
    ("/api/token/revoke/", "post"),
    ("/api/token/blacklist/", "post"),
    ("/api/token/introspect/", "post"),
    ("/api/token/check/", "get"),
    ("/api/token/ticket/", "post"),
    ("/api/token/cookie/", "get"),
    ("/api/token/cookie/", "post"),
    ("/api/token/cookie/refresh/", "post"),
    ("/api/logout/", "post"),
    ("/api/logout/all/", "post"),
    ("/api/logout/others/", "post"),
    ("/api/sessions/", "get"),
    ("/api/sessions/{sid}/", "delete"),
    ("/api/sessions/{sid}/", "patch"),
    ("/api/me/", "get"),
    ("/api/me/password/", "post"),
    ("/.well-known/jwks.json", "get"),
}
CSRF_TOKEN = "c" * 32


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]  # It is not annotated.
    made = generator.get_schema(  # type: ignore[no-untyped-call]  # It is not annotated.
        request=None, public=True
    )
    return dict(made)


def test_the_document_is_valid_and_names_every_address(document: dict[str, Any]) -> None:
    validate_schema(document)  # type: ignore[no-untyped-call]  # It is not annotated.
    found = {
        (path, method) for path, operations in document["paths"].items() for method in operations
    }
    assert found == OPERATIONS


def test_the_document_knows_the_header_and_the_cookies(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["bearer"] == {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    named = {name: (s["in"], s["name"]) for name, s in schemes.items() if name != "bearer"}
    assert named == {
        "cookie": ("cookie", "latchkey_access"),
        "refreshCookie": ("cookie", "latchkey_refresh"),
    }
    either: list[dict[str, list[str]]] = [{"bearer": []}, {"cookie": []}]
    assert document["paths"]["/api/me/"]["get"]["security"] == either
    assert document["paths"]["/api/logout/"]["post"]["security"] == [*either, {}]
    refresh = document["paths"]["/api/token/cookie/refresh/"]["post"]
    assert refresh["security"] == [{"refreshCookie": []}]
    assert "security" not in document["paths"]["/api/token/"]["post"]


def test_the_document_tells_the_story_in_order(document: dict[str, Any]) -> None:
    assert [tag["name"] for tag in document["tags"]] == list(schema_groups.GROUPS)
    listed = [
        operation for operations in document["paths"].values() for operation in operations.values()
    ]
    assert all(operation["summary"] for operation in listed)
    groups = [operation["tags"] for operation in listed]
    assert {name for (name,) in groups} == schema_groups.GROUPS.keys()
    paths = list(document["paths"])
    assert paths[:3] == ["/api/token/", "/api/token/cookie/", "/api/token/refresh/"]
    assert paths.index("/api/me/") < paths.index("/api/logout/") < paths.index("/api/token/verify/")


def test_operations_of_the_project_keep_their_groups_and_come_last() -> None:
    theirs = {"operationId": "report", "tags": ["reports"]}
    ours = {"operationId": "tokens_me", "tags": ["api"]}
    result: dict[str, Any] = {
        "paths": {"/a/": {"get": theirs}, "/api/me/": {"get": ours}},
        "tags": [{"name": "reports", "description": "Theirs."}],
    }
    schema_groups.arrange(result)
    assert list(result["paths"]) == ["/api/me/", "/a/"]
    assert theirs["tags"] == ["reports"]
    assert [tag["name"] for tag in result["tags"]] == [schema_groups.ACCOUNT, "reports"]
    alone: dict[str, Any] = {"paths": {"/a/": {"get": theirs}}}
    schema_groups.arrange(alone)
    assert "tags" not in alone


def test_the_page_to_read_it_has_nothing_from_another_host(client: Any, db: None) -> None:
    for path in ("/api/docs/", "/api/docs/?script="):
        page = client.get(path).content.decode()
        assert "swagger" in page
        assert not re.search(r"""https?://|(src|href)=["']//""", page)


@pytest.fixture
def _one_connection(db: None) -> Iterator[None]:
    """Keep the test's own connection open when a request ends, as Django's test client does."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@pytest.mark.slow
@pytest.mark.usefixtures("_one_connection")
@pytest.mark.parametrize("signed_in", ["", "by header", "by cookie"])
@pytest.mark.parametrize(("path", "method"), sorted(OPERATIONS))
def test_a_fuzzer_finds_no_answer_that_is_not_described(
    user: Any, document: dict[str, Any], path: str, method: str, signed_in: str
) -> None:
    schema = schemathesis.openapi.from_dict(document)
    schema.app = WSGIHandler()
    operation = schema[path][method.upper()]

    @settings(
        max_examples=15,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def fuzz(data: Any) -> None:
        case = data.draw(operation.as_strategy())
        headers = {}
        if signed_in:
            # A fresh pair each time, because the fuzzer may have ended the previous session.
            pair = sessions.start(user)
            if signed_in == "by header":
                headers["Authorization"] = f"Bearer {pair.raw_access}"
            else:
                case.cookies = {
                    "latchkey_access": pair.raw_access,
                    "latchkey_refresh": pair.raw_refresh,
                    "csrftoken": CSRF_TOKEN,
                }
                headers["X-CSRFToken"] = CSRF_TOKEN
        answer = case.call_and_validate(headers=headers, excluded_checks=EXCLUDED)
        statuses.add(answer.status_code)

    statuses: set[int] = set()
    fuzz()
    if signed_in and path == "/api/me/":
        assert 200 in statuses


# What these checks test is tested elsewhere or not promised: an unknown member is no error.
EXCLUDED = [
    check
    for name in (
        "ignored_auth",
        "missing_required_header",
        "negative_data_rejection",
        "positive_data_acceptance",
        "unsupported_method",
        "use_after_free",
        "ensure_resource_availability",
    )
    if (check := getattr(schemathesis.checks, name, None)) is not None
]
