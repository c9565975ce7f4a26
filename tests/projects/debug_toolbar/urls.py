from debug_toolbar.toolbar import debug_toolbar_urls
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

urlpatterns = [
    path("manage/", admin.site.urls),
    path("api/", include("tokens.urls")),
    path("api/schema/", SpectacularAPIView.as_view()),
    path(".well-known/", include("tokens.well_known_urls")),
    *debug_toolbar_urls(),
]
