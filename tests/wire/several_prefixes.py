"""URLs of a project that has the API below each language, and in two versions."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

urlpatterns = [
    path("v1/api/", include("tokens.urls")),
    path("v2/api/", include("tokens.urls")),
    *i18n_patterns(path("api/", include("tokens.urls"))),
]
