"""The parts of the OpenAPI document that drf-spectacular cannot derive from the views."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from . import cookies

DETAIL = {
    "type": "object",
    "properties": {"detail": {"type": "string"}},
    "required": ["detail"],
}
DETAIL_AND_CODE = {
    "type": "object",
    "properties": {"detail": {"type": "string"}, "code": {"type": "string"}},
    "required": ["detail"],
}
FIELD_ERRORS = {
    "type": "object",
    "description": "Either a detail, or for each invalid field a list of its errors.",
    "additionalProperties": {
        "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
    },
}
INTROSPECTION = {
    "type": "object",
    "properties": {
        "active": {"type": "boolean"},
        "iss": {"type": "string"},
        "aud": {"type": "string"},
        "sub": {"type": "string"},
        "iat": {"type": "integer"},
        "exp": {"type": "integer"},
        "jti": {"type": "string"},
        "sid": {"type": "string", "format": "uuid"},
        "gen": {"type": "integer"},
    },
    "required": ["active"],
}

REFUSED = {401: DETAIL_AND_CODE}
# Any: drf-spectacular declares a list of names, and also accepts requirement objects.
ANY_CREDENTIAL_OR_NOTHING: Any = [{"bearer": []}, {"cookie": []}, {}]
REFRESH_COOKIE: Any = [{"refreshCookie": []}]

_LIMITED = ("token_", "logout", "me_password")
_METHODS = {"get", "post", "put", "patch", "delete"}


class TokenSchemes(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Declare the header and the cookies. A view accepts either the header or the access cookie."""

    # As a path, because that module imports this package. The app can be at any dotted path.
    target_class = f"{__name__.removesuffix('.api.schema')}.authentication.JWTAuthentication"
    match_subclasses = True
    name = ["bearer", "cookie", "refreshCookie"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        return [{"bearer": []}, {"cookie": []}]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            {
                "type": "apiKey",
                "in": "cookie",
                "name": cookies.full_name(cookies.ACCESS),
                "description": "Set by /api/token/cookie/. A request by cookie with an unsafe method "
                "requires Django's CSRF token in X-CSRFToken.",
            },
            {
                "type": "apiKey",
                "in": "cookie",
                "name": cookies.full_name(cookies.REFRESH),
                "description": "Set by /api/token/cookie/, and sent to that path only. "
                "Requires Django's CSRF token in X-CSRFToken.",
            },
        ]


def add_common_answers(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Describe the answers of DRF that do not come from the view itself."""
    for operations in result["paths"].values():
        for method, operation in operations.items():
            if method in _METHODS:
                _describe(operation)
    return result


def _describe(operation: dict[str, Any]) -> None:
    answers = {"406": ("No format that the client accepts is available.", DETAIL)}
    if "requestBody" in operation:
        answers["400"] = ("The body is invalid.", FIELD_ERRORS)
        answers["413"] = ("The body is too large.", DETAIL)
        answers["415"] = ("The body's media type is not supported.", DETAIL)
    if operation["operationId"].startswith(_LIMITED):
        answers["429"] = ("Too many requests. Retry after the seconds in Retry-After.", DETAIL)
    if {} not in operation.get("security", [{}]):
        answers["401"] = ("No token, or a refused token.", DETAIL_AND_CODE)
        answers["403"] = ("Not permitted.", DETAIL)
    answers["503"] = ("Temporarily unavailable. Retry after the seconds in Retry-After.", DETAIL)
    for status, (description, shape) in answers.items():
        operation["responses"].setdefault(
            status,
            {"description": description, "content": {"application/json": {"schema": shape}}},
        )
