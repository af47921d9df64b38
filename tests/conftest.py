"""Fixtures of all tests: a real database and a real broker for the whole run, and names that no other test uses.

`MONGODB_URI` and `KAFKA_BOOTSTRAP_SERVERS`, when set, name servers to use instead of starting ones; with
`KAFKA_IS_REAL` the broker is said to be Apache Kafka.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from functools import cache
from itertools import count
from pathlib import Path

import pytest
from environs import Env

from shared.clock import SystemClock
from shared.identifiers import new_identifier
from shared.local.backbone import database_answers
from shared.storage.mongo import Client, connect
from shared.storage.unit_of_work import Contracts, UnitOfWork
from shared.testing.backbone import bootstrap, broker_server, database_server, database_uri

MakeUnitOfWork = Callable[..., UnitOfWork]
_RUN = new_identifier()[-8:]
_NUMBERS = count(1)
_SHARED: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect, strictly, that what the local broker cannot do fails on it; on Apache Kafka it is as any other test."""
    if Env().bool("KAFKA_IS_REAL", False):
        return
    for item in items:
        beyond = item.get_closest_marker("beyond_local")
        if beyond is not None:
            raises = beyond.kwargs.get("raises")
            item.add_marker(pytest.mark.xfail(reason=beyond.args[0], strict=True, raises=raises))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, loudly, what needs a real Apache Kafka where there is none."""
    if item.get_closest_marker("kafka") is not None and not Env().bool("KAFKA_IS_REAL", False):
        pytest.skip("NOT RUN: needs a real Apache Kafka, which make test-kafka starts")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let no test that a guarantee rests on be skipped where it should run, or be let off: that is a failure.

    Expected to fail is only what the local broker cannot do (`beyond_local`); on Apache Kafka it has to pass.
    """
    report = yield
    if hasattr(report, "wasxfail") and report.skipped and report.when != "call":
        report.outcome = "failed"  # a fixture's error is not what was expected to fail
        vars(report).pop("wasxfail")
        return report
    if getattr(item, "originalname", "") not in _guaranteed():
        return report
    if hasattr(report, "wasxfail"):
        is_let_off, excused = True, item.get_closest_marker("beyond_local")
    else:
        is_let_off = report.skipped
        excused = item.get_closest_marker("containers") or (
            item.get_closest_marker("kafka") and not Env().bool("KAFKA_IS_REAL", False)
        )
    if is_let_off and not excused:
        report.outcome = "failed"
        said = getattr(report, "wasxfail", report.longrepr)
        report.longrepr = f"docs/guarantees.md rests on this test, and it was skipped or let off: {said}"
        vars(report).pop("wasxfail", None)
    return report


@cache
def _guaranteed() -> frozenset[str]:
    page = Path(__file__).parents[1] / "docs" / "guarantees.md"
    return frozenset(re.findall(r"`(test_[a-z0-9_]+)`", page.read_text(encoding="utf-8")))


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """End the run when the database that all tests share is lost: hours of time-outs would only hide which test did it.

    Raises:
        Exit: It does not answer any more.
    """
    if report.failed and _SHARED and not any(database_answers(_SHARED[0]) for _ in range(3)):
        message = f"the database at {_SHARED[0]} does not answer any more after {report.nodeid}"
        pytest.exit(f"{message}\n{report.longreprtext[-4000:]}", returncode=3)


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory) -> Iterator[str]:
    """The connection string of a database that every test shares; databases are told apart by their names."""
    given = Env().str("MONGODB_URI", "")
    if given:
        yield given
        return
    server = database_server(tmp_path_factory.mktemp("database"))
    server.start()
    _SHARED.append(database_uri(server))
    yield _SHARED[0]
    _SHARED.clear()
    server.stop()


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory) -> Iterator[str]:
    """The address of a broker that every test shares; topics are told apart by their organisations."""
    given = Env().str("KAFKA_BOOTSTRAP_SERVERS", "")
    if given:
        yield given
        return
    server = broker_server(tmp_path_factory.mktemp("broker"))
    server.start()
    yield bootstrap(server)
    server.stop()


@pytest.fixture(scope="session")
def mongo_client(mongodb_uri) -> Iterator[Client]:
    """One client for the whole run."""
    client = connect(mongodb_uri, appname="tests")
    yield client
    client.close()


@pytest.fixture
def new_organisation() -> Callable[[str], str]:
    """A maker of organisation slugs that no other test uses: `new_organisation("brent")`."""

    def make(stem: str = "org") -> str:
        return f"{stem}-{_RUN}-{next(_NUMBERS)}"

    return make


@pytest.fixture
def organisation(new_organisation) -> str:
    """An organisation slug that no other test uses."""
    return new_organisation("org")


@pytest.fixture
def database_prefix() -> str:
    """A prefix of database names that no other test uses, for tests whose organisations have real slugs."""
    return f"t{_RUN}{next(_NUMBERS)}_"


@pytest.fixture
def make_unit_of_work(mongo_client) -> MakeUnitOfWork:
    """A maker of units of work: `make_unit_of_work("enrolment", contracts=..., clock=..., prefix=...)`."""

    def make(service: str = "enrolment", *, clock=None, contracts: Contracts | None = None, prefix: str = ""):
        return UnitOfWork(
            client=mongo_client,
            service=service,
            clock=clock or SystemClock(),
            new_identifier=new_identifier,
            contracts=contracts,
            prefix=prefix,
        )

    return make


@pytest.fixture
def unit_of_work(make_unit_of_work) -> UnitOfWork:
    """A unit of work of the enrolment service without contracts."""
    return make_unit_of_work()
