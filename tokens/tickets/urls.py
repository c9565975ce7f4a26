"""The route of the tickets. Include it below the prefix of the API: ``path("api/", include(…))``."""

from django.urls import path

from .views import TicketView

urlpatterns = [path("token/ticket/", TicketView.as_view(), name="tokens_ticket")]
