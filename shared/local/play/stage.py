"""What every act of the play shares: the doors, the scenario, what was seen, and who sits where."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shared.clock import Clock
from shared.local.play.compare import Observed
from shared.local.play.doors import Caller, Doors, Platform
from shared.local.play.scenario import Course, Person, Scenario
from shared.partnership.model import Partnership

T = TypeVar("T")
Seat = tuple[str, str, str, str]

AT_ONCE = 4


@dataclass(slots=True)
class Stage:
    """The state of a play: nothing in it comes from anywhere but public doors and the scenario folder."""

    platform: Platform
    doors: Doors
    scenario: Scenario
    partnership: Partnership
    clock: Clock
    tell: Callable[[str], None]
    observed: Observed = field(default_factory=Observed)
    enrolments: dict[Seat, dict[str, Any]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)

    @property
    def lead(self) -> str:
        """Return the programme lead's slug."""
        return self.partnership.programme_lead

    @property
    def employers(self) -> tuple[str, ...]:
        """Return the employers that send a file, in the order of the exports."""
        return tuple(dict.fromkeys(export.organisation for export in self.scenario.term.exports))

    def course(self, code: str) -> Course:
        """Return a course of the scenario by its code."""
        return next(course for course in self.scenario.term.courses if course.code == code)

    def hr(self, organisation: str) -> Caller:
        """Return the enrolment doors as that employer's HR desk sees them."""
        return self.doors.as_("enrolment", organisation, "hr")

    def refresh(self, organisation: str) -> None:
        """Learn that employer's enrolments anew, as its HR desk lists them."""
        hr = self.hr(organisation)
        for row in hr.pages(hr.path("enrolments")):
            self.enrolments[(organisation, row["employee_ref"], row["course"], row["intake"])] = row

    def enrolment_id(self, person: Person) -> str:
        """Return the enrolment of one seat."""
        return str(self.enrolments[person.seat]["enrolment_id"])

    def who(self, enrolment_id: str) -> Seat:
        """Return whose enrolment that is; HR desks know, nobody else."""
        return next(seat for seat, row in self.enrolments.items() if row["enrolment_id"] == enrolment_id)

    def for_each(self, work: Callable[[Any], T], items: Iterable[Any]) -> list[T]:
        """Return `work` of every item, in order; a few at once, as people in several offices work at once."""
        with ThreadPoolExecutor(max_workers=AT_ONCE) as offices:
            return list(offices.map(work, items))
