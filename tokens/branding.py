"""The name and the home page of the site that uses this app, for pages and mail."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import ImproperlyConfigured, ObjectDoesNotExist
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, Resolver404, get_script_prefix, resolve
from django.utils.translation import gettext_lazy as _

from .conf import conf

NAMELESS = _("this site")


def site_name(request: HttpRequest | None = None) -> str:
    """
    Return TOKENS_SITE_NAME, or else the name that Django's own pages and mail use.

    That is the name of the current site of ``django.contrib.sites``, and without that app the host of
    the request. Without a request, it is the first host of ALLOWED_HOSTS: what a client sends must not
    appear in mail to another person.
    """
    if conf.TOKENS_SITE_NAME:
        return conf.TOKENS_SITE_NAME
    if apps.is_installed("django.contrib.sites") and (request or hasattr(settings, "SITE_ID")):
        try:
            site: Any = get_current_site(request)
        except (ObjectDoesNotExist, ImproperlyConfigured):
            pass  # No row is for this host.
        else:
            return str(site.name)
    if request is not None:
        return request.get_host()
    hosts = (host.removeprefix(".") for host in settings.ALLOWED_HOSTS)
    return next((host for host in hosts if host != "*"), str(NAMELESS))


def home_url(request: HttpRequest | None = None) -> str:
    """
    Return the address of TOKENS_HOME_URL, or of the first page of the site.

    Return an empty text if the project serves nothing there.
    """
    if conf.TOKENS_HOME_URL:
        try:
            return resolve_url(conf.TOKENS_HOME_URL)
        except NoReverseMatch:
            return ""  # tokens.E041 reports it.
    try:
        resolve("/", getattr(request, "urlconf", None))
    except Resolver404:
        return ""
    return get_script_prefix()
