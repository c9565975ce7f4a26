from django.apps import AppConfig
from django.core.checks import Tags, register


class TakeoverConfig(AppConfig):
    """Offers tokens without ``kid`` to this package, and registers its checks."""

    name = __package__
    label = "tokens_takeover"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Takeover of djangorestframework-simplejwt"

    def ready(self) -> None:
        from .. import sessions
        from ..checks import take_over
        from . import checks, outstanding

        take_over("SIMPLE_JWT")
        sessions.set_adopter(outstanding.adopt)
        register(checks.check_settings, Tags.security)
        register(checks.check_over, Tags.security, deploy=True)
