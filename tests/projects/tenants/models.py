from typing import Any

from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Tenant(TenantMixin):  # type: ignore[misc]  # untyped
    name: Any = models.CharField(max_length=100)


class Domain(DomainMixin):  # type: ignore[misc]  # untyped
    pass
