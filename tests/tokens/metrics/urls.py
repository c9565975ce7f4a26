"""The routes of the project, and that of the metrics."""

from django.urls import include, path

from config.urls import urlpatterns as site

urlpatterns = [*site, path("", include("tokens.metrics.urls"))]
