"""
The routes of the API. Include them below a prefix of your choice, such as ``api/``.

Four have the names that djangorestframework-simplejwt gives to them. The names of all others begin
with ``tokens_``, so that they replace no name of the project, such as ``logout``.
"""

from django.urls import path

from .api import check_view, cookie_views, pages, session_pages, session_views, views

urlpatterns = [
    path("token/", views.SignInView.as_view(), name="token_obtain_pair"),
    path("token/refresh/", views.RefreshView.as_view(), name="token_refresh"),
    path("token/verify/", views.VerifyView.as_view(), name="token_verify"),
    path("token/revoke/", views.RevokeView.as_view(), name="tokens_revoke"),
    path("token/blacklist/", views.BlacklistView.as_view(), name="token_blacklist"),
    path("token/introspect/", views.IntrospectView.as_view(), name="tokens_introspect"),
    path("token/check/", check_view.CheckView.as_view(), name="tokens_check"),
    path("token/cookie/", cookie_views.CookieSignInView.as_view(), name="tokens_cookie"),
    path(
        "token/cookie/refresh/",
        cookie_views.CookieRefreshView.as_view(),
        name="tokens_cookie_refresh",
    ),
    path("login/", pages.LoginPage.as_view(), name="tokens_login_page"),
    path("login/continue/", session_pages.ContinuePage.as_view(), name="tokens_continue_page"),
    path("logout/page/", pages.LogoutPage.as_view(), name="tokens_logout_page"),
    path("logout/", session_views.LogoutView.as_view(), name="tokens_logout"),
    path("logout/all/", session_views.LogoutAllView.as_view(), name="tokens_logout_all"),
    path("logout/others/", session_views.LogoutOthersView.as_view(), name="tokens_logout_others"),
    path("sessions/page/", session_pages.SessionsPage.as_view(), name="tokens_sessions_page"),
    path("sessions/", session_views.SessionListView.as_view(), name="tokens_sessions"),
    path("sessions/<uuid:sid>/", session_views.SessionView.as_view(), name="tokens_session"),
]
