"""The page between a button and an act: what it is going to cost, and why it is done."""

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
) -> HttpResponse:
    """
    Return the page that asks; its form comes back to the same address, with ``hidden`` in it.

    ``back`` is where somebody goes who had rather not.
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
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "admin/tokens/confirm.html", context)
