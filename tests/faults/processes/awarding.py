"""One person after another from nomination to credit, through the public doors, while faults happen.

A portfolio is filled, submitted, verified, recommended and confirmed at the employer; the university takes work in,
marks it, and a board of its own for each person ratifies. Nominations and credits go into the load's `history`.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from shared.identifiers import new_identifier
from shared.local.play.doors import Caller, Doors, PlayError
from shared.testing.history import History, Outcome
from tests.faults.processes.stage import CLOCK, EMPLOYERS, LEAD, PATIENCE_SECONDS, Stage

T = TypeVar("T")
UNIVERSITY, COLLEGE, MODULE, CREDITS = "westbridge", "marchland-college", "CCB7", 20
CREDIT = "credit"
DOMAINS = (
    "professionalism",
    "values_and_ethics",
    "diversity",
    "rights_justice_and_economic_wellbeing",
    "knowledge",
    "critical_reflection_and_analysis",
    "intervention_and_skills",
    "contexts_and_organisations",
    "professional_leadership",
)
PIECES = (
    ("work_product", "practitioner", "", DOMAINS[:4]),
    ("work_product", "practitioner", "", DOMAINS[4:5]),
    ("observation", "line_manager", "M-1", DOMAINS[5:6]),
    ("observation", "observer", "X-1", DOMAINS[6:7]),
    ("observation", "observer", "X-2", DOMAINS[7:8]),
    ("testimonial", "carer", None, DOMAINS[8:]),
)
"""Kind, whose it is, their reference (of the candidate where empty), domains: just what `county-portfolio` asks for."""


def approve_module(doors: Doors, course: str, intake: str) -> None:
    """Publish the university's module and approve its run for a cohort."""
    registrar = doors.as_("accreditation", UNIVERSITY, "registrar")
    terms = {"title": "Community capacity", "credits": CREDITS, "level": 7, "pass_mark": 40, "words": 3000}
    registrar.put(registrar.path(f"shell-modules/{MODULE}"), terms)
    college = doors.as_("accreditation", COLLEGE, "programme_lead")
    run = {"module": MODULE, "course": course, "intake": intake, "course_owner": LEAD, "delivered_by": [COLLEGE]}
    proposed = college.post(college.path("module-instances", UNIVERSITY), run)
    path = registrar.path(f"module-instances/{proposed['instance_id']}/approve")
    registrar.post(path, {"approved_on": "2025-06-30"})


class _Left(Exception):
    """It is time to end, and somebody waits: a university asks an employer that was away less and less often."""


class Awarding(threading.Thread):
    """Takes people to their credit until told to `end`. Who waits then is left: nobody knows what became of them."""

    def __init__(self, stage: Stage, history: History, somebody: Callable[[str], dict[str, object]]) -> None:
        super().__init__(daemon=True)
        self.awarded = 0
        self._history = history
        self._somebody = somebody
        self._doors = Doors(stage.platform, CLOCK)
        self._ending = threading.Event()
        self._failure: Exception | None = None

    def run(self) -> None:
        """Employers take turns."""
        with contextlib.suppress(_Left):
            self._take_turns()

    def _take_turns(self) -> None:
        try:
            while not self._ending.is_set():
                self._award(EMPLOYERS[self.awarded % len(EMPLOYERS)])
                self.awarded += 1
        except PlayError as error:
            self._failure = error

    def end(self) -> None:
        """Stop.

        Raises:
            PlayError: A door refused, or what was waited for did not happen.
        """
        self._ending.set()
        self.join(PATIENCE_SECONDS * 2)
        self.close()
        if self._failure is not None:
            raise self._failure
        assert not self.is_alive(), "somebody is still on the way to their credit"

    def close(self) -> None:
        """Close the doors."""
        self._doors.close()

    def _award(self, employer: str) -> None:
        ref = f"C{new_identifier()}"
        enrolment_id = self._nominate(employer, ref)
        self._practise(employer, ref, enrolment_id)
        operation = self._history.invoke(kind=CREDIT, label=enrolment_id, key=new_identifier())
        self._history.ended(operation, Outcome.OK, self.credit(enrolment_id))

    def credit(self, enrolment_id: str) -> str:
        """Take work in, mark it, let a board of its own ratify it; return the credit's id when it is in the ledger."""
        instance_id = self._mark(enrolment_id)
        registrar = self._doors.as_("accreditation", UNIVERSITY, "registrar", "registrar-1")
        sitting = {"held_on": f"{CLOCK.now():%Y-%m-%d}", "instance_ids": [instance_id]}
        board = registrar.post(registrar.path("boards"), sitting)
        registrar.post(registrar.path(f"boards/{board['board_id']}/ratify"), {})

        def credited() -> str | None:
            credits_ = registrar.pages(registrar.path("credits"))
            return next((one["credit_id"] for one in credits_ if one["enrolment_id"] == enrolment_id), None)

        return self._until("the credit", credited)

    def _nominate(self, employer: str, ref: str) -> str:
        operation = self._history.invoke(kind="nominate", label=ref, key=new_identifier())
        hr = self._doors.as_("enrolment", employer, "hr", "hr-desk")
        body = {**self._somebody(ref), "route": "practice_and_academic"}
        enrolment_id = str(hr.post(hr.path("enrolments"), body)["enrolment_id"])
        self._history.ended(operation, Outcome.OK, enrolment_id)
        return enrolment_id

    def _practise(self, employer: str, ref: str, enrolment_id: str) -> None:
        def who(role: str, subject: str) -> Caller:
            return self._doors.as_("assessment", employer, role, subject)

        candidate, supervisor = who("practitioner", ref), who("supervisor", "M-1")
        path = candidate.path(f"portfolios/{enrolment_id}")
        self._until("the portfolio", lambda: supervisor.ask("GET", path).status == 200)
        pieces = [
            {
                "ref": f"e{number}",
                "kind": kind,
                "author_role": role,
                "author_ref": ref if author == "" else author,
                "made_on": "2026-01-20",
                "domains": domains,
                "level": "SW",
            }
            for number, (kind, role, author, domains) in enumerate(PIECES, 1)
        ]
        candidate.post(f"{path}/evidence", {"items": pieces})
        candidate.post(f"{path}/submit", {"submitted_on": "2026-05-06"})
        supervisor.post(f"{path}/verify", {"verified_on": "2026-05-13"})
        who("assessor", "A1").post(f"{path}/recommend", {"recommended_on": "2026-05-20", "outcome": "pass"})
        who("moderator", "A2").post(f"{path}/confirm", {"confirmed_on": "2026-05-27", "outcome": "pass"})

    def _mark(self, enrolment_id: str) -> str:
        """Take work in and mark it; return the module's run."""
        first, second = (self._doors.as_("accreditation", UNIVERSITY, "tutor", f"tutor-{one}") for one in (1, 2))

        def registered() -> dict[str, Any] | None:
            rows = first.pages(first.path("registrations"))
            found = next((row for row in rows if row["enrolment_id"] == enrolment_id), None)
            return found if found and found["state"] != "identity_pending" and found["practice_outcome"] else None

        row = self._until("the registration", registered)
        path = first.path(f"registrations/{row['registration_id']}")
        first.post(f"{path}/submissions", {"submitted_on": "2026-05-11", "words": 2900})
        first.post(f"{path}/marks", {"kind": "first", "mark": 61})
        second.post(f"{path}/marks", {"kind": "agreed", "mark": 58})
        return str(row["instance_id"])

    def _until(self, what: str, question: Callable[[], T | None]) -> T:
        def asked() -> T | None:
            if self._ending.is_set():
                raise _Left
            return question()

        return self._doors.until(what, asked, PATIENCE_SECONDS)
