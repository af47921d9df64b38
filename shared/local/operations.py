"""What an operator asks of a platform that runs: its topics, a feed sent again or walked again, what is parked.

Works on the local run, which tells its addresses in `running.json`, or on the instance that the environment names.
Decides nothing: `shared.events` does the work.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from environs import Env
from pymongo.errors import PyMongoError

from shared.clock import Clock
from shared.errors import NotFound, Unavailable
from shared.events.feed import FeedName
from shared.events.ledger import Ledger
from shared.events.republish import published, republish
from shared.events.topics import Topics
from shared.events.verify import Verdict, verify_feed
from shared.identifiers import NewIdentifier
from shared.local.platform import RUNNING_FILE
from shared.partnership import Partnership, load
from shared.partnership.model import EMPLOYER, SERVICES
from shared.process.settings import CommonSettings, read_kafka_config
from shared.process.settings import load as load_settings
from shared.storage.mongo import Client, MongoDatabase, connect
from shared.storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the platform's stores are."""

    partnership_file: Path
    mongodb_uri: str
    database_prefix: str
    kafka_bootstrap_servers: str
    kafka_config: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicState:
    """A feed as its owner and the broker see it. `numbered` is what it holds, `published` what was sent of it."""

    topic: str
    owner: str
    is_on_broker: bool
    numbered: int
    published: int


class Operations:
    """The commands, on one partnership's platform."""

    def __init__(self, address: Address, client: Client, clock: Clock, new_identifier: NewIdentifier) -> None:
        self.partnership: Partnership = load(address.partnership_file)
        self._address = address
        self._client = client
        self._clock = clock
        self._new_identifier = new_identifier

    def feeds(self, organisation: str | None = None, service: str | None = None) -> list[FeedName]:
        """Return the feeds of the partnership in file order, of one organisation or service where asked for.

        Raises:
            NotFound: there is no such partner, or it owns no feed there.
        """
        if organisation is not None and organisation not in self.partnership.organisations:
            raise NotFound(f"{organisation} is none of the partners: {', '.join(self.partnership.organisations)}")
        found = [
            FeedName(kind, owner, name)
            for name in SERVICES
            if service in (None, name)
            for owner in self.partnership.owners(name)
            if organisation in (None, owner)
            for kind in self._kinds(owner, name)
        ]
        if not found:
            raise NotFound(f"{organisation} owns no feed there")
        return found

    def database(self, organisation: str, service: str) -> MongoDatabase:
        """Return an organisation's database of one service."""
        return self._unit(service).database(organisation)

    def topics(self) -> Iterator[TopicState]:
        """Yield every feed with how far it is."""
        topics = Topics(self._address.kafka_bootstrap_servers, self._clock, config=self._address.kafka_config)
        try:
            for name in self.feeds():
                unit = self._unit(name.service)
                yield TopicState(
                    topic=name.topic,
                    owner=name.organisation,
                    is_on_broker=topics.place(name.topic) is not None,
                    numbered=Ledger(unit.reading(name.organisation), name).head().number,
                    published=published(unit, name),
                )
        finally:
            topics.close()

    def republish(
        self, organisation: str, service: str | None, *, is_new_generation: bool = False
    ) -> Iterator[FeedName]:
        """Let the organisation's feeds be sent again from their first event; yield each that was asked for."""
        for name in self.feeds(organisation, service):
            try:
                republish(self._unit(name.service), name, is_new_generation=is_new_generation)
            except NotFound:
                continue
            yield name

    def verify(self, organisation: str, service: str | None) -> Iterator[tuple[FeedName, Verdict]]:
        """Walk the organisation's feeds from the first event and yield what was found."""
        for name in self.feeds(organisation, service):
            yield name, verify_feed(self._unit(name.service).reading(name.organisation), name)

    def broker(self) -> tuple[str, Mapping[str, object]]:
        """Return where the broker is, and how to connect to it."""
        return self._address.kafka_bootstrap_servers, self._address.kafka_config

    def unit_of(self, service: str) -> UnitOfWork:
        """Return the transactions of one service's databases."""
        return self._unit(service)

    def _kinds(self, owner: str, service: str) -> tuple[str, ...]:
        has_answers = service == "enrolment" and self.partnership.has_role(owner, EMPLOYER)
        return ("org", "out") if has_answers else ("org",)

    def _unit(self, service: str) -> UnitOfWork:
        return UnitOfWork(
            client=self._client,
            service=service,
            clock=self._clock,
            new_identifier=self._new_identifier,
            prefix=self._address.database_prefix,
        )


@contextmanager
def operations(state: Path, clock: Clock, new_identifier: NewIdentifier) -> Iterator[Operations]:
    """Yield the commands on the platform that runs from `state`, or else on the one that the environment names.

    Raises:
        Malformed: nothing runs here, and the environment does not say enough.
        Unavailable: the database does not answer.
    """
    address = address_of(state)
    client = connect(address.mongodb_uri, appname="partnership")
    try:
        yield Operations(address, client, clock, new_identifier)
    except PyMongoError as error:
        raise Unavailable("the database does not answer") from error
    finally:
        client.close()


def _as_operator() -> dict[str, object]:
    """Return how whoever asks connects to the broker; the running platform tells nobody a password."""
    file = Env().str("KAFKA_CONFIG_FILE", "")
    return read_kafka_config(Path(file)) if file else {}


def address_of(state: Path) -> Address:
    """Return where the stores are.

    Raises:
        Malformed: nothing runs from `state`, and the environment does not say enough.
    """
    running = state / RUNNING_FILE
    if running.exists():
        told = json.loads(running.read_text(encoding="utf-8"))["environment"]
        return Address(
            partnership_file=Path(told["PARTNERSHIP_FILE"]),
            mongodb_uri=told["MONGODB_URI"],
            database_prefix="",
            kafka_bootstrap_servers=told["KAFKA_BOOTSTRAP_SERVERS"],
            kafka_config=_as_operator(),
        )
    settings = load_settings(CommonSettings.read)
    return Address(
        partnership_file=settings.partnership_file,
        mongodb_uri=settings.mongodb_uri,
        database_prefix=settings.database_prefix,
        kafka_bootstrap_servers=settings.kafka_bootstrap_servers,
        kafka_config=settings.kafka_config(),
    )
