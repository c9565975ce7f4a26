"""Times are instants, whatever the project's USE_TZ and TIME_ZONE are."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from tests.support.processes import run_project
from tokens.models import DeniedToken, PruneRun, Session, SigningKey, ThrottleCount

pytestmark = pytest.mark.slow

NOW = datetime(2026, 10, 25, 0, 30, 15, 123456, tzinfo=UTC)


@pytest.mark.parametrize("use_tz", ["no", "yes"])
def test_a_project_whose_connection_is_not_in_utc_lives_through_the_hour_that_comes_twice(
    use_tz: str, tmp_path: Path
) -> None:
    database = str(tmp_path / "test.sqlite3")
    if connection.vendor == "postgresql":
        database = f"{connection.settings_dict['NAME']}_local_times"
    done = run_project("tests.projects.local_times", USE_TZ=use_tz, TEST_DATABASE=database)
    assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr


@pytest.mark.django_db
def test_where_the_connection_is_in_utc_nothing_is_converted_and_the_sql_is_djangos() -> None:
    field: Any = PruneRun._meta.get_field("started_at")
    djangos: Any = models.DateTimeField()
    assert field.get_db_converters(connection) == []
    assert field.db_type(connection) == djangos.db_type(connection)
    prepared = field.get_db_prep_save(NOW, connection)
    assert prepared == djangos.get_db_prep_save(NOW, connection)
    assert type(prepared) is type(djangos.get_db_prep_save(NOW, connection))
    with CaptureQueriesContext(connection) as captured:
        list(PruneRun.objects.filter(started_at__lt=NOW).values_list("started_at"))
    assert "2026-10-25" in captured[0]["sql"]
    assert "AT TIME ZONE" not in captured[0]["sql"]


@pytest.mark.parametrize("model", [DeniedToken, PruneRun, Session, SigningKey, ThrottleCount])
def test_every_time_in_the_tables_is_an_instant(model: Any) -> None:
    times = [f for f in model._meta.concrete_fields if isinstance(f, models.DateTimeField)]
    assert {type(field).__name__ for field in times} <= {"InstantField"}
