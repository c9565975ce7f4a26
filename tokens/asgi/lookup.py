"""The credential of an HTTP request, which is looked up when something needs the user."""

import asyncio
from functools import partial
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import SynchronousOnlyOperation
from django.utils.functional import SimpleLazyObject
from rest_framework.exceptions import APIException, NotAuthenticated

from ..errors import TokenError
from ..jose import Claims
from ..sessions import Authenticated
from . import answers, credentials
from .answers import Send
from .credentials import Credential, Kind, Scope

# The key of the Lookup in the scope. No header can set it.
KEY = "tokens.asgi"


class Lookup:
    """
    What the credential of one HTTP request stands for. It is asked for once, and not before it is used.

    The copies of a scope that routers make share it.
    """

    __slots__ = ("_lock", "_scope", "found", "kind", "refusal", "was_asked")

    def __init__(self, scope: Scope) -> None:
        # A copy, because the scope refers to this object.
        self._scope = {**scope}
        self._lock = asyncio.Lock()
        self.was_asked = False
        self.kind: Kind | None = None
        self.found: Authenticated | None = None
        self.refusal: APIException | None = None

    async def ask(self, *, loads_user: bool = False) -> Authenticated | None:
        """Return what the credential stands for, or None if there is none or it is refused."""
        async with self._lock:
            try:
                if not self.was_asked and (credential := self._credential()):
                    self.found = await credentials.authenticate(credential)
                if loads_user and self.found:
                    self.found = await credentials.load_user(self.found)
            except (APIException, TokenError) as error:
                self._refuse(error)
            self.was_asked = True
            return self.found

    def ask_now(self) -> Authenticated | None:
        """Do the same in synchronous code, without loading the user."""
        if not self.was_asked:
            if _is_in_event_loop():
                raise SynchronousOnlyOperation(
                    'Call "await tokens.asgi.authenticate(scope)" before you use scope["user"] or '
                    'scope["claims"] in asynchronous code.'
                )
            try:
                if credential := self._credential():
                    self.found = credentials.authenticate_now(credential)
            except (APIException, TokenError) as error:
                self._refuse(error)
            self.was_asked = True
        return self.found

    def _refuse(self, error: Exception) -> None:
        self.found, self.refusal = None, answers.refusal_of(error)

    def _credential(self) -> Credential | None:
        credential = credentials.find(credentials.request_of(self._scope))
        self.kind = credential.kind if credential else None
        return credential


def prepare(scope: Scope) -> Lookup:
    """Set ``scope["user"]`` and ``scope["claims"]``, which are looked up when they are used."""
    lookup = Lookup(scope)
    scope[KEY] = lookup
    scope["user"] = SimpleLazyObject(partial(_user, lookup))
    scope["claims"] = SimpleLazyObject(partial(_claims, lookup))
    return lookup


async def authenticate(scope: Scope, *, load_user: bool = False) -> Any:
    """
    Return the user of an HTTP request or a WebSocket, in asynchronous code.

    It is an AnonymousUser without a credential, or with one that is refused. Afterwards
    ``scope["user"]`` and ``scope["claims"]`` can be used without waiting, and claims is None for an
    AnonymousUser. In snapshot mode only the user's key is known without a query: ``load_user`` True
    loads the rest. The scope must be one that JWTMiddleware has prepared.
    """
    if KEY in scope:
        lookup = cast("Lookup", scope[KEY])
        set_found(scope, await lookup.ask(loads_user=load_user))
    elif "user" not in scope or "claims" not in scope:
        raise LookupError("JWTMiddleware has not seen this scope. Wrap the application in it.")
    return scope["user"]


def set_found(scope: Scope, found: Authenticated | None) -> None:
    scope["user"] = found.user if found else AnonymousUser()
    scope["claims"] = found.claims if found else None


async def send_unauthorized(scope: Scope, send: Send) -> None:
    """
    Answer an HTTP request that needs a user and has none, as the API does: 401, or 403 for CSRF.

    For applications without a framework that answers. Call it after ``authenticate``.
    """
    lookup: Lookup = scope[KEY]
    await answers.send_answer(send, lookup.refusal or NotAuthenticated())


def _user(lookup: Lookup) -> Any:
    found = lookup.ask_now()
    return found.user if found else AnonymousUser()


def _claims(lookup: Lookup) -> Claims | None:
    found = lookup.ask_now()
    return found.claims if found else None


def _is_in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
