"""Count the sessions of users on the page before their deletion: a user may have a million."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import NestedObjects, quote
from django.db import router
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import Session
from ..operations.tally import WINDOW
from .base import url_name, user_text
from .charts import number


class _WithoutSessions(NestedObjects):
    """Collects the rows that are deleted with a user. It does not read sessions."""

    def related_objects(
        self, related_model: type[Model], related_fields: Any, objs: Any
    ) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().related_objects(related_model, related_fields, objs)
        return rows.none() if related_model is Session else rows


class CountedSessions(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """A base class behind the project's user admin, whose own method may call this one."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """
        Return what Django's method returns, with the number of sessions instead of each session.

        More than WINDOW are "at least" so many.
        """
        if not objs:
            return [], {}, set(), []
        collector = _WithoutSessions(using=router.db_for_write(objs[0]._meta.model), origin=objs)
        collector.collect(objs)
        lacking: set[str] = set()
        lines = collector.nested(self._line(request, lacking))
        protected = [self._line(request, lacking)(row) for row in collector.protected]
        by_model: dict[Any, Any] = collector.model_objs
        counts: dict[Any, Any] = {
            model._meta.verbose_name_plural: len(rows) for model, rows in by_model.items()
        }
        found = Session.objects.filter(user__in=[row.pk for row in objs])[: WINDOW + 1].count()
        if found:
            text = _sessions(found)
            lines.append(text)
            counts[Session._meta.verbose_name_plural] = text
        return lines, counts, lacking, protected

    def _line(self, request: HttpRequest, lacking: set[str]) -> Callable[[Any], str]:
        """Return the function that describes a row, and notes what may not be deleted."""
        site = self.admin_site

        def line(row: Any) -> str:
            options = row._meta
            kind, text = capfirst(options.verbose_name), user_text(row)
            if not site.is_registered(type(row)):
                return f"{kind}: {text}"
            if not site.get_model_admin(type(row)).has_delete_permission(request, row):
                lacking.add(str(options.verbose_name))
            name = f"{site.name}:{url_name(type(row), 'change')}"
            try:
                address = reverse(name, args=(quote(row.pk),))
            except NoReverseMatch:
                return f"{kind}: {text}"
            return format_html('{}: <a href="{}">{}</a>', kind, address, text)

        return line


def _sessions(found: int) -> str:
    if found > WINDOW:
        return _("at least %(number)s sessions") % {"number": number(WINDOW)}
    words = ngettext("%(number)s session", "%(number)s sessions", found)
    return words % {"number": number(found)}
