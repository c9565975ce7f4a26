"""Settings without request limits: tests send more requests from one address than a client does."""

TOKENS_PASSWORD_CHECKS = 0
TOKENS_REFRESH_THROTTLE = ""
TOKENS_VERIFY_THROTTLE = ""
TOKENS_REVOKE_THROTTLE = ""
TOKENS_INTROSPECT_THROTTLE = ""
