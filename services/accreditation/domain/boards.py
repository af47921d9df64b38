"""The exam board: what it has before it, and what its decision freezes.

Marks are provisional until a board ratifies them; only the awarding university's board does. The award of credit
itself is the candidacy's decision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from services.accreditation.domain.candidacy import Candidacy
from services.accreditation.domain.errors import BoardNotHeld, BoardTooLarge, InstanceRefused, MarkerMayNotRatify
from services.accreditation.domain.modules import InstanceState, ModuleInstance

MOST_REGISTRATIONS = 450


class BoardState(StrEnum):
    """A board has been called, or has decided."""

    CONVENED = "convened"
    RATIFIED = "ratified"


@dataclass(frozen=True, slots=True)
class Board:
    """One sitting of the exam board. `ratified_marks` counts what its decision froze."""

    board_id: str
    held_on: date
    instance_ids: tuple[str, ...]
    state: BoardState = BoardState.CONVENED
    ratified_by: str | None = None
    ratified_marks: int = 0
    version: int = 1


def convene(board_id: str, held_on: date, instances: Iterable[ModuleInstance]) -> Board:
    """Return a board over `instances`, in the order given.

    Raises:
        InstanceRefused: when one was refused. One still proposed may come before the board: its marks are frozen,
            and credit waits for the approval.
    """
    ids: list[str] = []
    for instance in instances:
        if instance.state is InstanceState.REFUSED:
            raise InstanceRefused(f"Instance {instance.instance_id} was refused.")
        ids.append(instance.instance_id)
    return Board(board_id=board_id, held_on=held_on, instance_ids=tuple(dict.fromkeys(ids)))


def refuse_before_its_day(board: Board, today: date) -> None:
    """Say no to a decision of a board that has yet to sit.

    Raises:
        BoardNotHeld: when the board's day is still to come.
    """
    if board.held_on > today:
        raise BoardNotHeld("A board ratifies on its day or later.")


def ratify(board: Board, candidacies: Iterable[Candidacy], by: str) -> tuple[Board, tuple[Candidacy, ...]]:
    """Return the board as ratified, and the candidacies whose agreed mark it froze, in the order given.

    A board that has ratified stays as it is and freezes nothing more.

    Raises:
        MarkerMayNotRatify: when `by` gave any mark of a registration before this board. Source: BR-23, two persons.
        BoardTooLarge: when more registrations lie before it than one commit may hold.
    """
    if board.state is BoardState.RATIFIED:
        return board, ()
    before = tuple(candidacies)
    if len(before) > MOST_REGISTRATIONS:
        raise BoardTooLarge(f"A board takes at most {MOST_REGISTRATIONS} registrations.")
    if any(by in candidacy.markers() for candidacy in before):
        raise MarkerMayNotRatify("Whoever marked work before this board may not ratify it.")
    frozen = tuple(
        after
        for candidacy in before
        if (after := candidacy.ratified_by(board.board_id, board.held_on)) is not candidacy
    )
    done = replace(
        board,
        state=BoardState.RATIFIED,
        ratified_by=by,
        ratified_marks=len(frozen),
        version=board.version + 1,
    )
    return done, frozen
