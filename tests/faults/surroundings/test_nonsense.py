"""A dependency answers 200 with something else (P24): that is a failure to be tried again, never a success.

The pull feed and the release of an identity. The sign-in provider is in `tests/shared/web/test_sign_in_lies.py`, the
reader that asks a pull feed until it makes sense in `test_sources.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.accreditation.application.ports import Release
from services.accreditation.messaging.identity_release import EmployersDoor
from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.events.feed import FeedName
from shared.events.gap import HttpFetch
from tests.faults.surroundings.nonsense import NONSENSE, Door


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    """Somebody's door."""
    door = Door()
    yield door
    door.close()


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_p24_a_pull_feed_that_answers_nonsense_is_unavailable(door, nonsense):
    """The reader tries again later; nothing of it counts as a range."""
    door.answer, asked = nonsense, door.asked
    fetch = HttpFetch(lambda *_: door.url, lambda _: "token")
    with pytest.raises(Unavailable):
        fetch(FeedName("org", "brent", "enrolment"), 0, 200)
    assert door.asked == asked + 1


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_p24_an_employer_that_answers_nonsense_has_released_nobody(door, nonsense):
    """No identity is kept; the release stays due and is asked for again."""
    door.answer, asked = nonsense, door.asked
    release = Release("registration", "brent", "enrolment", "person", 0, SystemClock().now())
    assert EmployersDoor(lambda _: door.url, lambda *_: "token").fetch("goldsmiths", release) is None
    assert door.asked == asked + 1
