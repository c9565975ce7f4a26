from typing import Any

from django.core.management.base import BaseCommand

from ....utils import aware_utcnow
from ...models import OutstandingToken


class Command(BaseCommand):
    help = "Delete the rows of tokens that have expired, blacklisted or not. prune_tokens deletes sessions."

    def handle(self, *args: Any, **options: Any) -> None:
        OutstandingToken.objects.filter(expires_at__lte=aware_utcnow()).delete()
