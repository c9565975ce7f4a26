from functools import partial
from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.checks import CheckMessage, Tags, register
from django.core.signals import request_started
from django.db.models.signals import post_migrate, pre_save
from django.utils.module_loading import module_has_submodule
from django.utils.translation import pgettext_lazy

from . import OPTIONAL


class TokensConfig(AppConfig):
    """Connects the receivers, registers the checks, and adds sessions to the users' admin."""

    name = __package__
    # DRF has the plural of its own tokens under this text.
    verbose_name = pgettext_lazy("name of the app", "Tokens")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.contrib.auth.models import Group

        from . import checks, signals
        from .api import charsets, schema  # noqa: F401  # schema registers the OpenAPI extensions.
        from .conf import apply_defaults
        from .keyring import receivers as key_receivers
        from .limits import good_networks, sign_in
        from .models import SigningKey
        from .operations import mail, support_group
        from .sessions import receivers

        apply_defaults()
        for check in (
            checks.check_secret,
            checks.check_secret_fallbacks,
            checks.check_key_ring,
            checks.check_lifetimes,
            checks.check_retention,
            checks.check_sessions_per_user,
            checks.check_algorithm,
            checks.check_engine,
            checks.check_database,
            checks.check_atomic_requests,
            checks.check_denylist_mode,
            checks.check_claims_hook,
            checks.check_user_rule,
            checks.check_user_language,
            checks.check_grace_elsewhere,
            checks.check_header,
            checks.check_rotation,
            checks.check_throttles,
            checks.check_password_checks,
            checks.check_proxies,
            checks.check_proxies_agree,
            checks.check_authentication_classes,
            checks.check_names,
            checks.check_names_without_prefix,
            checks.check_me_serializer,
            checks.check_home_url,
        ):
            register(check, Tags.security)
        for check in (
            checks.check_deployment,
            checks.check_sign_in,
            checks.check_signing_keys,
            checks.check_on_proof,
            checks.check_sequence,
            checks.check_compiled_query,
            checks.check_pruning,
            checks.check_database_file,
            checks.check_settings_of_others,
            checks.check_apps,
            checks.check_left_over_classes,
            checks.check_left_over_routes,
            checks.check_exception_handler,
            checks.check_routes,
            checks.check_pages,
        ):
            register(check, Tags.security, deploy=True)

        for model in apps.get_models():
            # Signals of a proxy or child of the user model have that class as their sender.
            if issubclass(model, get_user_model()):
                receivers.connect(model)
        request_started.connect(charsets.prepare, dispatch_uid="tokens.charsets")
        user_logged_in.connect(sign_in.after_login, dispatch_uid="tokens.after_login")
        user_login_failed.connect(sign_in.after_failure, dispatch_uid="tokens.after_failure")
        for signal in (signals.session_started, signals.session_refreshed):
            signal.connect(good_networks.after_use, dispatch_uid="tokens.good_networks")
        signals.session_started.connect(mail.on_session_started, dispatch_uid="tokens.notices")
        signals.refresh_repeated.connect(mail.on_refresh_repeated, dispatch_uid="tokens.notices")
        signals.reuse_detected.connect(mail.on_reuse_detected, dispatch_uid="tokens.notices")
        post_migrate.connect(key_receivers.after_migrate, self, dispatch_uid="tokens.first_key")
        post_migrate.connect(support_group.create_group, self, dispatch_uid="tokens.support_group")
        pre_save.connect(key_receivers.before_loading, SigningKey, dispatch_uid="tokens.loaded_key")
        pre_save.connect(support_group.before_loading, Group, dispatch_uid="tokens.loaded_group")

        for name in filter(partial(module_has_submodule, self.module), OPTIONAL):
            import_module(f".{name}", self.name).set_up()

        _extend_admin()


def _extend_admin() -> None:
    """Add sessions to the admin that the project has registered for its user model."""
    if not apps.is_installed("django.contrib.admin"):
        return
    register(_check_admin_sites, Tags.security, deploy=True)
    from django.contrib import admin
    from django.contrib.admin.apps import AdminConfig

    if not isinstance(apps.get_app_config("admin"), AdminConfig):
        return  # Without autodiscovery, the project registers its admins and calls extend() itself.
    # Afterwards the user admin is registered, whatever the order of INSTALLED_APPS.
    admin.autodiscover()
    from .admin.passwords import protect_passwords
    from .admin.users import extend

    extend(admin.site)
    protect_passwords(admin.site)


def _check_admin_sites(**kwargs: Any) -> list[CheckMessage]:
    # Imported late, because the import registers this app's models.
    from .admin.checks import check_admin_sites

    return check_admin_sites()
