"""
The order in which the OpenAPI document tells the story: its groups, and a summary of each operation.

An optional package names its group and summary in its own ``extend_schema``.
"""

from typing import Any

SIGN_IN = "Sign in"
REFRESH = "Stay signed in"
ACCOUNT = "Account and sessions"
SIGN_OUT = "Sign out"
SERVICES = "For other services"

GROUPS = {
    SIGN_IN: "Exchange a name and a password for two tokens, in the answer or in cookies.",
    REFRESH: "Exchange the refresh token for the next pair before the access token expires.",
    ACCOUNT: "Who you are, and where you are signed in.",
    SIGN_OUT: "End this session, the others, or all. Their tokens are refused from the next request on.",
    SERVICES: "Whether a token is valid, for gateways and for services that do not issue tokens.",
}
OPERATIONS = {
    "token_obtain_pair": (SIGN_IN, "Sign in"),
    "tokens_cookie_csrf": (SIGN_IN, "Get a CSRF token for a sign-in by cookie"),
    "tokens_cookie": (SIGN_IN, "Sign in by cookie"),
    "token_refresh": (REFRESH, "Refresh the tokens"),
    "tokens_cookie_refresh": (REFRESH, "Refresh the tokens in cookies"),
    "tokens_me": (ACCOUNT, "Get the signed-in user"),
    "tokens_me_password": (ACCOUNT, "Change your password"),
    "tokens_sessions": (ACCOUNT, "List your sessions"),
    "tokens_session_name": (ACCOUNT, "Give a device a name"),
    "tokens_session_end": (ACCOUNT, "End one of your sessions"),
    "tokens_logout": (SIGN_OUT, "Sign out"),
    "tokens_logout_others": (SIGN_OUT, "Sign out all other devices"),
    "tokens_logout_all": (SIGN_OUT, "Sign out everywhere"),
    "tokens_revoke": (SIGN_OUT, "Revoke a token"),
    "token_blacklist": (SIGN_OUT, "End the session of a refresh token"),
    "token_verify": (SERVICES, "Check a token"),
    "tokens_introspect": (SERVICES, "Get the claims of a token"),
    "tokens_check": (SERVICES, "Check a request for a gateway"),
    "tokens_jwks": (SERVICES, "Get the public keys"),
}


def arrange(result: dict[str, Any]) -> None:
    """Group, summarise and order the operations of this app. Those of the project come after them."""
    found: set[str] = set()
    for path in result["paths"].values():
        for operation in _operations(path):
            known = OPERATIONS.get(operation["operationId"])
            if known is not None:
                operation["tags"] = [known[0]]
                operation.setdefault("summary", known[1])
            found.update(operation.get("tags", ()))
    result["paths"] = dict(sorted(result["paths"].items(), key=lambda item: _place(item[1])))
    named = {tag["name"] for tag in result.get("tags", ())}
    groups = [
        {"name": name, "description": text}
        for name, text in GROUPS.items()
        if name in found - named
    ]
    if groups:
        result["tags"] = [*groups, *result.get("tags", ())]


def _operations(path: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the operations of a path, which can also have parameters."""
    return [one for one in path.values() if isinstance(one, dict) and "operationId" in one]


def _place(path: dict[str, Any]) -> int:
    order = list(OPERATIONS)
    names = (operation["operationId"] for operation in _operations(path))
    return min((order.index(name) for name in names if name in OPERATIONS), default=len(order))
