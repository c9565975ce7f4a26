"""The services that may read the feed: create a key, which is shown once, and revoke it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import ADDITION, CHANGE
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from ..admin.base import ReadOnlyAdmin, admin_url, format_instant, log, show_message, url_name
from ..admin.confirm import confirmation
from . import readers
from .models import MAX_NAME_LENGTH, FeedReader

PERMISSION = "change_feedreaders"


class NameForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=MAX_NAME_LENGTH,
        help_text=_("The service that gets the key, as staff will see it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": 60}),
    )


@admin.register(FeedReader)
class FeedReaderAdmin(ReadOnlyAdmin):
    list_display = ("name", "state", "created", "last_used")
    list_display_links = None
    ordering = ("-id",)
    fields = list_display
    readonly_fields = list_display
    actions = ("revoke",)

    @admin.display(description=_("state"))
    def state(self, reader: FeedReader) -> str:
        return gettext("may read") if reader.revoked_at is None else gettext("revoked")

    @admin.display(description=_("created"))
    def created(self, reader: FeedReader) -> str:
        return format_instant(reader.created_at)

    @admin.display(description=_("last used"))
    def last_used(self, reader: FeedReader) -> str:
        return format_instant(reader.last_used_at)

    def get_urls(self) -> list[URLPattern]:
        add = never_cache(self.admin_site.admin_view(self.add_view))
        return [path("add/", add, name=url_name(self.model, "add")), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_revoke_permission(request)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        permission = f"{self.opts.app_label}.{PERMISSION}"
        return bool(request.user.is_active and request.user.has_perm(permission))

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Create a key, and show it on the page that answers, which no address leads to."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NameForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            return self._create(request, form.cleaned_data["name"])
        return confirmation(
            request,
            self,
            title=gettext("Let a service read the feed"),
            sentences=[
                gettext("The service gets a key, which is shown once and cannot be shown again."),
                gettext("With the key, the service can read which sessions and tokens are denied."),
            ],
            form=form,
            button=gettext("Create"),
            back=self._list_url(),
        )

    def _create(self, request: HttpRequest, name: str) -> HttpResponse:
        key = readers.create(name)
        reader = FeedReader.objects.get(digest=readers.digest_of(key))
        log(request, [reader], ADDITION, "Created.")
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("The key of %(name)s") % {"name": name},
            "subtitle": None,
            "opts": self.opts,
            "key": key,  # Revealed by the template: a report of an error shows this context.
            "back": self._list_url(),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "tokens_feed/key.html", context)

    @admin.action(description=_("Revoke the selected keys"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, selected: QuerySet[FeedReader]) -> HttpResponse | None:
        chosen = list(selected.filter(revoked_at=None))
        if not chosen:
            show_message(request, gettext("All selected keys are revoked already."))
            return None
        if "confirmed" not in request.POST:
            return self._confirm(request, chosen)
        count = readers.revoke([reader.pk for reader in chosen])
        log(request, chosen, CHANGE, "Revoked.")
        show_message(
            request,
            ngettext(
                "%(count)d key is refused from now on.",
                "%(count)d keys are refused from now on.",
                count,
            )
            % {"count": count},
        )
        return None

    def _confirm(self, request: HttpRequest, chosen: list[FeedReader]) -> HttpResponse:
        marked = [(ACTION_CHECKBOX_NAME, str(reader.pk)) for reader in chosen]
        return confirmation(
            request,
            self,
            title=gettext("Revoke keys of the feed"),
            sentences=[
                gettext("Services with these keys are refused within a second."),
                gettext("They then refuse all tokens, unless they are set to accept them."),
            ],
            items=[reader.name for reader in chosen],
            form=forms.Form(),
            button=gettext("Revoke"),
            back=self._list_url(),
            hidden=[("action", "revoke"), ("confirmed", "yes"), *marked],
        )

    def _list_url(self) -> str:
        return admin_url(self.admin_site, self.model, "changelist")
