from django.urls import include, path

from .views import WhoAmIView

urlpatterns = [
    path("api/", include("tokens.urls")),
    path("api/whoami/", WhoAmIView.as_view()),
]
