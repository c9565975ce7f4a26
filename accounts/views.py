from typing import Any, cast

from django.db import transaction
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView, RetrieveAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from .models import User
from .serializers import CURRENT_IS_WRONG, MeSerializer, PasswordChangeSerializer


class MeView(RetrieveAPIView[User]):
    """Return the signed-in user."""

    serializer_class = MeSerializer
    permission_classes = (IsAuthenticated,)

    def get_object(self) -> Any:
        return self.request.user


@method_decorator(sensitive_post_parameters(), name="dispatch")
# The change is committed before the 204 is sent, also under ATOMIC_REQUESTS.
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class PasswordChangeView(GenericAPIView[User]):
    """Change the signed-in user's password and end the user's other sessions."""

    serializer_class = PasswordChangeSerializer
    throttle_scope = "password"
    permission_classes = (IsAuthenticated,)

    @extend_schema(responses={204: None})
    def post(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = cast(User, request.user)  # IsAuthenticated guarantees it.
        checked = user.password
        user.set_password(serializer.validated_data["new_password"])
        with transaction.atomic(durable=True):
            # Another request may have changed the password since it was checked.
            unchanged = User.objects.select_for_update().filter(pk=user.pk, password=checked)
            if not unchanged.exists():
                raise ValidationError({"current_password": [CURRENT_IS_WRONG]})
            user.save(update_fields=["password"])
        return Response(status=status.HTTP_204_NO_CONTENT)
