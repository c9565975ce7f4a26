"""``POST /api/token/ticket/``: a signed-in user asks for a ticket."""

from typing import Any
from urllib.parse import unquote

from django.core.validators import ProhibitNullCharactersValidator
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from .. import clock
from ..api import schema, schema_groups
from ..api.endpoint import SIGNED_IN, Endpoint
from ..api.hiding import SecretResponse
from ..api.http import forbid_storing
from ..api.openapi import extend_schema
from ..api.views import AsksDatabase
from ..jose import Claims
from . import issuing

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


@schema.component("TicketRequest")
class TicketRequestSerializer(serializers.Serializer[Any]):
    """The request for which the ticket is valid."""

    method = serializers.ChoiceField(METHODS, default="GET")
    path = serializers.CharField(
        max_length=2048,
        trim_whitespace=False,
        help_text="The path of the address that you will open, as you write it there, without the query.",
    )

    def validate_path(self, path: str) -> str:
        """Return the path as ``request.path`` has it: decoded once."""
        if not path.startswith("/") or path.startswith("//") or "?" in path or "#" in path:
            raise serializers.ValidationError(
                gettext_lazy("Write a path that begins with one slash, without query and fragment.")
            )
        try:
            decoded = unquote(path, errors="strict")
        except UnicodeDecodeError:
            raise serializers.ValidationError(
                gettext_lazy("The percent-encoding of the path is not UTF-8.")
            ) from None
        ProhibitNullCharactersValidator()(decoded)  # PostgreSQL raises for one.
        return decoded


@schema.component("Ticket")
class TicketSerializer(serializers.Serializer[Any]):
    ticket = serializers.CharField(read_only=True)
    expires_in = serializers.IntegerField(read_only=True, help_text="In seconds.")


class TicketView(AsksDatabase, Endpoint):
    """
    Return a ticket that is good once, for one method and path, for 30 seconds.

    Put it into the address as ``?ticket=``, for a link, an image or an EventSource, which cannot send a
    header. The ticket belongs to your session, and is refused when the session has ended.
    """

    serializer_class = TicketRequestSerializer
    authentication_classes = SIGNED_IN
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="tokens_ticket",
        summary="Get a ticket for a request without a header",
        tags=[schema_groups.REFRESH],
        responses={200: TicketSerializer},
    )
    def post(self, request: Request) -> Response:
        wanted = self.read(request)
        if not isinstance(request.auth, Claims):
            raise PermissionDenied(
                gettext_lazy("A ticket belongs to the session of an access token.")
            )
        ticket = issuing.issue(request.auth, **wanted, now=clock.now())
        answer = {"ticket": ticket.reveal(), "expires_in": int(issuing.LIFETIME.total_seconds())}
        response = SecretResponse(TicketSerializer(answer).data)
        # RFC 9111 §5.2.2.5: a cache could give the ticket to another client.
        forbid_storing(response)
        return response
