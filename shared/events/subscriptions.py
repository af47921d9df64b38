"""What a service takes from other owners' feeds: a table of event type, tolerant struct, who is concerned, reaction.

Lives here: the `Subscription` row, the `SubscriptionBook` that the reader asks. Must not live here: the log, the
database, any event type by name. A service's `messaging/consumed.py` looks like this:

    class Requested(msgspec.Struct, frozen=True):        # tolerant: unknown fields are ignored
        enrolment_id: str
        cohort_owner: str

    SUBSCRIPTIONS = (
        Subscription(
            type="enrolment.requested.v1",
            struct=Requested,
            concerns=lambda event, partnership: (event.data.cohort_owner,),
            reaction=when_requested,                      # when_requested(work: Work, event: Received[Requested])
        ),
    )
    IGNORED = frozenset({"enrolment.completed.v1"})       # known, and of no interest: everything else unknown is parked
    FEEDS = ("enrolment",)                                # whose feeds: org.<every organisation>.<service>.v1

A reaction is pure apart from `work`: it may run twice, it may run alone or beside up to 499 others in one
transaction, and it is called once per (event, concerned organisation). Inside it `work.cause` already names the event
that is answered, so `work.emit(...)` carries the right correlation and causation.
What it raises decides what happens next: `Unavailable` means wait and try again; a database's own errors likewise;
`Malformed`, `Forbidden` or any other exception parks this event and whatever comes later under the same key.
A business rule that says no is not an exception here: record the refusal (state, or an event) and return.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from shared.errors import Malformed
from shared.events.envelope import Received

if TYPE_CHECKING:
    from shared.partnership import Partnership
    from shared.storage.unit_of_work import Work

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Subscription(Generic[T]):
    """One event type that this service acts upon.

    `type` is the full name with its version. `struct` is a msgspec struct that names only the fields used.
    `concerns` returns the organisations that take the effect (this instance serves those it hosts, and only those that
    may read the feed). `reaction` does it. `ahead` is called before the reactions of a transaction, with all of its
    events of this type: it may read at once what each of them would read by itself. It writes nothing and decides
    nothing: a reaction asks for what it needs in any case.
    """

    type: str
    struct: builtins.type[T]
    concerns: Callable[[Received[T], Partnership], Collection[str]]
    reaction: Callable[[Work, Received[T]], None]
    ahead: Callable[[Work, Sequence[Received[T]]], None] | None = None


class SubscriptionBook:
    """The table, ready to be asked by the reader."""

    def __init__(self, subscriptions: Iterable[Subscription[Any]], ignored: Collection[str] = ()) -> None:
        rows = tuple(subscriptions)
        self._by_type = {row.type: row for row in rows}
        self._ignored = frozenset(ignored)
        twice = sorted({row.type for row in rows if sum(other.type == row.type for other in rows) > 1})
        both = sorted(self._ignored & self._by_type.keys())
        if twice or both:
            raise Malformed(f"event types subscribed twice: {twice}; subscribed and ignored: {both}")

    def find(self, event_type: str) -> Subscription[Any] | None:
        """Return the row for `event_type`, or None where there is none (ignored or unknown)."""
        return self._by_type.get(event_type)

    def ignores(self, event_type: str) -> bool:
        """Say whether the type is known and of no interest here."""
        return event_type in self._ignored

    def types(self) -> frozenset[str]:
        """Return every type that is named, subscribed or ignored."""
        return self._ignored | self._by_type.keys()
