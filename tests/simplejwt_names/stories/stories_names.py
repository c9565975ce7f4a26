"""The other names: hooks of the authentication classes, users without a row, words and times."""

import copy
import pickle
from datetime import UTC, datetime, timedelta
from importlib import import_module, reload
from typing import Any

import pytest
from django.test import override_settings
from django.utils.module_loading import import_string
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.test import APIRequestFactory
from rest_framework_simplejwt import authentication, exceptions, serializers, utils, views
from rest_framework_simplejwt.models import TokenUser
from rest_framework_simplejwt.settings import api_settings

from tests.conftest import PASSWORD
from tokens import checks, sessions
from tokens.models import EndReason, Session
from tokens.sessions.lazy_user import LazyUser

pytestmark = pytest.mark.django_db

REQUEST = APIRequestFactory()


def test_each_module_is_one_object_under_both_names() -> None:
    for name in ("tokens", "token_blacklist.models", "settings"):
        theirs = import_module(f"rest_framework_simplejwt.{name}")
        assert theirs is import_module(f"tokens.simplejwt_names.names.{name}")
        assert reload(authentication) is authentication
    with pytest.raises(ModuleNotFoundError, match=r"rest_framework_simplejwt\.nothing"):
        import_module("rest_framework_simplejwt.nothing")
    path = "rest_framework_simplejwt.tokens.RefreshToken"
    assert import_string(path) is import_module("rest_framework_simplejwt.tokens").RefreshToken
    assert import_module("rest_framework_simplejwt").__version__ == "5.5.1"


def test_routes_to_these_views_are_enough_for_the_check_of_routes() -> None:
    with override_settings(ROOT_URLCONF="djoser.urls.jwt"):
        assert "tokens.W049" not in [message.id for message in checks.check_routes()]


def test_classes_can_be_pickled_by_either_name(user: Any) -> None:
    from rest_framework_simplejwt.tokens import AccessToken

    assert pickle.loads(pickle.dumps(AccessToken)) is AccessToken
    named = b"crest_framework_simplejwt.tokens\nAccessToken\n."
    assert pickle.loads(named) is AccessToken


def test_hooks_take_claims_that_are_no_token(user: Any, monkeypatch: Any) -> None:
    backend = authentication.JWTAuthentication()
    assert backend.get_user({"user_id": str(user.pk)}) == user
    for claims in ({}, {"user_id": 0}, {"user_id": "no number"}):
        with pytest.raises(exceptions.AuthenticationFailed):
            backend.get_user(claims)
    monkeypatch.setattr(api_settings, "CHECK_REVOKE_TOKEN", True)
    with pytest.raises(exceptions.AuthenticationFailed) as refused:
        backend.get_user({"user_id": user.pk})
    assert refused.value.get_codes()["code"] == "password_changed"
    digest = utils.get_md5_hash_password(user.password)
    assert backend.get_user({"user_id": user.pk, "hash_password": digest}) == user
    user.is_active = False
    user.save()
    with pytest.raises(exceptions.AuthenticationFailed):
        backend.get_user({"user_id": user.pk})
    monkeypatch.setattr(api_settings, "CHECK_USER_IS_ACTIVE", False)
    assert authentication.default_user_authentication_rule(user)
    assert not authentication.default_user_authentication_rule(None)


def test_a_header_with_too_many_words_is_refused() -> None:
    backend = authentication.JWTAuthentication()
    for header in (b"Bearer", b"Bearer one two"):
        with pytest.raises(exceptions.AuthenticationFailed) as refused:
            backend.get_raw_token(header)
        assert refused.value.detail["code"] == "bad_authorization_header"
    for header in (b"", b"Basic YTpi"):
        assert backend.get_raw_token(header) is None
    assert backend.authenticate(REQUEST.get("/")) is None
    assert backend.authenticate(REQUEST.get("/", HTTP_AUTHORIZATION=b"Basic x")) is None
    assert backend.authenticate_header(REQUEST.get("/")) == 'Bearer realm="api"'


def test_a_token_of_no_user_is_refused(user: Any) -> None:
    from rest_framework_simplejwt.tokens import AccessToken

    request = REQUEST.get("/", HTTP_AUTHORIZATION=f"Bearer {AccessToken()}")
    for backend in (
        authentication.JWTAuthentication(),
        authentication.JWTTokenUserAuthentication(),
    ):
        with pytest.raises(exceptions.InvalidToken) as refused:
            backend.authenticate(request)
        assert "no recognizable user" in str(refused.value.detail["detail"])


def test_a_token_that_is_validated_without_a_request_is_good(user: Any) -> None:
    raw = sessions.start(user).raw_access
    backend = authentication.JWTAuthentication()
    assert backend.get_user(backend.get_validated_token(raw.encode())).pk == user.pk
    sessions.end_all(user, reason=EndReason.REVOKED)
    with pytest.raises(exceptions.InvalidToken):
        backend.get_validated_token(raw.encode())


@pytest.mark.django_db(transaction=True)
def test_in_snapshot_mode_the_user_is_loaded_and_judged_when_needed(
    user: Any, settings: Any
) -> None:
    settings.TOKENS_DENYLIST_MODE = "snapshot"
    settings.TOKENS_DENYLIST_MAX_STALENESS = timedelta(hours=1)
    raw = sessions.start(user).raw_access
    sessions.authenticate(raw)  # The first request reads the snapshot.
    backend = authentication.JWTAuthentication()
    found = backend.get_user(backend.get_validated_token(raw.encode()))
    assert type(found) is LazyUser
    Session.objects.update(ended_at=datetime.now(UTC), end_reason=EndReason.REVOKED)
    with pytest.raises(AuthenticationFailed):
        assert found.username


def test_a_user_without_a_row_is_what_the_claims_say() -> None:
    ada = TokenUser({"user_id": 7, "username": "ada", "is_staff": True, "plan": "gold"})
    same, other = TokenUser({"user_id": 7}), TokenUser({"user_id": 8})
    assert ada == same != other
    assert ada != 7
    assert len({ada, same, other}) == 2
    assert (ada.pk, ada.get_username(), ada.plan, ada.nothing) == (7, "ada", "gold", None)
    assert (ada.is_staff, ada.is_superuser, str(ada)) == (True, False, "TokenUser 7")
    assert copy.copy(ada) == ada
    assert not ada.groups.exists()
    assert not ada.user_permissions.exists()
    assert ada.get_group_permissions() == ada.get_all_permissions() == set()
    assert not any([ada.has_perm("x"), ada.has_perms(["x"]), ada.has_module_perms("x")])
    with pytest.raises(NotImplementedError):
        ada.save()


def test_settings_follow_an_override() -> None:
    assert timedelta(minutes=4) == api_settings.ACCESS_TOKEN_LIFETIME
    with override_settings(SIMPLE_JWT={"USER_ID_CLAIM": "uid"}, DEBUG=True):
        assert api_settings.USER_ID_CLAIM == "uid"
        assert api_settings.AUTH_HEADER_TYPES == ("Bearer",)
    assert api_settings.USER_ID_CLAIM == "user_id"


def test_times_are_in_utc_with_and_without_time_zones(settings: Any) -> None:
    naive, aware = datetime(2030, 1, 1), datetime(2030, 1, 1, tzinfo=UTC)  # noqa: DTZ001
    assert utils.make_utc(naive) == utils.make_utc(aware) == aware
    assert utils.datetime_from_epoch(utils.datetime_to_epoch(aware)) == aware
    assert utils.aware_utcnow().tzinfo is UTC
    settings.USE_TZ = False
    assert utils.make_utc(naive) == naive == utils.datetime_from_epoch(aware.timestamp())
    assert utils.aware_utcnow().tzinfo is None
    assert str(utils.format_lazy("{} {}", 1, 2)) == "1 2"


def test_errors_have_a_detail_and_a_code() -> None:
    assert exceptions.InvalidToken().detail == {
        "detail": "Token is invalid or expired",
        "code": "token_not_valid",
    }
    error = exceptions.AuthenticationFailed({"more": 1}, code="odd")
    assert (error.detail["more"], error.detail["code"]) == (1, "odd") or error.detail["more"] == "1"
    assert exceptions.InvalidToken("no").detail["detail"] == "no"


def test_views_take_their_serializers_from_settings(user: Any) -> None:
    assert views.TokenVerifyView().get_serializer_class() is serializers.TokenVerifySerializer
    with pytest.raises(ImportError, match="Could not import serializer"):
        views.TokenViewBase().get_serializer_class()


def test_a_serializer_works_without_a_request(user: Any) -> None:
    serializer = serializers.TokenObtainPairSerializer(
        data={"username": "ada", "password": PASSWORD}
    )
    assert serializer.is_valid()
    assert serializer.fields["password"].style == {"input_type": "password"}
    assert sessions.authenticate(serializer.validated_data["access"]).user == user


def test_an_answer_has_no_refresh_token_where_clients_never_take_one(
    user: Any, settings: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(api_settings, "ROTATE_REFRESH_TOKENS", False)
    raw = sessions.start(user).raw_refresh
    serializer = serializers.TokenRefreshSerializer(data={"refresh": raw})
    assert serializer.is_valid()
    assert "refresh" in serializer.validated_data
    settings.TOKENS_ROTATION = "on_proof"
    serializer = serializers.TokenRefreshSerializer(data={"refresh": raw})
    assert serializer.is_valid()
    assert "refresh" not in serializer.validated_data
