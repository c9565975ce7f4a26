from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("tokens.urls")),
    path(".well-known/", include("tokens.well_known_urls")),
]
