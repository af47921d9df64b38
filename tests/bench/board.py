"""C1 and C2: the board's tables read after short and long histories, and what keeping its roll-ups costs a reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from unittest.mock import patch

from flask import Flask

from services.reporting import bootstrap
from services.reporting.application.commands import CourseHeard, NominationHeard
from services.reporting.application.desk import Desk
from services.reporting.application.ports import KnownCourse
from services.reporting.application.reactions import Reactions
from services.reporting.domain.facts import EnrolmentFacts
from services.reporting.domain.publication import TITLES
from services.reporting.messaging.consumed import IGNORED, subscriptions
from services.reporting.settings import ReportingSettings
from services.reporting.storage import documents, indexes
from services.reporting.storage.repositories import ENROLMENTS, MongoProjections
from shared.events.subscriptions import SubscriptionBook
from shared.partnership import Partnership
from shared.process.settings import load
from shared.storage.unit_of_work import UnitOfWork, Work
from tests.bench.enrolling import ask, environment, issuer_of
from tests.bench.feeds import COURSES, MONTHS, Published
from tests.bench.figures import Figure
from tests.bench.following import reading, step_until
from tests.bench.measuring import Duel, Pace, Row, fought
from tests.bench.ratios import percentile, spread
from tests.bench.reading import feeds_by_size, platform, size_on
from tests.bench.stage import NULL, SEC, Miscounted, Side, Sink, Stage, Timed, as_a_process

OPERATOR = "operator"
P95 = 0.95
ROWS_AT_ONCE = 1_000


def rows() -> tuple[Row, ...]:
    """Return the rows."""
    return (
        Row(id="C1", measure=reports, sinks=(SEC,), weight=1.5),
        Row(id="C2", measure=surcharge, sinks=(NULL, SEC), weight=2.0),
    )


class _Known(MongoProjections):
    """The projections of a history that begins with nothing: no enrolment is looked up or kept one by one."""

    def enrolment(self, organisation: str, enrolment_id: str) -> EnrolmentFacts:
        return self._enrolments.get(documents.key_of(organisation, enrolment_id), EnrolmentFacts())

    def write(self) -> None:
        self._changed_enrolments.clear()
        super().write()

    def enrolment_rows(self) -> Iterator[dict[str, object]]:
        """Yield what `write` leaves out."""
        for key, facts in self._enrolments.items():
            yield documents.enrolment_document(key, facts)


class _Board:
    """Reporting with a database of its own."""

    def __init__(self, stage: Stage, sink: Sink) -> None:
        with patch.dict("os.environ", environment(stage, sink, stage.fresh_prefix())):
            given = load(ReportingSettings.read)
        self._given, self._client = given, sink.client
        self.partnership: Partnership = given.partnership()
        self.slug = self.partnership.board
        self.unit: UnitOfWork = bootstrap.unit_of_work(given, sink.client)
        self.desk: Desk = bootstrap.desk_of(self.partnership)
        indexes.prepare(self.unit.database(self.slug))
        self.unit.run(self.slug, lambda work: _courses(Reactions(self.desk.rooms.projections(work))))

    def app(self) -> Flask:
        """Return the HTTP application."""
        return bootstrap.build_web_app(self._given, self._client)

    def nominated(self) -> int:
        """Return how many nominations the roll-ups count."""
        counts = self.desk.rooms.counted(self.unit.reading(self.slug)).counts()
        return sum(each.nominated for each in counts.values())

    def fill(self, size: int) -> None:
        """Count a history by the projections' own code, in one go; its enrolments are then written many at a time."""
        kept: list[_Known] = []

        def count(work: Work) -> None:
            projections = _Known(work)
            kept[:] = [projections]
            reactions = Reactions(projections)
            employers = self.partnership.with_role("employer")
            for number in range(size):
                reactions.when_nominated(_nomination(number, employers[number % len(employers)]))
            work.before_commit(projections.write)

        self.unit.run(self.slug, count)
        rows, waiting = self.unit.database(self.slug)[ENROLMENTS], []
        for row in kept[0].enrolment_rows():
            waiting.append(row)
            if len(waiting) == ROWS_AT_ONCE:
                rows.insert_many(waiting, ordered=False)
                waiting = []
        if waiting:
            rows.insert_many(waiting, ordered=False)
        if self.nominated() != size:
            raise Miscounted(f"the roll-ups count {self.nominated()} of {size}")


def reports(stage: Stage, sink: Sink, pace: Pace) -> list[Figure]:
    """C1: each of the five tables by HTTP, in turns after the shortest and after every longer history."""
    issuer_of(stage, _partnership(stage, sink))
    reads = {}
    for size in stage.sizes.histories:
        pace.say(f"C1: {size} enrolments")
        board = _Board(stage, sink)
        board.fill(size)
        reads[size] = _reader(stage, board)
        reads[size](len(TITLES))
    taken: dict[int, list[float]] = {size: [] for size in reads}
    shortest, longest = min(reads), max(reads)
    while not taken[shortest] or (len(taken[shortest]) < stage.sizes.rounds and pace.may_go_on()):
        for size, read in reads.items():
            taken[size].append(percentile(read(stage.sizes.report_reads), P95) * 1000)
    growth = [slow / quick for slow, quick in zip(taken[longest], taken[shortest], strict=True)]
    each = {f"p95_milliseconds_{size}": spread(values).middle for size, values in taken.items()}
    titles = f"a table of the board by HTTP after {longest} enrolments", f"the same after {shortest}"
    p95 = Figure(
        id="C1", part="p95", title=titles[0], bare_title="", unit="ms", value=spread(taken[longest]), details=each
    )
    grown = Figure(
        id="C1", part="growth", title=f"p95: {titles[0]}", bare_title=titles[1], unit="times", value=spread(growth)
    )
    return [p95, grown]


def _reader(stage: Stage, board: _Board) -> Callable[[int], list[float]]:
    app, issuer = board.app(), issuer_of(stage, board.partnership)
    names = tuple(TITLES)

    def read(times: int) -> list[float]:
        token = issuer.mint(board.slug, [OPERATOR], "operator-desk", bootstrap.SERVICE)
        headers, seconds = {"HTTP_AUTHORIZATION": f"Bearer {token}"}, []
        for number in range(times):
            begun = stage.clock.monotonic()
            status, content = ask(app, "GET", f"/v1/projections/{names[number % len(names)]}", b"", headers)
            seconds.append(stage.clock.monotonic() - begun)
            if status != 200:
                raise Miscounted(f"a table was answered with {status}: {content.decode()[:200]}")
        return seconds

    return read


def surcharge(stage: Stage, sink: Sink, pace: Pace) -> list[Figure]:
    """C2: reporting's own reactions in the reader, against one row per event in the same reader."""
    size = size_on(stage, sink) // 2
    read = feeds_by_size(stage)
    issuer_of(stage, _partnership(stage, sink))
    duel = Duel(
        id="C2",
        part=sink.name,
        title="reader with reporting's reactions: an enrolment's facts kept, roll-ups of 50 buckets moved",
        bare_title="the same reader, one row per event (B1's)",
        size=size,
        platform=_counting(stage, sink, read),
        bare=platform(stage, sink, read),
    )
    return [fought(stage, duel, pace)]


def _counting(stage: Stage, sink: Sink, read: Callable[[int], Published]) -> Side:
    @contextmanager
    def side(size: int) -> Iterator[Timed]:
        published, board = read(size), _Board(stage, sink)
        book = SubscriptionBook(subscriptions(board.desk.rooms.projections), IGNORED)
        feed = published.feed
        with reading(stage, board.unit, [feed], book, board.slug) as reader:
            topic = reader._active[feed.topic]
            before = board.nominated()

            def run() -> int:
                step_until(stage, reader, lambda: topic._taken[0] >= size)
                return size - before

            yield run
            if board.nominated() != size:
                raise Miscounted(f"the roll-ups count {board.nominated()} of {size}")

    return as_a_process(side)


def _partnership(stage: Stage, sink: Sink) -> Partnership:
    with patch.dict("os.environ", environment(stage, sink, "")):
        return load(ReportingSettings.read).partnership()


def _courses(reactions: Reactions) -> None:
    for number in range(COURSES):
        course = KnownCourse(
            code=f"C{number}",
            title=f"Course {number}",
            level="ALL",
            routes=("practice_only",),
            credits_per_award=0,
            accreditation="none",
            evidence_set=None,
            owner="brent",
            position=number + 1,
        )
        reactions.when_course_published(CourseHeard(course))


def _nomination(number: int, employer: str) -> NominationHeard:
    """Return a nomination; every history spreads over the same buckets, as terms do, so only its length differs."""
    return NominationHeard(
        employer=employer,
        enrolment_id=f"enrolment-{number:024d}",
        course=f"C{number % COURSES}",
        route="practice_only",
        level="SW",
        requested_on=date(2025, 1 + number % MONTHS, 12),
    )
