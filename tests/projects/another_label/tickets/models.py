from django.db import models


class Session(models.Model):
    """A talk at a conference."""

    speaker = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.speaker
