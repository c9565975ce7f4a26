from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView, TemplateView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from tokens.limits.sign_in import limit_sign_in

from .errors import bad_request, page_not_found, permission_denied, server_error
from .health import healthz, readyz

handler400 = bad_request
handler403 = permission_denied
handler404 = page_not_found
handler500 = server_error

# The admin has its own sign-in page, which needs the limits on sign-ins too.
admin.site.login = limit_sign_in(admin.site.login)  # type: ignore[method-assign]

admin.site.site_header = admin.site.site_title = "Latchkey"

urlpatterns = [
    path("", TemplateView.as_view(template_name="config/first_page.html"), name="first_page"),
    path("admin/", admin.site.urls),
    path("api/", include("accounts.urls")),
    path("api/", include("tokens.urls")),
    path("api/", include("tokens.api.password_urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="config/docs.html"),
        name="docs",
    ),
    path("api/", csrf_exempt(RedirectView.as_view(pattern_name="docs"))),
    path(".well-known/", include("tokens.well_known_urls")),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    # Answers JSON even where DEBUG would answer with an HTML page, and 404 even to a POST.
    re_path(r"^api/", csrf_exempt(page_not_found)),
]
