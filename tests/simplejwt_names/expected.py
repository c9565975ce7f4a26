"""
The tests of other packages' suites that do not pass, each with its reason.

``python -m tests.simplejwt_names.suites`` fails when a test is missing from these lists, or passes although it
is in one.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A suite in the sdist of a package: the files that pytest runs in ``folder``."""

    requirement: str
    folder: str
    files: tuple[str, ...]
    total: int
    settings: str = ""
    also: tuple[str, ...] = ()  # what the suite imports besides
    failing: dict[str, str] = field(default_factory=dict)
    network: dict[str, str] = field(default_factory=dict)  # fail where there is no network


_KEY = (
    "It verifies the access token with SECRET_KEY. The key ring signs here, so that SECRET_KEY can be "
    "changed, and does not forge tokens when it leaks."
)
_NETWORK = (
    "It asks graph.facebook.com and expects its refusal. Without a network it fails in the same way "
    "with djangorestframework-simplejwt."
)

SUITES = {
    # The tests of its views, of its authentication classes and of a protected view.
    "simplejwt": Suite(
        requirement="djangorestframework-simplejwt==5.5.1",
        folder=".",
        files=(
            "tests/test_views.py",
            "tests/test_integration.py",
            "tests/test_authentication.py",
        ),
        total=49,
    ),
    # All but those of its second factor, which need no token of ours.
    "dj-rest-auth": Suite(
        requirement="dj-rest-auth==7.2.0",
        folder="dj_rest_auth",
        files=(
            "tests/test_api.py",
            "tests/test_serializers.py",
            "tests/test_social.py",
            "tests/test_utils.py",
        ),
        total=70,
        settings="latchkey_suite_settings",
        also=("responses==0.25.8",),
        failing={
            "test_api.py::APIBasicTests::test_custom_jwt_claims": _KEY,
            "test_api.py::APIBasicTests::test_custom_jwt_claims_cookie_w_authentication": _KEY,
        },
        network={"test_serializers.py::TestSocialLoginSerializer::test_http_error": _NETWORK},
    ),
}
