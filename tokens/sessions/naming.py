"""The name that a user gives to the device of a session."""

from typing import Any

from ..models import Session


def name_device(session: Session, name: str) -> None:
    """
    Give the session's device a name, or none if ``name`` is empty. A session that has ended keeps its.

    Characters that cannot be printed are left out: some of them turn the text around them.
    """
    printable = "".join(character for character in name if character.isprintable())
    field: Any = Session._meta.get_field("device_name")
    session.device_name = printable.strip()[: field.max_length]
    Session.objects.filter(pk=session.pk, ended_at=None).update(device_name=session.device_name)
