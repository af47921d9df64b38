"""Whether everybody has everything: readers against owners, an owner's database against the log and its readers.

What the commands of `completeness_commands.py` do, on the databases and the log that `operations.py` knows. Decides
nothing: `shared.events` does the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from shared.clock import SystemClock
from shared.errors import Conflict, NotFound, Unavailable
from shared.events import adoption, recovery
from shared.events.alarms import FORK, Alarm, end_alarm, open_alarm
from shared.events.contracts import contract_book
from shared.events.envelope import GENESIS, Envelope
from shared.events.feed import FeedName
from shared.events.freshness import TAIL_RECORDS, Freshness, Word, first_after, judged, word_of
from shared.events.ledger import Ledger
from shared.events.log import OwnLog
from shared.events.parking import list_parked
from shared.events.positions import POSITIONS, Position, position_from
from shared.events.republish import published
from shared.events.verify import Finding
from shared.events.witnesses import against_log, against_positions
from shared.local.operations import Operations
from shared.partnership.model import SERVICES

LOG = "log"
READERS = "readers"
AT_ONCE = 8
BUS = "org"


@dataclass(frozen=True, slots=True)
class Behind:
    """An owner's feed whose log knows more than its database."""

    feed: FeedName
    known: int
    named: int


def freshness(
    platform: Operations, *, organisation: str | None, service: str | None, late_seconds: float, silent_seconds: float
) -> Iterator[Freshness]:
    """Yield how fresh every feed is in every organisation that reads it here.

    Args:
        platform: Where the stores are.
        organisation: Only what this organisation takes.
        service: Only this service's readers.
        late_seconds: How long something may be on its way.
        silent_seconds: How long an owner may say nothing.
    """
    readers = [row for row in _readers(platform) if service in (None, row[0]) and organisation in (None, row[1])]
    words = _words(platform, sorted({feed for _, _, feeds in readers for feed in feeds}))
    for name, taker, feeds in readers:
        unit = platform.unit_of(name)
        held = _positions(platform, name, taker)
        for feed in feeds:
            position = held.get(feed, Position(feed=feed))
            yield judged(
                (name, taker),
                position,
                words[feed],
                alarm=open_alarm(unit, taker, feed),
                parked=len(list_parked(unit, taker, feed=feed)),
                partnership_hash=platform.partnership.hash,
                now=SystemClock().now(),
                late_seconds=late_seconds,
                silent_seconds=silent_seconds,
                look_further=partial(_first_missing, platform, position),
            )


def owners_behind(platform: Operations, *, organisation: str | None, service: str | None) -> Iterator[Behind]:
    """Yield the feeds whose database knows less than their log: it came back from a backup."""
    feeds = {name.topic: name for name in platform.feeds(organisation, service)}
    words = _words(platform, sorted(feeds))
    for topic, name in feeds.items():
        word = words[topic]
        known = Ledger(platform.unit_of(name.service).reading(name.organisation), name).head().number
        if word is not None and known and word.number > known:
            yield Behind(name, known, word.number)


def verify_against(platform: Operations, name: FeedName, witness: str) -> list[Finding]:
    """Return where a feed's database and a witness differ: its log, or the positions of the readers here.

    Raises:
        Unavailable: the log does not answer.
    """
    unit = platform.unit_of(name.service)
    ledger = Ledger(unit.reading(name.organisation), name)
    head = ledger.head()
    if witness == LOG:
        return against_log(ledger, head, log_of(platform, name.topic).read(0), published(unit, name))
    return against_positions(ledger, head, _readers_of(platform, name.topic))


def examine(platform: Operations, name: FeedName) -> tuple[recovery.Examined, list[Finding]]:
    """Return what the log knows beyond a feed's database, and which readers here have read further than both."""
    found = recovery.examine(platform.unit_of(name.service), name, log_of(platform, name.topic).read)
    reach = found.lost[-1].number if found.lost else found.known
    beyond = [
        Finding(number=position.number, last=position.number, what=f"read by {who}, and the log ends at {reach}")
        for who, position in _readers_of(platform, name.topic)
        if position.number > reach
    ]
    return found, beyond


def recover(platform: Operations, name: FeedName, *, by: str, reason: str) -> int:
    """Bring back what the log knows beyond a feed's database; return how many events."""
    summed = {entry.type: entry.summed for entry in contract_book().catalogue() if entry.summed}
    read = log_of(platform, name.topic).read
    return recovery.reimport(platform.unit_of(name.service), name, read, summed=summed, by=by, reason=reason)


def to_adopt(platform: Operations, name: FeedName, number: int) -> list[tuple[str, str, Position, Alarm | None]]:
    """Return who here has read a feed beyond a number: service, organisation, position, and what stops it."""
    return [
        (service, taker, position, open_alarm(platform.unit_of(service), taker, name.topic))
        for service, taker, feeds in _readers(platform)
        if name.topic in feeds
        for position in [_positions(platform, service, taker).get(name.topic, Position(feed=name.topic))]
        if position.number > number
    ]


def adopt(
    platform: Operations, name: FeedName, number: int, *, by: str, reason: str
) -> Iterator[tuple[str, adoption.Adopted]]:
    """Set everybody here who has read a feed beyond `number` back to it; yield each service and what it gave up.

    Raises:
        Conflict: the owner's log does not go to that number, or holds two histories up to it.
    """
    head = hash_on_log(platform, name, number)
    for service, taker, _, _ in to_adopt(platform, name, number):
        unit = platform.unit_of(service)
        yield service, adoption.adopt(unit, taker, name.topic, number=number, head=head, by=by, reason=reason)
    for service, taker, _ in _readers(platform):
        alarm = open_alarm(platform.unit_of(service), taker, name.topic)
        if alarm is not None and alarm.kind == FORK:
            end_alarm(platform.unit_of(service), taker, name.topic, by=by, reason=reason)


def hash_on_log(platform: Operations, name: FeedName, number: int) -> str:
    """Return the hash of a number on the owner's log as it is now.

    Raises:
        Conflict: there is no such number, or another event stands under a number a second time.
    """
    hashes: dict[int, str] = {0: GENESIS}
    for record in log_of(platform, name.topic).read(0):
        if isinstance(record.body, Envelope):
            held = hashes.setdefault(record.body.feedseq, record.event_hash)
            if held != record.event_hash:
                raise Conflict(f"the log holds two histories from number {record.body.feedseq} on: see the runbook")
    if number not in hashes:
        raise Conflict(f"the log of {name.topic} does not hold number {number} yet: wait for its owner's relay")
    return hashes[number]


def log_of(platform: Operations, topic: str) -> OwnLog:
    """Return a topic's log."""
    servers, config = platform.broker()
    return OwnLog(servers, topic, SystemClock(), config=config)


def one_feed(platform: Operations, organisation: str, service: str, kind: str) -> FeedName:
    """Return one feed of an organisation.

    Raises:
        NotFound: it owns no such feed.
    """
    for name in platform.feeds(organisation, service):
        if name.feed == kind:
            return name
    raise NotFound(f"{organisation} owns no feed {kind} in {service}")


def _words(platform: Operations, topics: list[str]) -> dict[str, Word | None]:
    """Return each owner's last word, None where the log does not answer."""

    def ask(topic: str) -> Word | None:
        try:
            return word_of(log_of(platform, topic).read_last(TAIL_RECORDS))
        except Unavailable:
            return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(topics, pool.map(ask, topics), strict=True))


def _first_missing(platform: Operations, position: Position) -> datetime | None:
    """Return when the first event after a position was sent, None where the log does not say it.

    Where the position's offset is of another log, that is not the next number: then it is looked for from the first.
    """
    source = log_of(platform, position.feed)
    try:
        for start in (position.next, 0):
            found = first_after(position.number, source.read(start))
            if found is not None and (found[0] == position.number + 1 or start == 0):
                return found[1]
    except Unavailable:
        return None
    return None


def _readers(platform: Operations) -> Iterator[tuple[str, str, list[str]]]:
    """Yield service, organisation and feeds of everybody whose database here has begun to read."""
    partnership, entries = platform.partnership, contract_book().catalogue()
    for service in SERVICES:
        sources = sorted({one.service for one in entries if one.feed == BUS and service in one.consumers})
        for taker in partnership.owners(service):
            held = _positions(platform, service, taker)
            if not held:
                continue
            wanted = [
                FeedName(BUS, owner, source).topic
                for source in sources
                for owner in partnership.owners(source)
                if partnership.reads(owner, source, taker)
            ]
            yield service, taker, list(dict.fromkeys([*wanted, *(one for one in held if one.startswith(f"{BUS}."))]))


def _positions(platform: Operations, service: str, taker: str) -> dict[str, Position]:
    rows = platform.unit_of(service).reading(taker).rows(POSITIONS)
    return {found["_id"]: position_from(found) for found in rows.find({})}


def _readers_of(platform: Operations, topic: str) -> Iterator[tuple[str, Position]]:
    for service, taker, feeds in _readers(platform):
        position = _positions(platform, service, taker).get(topic)
        if topic in feeds and position is not None and position.number:
            yield f"{service} of {taker}", position
