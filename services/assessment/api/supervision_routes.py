"""Supervision's doors: recording sessions as supervisor, reading them, holding them against the standard."""

from __future__ import annotations

from services.assessment.api import representations as show
from services.assessment.api import schemas
from services.assessment.api.routes import actor_for
from services.assessment.application import queries
from services.assessment.application.commands import RecordSupervision, SessionItem
from services.assessment.application.ports import Ports
from services.assessment.application.supervision_handlers import record_supervision
from shared.http import Reply, Routes, accepts, asks, load, query, read, refuses, returns, scope, transact
from shared.storage.unit_of_work import Reading, Work

SESSIONS = "/v1/organisations/<org>/supervision-sessions"
SUPERVISION_IN = schemas.SupervisionIn()
SESSIONS_OUT = schemas.SessionListOut()
PERSON_QUERY = schemas.PersonQuery()
COMPLIANCE_QUERY = schemas.ComplianceQuery()
COMPLIANCE_OUT = schemas.ComplianceOut()


def supervision_routes(ports: Ports) -> Routes:
    """Return the blueprint of supervision, bound to `ports`."""
    routes = Routes("supervision", description="Supervision sessions; the supervisor records them.")

    @routes.post(SESSIONS)
    @scope("supervision.record")
    @accepts(SUPERVISION_IN)
    @returns(201, SESSIONS_OUT)
    @refuses(409, "a session of that day is already recorded")
    def record_sessions(org: str) -> Reply:
        """Record sessions that one held with one person, all of them or none."""
        said = load(SUPERVISION_IN)
        items = tuple(SessionItem(**item) for item in said["items"])
        command = RecordSupervision(said["practitioner_ref"], actor_for("supervision.record"), items)

        def recorded(work: Work) -> Reply:
            return Reply(201, {"items": [show.session(one) for one in record_supervision(ports, work, command)]})

        return transact(org, recorded)

    @routes.get(SESSIONS)
    @scope("supervision.read")
    @asks(PERSON_QUERY)
    @returns(200, SESSIONS_OUT)
    def list_sessions(org: str) -> Reply:
        """List a person's sessions, oldest first."""
        asked, actor = query(PERSON_QUERY), actor_for("supervision.read")

        def found(reading: Reading) -> Reply:
            sessions = queries.supervision_of(ports, reading, actor, asked["practitioner_ref"])
            return Reply(200, {"items": [show.session(one) for one in sessions]})

        return read(org, found)

    @routes.get("/v1/organisations/<org>/supervision-compliance")
    @scope("supervision.compliance")
    @asks(COMPLIANCE_QUERY)
    @returns(200, COMPLIANCE_OUT)
    def get_compliance(org: str) -> Reply:
        """Return how a person's supervision compares with the standard in the year up to a day (today)."""
        asked, actor = query(COMPLIANCE_QUERY), actor_for("supervision.compliance")

        def found(reading: Reading) -> Reply:
            return Reply(
                200,
                show.compliance(
                    queries.supervision_compliance(ports, reading, actor, asked["practitioner_ref"], asked.get("until"))
                ),
            )

        return read(org, found)

    return routes
