"""What the platform tells its operators: logs, metrics, correlation and traces. Never personal data.

configure_logging(service: str, *, console: bool = False) -> None
log = structlog.get_logger(); log.info("enrolment.upload-checked", rows=12)    # constant event names
correlation.begin(correlation_id: str | None, traceparent: str | None) -> Correlation ; correlation.current()
metrics.exposition() -> tuple[bytes, str]
HealthServer(port, ready: Callable[[], bool], host="127.0.0.1").start() / .stop()
"""
