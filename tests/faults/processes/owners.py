"""An owner whose database is lost: its database, feed and processes, and the operator's commands on them."""

from __future__ import annotations

from dataclasses import dataclass

from click.testing import CliRunner, Result
from pymongo import MongoClient

from shared.events.feed import FeedName
from shared.local.cli import main
from tests.faults.processes.awarding import UNIVERSITY
from tests.faults.processes.stage import Stage


@dataclass(frozen=True)
class Owner:
    """Whose database is lost, and where only people can have made what is missing afterwards."""

    service: str
    organisation: str
    rows_of_people: frozenset[str]

    @property
    def database(self) -> str:
        """Its name, on a platform without a prefix."""
        return f"{self.service}__{self.organisation}"

    @property
    def feed(self) -> FeedName:
        """What it tells everybody."""
        return FeedName("org", self.organisation, self.service)

    @property
    def parts(self) -> list[str]:
        """The processes that have it open."""
        return [f"{self.service}-{part}" for part in ("api", "relay", "consume", "worker")]

    def head(self, client: MongoClient) -> int:
        """Return the last number of its feed."""
        return client[self.database]["org_state"].find_one({"_id": "head"})["number"]


VALE = Owner("enrolment", "vale", frozenset({"the employer's rows"}))
WESTBRIDGE = Owner("accreditation", UNIVERSITY, frozenset({"credit", "the ledger", "credits issued and awarded"}))


def partnership(stage: Stage, owner: Owner, *words: str) -> Result:
    """Run a command of the operator's on the owner's feed."""
    command, *rest = words
    whose = ["--organisation", owner.organisation, "--service", owner.service]
    own = ["--state", str(stage.platform.place.directory), *whose]
    return CliRunner().invoke(main, [command, *own, *rest])
