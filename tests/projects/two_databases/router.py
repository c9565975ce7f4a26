from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from tests.projects.two_databases.current import current, tenant


def choose_tenant(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    def answer(request: HttpRequest) -> HttpResponse:
        with tenant(request.get_host().partition(".")[0]):
            return get_response(request)

    return answer


class TenantRouter:
    def db_for_read(self, model: Any, **hints: Any) -> str:
        return current()

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return current()

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db != "default"
