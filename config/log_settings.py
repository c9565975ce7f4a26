"""Django's setting LOGGING. ``logs`` has the classes that it names."""

from typing import Any

ACCESS_LOG = {"handlers": ["stderr"], "filters": ["no_query"], "level": "INFO", "propagate": False}


def log_settings(format: str) -> dict[str, Any]:
    """Return LOGGING, with one line per record on stderr: ``format`` is text or json."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"()": "config.logs.TextFormatter"},
            "json": {"()": "config.logs.JSONFormatter"},
        },
        "filters": {
            "request_id": {"()": "config.logs.RequestIdFilter"},
            "no_query": {"()": "config.logs.NoQueryFilter"},
            "csrf": {"()": "config.logs.CSRFFilter"},
            "host": {"()": "config.logs.HostFilter"},
            "protocol_error": {"()": "config.logs.ProtocolErrorFilter"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": format,
                "filters": ["request_id"],
            }
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "tokens": {"level": "INFO"},
            "django": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
            # They quote the address in Referer, the host, and a chunk that could not be read.
            "django.security.csrf": {"filters": ["csrf"]},
            "django.security.DisallowedHost": {"filters": ["host"]},
            "asyncio": {"filters": ["protocol_error"]},
            # The access logs of runserver and uvicorn. gunicorn's is in config/gunicorn_conf.py.
            "django.server": ACCESS_LOG,
            "uvicorn.access": ACCESS_LOG,
            # The lines of WebSockets. Its worker for gunicorn switches propagation off.
            "uvicorn.error": {"filters": ["no_query"], "propagate": True},
        },
    }
