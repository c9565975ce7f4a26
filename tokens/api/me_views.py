"""Who the caller is. An optional part of the API: include ``me_urls``."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from ..conf import conf
from . import schema
from .endpoint import SIGNED_IN, Endpoint
from .openapi import extend_schema


def _field_names() -> tuple[str, ...]:
    """Return the fields that every user model has, and that of the email address if there is one."""
    user_model: Any = get_user_model()
    email = user_model.get_email_field_name()
    try:
        user_model._meta.get_field(email)
    except FieldDoesNotExist:
        email = ""
    # An email address may be the name by which users sign in. A dict keeps each once.
    return tuple(dict.fromkeys(filter(None, ("id", user_model.USERNAME_FIELD, email))))


@schema.component("Me")
class MeSerializer(serializers.ModelSerializer[Any]):
    """The user's key, name and email address, from the fields that the user model declares."""

    id = serializers.CharField(source="pk", read_only=True, help_text="The claim sub.")

    class Meta:
        model = get_user_model()
        fields = _field_names()
        read_only_fields = fields


class MeView(Endpoint):
    """Return the signed-in user."""

    name = _("My account")  # in breadcrumbs
    page_template = "tokens/me.html"
    authentication_classes = SIGNED_IN
    permission_classes = (IsAuthenticated,)

    def get_serializer_class(self) -> type[Any]:
        return conf.TOKENS_ME_SERIALIZER or MeSerializer

    def get_page_context(self, request: Request, response: Response) -> dict[str, Any]:
        """Return what the template has beside the context of every page."""
        user: Any = request.user
        if response.status_code != status.HTTP_200_OK:
            return {}
        email = getattr(user, user.get_email_field_name(), "")
        name = user.get_full_name() if hasattr(user, "get_full_name") else ""
        return {"account": user, "full_name": name, "email": email}

    @extend_schema(operation_id="tokens_me")
    def get(self, request: Request) -> Response:
        return Response(self.get_serializer(request.user).data)
