from typing import Any

from rest_framework.generics import RetrieveAPIView
from rest_framework.permissions import IsAuthenticated

from .models import User
from .serializers import MeSerializer


class MeView(RetrieveAPIView[User]):
    """Return the signed-in user."""

    serializer_class = MeSerializer
    permission_classes = (IsAuthenticated,)

    def get_object(self) -> Any:
        return self.request.user
