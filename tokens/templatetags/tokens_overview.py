"""``{% tokens_overview %}``: what the admin's first page says about the sessions."""

from typing import Any

from django import template

register = template.Library()


@register.inclusion_tag("admin/tokens/overview.html", takes_context=True)
def tokens_overview(context: template.Context) -> dict[str, Any]:
    # Django imports every app's tags for any template, also in a project without the admin.
    from ..admin.base import has_permission
    from ..admin.overview import overview

    if not has_permission(context["request"], "view_session"):
        return {}
    return {"overview": overview()}
