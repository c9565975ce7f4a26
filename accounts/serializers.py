from typing import Any

from rest_framework import serializers

from .models import User

_TIME = serializers.DateTimeField()


def me(user: User) -> dict[str, Any]:
    """Return what the fields of MeSerializer return for the user."""
    return {
        "id": str(user.pk),
        "username": user.username,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "is_staff": user.is_staff,
        "date_joined": _TIME.to_representation(user.date_joined),
    }


class MeSerializer(serializers.ModelSerializer[User]):
    """
    The answer of ``GET /api/me/``.

    A ModelSerializer builds its fields anew for each request, which takes longer than the rest of
    the request. So ``me`` writes the answer, and the fields describe it in OpenAPI.
    """

    class Meta:
        model = User
        fields = ("id", "username", "email", "first_name", "last_name", "is_staff", "date_joined")
        read_only_fields = fields

    def to_representation(self, instance: User) -> dict[str, Any]:
        return me(instance)
