"""
The admin's pages. Every action calls a function of ``sessions``, ``operations`` or ``keyring``.

    sessions       the list of sessions, one session and its history; revokes sessions
    denylist       the list of denials; denies a token or a jti
    keys           the list of signing keys; rotates and revokes keys
    users          sessions and "Sign out everywhere" in the project's own user admin
    passwords      the sign-in page, and the limit at the page for a new password
    overview       the numbers on the first page
    base           read-only model admins, lists without COUNT(*), permissions, the admin's log
    columns        the columns of a session, with their labels for cards
    charts         the bar charts of the first page
    deletion       counts the sessions of users before they are deleted
    devices        the filters by device, browser and network
    export         a list as CSV
    networks       finds the sessions from a network
    confirm        the page that asks for a reason before an action
    filters        the filters of the list of sessions
    history        the events of one session
    posted_search  a search field that is sent by POST, because it may contain a token
    search         finds sessions and users by a search term

Imports ``api``, ``operations`` and the packages below them. A project with its own ``AdminSite``
calls ``users.extend(site)`` and ``passwords.protect_passwords(site)``.
"""

from . import denylist, keys, sessions, users

__all__ = ["denylist", "keys", "sessions", "users"]
