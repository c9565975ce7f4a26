"""Sign in with every spelling of the name and with what cannot be a name, and search for both."""

import os
import uuid
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.hashers import MD5PasswordHasher  # noqa: E402
from django.core.management import CommandError, call_command  # noqa: E402
from django.test import Client, RequestFactory, override_settings  # noqa: E402
from django.urls import reverse  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from tests.projects.other_names.backends import CODE  # noqa: E402
from tests.projects.other_names.models import Person  # noqa: E402
from tokens.errors import TooManyAttempts  # noqa: E402
from tokens.limits import sign_in  # noqa: E402
from tokens.models import Session  # noqa: E402

PASSWORD = "correct horse battery staple"
BADGE = uuid.UUID("6f1dd2c8-5a43-4b3a-9d0e-6f4f0c7a2b11")
NO_NUMBERS = ["abc", "1.5.2", "", "9" * 30, "-" + "9" * 30, "1e400", "NaN", "Infinity", "7\u0660x"]

# How GET me/ writes the name, where it is no text.
WRITTEN = {"ByUUID": str(BADGE), "ByNumber": 7, "ByPerson": 7}
# For each model: the name, its spellings, and texts that cannot be names.
NAMES: dict[str, tuple[Any, list[Any], list[str]]] = {
    "ByUUID": (BADGE, [str(BADGE), BADGE.hex, str(BADGE).upper()], ["abc", BADGE.hex[1:]]),
    "ByNumber": (7, ["7", 7, "007", " 7 "], NO_NUMBERS),
    "ByAmount": ("7.50", ["7.5", "7.50"], [*NO_NUMBERS, "12345.67", "7.501"]),
    "ByPerson": (7, ["7", 7], NO_NUMBERS),
    "ByEmail": ("ada@example.org", ["ada@example.org", "\uff41da@example.org"], ["abc"]),
}


def main() -> None:
    call_command("migrate", run_syncdb=True, verbosity=0, skip_checks=True)
    users = get_user_model()
    name, spellings, impossible = NAMES[os.environ["USER_MODEL"]]
    if users.__name__ == "ByPerson":
        Person(code=7).save()
        name = Person._default_manager.get()
    user = users._default_manager.create_user(name, PASSWORD, is_superuser=True)
    assert_the_name_signs_in(spellings)
    assert_me_shows(user, WRITTEN.get(users.__name__, name), spellings[0])
    assert_nothing_else_does([text for text in impossible if text])
    assert_own_views_sign_in(user, spellings[0])
    assert_search_finds_nothing(user, impossible)


def asked(name: Any, password: str = PASSWORD, **extra: Any) -> Any:
    body = {get_user_model().USERNAME_FIELD: name, "password": password}
    return APIClient().post("/api/token/", body, format="json", **extra)


def assert_the_name_signs_in(spellings: list[Any]) -> None:
    for spelling in spellings:
        answer = asked(spelling)
        assert answer.status_code == 200, (spelling, answer.content)
        assert asked(spelling, "wrong").status_code == 401
    assert asked("x\0", "wrong").status_code == 400


def assert_me_shows(user: Any, name: Any, spelling: Any) -> None:
    access = asked(spelling).json()["access"]
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {access}")
    assert client.get("/api/me/").json() == {"id": str(user.pk), user.USERNAME_FIELD: name}
    assert client.get("/api/me/", HTTP_ACCEPT="text/html").status_code == 200


def assert_nothing_else_does(impossible: list[str]) -> None:
    for text in impossible:
        answer, hashes = with_hashes(lambda text=text: asked(text, "wrong"))  # type: ignore[misc]
        assert answer.status_code == 401, (text, answer.content)
        assert answer.json()["code"] == "no_active_account"
        assert hashes == 1, f"The time tells that {text!r} is nobody's name."
    with override_settings(TOKENS_ACCOUNT_THROTTLE="2/hour"):
        statuses = [asked("0bc", "x", REMOTE_ADDR=f"192.0.2.{n}").status_code for n in range(4)]
        assert statuses == [401, 401, 429, 429], statuses


def with_hashes(ask: Callable[[], Any]) -> tuple[Any, int]:
    """Return the answer, and how many passwords were hashed for it."""
    calls: list[str] = []
    encode = MD5PasswordHasher.encode
    MD5PasswordHasher.encode = lambda self, password, salt: (  # type: ignore[method-assign]
        calls.append(password) or encode(self, password, salt)  # type: ignore[func-returns-value]
    )
    try:
        return ask(), len(calls)
    finally:
        MD5PasswordHasher.encode = encode  # type: ignore[method-assign]


def assert_own_views_sign_in(user: Any, name: Any) -> None:
    request = RequestFactory().post("/sign-in/")
    field = get_user_model().USERNAME_FIELD
    for key in (field, "username"):
        assert sign_in.authenticate(request, **{key: name}, password=PASSWORD) == user
        assert sign_in.authenticate(request, **{key: name}, password="wrong") is None
    assert sign_in.authenticate(request, code=CODE) == user
    assert sign_in.authenticate(request, code="000000") is None
    request.META["REMOTE_ADDR"] = "192.0.2.99"
    with override_settings(TOKENS_LOGIN_THROTTLE="3/hour", TOKENS_ACCOUNT_THROTTLE="2/hour"):
        for _ in range(3):
            assert sign_in.authenticate(request, code="000000") is None
        try:
            sign_in.authenticate(request, code=CODE)
        except TooManyAttempts:
            pass
        else:
            raise AssertionError("Codes can be guessed without limit.")


def assert_search_finds_nothing(user: Any, impossible: list[str]) -> None:
    staff = Client()
    staff.force_login(user, "django.contrib.auth.backends.ModelBackend")
    for text in [*impossible, "abc", "9" * 30]:
        for page in ("session", "deniedtoken"):
            address = reverse(f"admin:tokens_{page}_changelist")
            answer = staff.get(address, {"q": text})
            assert answer.status_code == 200, (page, text, answer.status_code)
        answer = staff.get(reverse("admin:tokens_session_changelist"), {"user": text})
        assert answer.status_code in {200, 302}, text
        assert "No user has" in revocation_error(text), text
    session = Session.objects.filter(user=user).latest("started_at")
    for page in ("change", "revoke", "history"):
        address = reverse(f"admin:tokens_session_{page}", args=[session.pk])
        assert staff.get(address).status_code == 200, page
    answer = Client().get("/api/login/")
    assert f'name="{get_user_model().USERNAME_FIELD}"' in answer.content.decode()


def revocation_error(name: str) -> str:
    """Return what ``revoke_tokens`` says about this name."""
    try:
        call_command("revoke_tokens", "--user", name, "--reason=x", "--noinput", verbosity=0)
    except CommandError as error:
        return str(error)
    return ""


main()
print("agreed")  # noqa: T201
