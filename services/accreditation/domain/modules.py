"""Shell modules and their instances: what is approved once, and where it is run.

The university fixes code, title, credits, level and pass mark in the shell; a delivering partner proposes a run of
it for a course and intake; only the university decides. Nothing here knows of candidates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from services.accreditation.domain.errors import (
    AlreadyDecided,
    CodeNotAllowed,
    ModuleInUse,
    NotADeliveringPartner,
    NotWhole,
    UnknownPartner,
)
from services.accreditation.domain.events import InstanceFacts

LOWEST_LEVEL, HIGHEST_LEVEL = 4, 8
MOST_CREDITS = 180
HIGHEST_MARK = 100
MOST_WORDS = 100_000
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def _within(name: str, figure: int, least: int, most: int) -> None:
    if type(figure) is not int or not least <= figure <= most:
        raise NotWhole(f"{name} is a whole number from {least} to {most}.")


@dataclass(frozen=True, slots=True)
class ShellModule:
    """A module whose content the university agreed and whose assessment it keeps. Source: BR-14, BR-16, BR-18."""

    code: str
    title: str
    credits: int
    level: int
    pass_mark: int
    words: int
    version: int = 0

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code):
            raise CodeNotAllowed("A code is up to 64 letters, digits, dots, hyphens and underscores.")
        _within("credits", self.credits, 1, MOST_CREDITS)
        _within("level", self.level, LOWEST_LEVEL, HIGHEST_LEVEL)
        _within("pass_mark", self.pass_mark, 1, HIGHEST_MARK)
        _within("words", self.words, 1, MOST_WORDS)

    def same_as(self, other: ShellModule) -> bool:
        """Say whether both define the same, whatever their versions."""
        return replace(self, version=0) == replace(other, version=0)

    def changed_to(self, wanted: ShellModule, *, in_use: bool) -> ShellModule:
        """Return `wanted` as this module's next version, or this one when nothing differs.

        Raises:
            ModuleInUse: when a run exists and credits, level or pass mark would change under it.
        """
        if self.same_as(wanted):
            return self
        if in_use and (wanted.credits, wanted.level, wanted.pass_mark) != (self.credits, self.level, self.pass_mark):
            raise ModuleInUse("Credits, level and pass mark stay: runs of this module have been proposed.")
        return replace(wanted, version=self.version + 1)


class InstanceState(StrEnum):
    """Where a proposal stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Run:
    """Which cohort a module is run for."""

    course_owner: str
    course: str
    intake: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What a candidate on an instance can earn, and since when; `approved_on` is None until it is approved."""

    instance_id: str
    module: str
    credits: int
    level: int
    pass_mark: int
    approved_on: date | None = None


@dataclass(frozen=True, slots=True)
class ModuleInstance:
    """A run of a shell module, with the terms that the shell had when it was proposed."""

    instance_id: str
    module: str
    run: Run
    proposed_by: str
    delivered_by: tuple[str, ...]
    credits: int
    level: int
    pass_mark: int
    state: InstanceState = InstanceState.PROPOSED
    approved_on: date | None = None
    version: int = 1

    def approved(self, on: date) -> ModuleInstance:
        """Return the instance as approved from `on`; the same approval again changes nothing.

        Raises:
            AlreadyDecided: when it was refused, or approved from another day. Source: BR-14.
        """
        if self.state is InstanceState.APPROVED and self.approved_on == on:
            return self
        self._must_be_open()
        return replace(self, state=InstanceState.APPROVED, approved_on=on, version=self.version + 1)

    def refused(self) -> ModuleInstance:
        """Return the instance as refused; refusing again changes nothing.

        Raises:
            AlreadyDecided: when it was approved.
        """
        if self.state is InstanceState.REFUSED:
            return self
        self._must_be_open()
        return replace(self, state=InstanceState.REFUSED, version=self.version + 1)

    def terms(self) -> Terms:
        """Return what a candidate on this instance can earn."""
        return Terms(
            instance_id=self.instance_id,
            module=self.module,
            credits=self.credits,
            level=self.level,
            pass_mark=self.pass_mark,
            approved_on=self.approved_on,
        )

    def facts(self) -> InstanceFacts:
        """Return what partners may know of this instance."""
        return InstanceFacts(
            instance_id=self.instance_id,
            module=self.module,
            course=self.run.course,
            intake=self.run.intake,
            course_owner=self.run.course_owner,
            proposed_by=self.proposed_by,
            delivered_by=self.delivered_by,
            credits=self.credits,
            level=self.level,
            version=self.version,
        )

    def _must_be_open(self) -> None:
        if self.state is not InstanceState.PROPOSED:
            raise AlreadyDecided(f"Instance {self.instance_id} is already {self.state}.")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A delivering partner's wish to run a module for a cohort."""

    module: str
    run: Run
    proposed_by: str
    delivered_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Partners:
    """Who is in the partnership, and who of them may deliver."""

    everyone: frozenset[str]
    delivering: frozenset[str]


def propose(instance_id: str, shell: ShellModule, proposal: Proposal, partners: Partners, hei: str) -> ModuleInstance:
    """Return a proposed instance of `shell`.

    Raises:
        NotADeliveringPartner: when the proposer neither delivers nor is the university. Source: BR-14.
        UnknownPartner: when owner or deliverers are not in the partnership. Source: BR-15.
    """
    if proposal.proposed_by not in partners.delivering | {hei}:
        raise NotADeliveringPartner("Only a delivering partner or the awarding university proposes a run.")
    if not {*proposal.delivered_by, proposal.run.course_owner} <= partners.everyone:
        raise UnknownPartner("Course owner and deliverers must be organisations of the partnership.")
    return ModuleInstance(
        instance_id=instance_id,
        module=shell.code,
        run=proposal.run,
        proposed_by=proposal.proposed_by,
        delivered_by=proposal.delivered_by,
        credits=shell.credits,
        level=shell.level,
        pass_mark=shell.pass_mark,
    )
