"""Files in parts: no transaction grows with the file, half a file is never taken for a whole one, nothing is left."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.clock import SystemClock
from shared.storage.contents import PART_BYTES, UNNAMED_FOR, Contents


class LateClock(SystemClock):
    """The machine's clock, some time later."""

    late = timedelta(0)

    def now(self) -> datetime:
        """Return that."""
        return super().now() + self.late


def test_a_file_of_any_size_is_kept_in_small_transactions_and_read_back(unit_of_work, organisation):
    """Forty megabytes: more than the local database takes in one transaction."""
    contents = Contents(unit_of_work, organisation)
    content = bytes(range(256)) * (40 * 4096) + b"end"
    content_id = contents.keep(content)
    assert contents.read(content_id) == content
    stored = unit_of_work.database(organisation)["contents"]
    assert stored.count_documents({}) == len(content) // PART_BYTES + 1
    contents.drop(content_id)
    assert (contents.read(content_id), stored.count_documents({})) == (b"", 0)


def test_dropping_one_file_leaves_the_others(unit_of_work, organisation):
    """Ids share no prefix."""
    contents = Contents(unit_of_work, organisation)
    first, second = contents.keep(b"a" * (PART_BYTES + 1)), contents.keep(b"b")
    contents.drop(first)
    assert (contents.read(first), contents.read(second)) == (b"", b"b")


def test_what_nobody_named_is_swept_after_an_hour(make_unit_of_work, organisation):
    """Not what is named, and not what may still be named."""
    clock = LateClock()
    contents = Contents(make_unit_of_work(clock=clock), organisation)
    named, unnamed = contents.keep(b"named"), contents.keep(b"x" * (2 * PART_BYTES))
    clock.late = UNNAMED_FOR + timedelta(seconds=1)
    young = contents.keep(b"young")
    assert contents.sweep([named]) == 1
    assert [contents.read(one) for one in (named, unnamed, young)] == [b"named", b"", b"young"]
