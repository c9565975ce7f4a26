"""``{% tokens_overview %}``: the numbers about sessions on the admin's first page."""

from typing import Any

from django import template

register = template.Library()


@register.inclusion_tag("tokens/admin/overview.html", takes_context=True)
def tokens_overview(context: template.Context) -> dict[str, Any]:
    # Imported here, because Django imports the tags of every app also in a project without admin.
    from django.contrib import admin

    from ..admin.base import admin_url, has_permission
    from ..admin.overview import overview
    from ..models import Session

    request = context["request"]
    # The site that shows the page, among several.
    sites = {site.name: site for site in admin.sites.all_sites}
    site = sites.get(getattr(request, "current_app", ""), admin.site)
    shown: dict[str, Any] = {"overview": overview(request, site), "request": request}
    if has_permission(request, "view_session"):
        shown["find"] = admin_url(site, Session, "find")
    return shown
