"""The database engines that this app supports."""

from typing import Any

SUPPORTED = ("sqlite", "postgresql")  # as ``connection.vendor``


def refusal(connection: Any) -> str | None:
    """Return one sentence that says why the app cannot use this database, None if it can."""
    if connection.vendor in SUPPORTED:
        return None
    return (
        f"The app tokens works on SQLite and PostgreSQL only, and the database {connection.alias!r} "
        f"is {connection.display_name}."
    )
