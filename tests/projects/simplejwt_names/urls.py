from django.contrib import admin
from django.urls import include, path
from rest_framework_simplejwt import views

from tests.projects.simplejwt_names.views import (
    NamedTokenView,
    Who,
    WhoByClaims,
)

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("tokens.urls")),
    path("jwt/", views.TokenObtainPairView.as_view()),
    path("jwt/named/", NamedTokenView.as_view()),
    path("jwt/refresh/", views.TokenRefreshView.as_view()),
    path("jwt/verify/", views.TokenVerifyView.as_view()),
    path("jwt/blacklist/", views.TokenBlacklistView.as_view()),
    path("jwt/sliding/", views.token_obtain_sliding),
    path("jwt/sliding/refresh/", views.token_refresh_sliding),
    path("who/", Who.as_view()),
    path("who/by-claims/", WhoByClaims.as_view()),
    path("djoser/", include("djoser.urls")),
    path("djoser/", include("djoser.urls.jwt")),
    path("dj-rest-auth/", include("dj_rest_auth.urls")),
    path("dj-rest-auth/registration/", include("dj_rest_auth.registration.urls")),
]
