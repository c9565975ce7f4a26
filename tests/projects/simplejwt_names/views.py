"""What projects write with the names of djangorestframework-simplejwt."""

from typing import Any

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import (
    JWTAuthentication,
    JWTStatelessUserAuthentication,
)
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer
from rest_framework_simplejwt.views import TokenObtainPairView


class NamedTokenSerializer(TokenObtainPairSerializer):
    @classmethod
    def get_token(cls, user: Any) -> Any:
        token = super().get_token(user)
        token["name"] = user.get_username()
        return token

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {**super().validate(attrs), "email": self.user.email}


class NamedTokenView(TokenObtainPairView):
    serializer_class = NamedTokenSerializer


class Who(APIView):
    permission_classes = (IsAuthenticated,)
    authentication_classes = (JWTAuthentication,)

    def get(self, request: Request) -> Response:
        auth: Any = request.auth
        return Response({"user": request.user.username, "claims": auth.payload})


class WhoByClaims(Who):
    authentication_classes = (JWTStatelessUserAuthentication,)
