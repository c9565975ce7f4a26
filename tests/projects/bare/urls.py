from django.urls import include, path

urlpatterns = [
    path("api/", include("tokens.urls")),
    path(".well-known/", include("tokens.well_known_urls")),
]
