"""For Flask: a decorator for views, which sets ``g.token``."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Response, abort, g, request

from .errors import VerifyError
from .verifier import Verifier, credential_of

View = TypeVar("View", bound=Callable[..., Any])


def token_required(verifier: Verifier) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            try:
                g.token = verifier.verify(credential_of(request.headers.get("Authorization")))
            except VerifyError as error:
                abort(Response(error.body, error.status, error.headers))
            return view(*args, **kwargs)

        return cast(View, wrapped)

    return decorate
