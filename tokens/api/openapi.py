"""
drf-spectacular's decorators for views and serializers, which describe them in OpenAPI.

A project without that package has no such document. There they leave everything as it is.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or find_spec("drf_spectacular"):
    from drf_spectacular.extensions import OpenApiAuthenticationExtension
    from drf_spectacular.utils import (
        OpenApiParameter,
        OpenApiResponse,
        extend_schema,
        extend_schema_field,
        extend_schema_serializer,
        extend_schema_view,
    )
else:

    def _leave(*args: Any, **kwargs: Any) -> Any:
        return lambda described: described

    OpenApiAuthenticationExtension = object
    OpenApiParameter = OpenApiResponse = extend_schema = extend_schema_field = _leave
    extend_schema_serializer = extend_schema_view = _leave

__all__ = [
    "OpenApiAuthenticationExtension",
    "OpenApiParameter",
    "OpenApiResponse",
    "extend_schema",
    "extend_schema_field",
    "extend_schema_serializer",
    "extend_schema_view",
]
