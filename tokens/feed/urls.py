"""The routes of the feed. No other routes of this app include them: a project does."""

from django.urls import path

from ..database.places import non_atomic_requests
from .views import DenialsView, events

urlpatterns = [
    # Within a transaction of ATOMIC_REQUESTS, the database may show an old state.
    path("", non_atomic_requests(DenialsView.as_view()), name="tokens_denials"),
    # Django refuses to run an asynchronous view in such a transaction at all.
    path("events/", non_atomic_requests(events), name="tokens_denials_events"),
]
