"""Two records that may be one person: found, merged, split. Nothing is ever deleted or moved.

A merge makes one id and its employee reference lead to another. Enrolments stay under the id under which they were
asked for, so that a split has nothing to put back and other services keep what they know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import merge as merge_sorted
from itertools import groupby, islice

from services.enrolment.application import people
from services.enrolment.application.duplicate_ports import Candidate
from services.enrolment.application.ports import Books, Desk, EnrolmentFilter
from services.enrolment.domain import events, practitioners
from services.enrolment.domain.duplicates import reasons
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.errors import NoSuchThing, RuleSaysNo, WrongState
from services.enrolment.domain.lifecycle import ENDED
from services.enrolment.domain.practitioners import Practitioner, managed_by
from shared.clock import london_date

MOST_MERGED = 20
CANDIDATES_AT_ONCE = 50
MATCHED_AT_ONCE = 100
MOST_ENROLMENTS = 1000


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Two people who are alike, and in what."""

    pair: str
    one: Practitioner
    other: Practitioner
    reasons: tuple[str, ...]


def duplicates(books: Books, after: str | None, limit: int) -> list[Duplicate]:
    """Return up to `limit` pairs who are alike today, in order of their names.

    They are those that the worker found, and those of the last people who were kept, whom it has not looked at yet:
    of many at once it does in some seconds (`match_some`).
    """
    return list(islice(_looked_at(books, after), limit))


def match_some(desk: Desk) -> bool:
    """Hold the next people who were kept against all others, keep who is alike; return whether there was anybody."""
    due = desk.people.to_match(MATCHED_AT_ONCE)
    if not due.batches:
        return False
    shut = desk.erasures.shut(due.ids)  # of whom nothing is written any more
    people = [person for name, person in desk.people.many(due.ids).items() if name not in shut]
    desk.people.keep_matched(due, people, desk.people.alike(people))
    desk.silent("who of an employer's people is alike is its own affair")
    return True


def _looked_at(books: Books, after: str | None) -> Iterator[Duplicate]:
    due = books.people.many(books.people.to_match(MATCHED_AT_ONCE).ids)
    new = [pair for pair in books.people.alike(list(due.values())) if pair.pair > (after or "")]
    pairs = _each_once(merge_sorted(_kept(books, after), new, key=lambda pair: pair.pair))
    while part := list(islice(pairs, CANDIDATES_AT_ONCE)):
        people = books.people.many([name for pair in part for name in (pair.one_id, pair.other_id)])
        for pair in part:
            one, other = people.get(pair.one_id), people.get(pair.other_id)
            if one is None or other is None or one.merged_into or other.merged_into:
                continue
            if alike := reasons(one, other):
                yield Duplicate(pair.pair, one, other, alike)


def _kept(books: Books, after: str | None) -> Iterator[Candidate]:
    while candidates := books.people.candidates(after, CANDIDATES_AT_ONCE):
        yield from candidates
        after = candidates[-1].pair


def _each_once(pairs: Iterable[Candidate]) -> Iterator[Candidate]:
    return (next(same) for _, same in groupby(pairs, key=lambda pair: pair.pair))


def find_person(books: Books, name: str) -> Practitioner:
    """Return the person of an employee reference or an opaque id, an old one too.

    Raises:
        NoSuchThing: There is nobody of that name.
    """
    found = books.people.find(books.person_id(name)) or books.people.find(books.people.survivor_of(name))
    if found is None:
        raise NoSuchThing("no such practitioner")
    return found


def merge(desk: Desk, into_ref: str, from_ref: str) -> Practitioner:
    """Return the person to whom the other one's id and reference lead from now on.

    Raises:
        NoSuchThing: One of them is nobody.
        WrongState: They are one already, or both hold a live enrolment in one cohort.
        RuleSaysNo: Too many ids would lead to one person.
    """
    survivor, other = find_person(desk, into_ref), find_person(desk, from_ref)
    if survivor.practitioner_id == other.practitioner_id:
        raise WrongState("these are one person already")
    desk.people.hold([survivor.practitioner_id])  # the other one is written anyhow: no merge the other way, no seat
    behind = desk.people.merged_into(other.practitioner_id)
    if len(behind) + len(desk.people.merged_into(survivor.practitioner_id)) + 1 > MOST_MERGED:
        raise RuleSaysNo(f"at most {MOST_MERGED} records may be one person")
    both = _live_cohorts(desk, survivor) & _live_cohorts(desk, other)
    if both:
        course, intake = sorted(both)[0]
        raise WrongState(f"both hold a live enrolment in {course} {intake}: withdraw one of them first, then merge")
    today = london_date(desk.now)
    merged = desk.people.save([replace(other, merged_into=survivor.practitioner_id)])[0]
    desk.people.forget_merges()
    desk.tell(events.PractitionerMerged(survivor.practitioner_id, merged.practitioner_id, today), merged.version)
    for before in [merged, *behind]:
        _told_managers_of(desk, survivor, before)
    return survivor


def split(desk: Desk, split_ref: str) -> Practitioner:
    """Return the person whose id leads to themselves again; the pair is not listed as alike again.

    Enrolments stand under the id of the reference under which they were asked for, and so need not move; details that
    were told under the merged one's references go back to them.

    Raises:
        NoSuchThing: There is nobody of that name.
        WrongState: They were not merged.
    """
    survivor = find_person(desk, split_ref)
    behind = desk.people.merged_into(survivor.practitioner_id)
    merged = next((one for one in behind if split_ref in (one.employee_ref, one.practitioner_id)), None)
    if merged is None or merged.merged_into is None:
        raise WrongState("this person was not merged into another")
    survivor_id = merged.merged_into
    desk.people.hold([survivor.practitioner_id])  # nothing is told under the old name meanwhile
    today = london_date(desk.now)
    names = [one.employee_ref for one in behind if _leads_through(one, merged, behind)]
    first, second = practitioners.parted(survivor, replace(merged, merged_into=None), names, today)
    kept = desk.people.save([second])[0]
    if first != survivor:
        desk.people.save([first])
    desk.people.forget_merges()
    desk.people.save_candidate(replace(Candidate.of(survivor_id, kept.practitioner_id), kept_apart=True))
    desk.tell(events.PractitionerSplit(survivor_id, kept.practitioner_id, today), kept.version)
    return kept


def keep_apart(desk: Desk, one_ref: str, other_ref: str) -> None:
    """Say that two people who are alike are two.

    Raises:
        NoSuchThing: One of them is nobody.
        WrongState: They were merged: split them.
    """
    one, other = find_person(desk, one_ref), find_person(desk, other_ref)
    if one.practitioner_id == other.practitioner_id:
        raise WrongState("these are one person: split them instead")
    desk.silent("who of an employer's people is alike is its own affair")
    desk.people.save_candidate(replace(Candidate.of(one.practitioner_id, other.practitioner_id), kept_apart=True))


def enrolments_of(books: Books, person: Practitioner) -> list[Enrolment]:
    """Return a person's enrolments under every id that leads to them, in order of their ids."""
    ids = [person.practitioner_id, *(one.practitioner_id for one in books.people.merged_into(person.practitioner_id))]
    found = [
        enrolment
        for practitioner_id in ids
        for enrolment in books.enrolments.page(None, MOST_ENROLMENTS, EnrolmentFilter(practitioner_id=practitioner_id))
    ]
    return sorted(found, key=lambda enrolment: enrolment.enrolment_id)


def _leads_through(one: Practitioner, by: Practitioner, behind: Sequence[Practitioner]) -> bool:
    """Return whether an id leads to its survivor by way of another one, or is that one."""
    leads = {each.practitioner_id: each.merged_into for each in behind}
    at: str | None = one.practitioner_id
    while at is not None and at != by.practitioner_id:
        at = leads.get(at)
    return at is not None


def _live_cohorts(books: Books, person: Practitioner) -> set[tuple[str, str]]:
    return {(one.course, one.intake) for one in enrolments_of(books, person) if one.status not in ENDED}


def _told_managers_of(desk: Desk, survivor: Practitioner, before: Practitioner) -> None:
    """Tell the survivor's line managers under the other id too: work that is known under it has the same ones."""
    after = before
    for manager in survivor.line_managers:
        after = managed_by(after, manager)
    if after != before:
        people.tell(desk, before, desk.people.save([after])[0])
