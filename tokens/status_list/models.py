"""The blocks that indices are taken from, and the indices that are refused."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from ..models import InstantField

BLOCK_SIZE = 2**16
SEED_LENGTH = 16  # bytes


class Block(models.Model):
    """
    BLOCK_SIZE indices in a row, of which ``taken`` were given away, in an order that the seed decides.

    A block is deleted when the last session that may have one of its indices has expired. Its number
    can then be used again, with another seed.
    """

    number = models.PositiveIntegerField(primary_key=True)
    seed = models.BinaryField(max_length=SEED_LENGTH)
    taken = models.PositiveIntegerField(default=0)
    holder = models.CharField(max_length=32, help_text="Random: whose UPDATE was the last.")
    opened_at = InstantField()
    until = InstantField(help_text="When the last session with one of the indices expires.")

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["until"], name="status_block_until")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(taken__lte=BLOCK_SIZE), name="status_block_has_so_many_indices"
            ),
        ]

    def __str__(self) -> str:
        return f"block {self.number}"


class RefusedIndex(models.Model):
    """
    A refused index that no session's row names.

    The row was deleted with its user, or the session goes on with another index.
    """

    index = models.BigIntegerField(primary_key=True)
    until = InstantField(help_text="When the last token with this index expires.")

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["until"], name="status_refused_until")]

    def __str__(self) -> str:
        return f"index {self.index}"
