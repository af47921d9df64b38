"""What waits for somebody: the kinds of task, whose each one is, and how many and how old. No query lives here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

HR = "hr"
SUPERVISOR = "supervisor"
PROGRAMME_LEAD = "programme_lead"
ROLES = (HR, SUPERVISOR, PROGRAMME_LEAD)
"""The roles that have a task list."""

DUPLICATE = "duplicate"
MOST_COUNTED = 1000
"""Beyond this a count says "more than": nobody does one thousand and one tasks otherwise than one thousand."""


@dataclass(frozen=True, slots=True)
class TaskKind:
    """One kind of task.

    `title` says what is to do; `at` is where, below the organisation's address; `has_own` says that the thing itself
    has an address there, by its id.
    """

    name: str
    title: str
    roles: tuple[str, ...]
    at: str
    has_own: bool = True


KINDS = (
    TaskKind(
        "to_approve", "Nominations that wait for a second approval", (HR, SUPERVISOR), "enrolments?status=nominated"
    ),
    TaskKind("offered_seat", "Seats offered that wait to be accepted", (HR,), "enrolments?status=offered"),
    TaskKind("incoming_transfer", "People to take on from another employer", (HR,), "incoming-transfers?state=open"),
    TaskKind("held_snapshot", "Snapshots that wait for a second person", (HR,), "enrolment-uploads"),
    TaskKind("file_to_map", "Files whose columns wait to be matched", (HR,), "enrolment-uploads"),
    TaskKind("unreadable_file", "Files that could not be read: send them again", (HR,), "enrolment-uploads"),
    TaskKind("checked_file", "Checked files that wait to be confirmed", (HR,), "enrolment-uploads"),
    TaskKind("refused_rows", "Files with rows that came back", (HR,), "enrolment-uploads"),
    TaskKind("unanswered_request", "Requests without an answer", (HR,), "enrolments?status=requested"),
    TaskKind(DUPLICATE, "People who may be the same", (HR,), "practitioner-duplicates", has_own=False),
    TaskKind("lapsed_registration", "Registrations that lapsed", (HR,), "registrations?status=lapsed", has_own=False),
    TaskKind("erasure_to_decide", "Erasures that wait for a second person", (HR,), "erasures"),
    TaskKind("erasure_without_receipts", "Erasures that not every service has answered", (HR,), "erasures"),
    TaskKind("failed_notice", "E-mail notices that could not be sent", (HR, PROGRAMME_LEAD), "notices", has_own=False),
)
"""In the order in which a list shows them."""


@dataclass(frozen=True, slots=True)
class OpenTask:
    """One thing that waits, by the id of what it is about. The order of ids is the order in which they came."""

    kind: str
    about: str
    since: date | None
    due: date | None = None

    @property
    def task_id(self) -> str:
        """Return the task's own id: the same for as long as it waits."""
        return f"{self.kind}:{self.about}"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one kind of task stands: `is_more` says that there are more than were counted."""

    kind: TaskKind
    count: int
    oldest: date | None
    is_more: bool = False

    def age(self, today: date) -> int | None:
        """Return for how many days the oldest has waited; never less than none."""
        return None if self.oldest is None else max(0, (today - self.oldest).days)


def kinds_of(roles: Iterable[str]) -> tuple[TaskKind, ...]:
    """Return the kinds of task that somebody in these roles has, in the order of a list."""
    held = frozenset(roles)
    return tuple(kind for kind in KINDS if held & frozenset(kind.roles))


def kind_named(name: str) -> TaskKind:
    """Return the kind of that name.

    Raises:
        KeyError: There is none.
    """
    return {kind.name: kind for kind in KINDS}[name]


def standing(kind: TaskKind, count: int, oldest: date | None) -> Standing:
    """Return how a kind stands, from a count that went up to one more than `MOST_COUNTED`."""
    return Standing(kind, min(count, MOST_COUNTED), oldest, is_more=count > MOST_COUNTED)
