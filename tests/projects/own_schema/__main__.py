"""Make the document in both versions of OpenAPI, with and without the app's hook."""

import tempfile
from pathlib import Path
from typing import Any

import django
import yaml

django.setup()

from django.core.management import call_command  # noqa: E402
from drf_spectacular.settings import spectacular_settings  # noqa: E402

ENUMS = "drf_spectacular.hooks.postprocess_schema_enums"
COMMON = "tokens.api.schema.add_common_answers"


def main() -> None:
    for version, hooks, split in (
        ("3.0.3", [ENUMS], False),  # drf-spectacular's defaults
        ("3.0.3", [ENUMS, COMMON], True),
        ("3.1.0", [COMMON, ENUMS], False),
        ("3.1.1", [], True),
    ):
        names = {
            "OAS_VERSION": version,
            "POSTPROCESSING_HOOKS": hooks,
            "COMPONENT_SPLIT_REQUEST": split,
        }
        assert_is_both(made(names), has_enums=ENUMS in hooks)
    print("agreed")  # noqa: T201


def made(names: dict[str, Any]) -> Any:
    """Return the document that ``manage.py spectacular`` makes without any warning."""
    spectacular_settings.apply_patches(names)  # type: ignore[no-untyped-call]
    with tempfile.NamedTemporaryFile() as file:
        call_command("spectacular", "--validate", "--fail-on-warn", file=file.name)
        return yaml.safe_load(Path(file.name).read_text())


def assert_is_both(document: Any, *, has_enums: bool) -> None:
    assert document["openapi"][:3] in {"3.0", "3.1"}
    components = document["components"]["schemas"]
    own = {"Session", "Pair", "SessionRequest"}
    if has_enums:
        own |= {"KindEnum", "TokenTypeEnum"}
        assert components["KindEnum"]["enum"] == ["talk", "workshop"]
    assert components["Session"]["properties"].keys() == {"kind", "token_type"}
    others = components.keys() - own
    assert all(
        name.removeprefix("Paginated").removeprefix("Patched").startswith("Tokens")
        for name in others
    ), others
    token_type = components["TokensPair"]["properties"]["token_type"]
    assert token_type["allOf"][0]["enum"] == ["Bearer"], token_type
    operations = [
        operation for methods in document["paths"].values() for operation in methods.values()
    ]
    ids = [operation["operationId"] for operation in operations]
    assert {"sessions_list", "logout"} <= set(ids)
    ours = set(ids) - {"sessions_list", "logout"}
    assert all(name.startswith(("token_", "tokens_")) for name in ours), ours
    keys = document["paths"]["/.well-known/jwks.json"]["get"]["responses"]
    assert set(keys) == {"200", "304", "503"}
    assert list(keys["200"]["content"]) == ["application/jwk-set+json"]


main()
