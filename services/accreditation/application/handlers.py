"""What the university's staff and its delivering partners do, one transaction each.

Each function is given a desk and a command, lets the domain decide, keeps the result and tells others. Who may ask
is decided before; nothing here knows of HTTP, documents or envelopes.
"""

from __future__ import annotations

from dataclasses import replace

from services.accreditation.application.commands import (
    ApproveInstance,
    ConveneBoard,
    DefineModule,
    GiveMark,
    HandIn,
    ProposeInstance,
    RatifyBoard,
    RefuseInstance,
)
from services.accreditation.application.ports import Desk
from services.accreditation.application.settling import settle
from services.accreditation.domain import boards, modules
from services.accreditation.domain.boards import Board, BoardState
from services.accreditation.domain.candidacy import Candidacy, Mark, Submission
from services.accreditation.domain.errors import (
    AlreadyProposed,
    NoSuchBoard,
    NoSuchInstance,
    NoSuchModule,
    NoSuchRegistration,
)
from services.accreditation.domain.events import (
    BoardRatified,
    ModuleApproved,
    ModuleProposed,
    ModuleRefused,
    WorkSubmitted,
)
from services.accreditation.domain.modules import ModuleInstance, ShellModule

NOTHING_NEW = "asked again: the cohort was held for a moment, and nothing changed"


def define_module(desk: Desk, command: DefineModule) -> ShellModule:
    """Return the shell module as it now stands; the same definition again changes nothing.

    Raises:
        ModuleInUse: when a run exists and what it promises would change.
    """
    desk.silent("partners are told of a shell module with each of its instances")
    standing = desk.modules.find(command.module.code)
    if standing is None:
        made = replace(command.module, version=1)
        desk.modules.save(made)
        return made
    changed = standing.changed_to(command.module, in_use=desk.instances.of_module(standing.code))
    if changed is not standing:
        desk.modules.save(changed)
    return changed


def propose_instance(desk: Desk, command: ProposeInstance) -> ModuleInstance:
    """Return a new instance, waiting for the university; the same live proposal again is that proposal.

    Raises:
        NoSuchModule: when the university has no such shell.
        NotADeliveringPartner, UnknownPartner: as the domain says.
        AlreadyProposed: when another proposal for that cohort is alive.
    """
    proposal = command.proposal
    shell = desk.modules.find(proposal.module)
    if shell is None:
        raise NoSuchModule(f"There is no shell module {proposal.module}.")
    desk.instances.hold(proposal.run)
    instance = modules.propose(desk.new_id(), shell, proposal, command.partners, desk.organisation)
    standing = desk.instances.live_on(proposal.run, proposal.module)
    if standing is not None:
        if (standing.proposed_by, standing.delivered_by) == (proposal.proposed_by, proposal.delivered_by):
            desk.silent(NOTHING_NEW)
            return standing
        raise AlreadyProposed("This cohort already has a live instance of the module.")
    desk.instances.save(instance)
    desk.tell(ModuleProposed(instance.facts()))
    _place(desk, instance)
    return instance


def approve_instance(desk: Desk, command: ApproveInstance) -> ModuleInstance:
    """Return the instance as approved; candidates for whom this was the last fact get their credit. Source: BR-14.

    Raises:
        NoSuchInstance, AlreadyDecided: as they say.
    """
    standing = _held_instance(desk, command.instance_id)
    approved = standing.approved(command.approved_on)
    if approved is standing:
        desk.silent(NOTHING_NEW)
        return standing
    desk.instances.save(approved)
    desk.tell(ModuleApproved(approved.facts(), command.approved_on))
    _place(desk, approved)
    return approved


def refuse_instance(desk: Desk, command: RefuseInstance) -> ModuleInstance:
    """Return the instance as refused; its candidates stand without a run until another is proposed.

    Raises:
        NoSuchInstance, AlreadyDecided: as they say.
    """
    standing = _held_instance(desk, command.instance_id)
    refused = standing.refused()
    if refused is standing:
        desk.silent(NOTHING_NEW)
        return standing
    desk.instances.save(refused)
    desk.tell(ModuleRefused(refused.facts()))
    for candidacy in desk.candidacies.on_instances((refused.instance_id,)):
        settle(desk, candidacy, candidacy.placed(None))
    return refused


def hand_in(desk: Desk, command: HandIn) -> Candidacy:
    """Return the registration with its work; the same work again changes nothing.

    Raises:
        NoSuchRegistration, NotRegistered, Withdrawn, AlreadySubmitted: as they say.
    """
    standing = _candidacy(desk, command.registration_id)
    after = standing.handed_in(Submission(submitted_on=command.submitted_on, words=command.words))
    if after is standing:
        return standing
    kept = settle(desk, standing, after)
    desk.tell(
        WorkSubmitted(
            registration_id=command.registration_id,
            enrolment_id=kept.enrolment_id,
            employer=kept.employer,
            submitted_on=command.submitted_on,
            version=kept.version,
        )
    )
    return kept


def give_mark(desk: Desk, command: GiveMark) -> Candidacy:
    """Return the registration with the mark; it is provisional, and never told to anybody. Source: BR-23.

    Raises:
        NoSuchRegistration, and whatever `Candidacy.marked` raises.
    """
    desk.silent("marks never leave the university")
    standing = _candidacy(desk, command.registration_id)
    return settle(desk, standing, standing.marked(command.kind, Mark(mark=command.mark, by=command.by)))


def convene_board(desk: Desk, command: ConveneBoard) -> Board:
    """Return a new board over the instances.

    Raises:
        NoSuchInstance, InstanceRefused: as they say.
    """
    before = [_instance(desk, instance_id) for instance_id in dict.fromkeys(command.instance_ids)]
    board = boards.convene(desk.new_id(), command.held_on, before)
    desk.silent("partners are told of a board when it ratifies")
    desk.boards.save(board)
    return board


def ratify_board(desk: Desk, command: RatifyBoard) -> Board:
    """Return the board as ratified, with credit awarded wherever this was the last fact. Twice is the same as once.

    Raises:
        NoSuchBoard, BoardNotHeld, MarkerMayNotRatify, BoardTooLarge: as they say.
    """
    standing = desk.boards.find(command.board_id)
    if standing is None:
        raise NoSuchBoard(f"There is no board {command.board_id}.")
    if standing.state is BoardState.RATIFIED:
        return standing
    if command.today is not None:
        boards.refuse_before_its_day(standing, command.today)
    before = {
        (candidacy.employer, candidacy.enrolment_id): candidacy
        for candidacy in desk.candidacies.on_instances(standing.instance_ids)
    }
    board, frozen = boards.ratify(standing, before.values(), command.by)
    desk.boards.save(board)
    desk.tell(
        BoardRatified(
            board_id=board.board_id, held_on=board.held_on, instance_ids=board.instance_ids, version=board.version
        )
    )
    for candidacy in frozen:
        settle(desk, before[candidacy.employer, candidacy.enrolment_id], candidacy)
    return board


def _instance(desk: Desk, instance_id: str) -> ModuleInstance:
    found = desk.instances.find(instance_id)
    if found is None:
        raise NoSuchInstance(f"There is no module instance {instance_id}.")
    return found


def _held_instance(desk: Desk, instance_id: str) -> ModuleInstance:
    found = _instance(desk, instance_id)
    desk.instances.hold(found.run)
    return found


def _candidacy(desk: Desk, registration_id: str) -> Candidacy:
    found = desk.candidacies.of_registration(registration_id)
    if found is None:
        raise NoSuchRegistration(f"There is no registration {registration_id}.")
    return found


def _place(desk: Desk, instance: ModuleInstance) -> None:
    """Tell every candidacy of the cohort what its run is now."""
    for candidacy in desk.candidacies.on_run(instance.run):
        if candidacy.enrolment and candidacy.enrolment.module in (None, instance.module):
            settle(desk, candidacy, candidacy.placed(instance.terms()))
