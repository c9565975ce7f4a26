from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.translation import gettext_lazy as _


class FeedConfig(AppConfig):
    """Makes each denial notify the processes that push the feed, and registers the checks."""

    name = __package__
    label = "tokens_feed"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Feed of denials")

    def ready(self) -> None:
        from .. import denylist
        from . import checks

        denylist.notify_others_when(lambda: True)
        register(checks.check_readers, Tags.security)
        register(checks.check_signing_key, Tags.security)
        register(checks.check_everybody, Tags.security, deploy=True)
        register(checks.check_user_rule, Tags.security, deploy=True)
        register(checks.check_grace, Tags.security, deploy=True)
