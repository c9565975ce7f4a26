"""Users by multi-table inheritance, with whole numbers as keys and a name of their own for it."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class Person(AbstractUser):
    number = models.AutoField(primary_key=True)


class Member(Person):
    badge = models.CharField(max_length=20)
    joined_on = models.DateField(null=True)
