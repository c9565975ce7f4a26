"""
``{{ session.active_at|tokens_time }}``: a time in the current language and time zone, as a ``time`` element.

``{{ session.active_at|tokens_ago }}``: how long ago that was, in words.

``{% tokens_time_zone %}``: the name of that zone. The script of the pages replaces both by the browser's.
"""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import npgettext_lazy

from .. import clock

register = template.Library()

# Django's own are the names of durations: "vor" needs other endings in German.
AGO: dict[str, Any] = {
    "year": npgettext_lazy("ago", "%(num)d year", "%(num)d years", "num"),
    "month": npgettext_lazy("ago", "%(num)d month", "%(num)d months", "num"),
    "week": npgettext_lazy("ago", "%(num)d week", "%(num)d weeks", "num"),
    "day": npgettext_lazy("ago", "%(num)d day", "%(num)d days", "num"),
    "hour": npgettext_lazy("ago", "%(num)d hour", "%(num)d hours", "num"),
    "minute": npgettext_lazy("ago", "%(num)d minute", "%(num)d minutes", "num"),
}


@register.filter
def tokens_time(value: datetime) -> SafeString:
    local = value.astimezone(timezone.get_current_timezone())
    text = date_format(local, "DATETIME_FORMAT")
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), text)


@register.filter
def tokens_ago(value: datetime, now: datetime | None = None) -> str:
    now = now or clock.now()
    if now - value < timedelta(minutes=1):
        return _("just now")
    # One unit is enough to tell devices apart.
    return _("%(time)s ago") % {"time": timesince(value, now, time_strings=AGO, depth=1)}


@register.simple_tag
def tokens_time_zone() -> str:
    return timezone.get_current_timezone_name()
