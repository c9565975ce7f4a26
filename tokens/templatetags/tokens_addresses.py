"""
``{% tokens_address "tokens_sessions" %}``: the address of one of this app's views.

``{% tokens_site_name %}`` and ``{% tokens_home_url %}``: the name and the home page of the site.
"""

from typing import Any

from django import template

from .. import branding
from ..api import addresses

register = template.Library()


@register.simple_tag(takes_context=True)
def tokens_address(context: template.Context, name: str, **parameters: Any) -> str:
    """Return the path of the route ``name``, or an empty text if the project has none."""
    return addresses.find(name, _request_of(context), **parameters) or ""


@register.simple_tag(takes_context=True)
def tokens_site_name(context: template.Context) -> str:
    """Return the name of the site."""
    return branding.site_name(_request_of(context))


@register.simple_tag(takes_context=True)
def tokens_home_url(context: template.Context) -> str:
    """Return the address of the site's home page, or an empty text if it has none."""
    return branding.home_url(_request_of(context))


def _request_of(context: template.Context) -> Any:
    return context.get("request") or getattr(context, "request", None)
