"""Events told to reporting's reactions in any order that its reader may meet, and projections in memory for them."""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.reporting.application.ports import KnownCourse
from services.reporting.domain.facts import EnrolmentFacts, EvaluationFacts
from services.reporting.domain.rollups import NOTHING, Bucket, ChangeBucket, ChangeCounts, Counts
from services.reporting.messaging.consumed import IGNORED, subscriptions
from shared.events.envelope import Received
from shared.events.subscriptions import Subscription, SubscriptionBook
from shared.partnership import Partnership
from shared.testing.feeds import a_received
from tests.reporting.stories import Event, Feeds


@dataclass
class Memory:
    """Projections in memory; they pass the same suite as the database's."""

    enrolments: dict[tuple[str, str], EnrolmentFacts] = field(default_factory=dict)
    evaluations: dict[tuple[str, str], EvaluationFacts] = field(default_factory=dict)
    buckets: dict[Bucket, Counts] = field(default_factory=dict)
    change_buckets: dict[ChangeBucket, ChangeCounts] = field(default_factory=dict)
    known: dict[str, KnownCourse] = field(default_factory=dict)

    def enrolment(self, organisation, enrolment_id):
        """What is known of an enrolment."""
        return self.enrolments.get((organisation, enrolment_id), EnrolmentFacts())

    def keep_enrolment(self, organisation, enrolment_id, facts):
        """Keep it."""
        self.enrolments[organisation, enrolment_id] = facts

    def evaluation(self, organisation, evaluation_id):
        """What is known of an evaluation."""
        return self.evaluations.get((organisation, evaluation_id), EvaluationFacts())

    def keep_evaluation(self, organisation, evaluation_id, facts):
        """Keep it."""
        self.evaluations[organisation, evaluation_id] = facts

    def move(self, bucket, by):
        """Add to a bucket."""
        self.buckets[bucket] = self.buckets.get(bucket, NOTHING).plus(by)

    def move_change(self, bucket, by):
        """Add to a bucket."""
        self.change_buckets[bucket] = self.change_buckets.get(bucket, ChangeCounts()).plus(by)

    def course(self, code):
        """A course."""
        return self.known.get(code)

    def keep_course(self, course):
        """Keep it."""
        self.known[course.code] = course

    def courses(self):
        """All courses, in order."""
        return tuple(sorted(self.known.values(), key=lambda course: (course.owner, course.position)))

    def counts(self):
        """All buckets."""
        return self.buckets

    def changes(self):
        """All buckets."""
        return self.change_buckets


class Teller:
    """Tells events to reactions as the reader would: decoded by the service's own structs, asked whom they concern."""

    def __init__(self, partnership: Partnership, open_projections) -> None:
        self.partnership = partnership
        self.book = SubscriptionBook(subscriptions(open_projections), IGNORED)
        self.numbers: dict[str, int] = defaultdict(int)

    def tell(self, work, feed: str, event: Event, number: int | None = None) -> None:
        """Tell one event."""
        heard = self.hear(feed, event, number)
        if heard is None:
            return
        subscription, received = heard
        for _ in subscription.concerns(received, self.partnership):
            subscription.reaction(work, received)

    def hear(self, feed: str, event: Event, number: int | None = None) -> tuple[Subscription, Received] | None:
        """Return whose row an event is, and how it is handed over; None for one that is ignored."""
        subscription = self.book.find(event.type)
        if subscription is None:
            assert self.book.ignores(event.type), event.type
            return None
        self.numbers[feed] += 1
        number = number or self.numbers[feed]
        name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{feed}{number}"))
        return subscription, a_received(
            subscription, event.data, owner=event.organisation, number=number, identifier=name
        )


def told(partnership: Partnership, order: Iterable[tuple[str, int, Event]]) -> Memory:
    """Return what is known after the events."""
    memory = Memory()
    teller = Teller(partnership, lambda _: memory)
    for feed, number, event in order:
        teller.tell(None, feed, event, number)
    return memory


def one_after_the_other(feeds: Feeds) -> list[tuple[str, int, Event]]:
    """Return all events, feed by feed."""
    return [(feed, number, event) for feed in feeds for number, event in enumerate(feeds[feed], start=1)]


def interleaved(feeds: Feeds, chance: random.Random) -> list[tuple[str, int, Event]]:
    """Return all events in some order that keeps each feed's own."""
    turns = [feed for feed, events in feeds.items() for _ in events]
    chance.shuffle(turns)
    seen: dict[str, int] = defaultdict(int)
    order = []
    for feed in turns:
        seen[feed] += 1
        order.append((feed, seen[feed], feeds[feed][seen[feed] - 1]))
    return order
