"""Users by multi-table inheritance, with an integer primary key named ``number``."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class Person(AbstractUser):
    number = models.AutoField(primary_key=True)


class Member(Person):
    badge = models.CharField(max_length=20)
    joined_on = models.DateField(null=True)
