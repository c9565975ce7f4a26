"""Who may read the metrics, and what the checks say about it."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client

from .site import TOKENS_METRICS_TOKEN as TOKEN

pytestmark = pytest.mark.django_db


def read(**headers: str) -> Any:
    return Client().get("/metrics", headers=headers)


def test_the_token_admits(metrics: None) -> None:
    answer = read(Authorization=f"Bearer {TOKEN}")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Type"].startswith("text/plain; version=")
    assert b"latchkey_sign_ins_total" in answer.content


def test_prometheus_gets_the_format_that_it_prefers(metrics: None) -> None:
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    answer = read(Authorization=f"Bearer {TOKEN}", Accept=accept)
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert answer.content.endswith(b"# EOF\n")


def test_a_version_that_is_no_number_gets_the_usual_format(metrics: None) -> None:
    accept = "application/openmetrics-text; version=new"
    answer = read(Authorization=f"Bearer {TOKEN}", Accept=accept)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer another"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN} {TOKEN}"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN}\xe9"},
    ],
)
def test_nothing_else_admits(metrics: None, headers: dict[str, str]) -> None:
    answer = read(**headers)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="metrics"'
    assert answer["Cache-Control"] == "no-store"
    assert b"latchkey_" not in answer.content


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x"])
def test_without_a_token_in_the_settings_no_caller_is_admitted(
    metrics: None, settings: Any, authorization: str
) -> None:
    settings.TOKENS_METRICS_TOKEN = ""
    assert read(Authorization=authorization).status_code == 401


def test_a_project_can_open_the_page(metrics: None, settings: Any) -> None:
    settings.TOKENS_METRICS_TOKEN = None
    assert read().status_code == 200


def test_the_page_is_missing_while_nothing_is_counted(metrics: None, settings: Any) -> None:
    settings.TOKENS_METRICS = False
    settings.TOKENS_METRICS_TOKEN = None
    assert read().status_code == 404


def test_only_reading_is_allowed(metrics: None) -> None:
    assert Client().post("/metrics").status_code == 405


def found(*, deploy: bool = True) -> set[str]:
    return {
        str(message.id)
        for message in run_checks(include_deployment_checks=deploy)
        if message.id in {"tokens.E045", "tokens.W054"}
    }


def test_the_checks_accept_the_defaults_and_a_good_token(settings: Any) -> None:
    assert found() == set()
    settings.TOKENS_METRICS = True
    assert found() == set()
    settings.TOKENS_METRICS_TOKEN = TOKEN
    assert found() == set()


def test_a_token_that_can_be_guessed_is_refused(settings: Any) -> None:
    settings.TOKENS_METRICS_TOKEN = "prometheus"
    assert found(deploy=False) == {"tokens.E045"}


def test_a_page_without_a_token_is_reported(settings: Any) -> None:
    settings.TOKENS_METRICS_TOKEN = None
    assert found() == set()
    settings.TOKENS_METRICS = True
    assert found() == {"tokens.W054"}
    assert found(deploy=False) == set()
