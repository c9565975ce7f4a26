"""
The software and the system that a user agent names, by the names that ua-parser gives to them.

A project without that package has the rules below, which know the common ones.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING or find_spec("ua_parser"):
    from ua_parser import parse_os, parse_user_agent

# The first text that a user agent contains decides. Browsers name their predecessors too: Edge names
# Chrome and Safari.
SOFTWARE = (
    ("EdgA/", "Edge Mobile"),
    ("EdgiOS/", "Edge Mobile"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox iOS"),
    ("CriOS/", "Chrome Mobile iOS"),
    ("HeadlessChrome/", "HeadlessChrome"),
    ("Firefox/", "Firefox"),
    ("; wv)", "Chrome Mobile WebView"),
    ("Chrome/", "Chrome"),
    (" Safari/", "Safari"),
    ("Go-http-client/", "Go-http-client"),
    ("HTTPie/", "HTTPie"),
    ("PostmanRuntime/", "PostmanRuntime"),
    ("Wget/", "Wget"),
    ("axios/", "axios"),
    ("curl/", "curl"),
    ("okhttp/", "okhttp"),
    ("python-requests/", "Python Requests"),
)
MOBILE = {
    "Chrome": "Chrome Mobile",
    "Firefox": "Firefox Mobile",
    "Opera": "Opera Mobile",
    "Safari": "Mobile Safari",
}
SYSTEMS = (
    ("Windows NT", "Windows"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("Android", "Android"),
    ("CrOS ", "Chrome OS"),
    ("Mac OS X", "Mac OS X"),
    ("Ubuntu", "Ubuntu"),
    ("Fedora", "Fedora"),
    ("Linux", "Linux"),
)


def families_by_rules(user_agent: str) -> tuple[str, str]:
    """Return the software and the system. Software without a rule is the word before its version."""
    software = _first(SOFTWARE, user_agent)
    if "Mobile" in user_agent:
        software = MOBILE.get(software, software)
    return software or user_agent.partition("/")[0], _first(SYSTEMS, user_agent)


def families_by_ua_parser(user_agent: str) -> tuple[str, str]:
    # Not parse(): it also looks for a make of device, and raises ValueError for some texts.
    software, system = parse_user_agent(user_agent), parse_os(user_agent)
    return (
        software.family if software else "",
        system.family if system else "",
    )


# To be compared. What is shown comes from `devices`, because a client can choose some of these names.
families_of: Callable[[str], tuple[str, str]] = (
    families_by_ua_parser if find_spec("ua_parser") else families_by_rules
)


def _first(rules: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for text, name in rules if text in user_agent), "")
