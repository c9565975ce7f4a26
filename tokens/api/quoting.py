"""What a log may quote of a request. It imports nothing, so that a project's logging may use it."""

import re

_ORIGIN = re.compile(r"\w+://(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?(?![^/?#])|null$")


def csrf_reason(reason: str) -> str:
    """
    Return Django's reason with no more than the origin of the address that it quotes.

    The path and the query of a Referer may hold a token, as may an Origin that is none.
    """
    checked, separator, quoted = reason.partition(" checking failed - ")
    if not separator or " does not match" not in quoted:
        return reason
    address, _, _ = quoted.rpartition(" does not match")
    origin = _ORIGIN.match(address)
    named = origin[0] if origin else "its value"
    return f"{checked}{separator}{named} does not match any trusted origins."
