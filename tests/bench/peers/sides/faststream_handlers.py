"""The handlers of both FastStream sides: check, write, acknowledge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from faststream import BaseMiddleware

from tests.bench.peers.errand import Meter
from tests.bench.peers.sink import AsyncSink


def handler_for(library: str, message: type, sink: AsyncSink, meter: Meter, done: asyncio.Event) -> Callable[..., Any]:
    """Return the handler that checks with `library`; `message` is the broker's own class."""

    async def finish(rows: list[dict[str, Any]], raw) -> None:
        await sink.write(rows)
        meter.wrote(len(rows))
        await raw.ack()
        meter.committed()
        if meter.is_done:
            done.set()

    if library == "marshmallow":
        from tests.bench.peers.with_marshmallow import row as row_of_document

        async def with_marshmallow(events: list[dict[str, Any]], raw) -> None:
            await finish([row_of_document(event) for event in events], raw)

        with_marshmallow.__annotations__ = {"events": list[dict[str, Any]], "raw": message}
        return with_marshmallow

    from tests.bench.peers.with_pydantic import Enrolment
    from tests.bench.peers.with_pydantic import row as row_of_model

    async def with_pydantic(events: list[Enrolment], raw) -> None:
        await finish([row_of_model(event) for event in events], raw)

    with_pydantic.__annotations__ = {"events": list[Enrolment], "raw": message}
    return with_pydantic


def clock_for(meter: Meter) -> type[BaseMiddleware]:
    """Return a middleware that starts the clock before the first batch is decoded and checked."""

    class Clock(BaseMiddleware):
        """Sees every batch first."""

        async def on_receive(self) -> None:
            """Start the clock."""
            meter.taken()

    return Clock
