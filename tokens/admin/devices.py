"""The filters of the list of sessions by device, browser and network."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..client.families import SOFTWARE, SYSTEMS
from .filters import BoundedFilter, order_of
from .networks import network_in, of_network

OTHER = "other"

_SYSTEMS = {
    "Windows": ("Windows",),
    "macOS": ("Mac OS X",),
    "Linux": ("Linux", "Ubuntu", "Fedora"),
    "iOS": ("iOS",),
    "Android": ("Android",),
    "ChromeOS": ("Chrome OS",),
}
_BROWSERS = {
    "Chrome": ("Chrome", "Chrome Mobile iOS", "Chrome Mobile WebView", "HeadlessChrome"),
    "Edge": ("Edge", "Edge Mobile"),
    "Firefox": ("Firefox", "Firefox iOS"),
    "Safari": ("Safari",),
}


def condition(rules: tuple[tuple[str, str], ...], names: tuple[str, ...]) -> Q:
    """Return the condition that the first rule that matches the user agent has one of these names."""
    found, before = Q(pk__in=[]), Q(pk__in=[])
    for text, name in rules:
        here = Q(user_agent__contains=text)
        if name in names:
            found |= here & ~before
        before |= here
    return found


class _UserAgentFilter(BoundedFilter):
    """A condition on the user agent, which no index serves."""

    names: dict[str, tuple[str, ...]]
    rules: tuple[tuple[str, str], ...]
    other: Any

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [*((name, name) for name in self.names), (OTHER, self.other)]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any] | None:
        chosen = self.value()
        if chosen is None:
            return None
        if chosen != OTHER and chosen not in self.names:
            return rows.none()
        newest: QuerySet[Any] = self.first_window(request, rows)
        if chosen == OTHER:
            every = tuple(name for names in self.names.values() for name in names)
            return newest.exclude(condition(self.rules, every))
        return newest.filter(condition(self.rules, self.names[chosen]))


class DeviceFilter(_UserAgentFilter):
    title = _("device")
    parameter_name = "device"
    names, rules = _SYSTEMS, SYSTEMS
    other = _("other, or a program")


class BrowserFilter(_UserAgentFilter):
    title = _("browser")
    parameter_name = "browser"
    names, rules = _BROWSERS, SOFTWARE
    other = _("other, or a program")


class NetworkFilter(BoundedFilter):
    """The sessions whose sign-in came from a network, which staff type into a form."""

    title = _("network")
    parameter_name = "network"
    template = "tokens/admin/network_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return ()

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        typed = self.value() or ""
        network = network_in(typed)
        kept = [item for item in changelist.params.items() if item[0] != self.parameter_name]
        yield {
            "typed": str(network or typed),
            "is_wrong": bool(typed) and network is None,
            "hidden": kept,
            "without": changelist.get_query_string(remove=[self.parameter_name]),
            "parameter": self.parameter_name,
        }

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any] | None:
        typed = self.value()
        if not typed:
            return None
        network = network_in(typed)
        if network is None:
            return rows.none()
        found: QuerySet[Any]
        found, self.is_complete = of_network(rows, network, order=order_of(request.GET))
        return found
