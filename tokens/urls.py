"""The routes of the API. Include them below a prefix of your choice, such as ``api/``."""

from django.urls import path

from .api import cookie_views, pages, session_views, views

urlpatterns = [
    path("token/", views.SignInView.as_view(), name="token_obtain_pair"),
    path("token/refresh/", views.RefreshView.as_view(), name="token_refresh"),
    path("token/verify/", views.VerifyView.as_view(), name="token_verify"),
    path("token/revoke/", views.RevokeView.as_view(), name="token_revoke"),
    path("token/blacklist/", views.BlacklistView.as_view(), name="token_blacklist"),
    path("token/introspect/", views.IntrospectView.as_view(), name="token_introspect"),
    path("token/cookie/", cookie_views.CookieSignInView.as_view(), name="token_cookie"),
    path(
        "token/cookie/refresh/",
        cookie_views.CookieRefreshView.as_view(),
        name="token_cookie_refresh",
    ),
    path("login/", pages.LoginPage.as_view(), name="login_page"),
    path("logout/page/", pages.LogoutPage.as_view(), name="logout_page"),
    path("logout/", session_views.LogoutView.as_view(), name="logout"),
    path("logout/all/", session_views.LogoutAllView.as_view(), name="logout_all"),
    path("sessions/", session_views.SessionListView.as_view(), name="sessions"),
    path("sessions/<uuid:sid>/", session_views.SessionView.as_view(), name="session"),
]
