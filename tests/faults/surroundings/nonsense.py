"""A door that answers with status 200 and something else than what was asked for, as tests of fault P24 need it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, str, bytes]


def an_html_page(*_: int) -> Answer:
    """What a proxy says in place of a service that is being repaired: a page, and status 200."""
    return 200, "text/html", b"<!doctype html><title>Maintenance</title><h1>Back soon</h1>"


def html_that_says_it_is_json(*_: int) -> Answer:
    """The same under a false name."""
    return 200, "application/json", an_html_page()[2]


def json_of_somebody_else(*_: int) -> Answer:
    """JSON with status 200, of another service."""
    return 200, "application/json", b'{"status":"ok"}'


def half_an_answer(*_: int) -> Answer:
    """An answer that was cut off, with status 200."""
    return 200, "application/json", b'{"items":[{"specversion":"1.0","id":"x'


def nothing(*_: int) -> Answer:
    """No body, with status 200."""
    return 200, "application/json", b""


def a_list(*_: int) -> Answer:
    """JSON of another shape, with status 200."""
    return 200, "application/json", b"[]"


NONSENSE = (an_html_page, html_that_says_it_is_json, json_of_somebody_else, half_an_answer, nothing, a_list)


class Door(ThreadingHTTPServer):
    """Answers every GET and POST as the test says (`answer(after, limit)` of the query); counts how often."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.answer: Callable[[int, int], Answer] = an_html_page
        self.asked = 0
        self._thread = threading.Thread(target=self.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        """Return its base address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def close(self) -> None:
        """Stop answering."""
        self.shutdown()
        self.server_close()
        self._thread.join(10)


class _Answers(BaseHTTPRequestHandler):
    server: Door

    def do_GET(self) -> None:
        """Answer whatever is asked for."""
        self.server.asked += 1
        asked = dict(part.split("=") for part in self.path.partition("?")[2].split("&") if "=" in part)
        after, limit = (asked.get(name, "") for name in ("after", "limit"))
        status, kind, body = self.server.answer(int(after) if after.isdigit() else 0, int(limit or 0))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
