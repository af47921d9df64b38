"""Fifth act: the board's officer closes publications; the board reads tables, the operator the projections."""

from __future__ import annotations

from typing import Any

from shared.local.play.doors import Caller
from shared.local.play.stage import Stage

TABLES = ("funnel", "nominations", "self_assessment_change", "route_comparison", "credits")
_FEEDS = (
    ("enrolment", "employer"),
    ("enrolment", "programme_lead"),
    ("assessment", "employer"),
    ("accreditation", "awarding_hei"),
)


def close_publication(stage: Stage, title: str) -> str:
    """Return the publication that the board's officer closed, once reporting has read every feed to its head."""
    stage.doors.until("reporting to have read every feed", lambda: all_read(stage))
    officer = stage.doors.as_("reporting", stage.partnership.board, "board")
    publication = officer.post(officer.path("publications"), {"title": title})
    stage.tell(f"publication closed: {title}")
    return str(publication["id"])


def all_read(stage: Stage) -> bool:
    """Return True once reporting's positions are the heads of all owners' feeds."""
    operator = stage.doors.as_("reporting", stage.partnership.board, "operator")
    read = {feed["feed"]: feed["number"] for feed in operator.get("/v1/freshness")["items"]}
    return all(read.get(topic, 0) >= number for topic, number in _heads(stage).items())


def _heads(stage: Stage) -> dict[str, int]:
    heads: dict[str, int] = {}
    for service, role in _FEEDS:
        for organisation in stage.partnership.with_role(role):
            topic = f"org.{organisation}.{service}.v1"
            if topic not in heads:
                operator = stage.doors.as_(service, organisation, "operator")
                heads[topic] = int(operator.get(operator.path("feed"), limit=1)["head"]["number"])
    return heads


def read_reports(stage: Stage, publication_id: str) -> None:
    """Read the five tables twice: as the board reads its publication, and raw, as an operator checks them."""
    operator = stage.doors.as_("reporting", stage.partnership.board, "operator")
    member = stage.doors.as_("reporting", stage.partnership.board, "board")
    for name in TABLES:
        stage.observed.reports[name] = operator.get(f"/v1/projections/{name}")["rows"]
        stage.observed.published[name] = _table(member, name, publication_id)


def _table(member: Caller, name: str, publication_id: str) -> list[dict[str, Any]]:
    """Return a published table's rows as mappings; columns may come as names or as descriptions with a name."""
    table = member.get(f"/v1/reports/{name}", publication=publication_id)
    names = [column["name"] if isinstance(column, dict) else column for column in table["columns"]]
    return [row if isinstance(row, dict) else dict(zip(names, row, strict=True)) for row in table["rows"]]
