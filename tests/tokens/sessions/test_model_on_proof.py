"""
The model of ``test_model`` with TOKENS_ROTATION = "on_proof".

Apps that keep their first refresh token, as djangorestframework-simplejwt's default allows, are not
signed out, and browsers that keep each successor neither.
"""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, rule

from .test_model import Held, Histories, run_histories

pytestmark = pytest.mark.slow


class HistoriesOnProof(Histories):
    """The same, and apps that refresh with their first token each time and keep no other."""

    on_proof = True
    apps = Bundle("apps")

    @rule(target=apps)
    def open_an_app(self) -> Held:
        return self.start()

    @rule(app=apps, lost=st.booleans())
    def refresh_an_app(self, app: Held, lost: bool) -> None:
        may_come = app.refreshes(self.now)
        answer = self.check_refresh(app)
        assert answer or not may_come, "an app that keeps no successor was signed out"
        if answer and not lost:
            self.check_call(answer)


@pytest.mark.django_db
def test_random_histories_on_proof_go_as_the_model_says(settings: Any) -> None:
    settings.TOKENS_ROTATION = "on_proof"
    run_histories(300, HistoriesOnProof)
