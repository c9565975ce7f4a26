"""``make demo`` succeeds on this project, and fails on a site where a step does not happen."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from config import demo
from tokens.models import Session


class Recorded:
    """A site whose answers come from a list or a function."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def post(self, path: str, **body: str) -> Any:
        return self.answers[path.strip("/").replace("/", "_")]

    def get(self, path: str, **how: str) -> Any:
        return self.answers[path.strip("/").replace("/", "_")]


@pytest.mark.django_db(transaction=True)
def test_every_step_happens_on_a_running_server(
    live_server: Any, settings: Any, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    from tokens import keyring
    from tokens.sessions import seen

    def let_pass(seconds: float) -> None:
        seen.flush()
        past = timezone.now() - timedelta(seconds=seconds)
        Session.objects.update(refreshed_at=past)

    keyring.ensure()
    monkeypatch.setattr(demo, "count_down", let_pass)
    grace = settings.TOKENS_REFRESH_GRACE.total_seconds()
    site = demo.Site(live_server.url.removeprefix("http://"))
    assert site.answers()
    with demo.throw_away_user() as (username, password):
        demo.walk_through(site, username=username, password=password, grace=grace)
    assert "the very same pair" in capsys.readouterr().out
    from django.contrib.auth import get_user_model

    assert not get_user_model()._default_manager.exists()


def test_waiting_is_shown_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    demo.count_down(0.01)
    assert capsys.readouterr().out


def test_a_step_that_does_not_happen_is_named() -> None:
    with pytest.raises(demo.StepFailed, match="the status 200, but it was 500"):
        demo.expect(200, (500, {}))
    with pytest.raises(demo.StepFailed, match="the current pair again"):
        demo.check(False, "the current pair again")


def test_too_many_sign_ins_are_said_to_be_that() -> None:
    site: Any = Recorded(api_token=(429, {}))
    with pytest.raises(demo.StepFailed, match="wait a minute"):
        demo.sign_in(site, "ada", "x")


def test_a_server_that_never_answers_is_noticed() -> None:
    class Ended:
        def poll(self) -> int:
            return 1

    site = demo.Site(f"127.0.0.1:{demo.free_port()}")
    assert not site.answers()
    ended: Any = Ended()
    with pytest.raises(demo.StepFailed, match="the server should start"):
        demo.wait_for(site, ended)


def test_without_an_env_file_it_says_what_to_type(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    monkeypatch.delenv("SECRET_KEY")
    with pytest.raises(SystemExit, match="make run"):
        demo.main()
