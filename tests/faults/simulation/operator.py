"""The operator of a run: does what the platform asks a person for, with the platform's own commands, now and then."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo.errors import PyMongoError

from shared.errors import Conflict, NotFound, PlatformError
from shared.events import alarms
from shared.events.adoption import adopt
from shared.events.discarding import discard
from shared.events.envelope import GENESIS
from shared.events.feed import FeedName, feed_of
from shared.events.ledger import HashIndex, Ledger
from shared.events.parking import list_parked, parked_id
from shared.events.recovery import examine, reimport
from shared.events.republish import republish
from shared.events.requests import FAILED, ask_replay, replay_requests
from shared.storage.unit_of_work import UnitOfWork
from tests.faults.simulation.log_ports import SimOwnLog
from tests.faults.simulation.played import ALPHA, BETA, BOARD, GAMMA, OWNERS, SUMMED
from tests.faults.simulation.world import World

BY = {"by": "operator-1", "reason": "decided in the run"}


def operate(world: World) -> None:
    """Look every few seconds, for ever."""
    board = world.unit(world.operator, "board")
    while True:
        world.operator.sleep(3.0 if world.history.is_healing else 12.0)
        for duty in (_mind_parked, _mind_gaps, _mind_refused, _mind_alarms):
            try:
                duty(world, board)
            except (PlatformError, PyMongoError) as error:
                world.scheduler.note(f"{duty.__name__}: {error!r}")


def _mind_parked(world: World, board: UnitOfWork) -> None:
    """Discard what is no event; of events, mend the reaction and replay, or discard the cause and replay the rest."""
    parked = list_parked(board, BOARD)
    causes = {(one.feed, one.key): one for one in reversed(parked) if one.is_cause}
    for one in parked:
        if one.number is None:
            discard(board, BOARD, one.id, confirmed_by="operator-2", **BY)
    _discard_what_failed(world, board)
    for feed, key in sorted({(one.feed, one.key) for one in parked if one.key is not None}):
        cause = causes.get((feed, key))
        if cause is not None and world.plan.discards:
            world.scheduler.note(f"operator discards {cause.id}")
            discard(board, BOARD, cause.id, confirmed_by="operator-2", **BY)
            continue
        world.board.is_mended = world.board.is_mended or not world.plan.discards
        try:
            world.scheduler.note(f"operator replays {feed} {key}")
            ask_replay(board, BOARD, feed, key, **BY)
        except NotFound:
            continue


def _discard_what_failed(world: World, board: UnitOfWork) -> None:
    """Give up what a replay failed at: by this seed's policy, or because its effect stands since before an adoption."""
    for request in replay_requests(board, BOARD):
        waiting = [one for one in list_parked(board, BOARD, feed=request.feed) if one.key == request.key]
        if request.state != FAILED or not waiting:
            continue
        if request.code == "natural-key-conflict" and world.history.given_up(request.feed):
            discard(board, BOARD, waiting[0].id, confirmed_by="operator-2", **BY)
        elif request.failed_at is not None and world.plan.discards:
            name = parked_id(request.feed, request.failed_at)
            if any(one.id == name for one in waiting):  # else it was discarded, and the answer or the next step lost
                discard(board, BOARD, name, confirmed_by="operator-2", **BY)


def _mind_gaps(world: World, board: UnitOfWork) -> None:  # noqa: ARG001 - every duty is called alike
    """Do what a gap's alarm names: let the feed be sent again."""
    for reader in list(world.readers.values()) if world.has_second_line else ():
        for reading in list(reader._active.values()):
            alarm = reading.alarm
            if alarm is not None and alarm.kind == alarms.GAP:
                feed = feed_of(alarm.feed)
                world.scheduler.note(f"operator republishes {alarm.feed}")
                republish(world.unit(world.operator, feed.service), feed)


def _mind_refused(world: World, board: UnitOfWork) -> None:  # noqa: ARG001 - every duty is called alike
    """A relay refuses: the database came back from a backup, so what the log knows beyond it is brought back."""
    for (_, topic), lane in list(world.lanes.items()):
        if not lane.relay.gauges.refused:
            continue
        restored = world.history.restored.get(topic)
        if restored is None:
            world.history.violate(f"{topic} is refused although nothing was restored")
            continue
        restored.decided = True
        feed = feed_of(topic)
        unit = world.unit(world.operator, feed.service)
        read = SimOwnLog(world.broker, world.operator, topic).read
        count = reimport(unit, feed, read, summed=SUMMED, **BY)
        restored.brought_back += count
        world.scheduler.fault("feed brought back from the log", f"{topic}: {count}")
        if examine(unit, feed, read).out_of_reach:  # the runbook's "The log has gone too": go on without it
            world.scheduler.fault("topic deleted by a person", topic)
            world.broker.topics.pop(topic, None)
        lane.relay.gauges.refused = 0


def _mind_alarms(world: World, board: UnitOfWork) -> None:
    """A reader stopped at a fork: after a restore, and where the log was gone too, adopt the owner's new history."""
    notice = world.unit(world.operator, "notice")
    for unit, takers, feed in ((board, (BOARD,), ALPHA), (board, (BOARD,), BETA), (notice, OWNERS, GAMMA)):
        alarm = alarms.open_alarm(unit, takers[0], feed.topic)
        if alarm is None or alarm.kind != alarms.FORK:
            continue
        restored = world.history.restored.get(feed.topic)
        if restored is None:
            world.history.violate(f"{feed.topic}: fork alarm although nothing was restored: {alarm.detail}")
            continue
        restored.decided = True
        _adopt(world, unit, takers, feed)
        alarms.resolve_alarm(unit, takers[0], feed.topic, **BY)


def _adopt(world: World, unit: UnitOfWork, takers: Sequence[str], feed: FeedName) -> None:
    number, head = _common(world, feed)
    for taker in takers:
        try:
            adopt(unit, taker, feed.topic, number=number, head=head, **BY)
        except (Conflict, NotFound) as error:
            world.scheduler.note(f"nothing to adopt: {error}")
        else:
            world.scheduler.fault("new history adopted", f"{feed.topic} from {number} at {taker}")


def _common(world: World, feed: FeedName) -> tuple[int, str]:
    """Return the last number, with its hash, that the owner's feed has as it was first numbered."""
    ledger = Ledger(world.unit(world.operator, feed.service).reading(feed.organisation), feed)
    head = ledger.head()
    index = HashIndex(ledger, head)
    number, digest = 0, GENESIS
    while number < head.number:
        following = index.hash_at(number + 1)
        if following is None or following != world.history.first_hashes.get((feed.topic, number + 1)):
            break
        number, digest = number + 1, following
    return number, digest
