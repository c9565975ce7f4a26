"""The tickets that have not been used."""

from typing import ClassVar

from django.db import models

from ..models import InstantField


class Ticket(models.Model):
    """
    One ticket: where it is valid, and the claims of the access token with which it was requested.

    The primary key is the SHA-256 digest of the ticket, from which the ticket cannot be derived.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    method = models.CharField(max_length=16)
    path = models.TextField(help_text="As request.path is: decoded, and without the query.")
    claims = models.JSONField()
    expires_at = InstantField(db_index=True)

    objects: ClassVar[models.Manager["Ticket"]] = models.Manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"ticket for {self.method} {self.path}"
