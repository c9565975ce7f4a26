"""Pages that show the rows. Nothing can be changed on them: sessions are revoked on their own pages."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .models import BlacklistedToken, OutstandingToken


class _ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    actions = None
    related: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related(*self.related)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(OutstandingToken)
class OutstandingTokenAdmin(_ReadOnly):
    list_display = ("jti", "user", "created_at", "expires_at")
    search_fields = ("user__id", "jti")
    ordering = ("user",)
    related = ("user",)
    exclude = ("token",)  # simplejwt has stored usable tokens there.


@admin.register(BlacklistedToken)
class BlacklistedTokenAdmin(_ReadOnly):
    list_display = (
        "token_jti",
        "token_user",
        "token_created_at",
        "token_expires_at",
        "blacklisted_at",
    )
    search_fields = ("token__user__id", "token__jti")
    ordering = ("token__user",)
    related = ("token__user",)

    @admin.display(description=_("jti"), ordering="token__jti")
    def token_jti(self, obj: Any) -> Any:
        return obj.token.jti

    @admin.display(description=_("user"), ordering="token__user")
    def token_user(self, obj: Any) -> Any:
        return obj.token.user

    @admin.display(description=_("created at"), ordering="token__created_at")
    def token_created_at(self, obj: Any) -> Any:
        return obj.token.created_at

    @admin.display(description=_("expires at"), ordering="token__expires_at")
    def token_expires_at(self, obj: Any) -> Any:
        return obj.token.expires_at
