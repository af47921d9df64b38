"""The daily digest: what it says, when it is tried again and when it is given up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from services.enrolment.domain import notices
from services.enrolment.domain.tasks import HR, KINDS, MOST_COUNTED, PROGRAMME_LEAD, ROLES, kinds_of, standing

NOW = datetime(2025, 9, 1, 8, 0, tzinfo=UTC)
DAY = date(2025, 9, 1)
KIND = KINDS[0]


def a_notice(count: int = 3) -> notices.Notice:
    """Return a digest with one kind of task."""
    made = notices.compose(HR, DAY, [standing(KIND, count, DAY - timedelta(days=4))], "<1@x.example>", NOW)
    assert made is not None
    return made


def test_a_digest_without_a_task_is_not_written():
    """Nobody reads the next one after an empty one."""
    assert notices.compose(HR, DAY, [standing(KIND, 0, None)], "<1@x.example>", NOW) is None


def test_a_digest_counts_says_how_old_and_leads_to_the_list():
    """And holds nothing else: its lines are titles of ours and numbers."""
    subject, text = notices.text_of(a_notice(), "https://hr.example/tasks")
    assert subject == "3 tasks waiting on 2025-09-01"
    assert f"- {KIND.title}: 3 (the oldest for 4 days)" in text
    assert "https://hr.example/tasks" in text


def test_a_count_beyond_the_most_says_more_than():
    """Counting ends somewhere, and the digest does not pretend."""
    _, text = notices.text_of(a_notice(MOST_COUNTED + 1), "")
    assert f"more than {MOST_COUNTED}" in text


def test_a_refused_digest_is_tried_again_with_growing_pauses_and_then_given_up():
    """Bounded: five tries within some hours."""
    notice, now, pauses = a_notice(), NOW, []
    while notice.state == notices.DUE:
        assert notices.is_due(notice, now)
        notice = notices.not_taken(notices.claimed(notice, now), now)
        if notice.state == notices.DUE:
            assert not notices.is_due(notice, now)
            pauses.append(notice.next_try - now)
            now = notice.next_try
    assert notice.state == notices.GIVEN_UP
    assert notice.tries == notices.MOST_TRIES
    assert pauses == [notices.FIRST_PAUSE * 2**step for step in range(notices.MOST_TRIES - 1)]


def test_a_claimed_digest_is_nobody_elses_until_its_worker_must_have_died():
    """And is abandoned after the lease, not before."""
    held = notices.claimed(a_notice(), NOW)
    assert not notices.is_due(held, NOW + 2 * notices.LEASE)
    assert not notices.is_abandoned(held, NOW + notices.LEASE - timedelta(seconds=1))
    assert notices.is_abandoned(held, NOW + notices.LEASE)


def test_every_kind_of_task_is_somebodys_and_named_once():
    """No kind is without a role that has a list, and names are ids."""
    assert all(kind.roles and set(kind.roles) <= set(ROLES) for kind in KINDS)
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert set(kinds_of([PROGRAMME_LEAD])) <= set(KINDS)
    assert kinds_of(["practitioner"]) == ()
