"""The sessions of former tokens are no devices to compare a sign-in with."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tokens import keyring, sessions

from .conftest import access_token, adopt, refresh_token

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.mark.django_db(transaction=True)
def test_the_first_sign_in_after_the_switch_sends_no_mail(
    user: Any, settings: Any, mailoutbox: list[Any]
) -> None:
    settings.TOKENS_NOTIFY_USERS = True
    keyring.ensure()
    now = timezone.now()
    adopt(now)
    issued = now - timedelta(minutes=1)
    sessions.refresh(refresh_token(user, issued=issued))
    sessions.authenticate(access_token(user, issued=issued))
    sessions.start(user, client=sessions.Client("192.0.2.1", FIREFOX))
    assert mailoutbox == []
    sessions.start(user, client=sessions.Client("192.0.2.1", "curl"))
    assert len(mailoutbox) == 1
