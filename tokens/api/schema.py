"""The parts of the OpenAPI document that drf-spectacular cannot derive from the views."""

from typing import TYPE_CHECKING, Any

from ..client.cookie import full_name
from . import cookies, schema_groups
from .openapi import OpenApiAuthenticationExtension, extend_schema_serializer

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema

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

JWK_SET = {
    "type": "object",
    "properties": {
        "keys": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "kty": {"type": "string"},
                    "kid": {"type": "string"},
                    "alg": {"type": "string"},
                    "use": {"type": "string"},
                },
                "required": ["kty", "kid", "alg", "use"],
                "additionalProperties": {"type": "string"},
            },
        }
    },
    "required": ["keys"],
}

REFUSED = {401: DETAIL_AND_CODE}
# Any: drf-spectacular declares a list of names, and also accepts requirement objects.
ANY_CREDENTIAL: Any = [{"bearer": []}, {"cookie": []}]
ANY_CREDENTIAL_OR_NOTHING: Any = [*ANY_CREDENTIAL, {}]
REFRESH_COOKIE: Any = [{"refreshCookie": []}]

# The operations that DRF does not answer before their view does, and those without a limit.
_OWN_ANSWERS = {"tokens_jwks"}
_UNLIMITED = {
    "tokens_check",
    "tokens_cookie_csrf",
    "tokens_denials",
    "tokens_logout_others",
    "tokens_session_end",
    "tokens_session_name",
    "tokens_sessions",
}
_IGNORES_ACCEPT = {"tokens_check", "tokens_denials"}
_METHODS = {"get", "post", "put", "patch", "delete"}


def component(name: str) -> Any:
    """Name a serializer's component so that it does not replace one of the project."""
    full_name = f"Tokens{name}"
    for_spectacular = extend_schema_serializer(component_name=full_name)

    def decorate(serializer: Any) -> Any:
        # drf-yasg raises an error for two serializers with one name, and reads it from here.
        bases = (serializer.Meta,) if hasattr(serializer, "Meta") else ()
        serializer.Meta = type("Meta", bases, {"ref_name": full_name})
        return for_spectacular(serializer)

    return decorate


def one_of(*values: str) -> dict[str, Any]:
    """
    Return the schema of a text that has one of these values, in OpenAPI 3.0 and 3.1.

    Within allOf, because drf-spectacular would make a component of it, named after the member, and
    rename the component of a project that has a member with the same name.
    """
    return {"allOf": [{"type": "string", "enum": list(values)}]}


class TokenSchemes(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Declare the header and the cookies. A view accepts either the header or the access cookie."""

    # As a path, because that module imports this package. The app can be at any dotted path.
    target_class = f"{__name__.removesuffix('.api.schema')}.authentication.JWTAuthentication"
    match_subclasses = True
    name = ["bearer", "cookie", "refreshCookie"]

    def get_security_requirement(self, auto_schema: "AutoSchema") -> list[dict[str, list[Any]]]:
        return [{"bearer": []}, {"cookie": []}]

    def get_security_definition(self, auto_schema: "AutoSchema") -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            {
                "type": "apiKey",
                "in": "cookie",
                "name": full_name(cookies.ACCESS),
                "description": "Set by /api/token/cookie/. A request by cookie with an unsafe method "
                "requires Django's CSRF token in X-CSRFToken.",
            },
            {
                "type": "apiKey",
                "in": "cookie",
                "name": full_name(cookies.REFRESH),
                "description": "Set by /api/token/cookie/. Requires Django's CSRF token in "
                "X-CSRFToken.",
            },
        ]


def add_common_answers(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Describe the answers of DRF that do not come from the view itself, and order the document."""
    for operations in result["paths"].values():
        for method, operation in operations.items():
            if method in _METHODS and operation["operationId"] not in _OWN_ANSWERS:
                _describe(operation)
    schema_groups.arrange(result)
    return result


def _is_limited(operation_id: str) -> bool:
    return operation_id not in _UNLIMITED and operation_id.startswith(("token_", "tokens_"))


def _describe(operation: dict[str, Any]) -> None:
    answers: dict[str, tuple[str, dict[str, Any]]] = {}
    if operation["operationId"] not in _IGNORES_ACCEPT:
        answers["406"] = ("No format that the client accepts is available.", DETAIL)
    if "requestBody" in operation:
        answers["400"] = ("The body is invalid.", FIELD_ERRORS)
        answers["413"] = ("The body is too large.", DETAIL)
        answers["415"] = ("The body's media type is not supported.", DETAIL)
    if _is_limited(operation["operationId"]):
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
