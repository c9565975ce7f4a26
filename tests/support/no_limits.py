"""Settings of tests, which call from one address and faster than clients do."""

TOKENS_REFRESH_THROTTLE = ""
TOKENS_VERIFY_THROTTLE = ""
TOKENS_REVOKE_THROTTLE = ""
TOKENS_INTROSPECT_THROTTLE = ""
