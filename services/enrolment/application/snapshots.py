"""What a confirmed file ends: who of a snapshot's cohorts is left out of it, and rows that say so themselves.

The list is made before anybody confirms, in steps; whoever is on it is withdrawn after the good rows were taken, in
steps. A snapshot that would withdraw many waits for a second person.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from services.enrolment.application import handlers, uploads
from services.enrolment.application.commands import Withdraw
from services.enrolment.application.ports import Desk, EnrolmentFilter
from services.enrolment.application.same_person import References
from services.enrolment.application.uploads import Upload, UploadRow, UploadWithdrawal
from services.enrolment.domain import lifecycle
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.records import ReadRow, Record
from shared.clock import london_date

MOST_WITHDRAWN = 20
MOST_SHARE_PERCENT = 10


def needs_comparing(upload: Upload) -> bool:
    """Return whether this file may end anything."""
    return upload.sending.mode == uploads.SNAPSHOT or upload.counts.get(uploads.ENDING, 0) > 0


def is_braked(upload: Upload) -> bool:
    """Return whether a snapshot would withdraw so many that a second person has to confirm it."""
    if upload.sending.mode != uploads.SNAPSHOT:
        return False
    many = upload.to_withdraw > MOST_WITHDRAWN
    return many or upload.to_withdraw * 100 > MOST_SHARE_PERCENT * upload.in_scope


def brake(upload: Upload) -> str | None:
    """Return what to do about a snapshot that is held, None for any other file."""
    if upload.state != uploads.HELD:
        return None
    return (
        f"this snapshot would withdraw {upload.to_withdraw} of {upload.in_scope} enrolments: somebody else with the "
        "role hr has to look at the list and confirm it; if it is not complete, remove it and send it as a delta"
    )


def compare_step(desk: Desk, upload: Upload, lease: timedelta) -> Upload:
    """Return the job after one more part of its scope was held against the file."""
    compare = _compare_cohort if upload.sending.mode == uploads.SNAPSHOT else _compare_endings
    after = replace(compare(desk, upload), leased_until=desk.now + lease)
    if _is_compared(after):
        state = uploads.HELD if is_braked(after) else uploads.CHECKED
        after = replace(after, state=state, leased_until=None)
    return desk.uploads.save(after)


def _is_compared(upload: Upload) -> bool:
    ends = len(upload.scope) if upload.sending.mode == uploads.SNAPSHOT else upload.total
    return upload.compared >= ends


def _compare_cohort(desk: Desk, upload: Upload) -> Upload:
    if _is_compared(upload):
        return upload
    cohort = upload.scope[upload.compared]
    wanted = EnrolmentFilter(course=cohort.course, intake=cohort.intake)
    part = desk.enrolments.page(upload.compared_after, uploads.COMPARED_PER_STEP, wanted)
    live = [found for found in part if lifecycle.allows(lifecycle.WITHDRAW, found.status)]
    same = References(desk, [_record(found) for found in live])
    keys = {found.enrolment_id: same.keys(_record(found)) for found in live}
    named = desk.uploads.named(upload.upload_id, [key for each in keys.values() for key in each])
    missing = [found for found in live if named.isdisjoint(keys[found.enrolment_id])]
    names = {found.employee_ref: same.names(found.employee_ref) for found in missing}
    spared = desk.uploads.refused_people(upload.upload_id, [name for each in names.values() for name in each])
    gone = [found for found in missing if spared.isdisjoint(names[found.employee_ref])]
    desk.uploads.add_withdrawals([_listed(upload, place, found) for place, found in enumerate(gone)])
    is_last = len(part) < uploads.COMPARED_PER_STEP
    return replace(
        upload,
        compared=upload.compared + 1 if is_last else upload.compared,
        compared_after=None if is_last else part[-1].enrolment_id,
        in_scope=upload.in_scope + len(live),
        to_withdraw=upload.to_withdraw + len(gone),
    )


def _compare_endings(desk: Desk, upload: Upload) -> Upload:
    part = desk.uploads.rows(upload.upload_id, upload.compared, uploads.COMPARED_PER_STEP)
    ending = {row.key: row for row in part if row.decision == uploads.ENDING}
    same = References(desk, [row.record for row in ending.values()])
    taken = desk.nominations.known([key for row in ending.values() for key in same.keys(row.record)])
    gone: list[tuple[Enrolment, UploadRow]] = []
    for row in ending.values():
        _, key = same.as_taken(ReadRow(row.line, row.record), taken)
        found = desk.enrolments.find(taken[key].enrolment_id) if key in taken else None
        if found is not None and lifecycle.allows(lifecycle.WITHDRAW, found.status):
            gone.append((found, row))
    listed = [_listed(upload, place, found, row.line) for place, (found, row) in enumerate(gone)]
    before = desk.uploads.listed(upload.upload_id, [each.enrolment_id for each in listed])
    listed = [each for each in listed if each.enrolment_id not in before]
    desk.uploads.add_withdrawals([replace(each, index=upload.to_withdraw + place) for place, each in enumerate(listed)])
    return replace(upload, compared=upload.compared + len(part), to_withdraw=upload.to_withdraw + len(listed))


def withdraw_step(desk: Desk, upload: Upload, lease: timedelta) -> Upload:
    """Return the job after up to 100 more of its listed enrolments were withdrawn; what ended meanwhile is left."""
    part = desk.uploads.withdrawals(upload.upload_id, upload.done, uploads.WITHDRAWN_PER_STEP)
    today, ended = london_date(desk.now), []
    for listed in part:
        found = desk.enrolments.find(listed.enrolment_id)
        if found is not None and lifecycle.allows(lifecycle.WITHDRAW, found.status):
            handlers.withdraw(desk, Withdraw(listed.enrolment_id, upload.sending.reason, today))
            ended.append(replace(listed, is_done=True))
    desk.uploads.save_withdrawals(ended)
    done = min(upload.to_withdraw, upload.done + uploads.WITHDRAWN_PER_STEP)
    after = replace(upload, done=done, withdrawn=upload.withdrawn + len(ended), leased_until=desk.now + lease)
    if done >= upload.to_withdraw:
        after = replace(after, state=uploads.COMPLETED, done=upload.total, leased_until=None)
    return desk.uploads.save(after)


def _listed(upload: Upload, place: int, found: Enrolment, line: int | None = None) -> UploadWithdrawal:
    return UploadWithdrawal(upload.upload_id, upload.to_withdraw + place, found.enrolment_id, line)


def _record(found: Enrolment) -> Record:
    return Record(employee_ref=found.employee_ref, course=found.course, intake=found.intake)
