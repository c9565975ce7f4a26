"""Which addresses belong to programs, so that every error there is JSON."""

import posixpath
import re

PREFIXES = frozenset({"api", ".well-known"})


def is_api_path(path: str, prefixes: frozenset[str] = PREFIXES) -> bool:
    """
    Return whether the path is below one of the prefixes, however a client or a proxy spells it.

    No view has the address "//api/x", "/API/x" or "/x/../api/x", but a client that sends it expects
    JSON.
    """
    # A server may hand over a target in absolute form (RFC 9112 §3.2.2) as it is.
    folded = re.sub(r"^\w+://[^/]*", "", path.replace("\\", "/").lower())
    return any(
        spelling.lstrip("/").partition("/")[0] in prefixes
        for spelling in (folded, posixpath.normpath(folded))
    )
