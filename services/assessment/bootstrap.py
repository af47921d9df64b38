"""The composition root: settings to wired parts. The only file that sees every room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from services.assessment.application.ports import Ports
from services.assessment.domain.sufficiency import EvidenceRules, ItemRule
from services.assessment.messaging.consumed import FEEDS, IGNORED, subscriptions
from services.assessment.messaging.published import outgoing
from services.assessment.settings import SERVICE, AssessmentSettings, settings
from services.assessment.storage import indexes
from services.assessment.storage.erasure import StoredErasures
from services.assessment.storage.repositories import (
    StoredPortfolios,
    StoredSessions,
    stored_courses,
    stored_evaluations,
    stored_people,
)
from shared import assembly
from shared.errors import Malformed
from shared.identity import Pseudonyms
from shared.partnership import EvidenceSet, Partnership
from shared.process.run import Parts
from shared.storage.mongo import Client, connect
from shared.storage.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from flask import Flask

    from shared.events.reader import Reader


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
        erasures=StoredErasures(),
        rulebook=PartnershipRules(partnership),
        publish=outgoing,
        person_id=lambda organisation, reference: pseudonyms.of(organisation, "person", reference),
    )


def unit_of_work(given: AssessmentSettings, client: Client) -> UnitOfWork:
    """Return the transactions of this service."""
    return assembly.unit_of_work(SERVICE, given, client)


def web_app() -> Flask:
    """Return the HTTP application. Called in each worker process, after the fork."""
    given = settings()
    return build_web_app(given, connect(given.mongodb_uri, appname=f"{SERVICE}-api"))


def build_web_app(given: AssessmentSettings, client: Client) -> Flask:
    """Return the HTTP application on a client that the caller made."""
    from services.assessment.api.routes import portfolio_routes
    from services.assessment.api.supervision_routes import supervision_routes

    ports = ports_of(given.partnership(), Pseudonyms(given.organisation_keys_dir))
    blueprints = (portfolio_routes(ports), supervision_routes(ports))
    return assembly.make_app(SERVICE, given, client, title="Practice assessment", blueprints=blueprints)


def prepare(given: AssessmentSettings) -> None:
    """Make the indexes of every hosted employer's database; again changes nothing."""
    assembly.prepare_databases(SERVICE, given, indexes.prepare)


def relay(given: AssessmentSettings) -> assembly.RelayPart:
    """Return the process that sends the hosted employers' feeds."""
    return assembly.RelayPart(SERVICE, given)


def reader(given: AssessmentSettings) -> Reader:
    """Return the process that reads enrolment's feeds into the hosted employers' databases."""
    ports = ports_of(given.partnership(), Pseudonyms(given.organisation_keys_dir))
    return assembly.make_reader(SERVICE, given, subscriptions(ports), IGNORED, FEEDS)


def check(given: AssessmentSettings, part: str) -> None:
    """Refuse to start a part on settings or a database that would not keep what people rely on."""
    assembly.check_start(SERVICE, given, part, indexes.prepare)


PARTS = Parts(
    settings=settings,
    web_app="services.assessment.bootstrap:web_app",
    prepare=prepare,
    relay=relay,
    consume=reader,
    check=check,
)
