"""The page that shows the effect of an action and asks for confirmation."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse


def confirmation(
    request: HttpRequest,
    model_admin: "ModelAdmin[Any]",
    *,
    title: str,
    sentences: Iterable[str],
    form: forms.Form,
    button: str,
    back: str,
    items: Iterable[str] = (),
    hidden: Iterable[tuple[str, str]] = (),
    is_destructive: bool = True,
) -> HttpResponse:
    """
    Return the confirmation page. It posts ``form`` and ``hidden`` to the same address.

    ``sentences`` describe the effect, ``items`` list the affected rows, ``button`` is the label of
    the button that confirms, and ``back`` is the address to which the other button leads.
    The first one warns by its colour if the action ``is_destructive``.
    """
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "subtitle": None,
        "opts": model_admin.opts,
        "media": model_admin.media,
        "sentences": sentences,
        "items": items,
        "form": form,
        "button": button,
        "back": back,
        "hidden": hidden,
        "is_destructive": is_destructive,
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "tokens/admin/confirm.html", context)
