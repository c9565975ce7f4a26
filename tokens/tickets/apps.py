from django.apps import AppConfig
from django.core.signals import request_started


class TicketsConfig(AppConfig):
    """Takes tickets out of addresses before Django makes the request object."""

    name = __package__
    label = "tokens_tickets"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Single-use tickets"

    def ready(self) -> None:
        from . import hiding

        request_started.connect(hiding.hide, dispatch_uid="tokens.tickets")
