"""Exam boards, the ledger of credits and the registry's feed over HTTP, for the awarding university only.

Credit is never asked for: it follows when a board has ratified and every other fact is there.
"""

from __future__ import annotations

from services.accreditation.api import representations as show
from services.accreditation.api.rooms import books, desk
from services.accreditation.api.schemas import BOARD_IN, BOARD_OUT, CREDIT_OUT, NOTHING_IN, REGISTRY_ITEM_OUT
from services.accreditation.application import handlers, queries
from services.accreditation.application.commands import ConveneBoard, RatifyBoard
from services.accreditation.domain.boards import Board
from shared.clock import london_date
from shared.http import (
    Reply,
    Routes,
    accepts,
    current_principal,
    etag_of,
    load,
    page_of,
    paged,
    read,
    refuses,
    returns,
    scope,
    transact,
)
from shared.http.service import current_service

routes = Routes("boards", description="Exam boards, the ledger of credits and the registry's feed.")


@routes.post("/v1/organisations/<org>/boards")
@scope("boards.convene")
@accepts(BOARD_IN)
@returns(201, BOARD_OUT, etag=True)
@refuses(409, "an instance was refused")
def convene_board(org: str) -> Reply:
    """Call a board over module instances."""
    body = load(BOARD_IN)
    command = ConveneBoard(body["held_on"], tuple(body["instance_ids"]))
    return transact(org, lambda work: _board(201, handlers.convene_board(desk(work), command)))


@routes.get("/v1/organisations/<org>/boards")
@scope("boards.read")
@paged
@returns(200, BOARD_OUT)
def list_boards(org: str) -> Reply:
    """Read the university's boards, earliest called first."""
    page = page_of()
    return read(
        org,
        lambda reading: page.reply(
            books(reading).boards.page(page.after, page.fetch), lambda board: board.board_id, show.board
        ),
    )


@routes.get("/v1/organisations/<org>/boards/<board_id>")
@scope("boards.read")
@returns(200, BOARD_OUT, etag=True)
def get_board(org: str, board_id: str) -> Reply:
    """Read one board."""
    return read(org, lambda reading: _board(200, queries.board(books(reading), board_id)))


@routes.post("/v1/organisations/<org>/boards/<board_id>/ratify")
@scope("boards.ratify")
@accepts(NOTHING_IN)
@returns(200, BOARD_OUT, etag=True)
@refuses(403, "whoever marked work before this board may not ratify it")
@refuses(422, "the board has yet to sit")
def ratify_board(org: str, board_id: str) -> Reply:
    """Ratify: freeze the agreed marks before the board; credit follows. Twice is the same as once.

    The local profile plays a whole term in minutes, so only a real instance holds a board's day against the clock.
    """
    load(NOTHING_IN)
    service = current_service()
    today = london_date(service.clock.now()) if service.is_production else None
    command = RatifyBoard(board_id, current_principal().subject, today)
    return transact(org, lambda work: _board(200, handlers.ratify_board(desk(work), command)))


@routes.get("/v1/organisations/<org>/credits")
@scope("credits.read")
@paged
@returns(200, CREDIT_OUT)
def list_credits(org: str) -> Reply:
    """Read the ledger, in the order of awards, without names."""
    page = page_of()
    return read(
        org,
        lambda reading: page.reply(
            books(reading).ledger.page(int(page.after or 0), page.fetch),
            lambda credit: str(credit.sequence),
            show.credit,
        ),
    )


@routes.get("/v1/organisations/<org>/registry-feed")
@scope("registry-feed.read")
@paged
@returns(200, REGISTRY_ITEM_OUT)
def read_registry_feed(org: str) -> Reply:
    """Read awards in their order with the university's own record of each person; replayable from any cursor."""
    page = page_of()
    return read(
        org,
        lambda reading: page.reply(
            queries.registry(books(reading), int(page.after or 0), page.fetch),
            lambda item: str(item.credit.sequence),
            show.registry_item,
        ),
    )


def _board(status: int, board: Board) -> Reply:
    return Reply(status, show.board(board), etag=etag_of(board.version))
