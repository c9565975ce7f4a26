"""
The admin's pages. Every action calls a function of ``sessions``, ``operations`` or ``keyring``.

    sessions       the list of sessions, one session and its history; revokes sessions
    denylist       the list of denials; denies a token or a jti
    keys           the list of signing keys; rotates and revokes keys
    users          sessions and "Sign out everywhere" in the project's own user admin
    overview       the numbers on the first page
    base           read-only model admins, lists without COUNT(*), permissions, the admin's log
    columns        the columns of a session
    confirm        the page that asks for a reason before an action
    filters        the filters of the list of sessions
    history        the events of one session
    posted_search  a search field that is sent by POST, because it may contain a token
    search         search terms to sessions and users

Imports ``api``, ``operations`` and the packages below them. A project with its own ``AdminSite``
calls ``users.extend(site)``.
"""

from . import denylist, keys, sessions, users

__all__ = ["denylist", "keys", "sessions", "users"]
