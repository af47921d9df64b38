"""gunicorn's settings, the same for every service: patient sync workers, no preload, no control socket.

No client of a database or broker is made before the fork, so nothing is preloaded; the control socket is off because
several services on one machine would steal it from each other.
"""

from __future__ import annotations

import logging
import os
import signal
import tempfile
from pathlib import Path

from environs import Env
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker
from prometheus_client import multiprocess

from shared.process import lifeline
from shared.process.patient_worker import PatientWorker
from shared.process.settling import settle
from shared.telemetry.logs import configure_logging

env = Env()
_workers = env.int("WEB_CONCURRENCY", 1)

bind = f"{env.str('HOST', '127.0.0.1')}:{env.int('PORT', 8000)}"
workers = _workers
worker_class = PatientWorker
preload_app = False
control_socket_disable = True
timeout = 30
graceful_timeout = 10
keepalive = 2
limit_request_line = 8190
limit_request_field_size = 8190
accesslog = None
errorlog = "-"
_log_level = env.str("LOG_LEVEL", "INFO")
loglevel = "warning" if _log_level == "INFO" else _log_level.lower()
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else tempfile.gettempdir()  # noqa: S108 - a heartbeat file

# A metric is summed over the workers only where there is more than one: the files cost on every request.
_metrics_directory = env.str("PROMETHEUS_MULTIPROC_DIR", "")


def on_starting(_server: Arbiter) -> None:
    """Empty the directory of the workers' metrics: what is in it belongs to processes long gone."""
    for left_over in Path(_metrics_directory).glob("*.db") if _metrics_directory else ():
        left_over.unlink(missing_ok=True)


def post_fork(_server: Arbiter, worker: Worker) -> None:
    """Let a worker log as every process does, and end with its master: a killed one never leaves the port taken."""
    configure_logging(worker.cfg.proc_name, console=env.str("LOG_FORMAT", "json") == "console", level=_log_level)
    gunicorns_own = logging.getLogger("gunicorn.error")  # its tracebacks hold what somebody sent
    gunicorns_own.handlers.clear()
    gunicorns_own.propagate = True
    master = os.getppid()
    lifeline.die_with_parent(signal.SIGTERM)
    if os.getppid() != master:
        raise SystemExit(1)


def post_worker_init(_worker: Worker) -> None:
    """Let the application that was just built be looked through for garbage no more."""
    settle()


def child_exit(_server: Arbiter, worker: Worker) -> None:
    """Take a dead worker's gauges out of the sums."""
    if _metrics_directory:
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
