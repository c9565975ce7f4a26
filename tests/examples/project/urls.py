from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from config.urls import urlpatterns
from tokens.authentication import JWTAuthentication
from tokens.tickets.authentication import TicketAuthentication


class PrintView(APIView):
    """A page that a ticket opens: it loads another resource, and leads to another page."""

    authentication_classes = (TicketAuthentication, JWTAuthentication)
    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(
            "<!doctype html><title>Print</title><img src=/badge/?from-print alt=''>"
            "<a href=/empty/>Go on</a>"
        )


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<!doctype html><title>Empty</title>")


urlpatterns = [*urlpatterns, path("print/", PrintView.as_view()), path("empty/", empty)]
