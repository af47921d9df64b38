"""The composition root: settings to wired parts. The only file that sees every room."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from threading import Event

from flask import Flask

from services.assessment.api.routes import portfolio_routes
from services.assessment.api.supervision_routes import supervision_routes
from services.assessment.application.ports import Ports
from services.assessment.domain.sufficiency import EvidenceRules, ItemRule
from services.assessment.messaging.consumed import FEEDS, IGNORED, subscriptions
from services.assessment.messaging.published import outgoing
from services.assessment.settings import SERVICE, AssessmentSettings, settings
from services.assessment.storage import indexes
from services.assessment.storage.repositories import (
    StoredPortfolios,
    StoredSessions,
    stored_courses,
    stored_evaluations,
    stored_people,
)
from shared.clock import SystemClock
from shared.errors import Malformed
from shared.events.contracts import contract_book
from shared.events.feed import FeedName
from shared.events.reader import Reader, build_reader
from shared.events.relay_process import build_relay
from shared.http import ServiceDescription, create_app, idempotency
from shared.identifiers import new_identifier
from shared.identity import Pseudonyms, RoleTable, TokenVerifier
from shared.partnership import EvidenceSet, Partnership
from shared.process.run import Parts
from shared.storage.mongo import Client, connect
from shared.storage.unit_of_work import UnitOfWork

EMPLOYER = "employer"


class PartnershipRules:
    """The partnership file's evidence sets as the domain's rules."""

    def __init__(self, partnership: Partnership) -> None:
        self._rules: Mapping[str, EvidenceRules] = {
            name: _rules(name, evidence_set, partnership.frameworks[evidence_set.framework].domains)
            for name, evidence_set in partnership.evidence_sets.items()
        }

    def rules(self, evidence_set: str) -> EvidenceRules:
        """Return the evidence set.

        Raises:
            Malformed: the partnership file does not have it.
        """
        if evidence_set not in self._rules:
            raise Malformed("the partnership file has no such evidence set")
        return self._rules[evidence_set]


def _rules(name: str, evidence_set: EvidenceSet, domains: tuple[str, ...]) -> EvidenceRules:
    return EvidenceRules(
        evidence_set=name,
        framework=evidence_set.framework,
        domains=domains,
        every_domain=evidence_set.every_domain,
        items=tuple(
            ItemRule(kind, rule.at_least, rule.at_least_not_by_line_manager)
            for kind, rule in evidence_set.items.items()
        ),
        is_verification_required=evidence_set.supervisor_verification == "required",
    )


def ports_of(partnership: Partnership, pseudonyms: Pseudonyms) -> Ports:
    """Return what the handlers need, on this partnership's rules and this instance's keys."""
    return Ports(
        portfolios=StoredPortfolios(),
        people=stored_people(),
        evaluations=stored_evaluations(),
        sessions=StoredSessions(),
        courses=stored_courses(),
        rulebook=PartnershipRules(partnership),
        publish=outgoing,
        person_id=lambda organisation, reference: pseudonyms.of(organisation, "person", reference),
    )


def hosted_employers(given: AssessmentSettings, partnership: Partnership) -> tuple[str, ...]:
    """Return the employers that this instance hosts: nobody else has portfolios."""
    return tuple(slug for slug in given.hosted(partnership) if partnership.has_role(slug, EMPLOYER))


def unit_of_work(given: AssessmentSettings, client: Client) -> UnitOfWork:
    """Return the transactions of this service; every event is held against its contract before it is kept."""
    return UnitOfWork(
        client=client,
        service=SERVICE,
        clock=SystemClock(),
        new_identifier=new_identifier,
        contracts=contract_book(),
        prefix=given.database_prefix,
    )


def web_app() -> Flask:
    """Return the HTTP application. Called in each worker process, after the fork."""
    given = settings()
    return build_web_app(given, connect(given.mongodb_uri, appname=f"{SERVICE}-api"))


def build_web_app(given: AssessmentSettings, client: Client) -> Flask:
    """Return the HTTP application on a client that the caller made."""
    partnership = given.partnership()
    ports = ports_of(partnership, Pseudonyms(given.organisation_keys_dir))
    clock = SystemClock()
    return create_app(
        ServiceDescription(
            name=SERVICE,
            title="Practice assessment",
            version=_version(),
            blueprints=(portfolio_routes(ports), supervision_routes(ports)),
            unit_of_work=unit_of_work(given, client),
            partnership=partnership,
            roles=RoleTable.of_service(SERVICE),
            verifier=TokenVerifier(given.trusted_issuers_file, SERVICE, clock),
            hosted=hosted_employers(given, partnership),
            clock=clock,
            is_production=given.profile == "production",
        )
    )


def _version() -> str:
    """Return the distribution's version; a checkout that nobody installed has none."""
    try:
        return version("teaching-partnership")
    except PackageNotFoundError:
        return "0+checkout"


def prepare(given: AssessmentSettings) -> None:
    """Make the indexes of every hosted employer's database; again changes nothing."""
    partnership = given.partnership()
    client = connect(given.mongodb_uri, appname=f"{SERVICE}-prepare")
    try:
        unit = unit_of_work(given, client)
        for employer in hosted_employers(given, partnership):
            database = unit.database(employer)
            indexes.prepare(database)
            idempotency.prepare(database)
    finally:
        client.close()


class RelayPart:
    """The process that numbers and sends the hosted employers' feeds."""

    def __init__(self, given: AssessmentSettings) -> None:
        self._given = given

    def run(self, stop: Event) -> None:
        """Work until `stop` is set."""
        given, partnership = self._given, self._given.partnership()
        build_relay(
            service=SERVICE,
            feeds=[FeedName("org", employer, SERVICE) for employer in hosted_employers(given, partnership)],
            client_factory=lambda: connect(given.mongodb_uri, appname=f"{SERVICE}-relay"),
            bootstrap_servers=given.kafka_bootstrap_servers,
            clock=SystemClock(),
            stop=stop,
            heartbeat_seconds=given.heartbeat_seconds,
            poll_seconds=given.relay_poll_seconds,
            partnership_version=str(partnership.version),
            partnership_hash=partnership.hash,
            instance=given.instance,
            database_prefix=given.database_prefix,
        ).run()

    def ready(self) -> bool:
        """Return that the process lives; each feed waits for database and broker by itself."""
        return True


def reader(given: AssessmentSettings) -> Reader:
    """Return the process that reads enrolment's feeds into the hosted employers' databases."""
    partnership = given.partnership()
    ports = ports_of(partnership, Pseudonyms(given.organisation_keys_dir))
    return build_reader(SERVICE, given, partnership, subscriptions(ports), IGNORED, FEEDS)


PARTS = Parts(
    settings=settings,
    web_app="services.assessment.bootstrap:web_app",
    prepare=prepare,
    relay=RelayPart,
    consume=reader,
)
