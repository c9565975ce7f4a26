"""Change one's own password. An optional part of the API: include ``password_urls``."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY, get_user_model, update_session_auth_hash
from django.contrib.auth.password_validation import (
    password_validators_help_texts,
    validate_password,
)
from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from .. import sessions
from ..client import client_of
from ..database import places
from ..limits.in_flight import password_check
from ..models import Session, locked
from ..secret import Secret, hides_locals
from . import cookies, schema
from .cookie_views import answer_by_cookie
from .endpoint import SIGNED_IN
from .hiding import SecretField
from .http import bearer
from .openapi import OpenApiResponse, extend_schema
from .renderers import BrowsableAPIRenderer
from .serializers import MAX_PASSWORD_LENGTH, PairSerializer
from .throttles import PasswordThrottle
from .views import AsksDatabase, TokenView

CURRENT_IS_WRONG = _("Your current password was entered incorrectly.")


@schema.component("PasswordChange")
class PasswordChangeSerializer(serializers.Serializer[Any]):
    current_password = SecretField(
        max_length=MAX_PASSWORD_LENGTH,
        trim_whitespace=False,
        write_only=True,
        style={"input_type": "password"},
    )
    new_password = SecretField(
        max_length=MAX_PASSWORD_LENGTH,
        trim_whitespace=False,
        write_only=True,
        style={"input_type": "password"},
    )

    def validate_current_password(self, value: Secret[str]) -> Secret[str]:
        with password_check(reserved=True):
            is_right = self.context["request"].user.check_password(value.reveal())
        if not is_right:
            raise serializers.ValidationError(CURRENT_IS_WRONG)
        return value

    def validate_new_password(self, value: Secret[str]) -> Secret[str]:
        try:
            validate_password(value.reveal(), self.context["request"].user)
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.messages) from None
        return value


class PasswordChangeView(AsksDatabase, TokenView):
    """
    Change your password, end your other sessions, and return a new pair of tokens for this one.

    All earlier tokens of this session are refused. To a request by cookie the answer is by cookie.
    """

    name = _("Password")  # in breadcrumbs
    page_template = "tokens/password.html"
    serializer_class = PasswordChangeSerializer
    throttle_scope = "password"
    throttle_classes = (PasswordThrottle,)
    authentication_classes = SIGNED_IN
    permission_classes = (IsAuthenticated,)

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Open the form in a browser. A program still learns that there is nothing to GET."""
        wants_page = isinstance(request.accepted_renderer, BrowsableAPIRenderer)
        if request.method == "GET" and wants_page:
            return Response({})
        return super().http_method_not_allowed(request, *args, **kwargs)

    def get_page_context(self, request: Request, response: Response) -> dict[str, Any]:
        """Return what the template has beside the context of every page."""
        is_sent = request.method == "POST"
        refusal = response.data if is_sent and response.status_code >= 400 else {}
        return {
            "is_changed": is_sent and response.status_code < 300,
            "errors": refusal if isinstance(refusal, dict) else {},
            "rules": password_validators_help_texts(),
            "account": request.user,
        }

    @extend_schema(
        operation_id="tokens_me_password",
        responses={
            200: OpenApiResponse(
                PairSerializer, "The new pair; by cookie without the members access and refresh."
            ),
            204: OpenApiResponse(None, "All sessions ended: no token authenticated this request."),
        },
    )
    def post(self, request: Request) -> Response:
        new_password = self.read(request)["new_password"]
        user: Any = request.user  # IsAuthenticated guarantees it.
        save = partial(_save, user, new_password, checked=user.password)
        sid = getattr(request.auth, "sid", None)
        if not isinstance(sid, UUID):
            with places.atomic(Session):
                save()
            # Another authentication class found the user. Django's own session continues.
            if SESSION_KEY in getattr(request._request, "session", ()):
                update_session_auth_hash(request._request, user)
            return Response(status=status.HTTP_204_NO_CONTENT)
        by_cookie = bearer(request) is None
        pair = sessions.change_password(
            user,
            keep=sid,
            save=save,
            client=client_of(request),
            check=cookies.check_size if by_cookie else None,
        )
        return answer_by_cookie(pair) if by_cookie else self.answer(pair)


def _save(user: Any, new_password: Secret[str], *, checked: str) -> None:
    """Store the new password, unless another request has changed the password that was checked."""
    users = get_user_model()._default_manager
    if not locked(users.filter(pk=user.pk, password=checked)).exists():
        raise ValidationError({"current_password": [CURRENT_IS_WRONG]})
    hides_locals(user.set_password)(new_password.reveal())
    user.save(update_fields=["password"])
