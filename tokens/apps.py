from functools import partial
from importlib import import_module

from django.apps import AppConfig, apps
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate
from django.utils.module_loading import module_has_submodule

# Packages that not every project needs. Each can be deleted.
OPTIONAL = ("snapshot",)


class TokensConfig(AppConfig):
    """Connects the receivers, registers the checks, and adds sessions to the users' admin."""

    name = __package__
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, signals
        from .api import schema  # noqa: F401  # Registers the OpenAPI extensions.
        from .conf import apply_defaults
        from .keyring.receivers import after_migrate
        from .limits import sign_in
        from .operations import mail, support_group
        from .sessions import receivers

        apply_defaults()
        for check in (
            checks.check_secret,
            checks.check_key_ring,
            checks.check_lifetimes,
            checks.check_retention,
            checks.check_sessions_per_user,
            checks.check_algorithm,
            checks.check_database,
            checks.check_atomic_requests,
            checks.check_denylist_mode,
            checks.check_claims_hook,
            checks.check_user_rule,
            checks.check_grace_elsewhere,
            checks.check_throttles,
            checks.check_proxies,
            checks.check_authentication_classes,
        ):
            register(check, Tags.security)
        for check in (
            checks.check_deployment,
            checks.check_signing_keys,
            checks.check_sequence,
            checks.check_pruning,
        ):
            register(check, Tags.security, deploy=True)

        for model in apps.get_models():
            # Signals of a proxy or child of the user model have that class as their sender.
            if issubclass(model, get_user_model()):
                receivers.connect(model)
        user_logged_in.connect(sign_in.after_login, dispatch_uid="tokens.after_login")
        user_login_failed.connect(sign_in.after_failure, dispatch_uid="tokens.after_failure")
        signals.session_started.connect(mail.on_session_started, dispatch_uid="tokens.notices")
        signals.refresh_repeated.connect(mail.on_refresh_repeated, dispatch_uid="tokens.notices")
        signals.reuse_detected.connect(mail.on_reuse_detected, dispatch_uid="tokens.notices")
        post_migrate.connect(after_migrate, self, dispatch_uid="tokens.first_key")
        post_migrate.connect(support_group.create_group, self, dispatch_uid="tokens.support_group")

        for name in filter(partial(module_has_submodule, self.module), OPTIONAL):
            import_module(f".{name}", self.name).set_up()

        _extend_admin()


def _extend_admin() -> None:
    """Add sessions to the admin that the project has registered for its user model."""
    if not apps.is_installed("django.contrib.admin"):
        return
    from django.contrib import admin
    from django.contrib.admin.apps import AdminConfig

    if not isinstance(apps.get_app_config("admin"), AdminConfig):
        return  # Without autodiscovery, the project registers its admins and calls extend() itself.
    # Afterwards the user admin is registered, whatever the order of INSTALLED_APPS.
    admin.autodiscover()
    from .admin.users import extend

    extend(admin.site)
