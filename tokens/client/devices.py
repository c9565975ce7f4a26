"""
Name the device of a user agent in words that its sender cannot choose.

A client can send any text as its user agent, and ua-parser copies much of it: the family of
"Mozilla/5.0 (compatible; Call +1 555 0100 Bot/1.0)" is "1 555 0100 Bot". The device is shown in
mail to users and to staff, so only families from the lists below are.
"""

from django.utils.translation import gettext as _

from .families import families_of


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(","))


# The names are those that ua-parser gives.
BROWSERS = _names("""
    Aloha Browser, Amazon Silk, Android, Avast Secure Browser, Baidu Browser, Basilisk, Brave, Chrome,
    Chrome Mobile, Chrome Mobile WebView, Chrome Mobile iOS, Chromium, Coc Coc, Comodo Dragon, DuckDuckGo,
    DuckDuckGo Mobile, Ecosia Android, Ecosia iOS, Edge, Edge Mobile, Epiphany, Firefox,
    Firefox Alpha, Firefox Beta, Firefox Mobile, Firefox iOS, HeadlessChrome, HeyTap Browser,
    Huawei Browser, IE, IE Mobile, Konqueror, Lynx, Maxthon, Midori, Mint Browser, MiuiBrowser,
    Mobile Safari, Mobile Safari UI/WKWebView, Oculus Browser, Opera, Opera GX, Opera Mini, Opera Mobile,
    Opera Touch, Pale Moon, PaleMoon, Puffin, QQ Browser, QQ Browser Mini, QQ Browser Mobile, Quark, Safari,
    Sailfish Browser, Samsung Internet, SeaMonkey, Sogou Explorer, Thunderbird, Tizen Browser, UC Browser,
    Vivaldi, VivoBrowser, Waterfox, Whale, Wolvic Browser, Yandex Browser, webOS Browser
""")
# Pages within these apps.
APPS = _names("""
    Electron, Facebook, Facebook Messenger, Google, Instagram, KakaoTalk, LINE, Microsoft Teams, Outlook,
    Pinterest, Slack Desktop Client, Snapchat, Telegram, TikTok, Twitter, WeChat Browser, Weibo
""")
HTTP_LIBRARIES = _names("""
    Apache-HttpClient, CFNetwork, Go-http-client, Google-HTTP-Java-Client, HTTPie, PostmanRuntime,
    Python Requests, Python aiohttp, Python-urllib, ReactorNetty, Wget, WinHTTP, WindowsPowerShell, axios, curl,
    insomnia, okhttp, reqwest
""")
SYSTEMS = _names("""
    Android, Arch Linux, BlackBerry OS, CentOS, Chrome OS, Debian, Fedora, FreeBSD, Gentoo, HarmonyOS, KaiOS,
    Linux, Linux Mint, Mac OS, Mac OS X, Mageia, NetBSD, OpenBSD, Red Hat, SUSE, Solaris, Tizen, Ubuntu,
    WatchOS, Windows, Windows Mobile, Windows Phone, iOS, tvOS, webOS
""")
SOFTWARE = BROWSERS | APPS | HTTP_LIBRARIES


def device_of(user_agent: str) -> str:
    """
    Return the browser and system of a user agent, such as ``Firefox on Linux``.

    Names that are in none of the lists are left out. If no name remains, the device is unknown. The words
    between the names are in the current language.
    """
    software, system = families_of(user_agent)
    software = software if software in SOFTWARE else ""
    system = system if system in SYSTEMS else ""
    if software and system and software != system:
        return _("%(software)s on %(system)s") % {"software": software, "system": system}
    return software or system or _("Unknown device")
