"""JSON logs by structlog: constant event names, identifiers only.

The last processor before rendering drops what could be personal or secret by its key, and never lets a body
through; it is the net, not the rule. The rule is to log ids, counts and codes.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.telemetry import correlation

PERSONAL: Final = frozenset(
    {
        "name", "names", "full_name", "first_name", "last_name", "given_name", "family_name", "surname", "forename",
        "email", "e_mail", "phone", "telephone", "address", "postcode", "birth", "birth_date", "date_of_birth", "dob",
        "employee_ref", "employee_number", "registration_number", "student_number", "practitioner_ref", "author_ref",
        "line_manager_ref", "supervisor_ref", "subject", "sub", "mark", "marks", "nino",
        "token", "authorization", "password", "secret", "cookie", "jwt", "private_key",
        "body", "data", "payload", "request_body", "response_body", "record", "row", "value", "values", "document",
        "path", "url", "query", "query_string",
    }
)  # fmt: skip
"""Keys that never reach a log, at any depth. Paths and queries hold employee references."""
EXTRAS: Final = ("feed", "number", "last_number", "count", "event_id", "event_type", "organisation")
"""What a line of the standard library's logging may carry beside its text."""


def without_personal_data(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop denied keys at every depth; what is dropped is named, so that its absence is seen."""
    dropped = sorted(key for key in event if key.lower() in PERSONAL)
    kept: EventDict = {key: _clean(value) for key, value in event.items() if key not in dropped}
    if dropped:
        kept["dropped"] = dropped
    return kept


def _clean(value: object) -> object:
    """Return `value` without denied keys; bytes never pass."""
    if isinstance(value, Mapping):
        return {str(key): _clean(item) for key, item in value.items() if str(key).lower() not in PERSONAL}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    return value


def configure_logging(
    service: str, *, console: bool = False, level: str = "INFO", stream: TextIO | None = None
) -> None:
    """Send structlog's and the standard library's logs to `stream` (stderr): JSON lines, readable for `console`."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        correlation.note_in_log,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _naming(service),
        _exception_kind,
        without_personal_data,
    ]
    renderer: Processor = structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(EXTRAS), *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("kafka", "pymongo", "urllib3", "werkzeug"):
        logging.getLogger(noisy).setLevel("WARNING")
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _naming(service: str) -> Processor:
    """Return a processor that adds the service's name."""

    def add_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        return event

    return add_service


def _exception_kind(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by the error's class and the places it passed: messages hold values that somebody sent."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["frames"] = _frames(error)
    return event


def _frames(error: BaseException) -> list[str]:
    """Return file:line of the last ten frames of `error`, innermost last."""
    frames: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{'/'.join(code.co_filename.split('/')[-3:])}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return frames[-10:]
