"""A very small HTTP server for the processes that serve no HTTP otherwise: relay, reader, worker.

`/livez` (the process runs), `/readyz` (what the process says of itself), `/metrics`. Nothing else, no input read.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from shared.telemetry.metrics import own_exposition


class HealthServer:
    """Answers on its own daemon thread between `start` and `stop`. Port 0 takes a free one; see `port`."""

    def __init__(self, port: int, ready: Callable[[], bool], host: str = "127.0.0.1") -> None:
        self._server = ThreadingHTTPServer((host, port), _handler(ready))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> HealthServer:
        """Begin to answer."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


def _handler(ready: Callable[[], bool]) -> type[BaseHTTPRequestHandler]:
    """Return the request handler around `ready`."""

    class Handler(BaseHTTPRequestHandler):
        """Three paths, GET only."""

        timeout = 5

        def do_GET(self) -> None:
            """Answer one of the three paths."""
            path = self.path.partition("?")[0]
            if path == "/livez":
                self._json(200, {"status": "live"})
            elif path == "/readyz":
                is_ready = ready()
                self._json(200 if is_ready else 503, {"status": "ready" if is_ready else "not-ready"})
            elif path == "/metrics":
                self._send(200, *own_exposition())
            else:
                self._json(404, {"status": "not-found"})

        def _json(self, status: int, body: dict[str, str]) -> None:
            """Send `body`."""
            self._send(status, json.dumps(body).encode(), "application/json")

        def _send(self, status: int, body: bytes, content_type: str) -> None:
            """Send `body` as it is."""
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: probes are noise."""

    return Handler
