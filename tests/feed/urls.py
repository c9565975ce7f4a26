"""The routes of the project, and the feed whatever FEED_READERS is."""

from typing import Any

from django.urls import include, path

from config.urls import urlpatterns as of_project

urlpatterns: list[Any] = [path("api/denials/", include("tokens.feed.urls")), *of_project]
