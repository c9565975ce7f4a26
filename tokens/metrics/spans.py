"""
One OpenTelemetry span for each run of a verb. If the project sets no provider, no span is recorded.

A span holds no token, name, address or id. Of an error it has the type only: the message or a local
variable of the traceback may hold what the caller sent.
"""

from functools import partial

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from rest_framework.exceptions import APIException

from .. import watching
from ..errors import TokenError, TooManyAtOnce, TooManyAttempts
from ..watching import Finish

VERBS = ("authenticate", "refresh", "sign_in", "check_password")
OUTCOME = "latchkey.outcome"
REASON = "latchkey.reason"
ERROR_TYPE = "error.type"  # of OpenTelemetry's semantic conventions

# Answers to the caller. Anything else is a failure of the server.
REFUSALS = (TokenError, TooManyAttempts, TooManyAtOnce)

_tracer = trace.get_tracer("latchkey")


def begin() -> None:
    for verb in VERBS:
        watching.watch(verb, _start)


def _start(verb: str) -> Finish:
    span = _tracer.start_span(
        f"latchkey.{verb}",
        kind=SpanKind.INTERNAL,
        record_exception=False,
        set_status_on_exception=False,
    )
    # The spans of the verb's queries, if the database is traced, lie within this one.
    token = context.attach(trace.set_span_in_context(span))
    return partial(_finish, span, token)


def _finish(span: Span, token: object, outcome: str, error: BaseException | None) -> None:
    context.detach(token)  # type: ignore[arg-type]  # What attach() returned.
    if error is None:
        span.set_attribute(OUTCOME, outcome or "ok")
    elif _is_refusal(error):
        span.set_attribute(OUTCOME, "refused")
        span.set_attribute(REASON, type(error).__name__)
    else:
        span.set_attribute(OUTCOME, "failed")
        span.set_attribute(ERROR_TYPE, f"{type(error).__module__}.{type(error).__qualname__}")
        span.set_status(StatusCode.ERROR)
    span.end()


def _is_refusal(error: BaseException) -> bool:
    if isinstance(error, APIException):
        return error.status_code < 500
    return isinstance(error, REFUSALS)
