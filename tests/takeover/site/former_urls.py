from django.urls import path
from rest_framework_simplejwt import views

from .views import WhoAmIView

urlpatterns = [
    path("api/token/", views.TokenObtainPairView.as_view()),
    path("api/token/refresh/", views.TokenRefreshView.as_view()),
    path("api/token/blacklist/", views.TokenBlacklistView.as_view()),
    path("api/whoami/", WhoAmIView.as_view()),
]
