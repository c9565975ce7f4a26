"""What the middleware have in common: each works in a synchronous and in an asynchronous chain."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest


class Middleware(ABC):
    """
    Calls ``sync_call`` or ``async_call``, as the next one in the chain is asynchronous or not.

    Django then needs no thread for this middleware, whether the view is asynchronous or not.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        return self.async_call(request) if self.is_async else self.sync_call(request)

    @abstractmethod
    def sync_call(self, request: HttpRequest) -> Any:
        """Return the response, in a chain of functions."""

    @abstractmethod
    async def async_call(self, request: HttpRequest) -> Any:
        """Return the response, in a chain of coroutine functions."""
