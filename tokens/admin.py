"""The rows as staff see them: to read, and nothing secret among them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import DeniedToken, Session, SigningKey


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Rows of this app change through ``sessions``, ``denylist`` and ``keyring`` only."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """
        Permit it only as part of deleting a user, which the user's own admin has decided on.

        The admin asks here too before it deletes a user with sessions.
        """
        match = request.resolver_match
        own_pages = f"{self.opts.app_label}_{self.opts.model_name}_"
        return match is not None and not str(match.url_name).startswith(own_pages)


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    list_display = ("id", "user", "ip_address", "started_at", "refreshed_at", "end_reason")
    list_select_related = ("user",)
    search_fields = ("=id", "=user__username", "=user__email")
    ordering = ("-started_at",)


@admin.register(DeniedToken)
class DeniedTokenAdmin(ReadOnlyAdmin):
    list_display = ("value", "kind", "user", "reason", "denied_by", "denied_at", "until")
    list_select_related = ("user", "denied_by")
    search_fields = ("=value",)
    ordering = ("-id",)


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    list_display = ("kid", "algorithm", "state", "created_at", "signs_since", "verifies_until")
