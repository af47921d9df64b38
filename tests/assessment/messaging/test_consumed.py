"""What assessment reads of enrolment: every example of each type, and what follows from it."""

from __future__ import annotations

import msgspec
import pytest

from services.assessment.messaging.consumed import IGNORED, subscriptions
from shared.errors import Malformed
from shared.events.contracts import contract_book
from shared.events.subscriptions import SubscriptionBook
from shared.identifiers import new_identifier
from shared.testing.feeds import a_received

READ = {row.type: row.struct for row in subscriptions(None)}
EXAMPLES = [
    pytest.param(event_type, data, id=f"{event_type}-{name}")
    for event_type in READ
    for name, data in contract_book().examples(event_type).items()
]


@pytest.mark.parametrize(("event_type", "data"), EXAMPLES)
def test_reader_takes_every_example_of_its_types(event_type, data):
    """Each released example can be read, with the fields that assessment uses."""
    assert msgspec.json.decode(data, type=READ[event_type])


def test_every_subscribed_or_ignored_type_has_a_contract():
    """Nothing is awaited that enrolment does not promise."""
    assert set(contract_book().types()) >= READ.keys() | IGNORED


def test_every_enrolment_event_of_the_shared_bus_is_read_or_ignored():
    """No type of enrolment's organisation feed is left to be parked by oversight."""
    on_bus = {
        entry.type for entry in contract_book().catalogue() if (entry.service, entry.feed) == ("enrolment", "org")
    }
    assert on_bus <= SubscriptionBook(subscriptions(None), IGNORED).types()


@pytest.fixture
def deliver(house):
    """Let Brent's enrolment feed deliver one event to Brent's assessment."""
    rows = {row.type: row for row in subscriptions(house.ports)}

    def send(event_type: str, org: str = "brent", **data):
        row = rows[event_type]
        event = a_received(row, data, owner=org)
        house.unit.run(org, lambda work: row.reaction(work, event))

    return send


def confirmed(**changes):
    """Return the data of a confirmed enrolment."""
    facts = {
        "enrolment_id": new_identifier(),
        "practitioner_id": "5d3c6a1e-94b1-8c2a-9b7e-0d6f3e2a1b4c",
        "course": "SAR",
        "intake": "2025-09",
        "route": "practice_only",
        "pcf_level": "SW",
        "evidence_set": "cpd-portfolio",
    }
    return {**facts, **changes}


def test_confirmed_enrolment_opens_one_portfolio_however_often_it_arrives(house, deliver):
    """A confirmed enrolment opens a portfolio under its own id, once."""
    facts = confirmed()
    deliver("enrolment.confirmed.v1", **facts)
    deliver("enrolment.confirmed.v1", **facts)
    opened = [key for name, key, _ in house.events() if name == "assessment.portfolio-opened.v1"]
    assert opened == [facts["enrolment_id"]]


def test_course_without_evidence_set_gets_no_portfolio(house, deliver):
    """Where the course asks for no evidence there is no portfolio and no event."""
    deliver("enrolment.confirmed.v1", **confirmed(evidence_set=None))
    assert house.unit.database("brent")["portfolios"].count_documents({}) == 0
    assert house.events() == []


def test_unknown_evidence_set_parks_the_event(deliver):
    """A set that the partnership file does not have is malformed, so that the event waits for the file."""
    with pytest.raises(Malformed):
        deliver("enrolment.confirmed.v1", **confirmed(evidence_set="of-tomorrow"))


def test_withdrawn_enrolment_closes_its_portfolio(house, deliver):
    """Nothing more is taken once the enrolment is withdrawn; a withdrawal without a portfolio changes nothing."""
    facts = confirmed(practitioner_id=house.person_id("10001"))
    deliver("enrolment.confirmed.v1", **facts)
    deliver("enrolment.withdrawn.v1", enrolment_id=facts["enrolment_id"], withdrawn_on="2026-02-01")
    deliver("enrolment.withdrawn.v1", enrolment_id=new_identifier(), withdrawn_on="2026-02-01")
    found = house.ask("GET", f"portfolios/{facts['enrolment_id']}", "supervisor", "90001").json
    assert found["state"] == "closed"
    body = {"items": [{"held_on": "2026-02-02", "wave": "T0", "ratings": {}}]}
    path = f"portfolios/{facts['enrolment_id']}/self-assessments"
    assert house.ask("POST", path, "practitioner", "10001", json=body).status_code == 409


def test_line_manager_and_title_arrive_in_any_order_with_the_portfolio(house, deliver):
    """Facts may come before or after the portfolio; what is shown is the same, the last word of a day stands."""
    person = house.person_id("10001")
    facts = confirmed(practitioner_id=person)
    first = {"practitioner_id": person, "line_manager_id": house.person_id("90001"), "from_on": "2024-01-01"}
    later = {"practitioner_id": person, "line_manager_id": None, "from_on": "2026-01-12"}
    deliver("enrolment.line-manager-assigned.v1", **later)
    deliver("enrolment.confirmed.v1", **facts)
    deliver("enrolment.line-manager-assigned.v1", **first)
    deliver("enrolment.line-manager-assigned.v1", **first)
    deliver("enrolment.course-published.v1", course="SAR", title="Safeguarding Adults and Risk")
    found = house.ask("GET", f"portfolios/{facts['enrolment_id']}", "practitioner", "10001").json
    assert [known["from_on"] for known in found["line_managers"]] == ["2024-01-01", "2026-01-12"]
    assert found["course_title"] == "Safeguarding Adults and Risk"


def test_employment_and_absences_move_the_clock_of_supervision(house, deliver):
    """The latest employment's start counts, not the first line manager's day; absent days stop the clock (BR-26)."""
    person = house.person_id("10001")
    deliver("enrolment.confirmed.v1", **confirmed(practitioner_id=person, pcf_level="ASYE"))
    manager = {"practitioner_id": person, "line_manager_id": house.person_id("90001"), "from_on": "2015-01-05"}
    deliver("enrolment.line-manager-assigned.v1", **manager)
    asked = {"practitioner_ref": "10001", "until": "2026-01-19"}

    def gaps():
        answer = house.ask("GET", "supervision-compliance", "supervisor", "90001", query_string=asked)
        return [gap["days"] for gap in answer.json["gaps"]]

    assert gaps() == []
    told = {"practitioner_id": person, "started_on": "2026-01-05", "ended_on": None, "absences": []}
    deliver("enrolment.employment-dated.v1", **told)
    assert gaps() == [14]
    away = [{"from_on": "2026-01-09", "until_on": "2026-01-16"}]
    deliver("enrolment.employment-dated.v1", **{**told, "absences": away})
    deliver("enrolment.employment-dated.v1", **{**told, "absences": away})
    assert gaps() == []
