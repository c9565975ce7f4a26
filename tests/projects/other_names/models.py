"""One user model for each kind of name. The settings choose one of them."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models


class NamedManager(BaseUserManager[Any]):
    def create_user(self, name: Any, password: str, **fields: Any) -> Any:
        user = self.model(**{self.model.USERNAME_FIELD: name, **fields})
        user.set_password(password)
        user.save()
        return user


class Named(AbstractBaseUser, PermissionsMixin):
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=True)

    objects = NamedManager()

    class Meta:
        abstract = True


class ByUUID(Named):
    badge = models.UUIDField(unique=True, default=uuid.uuid4)

    USERNAME_FIELD = "badge"


class ByNumber(Named):
    number = models.IntegerField(unique=True)

    USERNAME_FIELD = "number"


class ByAmount(Named):
    amount = models.DecimalField(unique=True, max_digits=6, decimal_places=2)

    USERNAME_FIELD = "amount"


class Person(models.Model):
    code = models.IntegerField(primary_key=True)

    def __str__(self) -> str:
        return f"person {self.code}"


class ByPerson(Named):
    person = models.OneToOneField(Person, on_delete=models.CASCADE)

    USERNAME_FIELD = "person"


class ByEmail(Named):
    email = models.EmailField(unique=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = []
