"""A Secret shows nothing, and hides_locals leaves a traceback without local variables."""

import copy
import json
import pickle
import sys
from collections.abc import Callable, Iterator
from pprint import pformat
from types import FrameType
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, QueryDict
from sentry_sdk.serializer import serialize

from tests.conftest import PASSWORD
from tokens import sessions
from tokens.limits import sign_in
from tokens.operations import revocation
from tokens.operations.explanation import explain
from tokens.secret import Secret, hide, hides_locals, hides_post

RAW = "raw-and-unmistakable"


def frames(error: BaseException | None) -> Iterator[FrameType]:
    """Return the frames of the error and of all behind it."""
    while error is not None:
        traceback = error.__traceback__
        while traceback is not None:
            yield traceback.tb_frame
            traceback = traceback.tb_next
        error = error.__cause__ or error.__context__


class TestASecret:
    def test_shows_its_value_only_when_asked(self) -> None:
        secret = Secret(RAW)
        shown = [
            repr(secret),
            str(secret),
            f"{secret}",
            "%s" % secret,  # noqa: UP031
            pformat({"a": [secret]}),
            repr(serialize({"vars": {"a": [secret]}}, is_vars=True)),
            repr(serialize({"request": {"data": copy.deepcopy({"a": secret})}})),
        ]
        assert not [text for text in shown if RAW in text]
        assert secret.reveal() == RAW
        assert copy.copy(secret) is secret

    def test_is_neither_pickled_nor_written_as_json(self) -> None:
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(Secret(RAW))
        with pytest.raises(TypeError, match="not JSON serializable"):
            json.dumps({"a": Secret(RAW)})

    def test_is_not_hidden_twice(self) -> None:
        secret = hide(RAW)
        again: Secret[str] = hide(secret)
        assert again is secret


class TestHidesLocals:
    def test_every_frame_below_is_empty_and_the_traceback_is_whole(self) -> None:
        def inner(raw: str) -> None:
            try:
                int(raw)
            except ValueError as cause:
                raise RuntimeError("broken") from cause

        @hides_locals
        def outer(raw: str, *, again: str) -> None:
            inner(raw + again)

        with pytest.raises(RuntimeError) as raised:
            outer(RAW, again=RAW)
        own = sys._getframe()
        below = [frame for frame in frames(raised.value) if frame is not own]
        assert [frame.f_code.co_name for frame in below][:3] == ["hiding", "outer", "inner"]
        assert not [frame for frame in below if RAW in repr(frame.f_locals)]

    def test_an_answer_is_returned(self) -> None:
        assert hides_locals(lambda raw: len(raw))(RAW) == len(RAW)


class TestHidesPost:
    @staticmethod
    def request(method: str) -> HttpRequest:
        request = HttpRequest()
        request.method = method
        request.POST = QueryDict(f"a={RAW}&a=&b=c")
        return request

    @pytest.mark.parametrize("after", [False, True])
    def test_what_is_named_is_hidden_before_or_after_the_view(self, after: bool) -> None:
        seen: list[Any] = []

        @hides_post("a", "missing", after=after)
        def view(request: HttpRequest) -> HttpResponse:
            seen.append(request.POST.getlist("a")[0])
            raise ValueError

        request = self.request("POST")
        with pytest.raises(ValueError):  # noqa: PT011
            view(request)
        assert isinstance(seen[0], str) is after
        hidden, blank = request.POST.getlist("a")
        assert isinstance(hidden, Secret)
        assert (blank, request.POST["b"]) == ("", "c")
        assert request.sensitive_post_parameters == ("a", "missing")

    def test_another_method_is_passed_on(self) -> None:
        request = self.request("GET")
        hides_post("a")(lambda request: None)(request)
        assert request.POST["a"] in (RAW, "")


class BrokenError(Exception):
    pass


def broken(*arguments: Any, **more: Any) -> Any:
    raise BrokenError


@pytest.mark.parametrize(
    "use",
    [
        lambda pair: sessions.authenticate(pair.raw_access),
        lambda pair: sessions.verify(pair.raw_access),
        lambda pair: sessions.verify(pair.raw_refresh),
        lambda pair: sessions.revoke(pair.raw_access),
        lambda pair: sessions.refresh(pair.raw_refresh),
        lambda pair: sessions.find_by_refresh_token(pair.raw_refresh),
        lambda pair: revocation.deny_token(pair.raw_refresh, note="stolen"),
        lambda pair: explain(pair.raw_refresh),
        lambda pair: sign_in.authenticate(HttpRequest(), username="ada", password=PASSWORD),
        lambda pair: sign_in.start(
            HttpRequest(), client=sessions.Client(), username="ada", password=PASSWORD
        ),
    ],
)
@pytest.mark.parametrize(
    "place",
    [
        "tokens.sessions.query.find",
        "tokens.keyring.ring.load_key",
        "tokens.operations.revocation._find",
        "django.contrib.auth.hashers.MD5PasswordHasher.verify",
        "tokens.limits.counts.waits",
        "jwt.algorithms.HMACAlgorithm.verify",
    ],
)
def test_a_function_that_a_project_calls_with_plain_text_hides_it(
    use: Callable[[Any], Any], place: str, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = sessions.start(user)
    monkeypatch.setattr(place, broken)
    sessions.verified.forget()
    try:
        use(pair)
    except BrokenError as error:
        below = [frame for frame in frames(error) if frame.f_code.co_filename != __file__]
        signatures = [raw.rpartition(".")[2] for raw in (pair.raw_access, pair.raw_refresh)]
        for frame in below:
            shown = pformat(serialize(dict(frame.f_locals), is_vars=True))
            assert not [raw for raw in (*signatures, PASSWORD) if raw in shown], frame
