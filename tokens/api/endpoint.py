"""
What all views of this app have in common: their answers are the same in every project.

DRF lets a project set defaults for all views, such as DEFAULT_PARSER_CLASSES or
DEFAULT_VERSIONING_CLASS. The clients of these views know nothing of them.
"""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string
from rest_framework import renderers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.generics import GenericAPIView
from rest_framework.metadata import SimpleMetadata
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from .exception_handler import as_api_exception
from .parsers import CarefulFormParser, CarefulJSONParser, CarefulMultiPartParser
from .renderers import BrowsableAPIRenderer, JSONRenderer

NON_FIELD_ERRORS = "non_field_errors"  # as in djangorestframework-simplejwt


def _pages() -> tuple[type[renderers.BaseRenderer], ...]:
    """Return the renderer of HTML pages, if the project offers such pages at all."""
    offered = [
        renderer
        for renderer in APIView.renderer_classes
        if issubclass(renderer, renderers.BrowsableAPIRenderer)
    ]
    customised = [renderer for renderer in offered if issubclass(renderer, BrowsableAPIRenderer)]
    return tuple(customised[:1]) or ((BrowsableAPIRenderer,) if offered else ())


def _authentication() -> tuple[type[BaseAuthentication], ...]:
    """Return this app's authentication class, and after it the project's other defaults."""
    # By its path, because that module imports this package. The app can be at any dotted path.
    ours = import_string(
        f"{__name__.removesuffix('.api.endpoint')}.authentication.JWTAuthentication"
    )
    others = [other for other in APIView.authentication_classes if other is not ours]
    return ours, *others


# For views that are for signed-in users. A token is accepted and refused by this app alone; a
# caller without one may be known to another class of the project, such as a service's.
SIGNED_IN = _authentication()


class Endpoint(GenericAPIView[Any]):
    """
    A view that is not affected by the defaults of the project, nor by where it is included.

    Two decisions remain with the project: whether it offers HTML pages beside JSON, and how its
    own EXCEPTION_HANDLER answers errors, which reach it as instances of APIException.
    """

    renderer_classes: Sequence[type[renderers.BaseRenderer]] = (JSONRenderer, *_pages())
    parser_classes = (CarefulJSONParser, CarefulFormParser, CarefulMultiPartParser)
    authentication_classes: Sequence[type[BaseAuthentication]] = ()
    permission_classes: Sequence[type[BasePermission]] = ()
    throttle_classes: Sequence[type[BaseThrottle]] = ()
    content_negotiation_class = DefaultContentNegotiation
    metadata_class: Any = SimpleMetadata
    versioning_class = None
    filter_backends: Sequence[type[BaseFilterBackend]] = ()
    pagination_class: Any = None
    # The names of the parameters in this app's own routes.
    url_parameters: Sequence[str] = ()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # The others belong to the route below which the project has included these.
        own = {name: kwargs[name] for name in self.url_parameters}
        return super().dispatch(request, **own)

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {**super().default_response_headers, "Vary": "Accept"}

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(as_api_exception(exc))

    def read(self, request: Request) -> dict[str, Any]:
        """Return the valid body. Raises ValidationError."""
        serializer = self.get_serializer(data=request.data)
        if not serializer.is_valid():
            errors: Any = serializer.errors
            if api_settings.NON_FIELD_ERRORS_KEY in errors:
                errors[NON_FIELD_ERRORS] = errors.pop(api_settings.NON_FIELD_ERRORS_KEY)
            raise ValidationError(errors)
        return dict(serializer.validated_data)
