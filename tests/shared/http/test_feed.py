"""The pull feed on the real ledger: who may read it, and that it is the document's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.clock import SystemClock
from shared.events.envelope import Outgoing
from shared.events.feed import FeedName
from shared.events.lease import Lease
from shared.events.numbering import Numbering
from shared.http import ServiceDescription, create_app
from shared.http.conformance import watch
from shared.identity import RoleTable, TokenVerifier
from shared.partnership.loader import load

SCENARIO = Path(__file__).parents[3] / "scenarios" / "north-west-london" / "partnership.yaml"


@pytest.fixture
def unit_of_work(make_unit_of_work, database_prefix):
    """The service's transactions, under a prefix of this test's own."""
    return make_unit_of_work("assessment", prefix=database_prefix)


@pytest.fixture
def app(unit_of_work, issuer):
    """A service with nothing but the common routes, on the real partnership."""
    partnership = load(SCENARIO)
    issuer.trust(*partnership.organisations)
    return create_app(
        ServiceDescription(
            name="assessment",
            title="Assessment",
            version="1.0.0",
            blueprints=[],
            unit_of_work=unit_of_work,
            partnership=partnership,
            roles=RoleTable.of_service("assessment"),
            verifier=TokenVerifier(issuer.file, "toy", SystemClock()),
            hosted=set(partnership.organisations),
            clock=SystemClock(),
        )
    )


@pytest.fixture
def get(app, issuer):
    """Read Brent's feed as somebody."""

    def ask(organisation: str, role: str, text: str = ""):
        sent = {"Authorization": f"Bearer {issuer.token(organisation, role)}"}
        return app.test_client().get(f"/v1/organisations/brent/feed{text}", headers=sent)

    return ask


@pytest.mark.parametrize(
    ("organisation", "role", "status"),
    [
        ("brent", "operator", 200),
        ("brent", "service", 200),
        ("goldsmiths", "service", 200),
        ("ealing", "service", 404),
        ("goldsmiths", "operator", 404),
        ("brent", "hr", 403),
    ],
)
def test_i7_a_feed_is_read_by_those_the_partnership_names(get, organisation, role, status):
    """Its own people and instances, and partners that may read the topic; to others it is not there."""
    assert get(organisation, role).status_code == status


def number_all(unit_of_work) -> None:
    """Number what waits in Brent's feed, as its relay would."""
    name = FeedName("org", "brent", "assessment")
    lease = Lease(unit_of_work, name, holder="test")
    head = lease.take()
    numbering = Numbering(unit_of_work, name, {})
    list(numbering.rounds(head, lease.session))
    lease.release()


def test_an_empty_feed_is_what_the_document_says(app, get):
    """No events, no next, a head of number 0."""
    faults = watch(app)
    page = get("brent", "service")
    assert page.json["items"] == []
    assert page.json["next"] is None
    assert page.json["head"]["number"] == 0
    assert get("brent", "service", "?after=x").status_code == 400
    assert get("brent", "service", "?limit=0").status_code == 400
    assert faults == []


def test_numbered_events_come_in_order_and_in_pages(app, get, unit_of_work):
    """`after` and `next` walk the feed; each event is a structured CloudEvent as the document says."""
    faults = watch(app)
    for number in range(3):
        data = json.dumps({"n": number}).encode()
        unit_of_work.run(
            "brent",
            lambda work, data=data, number=number: work.emit(
                Outgoing(type="assessment.portfolio-verified.v1", key=f"k{number}", version=1, data=data)
            ),
        )
    number_all(unit_of_work)
    first = get("brent", "service", "?limit=2").json
    assert [event["data"]["n"] for event in first["items"]] == [0, 1]
    rest = get("brent", "service", f"?after={first['next']}").json
    assert [event["feedseq"] for event in rest["items"]] == [3]
    assert rest["next"] is None
    assert rest["head"]["number"] == 3
    assert faults == []
