"""The route of the metrics. No other routes of this app include it: a project does."""

from django.urls import path

from .views import metrics

urlpatterns = [path("metrics", metrics, name="tokens_metrics")]
