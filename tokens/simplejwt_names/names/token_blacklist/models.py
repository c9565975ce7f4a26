"""The models of the blacklist app: the tables that simplejwt's migrations have made."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

_IS_INSTALLED = apps.is_installed("rest_framework_simplejwt.token_blacklist")


class OutstandingToken(models.Model):
    """A session, or a token that simplejwt issued. ``token`` is empty for a session."""

    id = models.BigAutoField(primary_key=True, serialize=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True
    )
    jti = models.CharField(unique=True, max_length=255)
    token = models.TextField()
    created_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()

    objects: ClassVar[models.Manager["OutstandingToken"]] = models.Manager()

    class Meta:
        app_label = "token_blacklist"
        verbose_name = _("Outstanding Token")
        verbose_name_plural = _("Outstanding Tokens")
        # Code that imports the model must not fail in a project without its table.
        abstract = not _IS_INSTALLED
        ordering = ("user",)

    def __str__(self) -> str:
        return _("Token for %(user)s (%(jti)s)") % {"user": self.user, "jti": self.jti}


class BlacklistedTokenQuerySet(models.QuerySet["BlacklistedToken"]):
    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Insert the rows, and end what they stand for, as ``save`` does for one."""
        with transaction.atomic(using=self.db):
            rows = super().bulk_create(objs, *args, **kwargs)
            for row in rows:
                row.take_back()
        return rows

    def note(self, outstanding: Any) -> tuple[Any, bool]:
        """Return the row of what has been taken back already, and whether it is new."""
        made = super().bulk_create([self.model(token=outstanding)], ignore_conflicts=True)
        row = self.get(token=outstanding)
        return row, bool(made) and row.blacklisted_at == made[0].blacklisted_at


class BlacklistedToken(models.Model):
    """A session that has ended, or a token that simplejwt blacklisted. To insert a row ends it."""

    id = models.BigAutoField(primary_key=True, serialize=False)
    token = models.OneToOneField(OutstandingToken, on_delete=models.CASCADE)
    blacklisted_at = models.DateTimeField(auto_now_add=True)

    objects = BlacklistedTokenQuerySet.as_manager()

    class Meta:
        app_label = "token_blacklist"
        verbose_name = _("Blacklisted Token")
        verbose_name_plural = _("Blacklisted Tokens")
        abstract = not _IS_INSTALLED

    def __str__(self) -> str:
        return _("Blacklisted token for %(user)s") % {"user": self.token.user}

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic(using=kwargs.get("using")):
            super().save(*args, **kwargs)
            self.take_back()

    def take_back(self) -> None:
        from ... import records

        records.take_back(self.token)
