"""A Brent in which something of everything is going on, so that every page has something to show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from services.enrolment import bootstrap
from services.enrolment.settings import EnrolmentSettings
from tests.enrolment.conftest import House, a_record, raw

SOMEBODY_ELSE = "somebody-else"
PLAIN = {"evidence_set": None, "prerequisite": None}
REGISTER = "Registration number,Status,Registered until\nSW10,Registered,2099-11-30\nSW11,Lapsed,2024-11-30\nX,what,\n"
UNSEEN = "Staff Code;Worker;D.O.B.;Grade\n17;Example, Maya;01/02/1985;G7\n18;Invented, Tom;02/03/1990;G9\n"


@dataclass
class Busy:
    """The house, and the ids of what pages are about."""

    house: House
    enrolments: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, str] = field(default_factory=dict)
    erasures: dict[str, str] = field(default_factory=dict)
    person: str = ""
    transfer: str = ""
    check: str = ""

    def nominate(self, number: int, org: str = "brent", **changes: Any) -> str:  # noqa: ANN401
        """Return a new enrolment of one more person."""
        who = {"employee_ref": f"1000{number}", "swe_number": f"SW1{number}", "email": f"p{number}@{org}.example"}
        record = a_record(family_name=f"Example{number}", **who | changes)
        answer = self.house.good("POST", "enrolments", org=org, subject=SOMEBODY_ELSE, json=record)
        self.house.settle()
        return answer["enrolment_id"]

    def act(self, enrolment: str, command: str, org: str = "brent", **body: Any) -> None:  # noqa: ANN401
        """Do something with an enrolment."""
        self.house.good("POST", f"enrolments/{enrolment}/{command}", org=org, subject=SOMEBODY_ELSE, json=body)
        self.house.settle()

    def settings(self, **changes: Any) -> None:  # noqa: ANN401
        """Change the employer's settings."""
        etag = self.house.ask("GET", "enrolment-settings").headers["ETag"]
        self.house.good("PUT", "enrolment-settings", json=changes, headers={"If-Match": etag})


def busy_house(house: House, settings: EnrolmentSettings) -> Busy:
    """Return Brent with an enrolment in every status that has commands, files in every state, and people."""
    busy = Busy(house)
    house.open_course(capacity=7)
    house.open_course("SPR", capacity=3, title="Short course", **PLAIN)
    plan = {"kind": "direct_teaching", "minutes": 360, "title": "First day", "held_on": "2025-11-03"}
    house.good("PUT", "courses/SAR/cohorts/2025-09/sessions/day-1", "programme_lead", json=plan)
    _enrolments(busy)
    _people(busy, settings)
    _files(busy)
    house.settle()
    return busy


def _enrolments(busy: Busy) -> None:
    found = busy.enrolments
    found["confirmed"] = busy.nominate(0)
    found["short"] = busy.nominate(0, course="SPR")
    found["deferred"] = busy.nominate(1)
    busy.act(found["deferred"], "defer", reason="leave", from_on="2026-02-02")
    found["withdrawn"] = busy.nominate(2)
    busy.act(found["withdrawn"], "withdraw", reason="workload", withdrawn_on="2026-02-02")
    busy.settings(accepts_offers="by_hand")
    found["offered"] = busy.nominate(3)
    busy.settings(accepts_offers="by_hand", approval_stages=2)
    found["nominated"] = busy.nominate(4)
    given = busy.nominate(1, "ealing", employee_ref="E-1")
    busy.act(given, "transfer", "ealing", to_employer="brent", transferred_on="2026-02-02", reason="new_job")
    busy.transfer = given
    seat = {"attendance": "attended"}
    where = f"courses/SAR/cohorts/2025-09/sessions/day-1/attendance/{found['confirmed']}"
    busy.house.good("PUT", where, "programme_lead", json=seat)


def _people(busy: Busy, settings: EnrolmentSettings) -> None:
    house = busy.house
    busy.person = house.good("GET", "practitioners/10000")["practitioner_id"]
    house.good("PUT", "practitioners/10000/absences/2026-01-05", json={"until_on": None})
    house.good("PUT", "practitioners/10000/employments/2018-01-03", json={"ended_on": None, "reason": None})
    house.tell_of("30001", given_name="Maya", family_name="Twin", swe_number="SW99")
    house.tell_of("30002", given_name="Maia", family_name="Twin", swe_number="SW99")
    for name, ref in (("asked", "30003"), ("done", "30004")):
        house.tell_of(ref, given_name="Gone", family_name=f"Person{ref[-1]}")
        body = {"basis": "person_asked"}
        one = house.good("GET", f"practitioners/{ref}")["practitioner_id"]
        asked = house.good("POST", f"practitioners/{one}/erase", subject=SOMEBODY_ELSE, json=body)
        busy.erasures[name] = asked["id"]
    house.good("POST", f"erasures/{busy.erasures['done']}/approve", subject="third", json={})
    while bootstrap.rights_worker(settings, house.unit).work_once():
        pass
    receipt = {"practitioner_id": one, "employer": "brent", "outcome": "nothing_held", "reason_code": None}
    house.acknowledge("reporting", "nwl-board", receipt)
    sent = house.good("POST", "register-checks", data=REGISTER.encode(), content_type="text/csv")
    busy.check = sent["check_id"]


def _files(busy: Busy) -> None:
    house, found = busy.house, busy.uploads
    names = list(a_record())

    def rows(*numbers: int, **changes: Any) -> bytes:  # noqa: ANN401
        records = [
            a_record(employee_ref=f"2000{n}", swe_number=f"SW2{n}", email=f"f{n}@brent.example", **changes)
            for n in numbers
        ]
        records.append(a_record(employee_ref="29999", date_of_birth="31/31/1980", email=None))
        lines = [",".join("" if one[name] is None else str(one[name]) for name in names) for one in records]
        return "\n".join([",".join(names), *lines, ""]).encode()

    house.good("PUT", "column-mapping", json={"format": "csv", "columns": {name: name for name in names}})
    found["done"] = house.upload(rows(1, course="SPR"), "done.csv")["id"]
    house.confirm(found["done"])
    house.settle()
    found["checked"] = house.upload(rows(2, course="SPR"), "checked.csv")["id"]
    query = {"filename": "fewer.csv", "mode": "snapshot", "course": "SAR", "intake": "2025-09"}
    held = house.good(
        "POST", "enrolment-uploads", subject=SOMEBODY_ELSE, data=rows(3), **raw("fewer.csv") | {"query_string": query}
    )
    house.worker.work_once()
    found["held"] = held["id"]
    pending = house.good("POST", "enrolment-uploads", data=rows(5, course="SPR"), **raw("pending.csv"))
    found["pending"] = pending["id"]
