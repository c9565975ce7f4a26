from django.contrib import admin
from django.urls import include, path

from tests.projects.doors import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("tokens.urls")),
    path("accounts/", include("allauth.urls")),
    path("dj-rest-auth/", include("dj_rest_auth.urls")),
    path("djoser/", include("djoser.urls.authtoken")),
    path("ninja/", views.api.urls),
    path("basic/", views.BasicView.as_view()),
    path("email/", views.by_email),
    path("async/", views.asynchronous),
    path("app/", views.by_this_app),
    path("failing/", views.failing),
    path("failing/inside/", views.failing_inside),
    path("failing/api/", views.FailingAPIView.as_view()),
    path("who/", views.who),
]
