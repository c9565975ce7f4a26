from django.apps import AppConfig, apps
from django.contrib.auth import get_user_model
from django.core.checks import Tags, register
from django.db.models.signals import pre_delete


class StatusListConfig(AppConfig):
    """Connects this package to ``sessions``, pruning and deleted users, and registers its checks."""

    name = __package__
    label = "tokens_status_list"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Token Status List"

    def ready(self) -> None:
        from .. import sessions
        from ..operations import pruning
        from . import checks, indices, statuses

        sessions.set_statuses(statuses)
        pruning.add("status_blocks", "status block", indices.prunable_blocks)
        pruning.add("status_refusals", "status refusal", indices.prunable_refusals)
        for model in apps.get_models():
            # Signals of a proxy or child of the user model have that class as their sender.
            if issubclass(model, get_user_model()):
                pre_delete.connect(
                    statuses.before_user_delete, model, dispatch_uid="tokens.status_list.delete"
                )
        register(checks.check_settings, Tags.security)
        register(checks.check_algorithm, Tags.security)
        register(checks.check_signing_key, Tags.security, deploy=True)
        register(checks.check_route, Tags.security, deploy=True)
