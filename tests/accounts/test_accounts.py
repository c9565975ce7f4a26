from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from rest_framework.serializers import ModelSerializer

from accounts.serializers import MeSerializer, me
from tests.conftest import PASSWORD
from tokens import sessions

NEW_PASSWORD = "a rather different sentence"


def test_a_superuser_is_created_without_questions(
    db: None, django_user_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command(
        "createsuperuser", "--noinput", username="root", email="root@example.org", stdout=StringIO()
    )
    user = django_user_model.objects.get()
    assert user.is_superuser
    assert isinstance(user.pk, UUID)


def test_an_email_address_belongs_to_one_person_in_upper_and_lower_case(
    user: Any, django_user_model: Any
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        django_user_model.objects.create_user("bob", "ADA@example.org")
    with pytest.raises(ValidationError, match="already exists"):
        django_user_model(username="bob", email="Ada@Example.org", password="x").full_clean()


def test_several_people_may_have_no_email_address(db: None, django_user_model: Any) -> None:
    for name in ("service-a", "service-b"):
        django_user_model.objects.create_user(name)
    assert django_user_model.objects.count() == 2


def test_the_admin_adds_and_shows_a_person(admin_client: Client, django_user_model: Any) -> None:
    page = reverse("admin:accounts_user_add")
    form = {"username": "bob", "usable_password": "true"}
    passwords = {"password1": PASSWORD, "password2": PASSWORD}
    answer = admin_client.post(page, {**form, **passwords})
    assert "This field is required" in answer.content.decode()
    answer = admin_client.post(page, {**form, **passwords, "email": "bob@example.org"})
    assert answer.status_code == 302
    bob = django_user_model.objects.get(username="bob")
    change = reverse("admin:accounts_user_change", args=[bob.pk])
    assert admin_client.get(change).status_code == 200
    assert admin_client.get(reverse("admin:accounts_user_changelist")).status_code == 200


def change_password(user: Any) -> None:
    other = type(user).objects.get(pk=user.pk)
    other.set_password(NEW_PASSWORD)
    other.save()


@pytest.fixture
def outdated(user: Any, settings: Any) -> Any:
    """Return the user as two sign-ins loaded it, with a hash that both find outdated."""
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    return type(user).objects.get(pk=user.pk)


def test_two_sign_ins_that_find_an_old_hash_end_no_session(user: Any, outdated: Any) -> None:
    before = sessions.start(user)
    first = authenticate(username="ada", password=PASSWORD)
    pair = sessions.start(first)
    assert outdated.check_password(PASSWORD)
    assert outdated.password == first.password  # type: ignore[union-attr]
    for started in (before, pair, sessions.start(outdated)):
        sessions.authenticate(started.raw_access)


def test_a_better_hash_of_a_former_password_replaces_no_new_one(user: Any, outdated: Any) -> None:
    change_password(user)
    assert not outdated.check_password(PASSWORD)
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)


def test_the_answer_about_the_user_is_what_its_serializer_describes(user: Any) -> None:
    described = ModelSerializer.to_representation(MeSerializer(user), user)
    assert me(user) == MeSerializer(user).data == described
