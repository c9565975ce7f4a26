"""``{% tokens_overview %}``: the numbers about sessions on the admin's first page."""

from typing import Any

from django import template

register = template.Library()


@register.inclusion_tag("tokens/admin/overview.html", takes_context=True)
def tokens_overview(context: template.Context) -> dict[str, Any]:
    # Imported here, because Django imports the tags of every app also in a project without admin.
    from ..admin.base import has_permission
    from ..admin.overview import overview
    from ..models import Session

    if not has_permission(context["request"], "view_session"):
        return {}
    return {"overview": overview(), "session_opts": Session._meta}
