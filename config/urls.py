from typing import Any

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView, TemplateView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from .errors import bad_request, page_not_found, permission_denied, server_error
from .health import healthz, readyz

handler400 = bad_request
handler403 = permission_denied
handler404 = page_not_found
handler500 = server_error

admin.site.site_header = admin.site.site_title = "Latchkey"

urlpatterns: list[Any] = [
    path("", TemplateView.as_view(template_name="config/first_page.html"), name="first_page"),
    path("admin/", admin.site.urls),
    path("api/", include("tokens.api.me_urls")),
    path("api/", include("tokens.urls")),
    *([path("api/denials/", include("tokens.feed.urls"))] if settings.FEED_READERS else []),
    path("api/", include("tokens.tickets.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="config/docs.html"),
        name="docs",
    ),
    path("api/", csrf_exempt(RedirectView.as_view(pattern_name="docs"))),
    path(".well-known/", include("tokens.well_known_urls")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    # Answers JSON even where DEBUG would answer with an HTML page, and 404 even to a POST.
    re_path(r"^[/]*(?:[Aa][Pp][Ii]|\.well-known)(?:/|$)", csrf_exempt(page_not_found)),
]
