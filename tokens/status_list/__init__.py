"""
Token Status List: signed lists of bits that say which sessions have ended, for other services.

The format is that of draft-ietf-oauth-status-list, revision 20; comments name the section of each
rule. Only the JWT format is offered, not the CWT format (§5.2).

    lists       the bits of one list, and its payload
    indices     give an index to a session; no two sessions get the same
    statuses    the claim of access tokens, and the refused indices that no session's row names
    building    read the bits from the database
    serving     this process's signed lists
    views       the lists, and the list of lists; ``urls`` has their routes
    models      the blocks that indices are taken from, and the indices that are refused
    checks      system checks for what keeps other services from reading the lists

This package is an app of its own. It can be deleted. No other package imports it; its AppConfig
registers it. May import everything in ``tokens`` except ``apps``, ``urls`` and ``routers``.
"""


def forget() -> None:
    """Forget the indices and lists that this process holds, as a new process does."""
    from . import indices, serving

    indices.forget()
    serving.forget()
