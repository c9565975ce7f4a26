"""docs/metrics.md documents every metric with its labels, and every span with its attributes."""

import re

import yaml
from prometheus_client import Counter

from tests.support.processes import ROOT
from tokens.metrics import counting, spans
from tokens.models import DeniedToken

PAGE = (ROOT / "docs" / "metrics.md").read_text()
ROW = re.compile(r"^\| `(latchkey_\w+)` \| (\w+) \|(.*?)\| ", re.M)
ROWS = {name: (kind, labels) for name, kind, labels in ROW.findall(PAGE)}
COUNTERS = [value for value in vars(counting).values() if isinstance(value, Counter)]


def test_every_metric_is_documented_with_its_type_and_labels() -> None:
    labels_of = {name: re.findall(r"`(\w+)`:", labels) for name, (_, labels) in ROWS.items()}
    assert labels_of == {
        **{f"{counter._name}_total": list(counter._labelnames) for counter in COUNTERS},
        **{instant.name: [] for instant in counting.INSTANTS},
    }
    kinds = {name: kind for name, (kind, _) in ROWS.items()}
    assert kinds == {
        **{f"{counter._name}_total": "counter" for counter in COUNTERS},
        **{instant.name: "gauge" for instant in counting.INSTANTS},
    }


def test_every_value_of_a_label_is_documented() -> None:
    def values(metric: str, label: str) -> list[str]:
        of_label = ROWS[metric][1].partition(f"`{label}`:")[2].partition(";")[0]
        return sorted(re.findall(r"`(\w+)`", of_label))

    assert values("latchkey_sign_ins_total", "outcome") == sorted(
        counting.SIGN_IN_OUTCOMES.values()
    )
    assert values("latchkey_refreshes_total", "outcome") == sorted(counting.REFRESH_OUTCOMES)
    assert values("latchkey_refusals_total", "door") == sorted(counting.DOORS.values())
    assert values("latchkey_denials_total", "kind") == sorted(DeniedToken.Kind.values)
    assert values("latchkey_failures_total", "what") == sorted(counting.FAILED.values())
    assert values("latchkey_snapshot_readings_total", "outcome") == sorted(
        counting.READING_OUTCOMES
    )


def test_every_alert_uses_metrics_that_exist() -> None:
    (rules,) = (
        block
        for block in re.findall(r"```yaml\n(.+?)```", PAGE, re.S)
        if block.startswith("groups:")
    )
    expressions = [rule["expr"] for rule in yaml.safe_load(rules)["groups"][0]["rules"]]
    used = {name for text in expressions for name in re.findall(r"latchkey_\w+", text)}
    assert len(expressions) > 5
    assert used <= ROWS.keys()


def test_every_span_and_attribute_is_documented() -> None:
    section = PAGE.partition("## Spans")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| `([\w.]+)` \|", section, re.M))
    assert named == {
        *(f"latchkey.{verb}" for verb in spans.VERBS),
        spans.OUTCOME,
        spans.REASON,
        spans.ERROR_TYPE,
    }
