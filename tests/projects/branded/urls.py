from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView


def shop(request: HttpRequest) -> HttpResponse:
    return HttpResponse("the shop")


admin.site.site_url = None  # Django's admin links to "/" by default.

urlpatterns = [
    path("admin/", admin.site.urls),
    path("v2/api/", include("tokens.urls")),
    path("v2/api/", include("tokens.api.me_urls")),
    path("v2/schema/", SpectacularAPIView.as_view()),
    path(".well-known/", include("tokens.well_known_urls")),
    path("shop/", shop, name="shop"),
    # Only the project that is called by django.contrib.sites has a first page.
    *([path("", shop)] if getattr(settings, "SITE", "") == "sites" else []),
]
