"""The reader process of a service: every feed that it follows, one loop, one transaction at a time.

    build_reader(
        service,                       # "assessment"
        settings,                      # CommonSettings
        partnership,                   # Partnership
        subscriptions,                 # messaging.consumed.SUBSCRIPTIONS
        ignored,                       # messaging.consumed.IGNORED
        feeds,                         # messaging.consumed.FEEDS: whose `org` feeds are followed, ("enrolment",)
        intake=None,                   # handler(work, key, value, offset) for in.<hosted owner>.<service>.v1
        *,
        takers=None,                   # organisations that keep effects here; default partnership.owners(service)
        unit_of_work=None,             # default: made from the settings, with the contracts
        fetch=None,                    # FetchRange: how a gap is filled from the owner's pull feed
        clock=SystemClock(),
        rules=ReadingRules(),
    ) -> Reader                        # a Part: run(stop), ready(); also step() and close() for tests and simulations

Lives here: the wiring. The loop is `reading_loop.py`, what happens to one feed is `feed_reading.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from shared.clock import Clock, SystemClock
from shared.errors import Malformed, Unavailable
from shared.events.bell import ring_of
from shared.events.consumer import KafkaLog, KafkaOptions
from shared.events.contracts import contract_book
from shared.events.envelope import topic_of
from shared.events.feed import FeedName
from shared.events.feed_reading import FeedReading, ReadingRules, ReadingTools
from shared.events.gap import FetchRange, HttpFetch
from shared.events.intake import IntakeHandler, IntakeReader
from shared.events.reading_loop import Reader, TopicReading
from shared.events.routing import Router
from shared.events.subscriptions import Subscription, SubscriptionBook
from shared.identifiers import new_identifier
from shared.identity.service_tokens import ServiceTokens
from shared.partnership import Partnership
from shared.process.doors import Doors
from shared.process.settings import CommonSettings
from shared.storage.mongo import connect
from shared.storage.unit_of_work import UnitOfWork

__all__ = ["Reader", "build_reader", "followed_feeds", "kafka_options", "owners_fetch", "router_of"]


def build_reader(
    service: str,
    settings: CommonSettings,
    partnership: Partnership,
    subscriptions: Iterable[Subscription[Any]],
    ignored: Collection[str],
    feeds: Collection[str],
    intake: IntakeHandler | None = None,
    *,
    takers: Collection[str] | None = None,
    unit_of_work: UnitOfWork | None = None,
    fetch: FetchRange | None = None,
    clock: Clock | None = None,
    rules: ReadingRules | None = None,
) -> Reader:
    """Return the reader of a service, not yet connected to anything. See the module's docstring.

    Raises:
        Malformed: The subscriptions contradict each other.
    """
    clock = clock or SystemClock()
    book = SubscriptionBook(subscriptions, ignored)
    unit, on_close = (unit_of_work, None) if unit_of_work else _own_unit(service, settings, clock)
    keepers = set(partnership.owners(service) if takers is None else takers)
    hosted = tuple(slug for slug in settings.hosted(partnership) if slug in keepers)
    names = followed_feeds(partnership, feeds, hosted)
    intakes = _intakes(service, partnership, hosted) if intake is not None else {}

    def readings(tools: ReadingTools) -> dict[str, TopicReading]:
        found: dict[str, TopicReading] = {}
        for name, allowed in names.items():
            router = router_of(name, book, allowed, partnership)
            found[name.topic] = FeedReading(name, allowed, router, tools)
        if intake is not None:
            for topic, owner in intakes.items():
                found[topic] = IntakeReader(topic, owner, intake, tools)
        return found

    ask = fetch or owners_fetch(settings, partnership, names, clock)
    wanted = [name.topic for name in names] + list(intakes)
    options = kafka_options(service, settings)
    return Reader(
        service=service,
        source=lambda: KafkaLog(wanted, options, clock),
        readings=readings,
        tools=lambda session: ReadingTools(
            unit=unit,
            session=session,
            clock=clock,
            rules=rules or ReadingRules(),
            fetch=ask,
            partnership_hash=partnership.hash,
            summed={entry.type: entry.summed for entry in contract_book().catalogue() if entry.summed},
        ),
        unit=unit,
        clock=clock,
        shares_topics=options.group is not None,
        on_close=on_close,
    )


def kafka_options(service: str, settings: CommonSettings) -> KafkaOptions:
    """Return how the service's reader reaches the broker; its group is its own instance's."""
    return KafkaOptions(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group=f"{service}.{settings.instance}" if settings.reader_mode == "group" else None,
        fetch_max_wait_ms=settings.fetch_max_wait_ms,
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=settings.heartbeat_interval_ms,
        config=settings.kafka_config(),
        bells_dir=settings.bells_dir,
    )


def _own_unit(service: str, settings: CommonSettings, clock: Clock) -> tuple[UnitOfWork, Callable[[], None]]:
    client = connect(settings.mongodb_uri, appname=f"{service}.consume")
    unit = UnitOfWork(
        client=client,
        service=service,
        clock=clock,
        new_identifier=new_identifier,
        contracts=contract_book(),
        prefix=settings.database_prefix,
        ring=ring_of(settings.bells_dir, service),
    )
    return unit, client.close


def owners_fetch(
    settings: CommonSettings, partnership: Partnership, names: Mapping[FeedName, tuple[str, ...]], clock: Clock
) -> FetchRange:
    """Return the way to the owners' pull feeds, asked with the key of a hosted organisation that may read them."""
    tokens = ServiceTokens(settings.organisation_keys_dir, clock, new_identifier)

    def token(feed: FeedName) -> str:
        try:
            return tokens.token(names[feed][0], feed.service)
        except (Malformed, OSError) as error:
            raise Unavailable("this instance holds no key to ask with") from error

    return HttpFetch(Doors(settings, partnership).base_of, token)


def followed_feeds(
    partnership: Partnership, feeds: Collection[str], hosted: Sequence[str]
) -> dict[FeedName, tuple[str, ...]]:
    """Return the feeds to follow and, for each, the hosted organisations that may read it."""
    found: dict[FeedName, tuple[str, ...]] = {}
    for source in feeds:
        for owner in partnership.owners(source):
            allowed = tuple(slug for slug in hosted if partnership.reads(owner, source, slug))
            if allowed:
                found[FeedName("org", owner, source)] = allowed
    return found


def _intakes(service: str, partnership: Partnership, hosted: Sequence[str]) -> dict[str, str]:
    return {topic_of("in", owner, service): owner for owner in partnership.owners(service) if owner in hosted}


def router_of(name: FeedName, book: SubscriptionBook, takers: Collection[str], partnership: Partnership) -> Router:
    """Return what makes of a feed's events what the service takes."""
    return Router(name, book, takers, lambda row, event: row.concerns(event, partnership))
