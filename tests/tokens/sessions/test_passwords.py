"""A password change moves a session that continues, and no other one."""

from typing import Any

import pytest

from tests.conftest import PASSWORD
from tokens import sessions
from tokens.errors import Denied
from tokens.models import Session


@pytest.mark.parametrize("whose", ["of all", "of the user"])
def test_a_session_that_a_cut_off_refuses_gets_no_more_tokens(user: Any, whose: str) -> None:
    """Staff may revoke it while the current password of the request is checked."""
    pair = sessions.start(user)
    if whose == "of all":
        sessions.revoke_everything(note="leak")
    else:
        sessions.revoke_user(user, note="stolen")
    Session.objects.update(ended_at=None, end_reason="")  # What its row says does not matter.
    user.set_password("a quite different one 27")
    with pytest.raises(Denied):
        sessions.change_password(user, keep=pair.session.pk)
    assert Session.objects.get().generation == 0
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
