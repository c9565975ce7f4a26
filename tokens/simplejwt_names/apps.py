from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import Tags, register

from . import alias, mapping

NAME = "rest_framework_simplejwt"


class SimplejwtNamesConfig(AppConfig):
    """Provides the name before Django imports the next app of INSTALLED_APPS."""

    name = __package__
    verbose_name = "Names of djangorestframework-simplejwt"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        alias.install(NAME, f"{self.name}.names")
        mapping.apply()

    def ready(self) -> None:
        from .. import signals
        from ..checks import take_over
        from . import checks

        take_over(NAME, "SIMPLE_JWT")
        register(checks.check_simple_jwt, Tags.security)
        register(checks.check_clients_keep_tokens, Tags.security)
        if apps.is_installed(f"{NAME}.token_blacklist"):
            from . import records

            for signal in (signals.session_started, signals.session_refreshed):
                signal.connect(records.after_use, dispatch_uid="tokens.outstanding")
            signals.session_ended.connect(records.after_end, dispatch_uid="tokens.blacklisted")
