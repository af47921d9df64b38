"""Uploaded files, step by step: taken in, checked 500 rows at a time, confirmed, imported 250 at a time.

What a file ends (snapshots) is in `snapshots`.

Each step is one transaction that also moves the job on, guarded by the worker's epoch: a worker that died is followed
by one that begins where the last commit stopped, and one that merely slept finds itself fenced.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from services.enrolment.application import snapshots, standings, uploads
from services.enrolment.application.erasure import ERASED_VERDICT, barred
from services.enrolment.application.ports import Desk, ReadFile, SaysDelta
from services.enrolment.application.same_person import References
from services.enrolment.application.taking import take
from services.enrolment.application.uploads import NOTHING_DECLARED, ScopeCohort, Sending, Upload, UploadRow
from services.enrolment.domain.decisions import ACCEPTED, REFUSED, Catalogue, Verdict, decide
from services.enrolment.domain.eligibility import Standing
from services.enrolment.domain.errors import FileTooLarge, NoSuchThing, RuleSaysNo, UnreadableFile, WrongState
from services.enrolment.domain.mapping import Cell, FileMapping, read_row
from services.enrolment.domain.records import ReadRow, Record, fingerprint, nomination_key
from services.enrolment.domain.text_files import MOST_BYTES, FileRow
from shared.errors import ConcurrentChange

LEASE = timedelta(seconds=20)
CHECKED_AT_THE_DOOR_BYTES = 256 * 1024
_SHOWN_NAME = 120
_NOT_SEEN = (uploads.FAILED, uploads.MAPPING)  # the same file again is a new one
_LONGEST_SHOWN = 1000  # no value is longer than 500: a cell beyond that is refused, and shown by its beginning


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A row as it stands in the file and as it was read, with the key of its nomination."""

    source: FileRow
    read: ReadRow
    key: str


def declared(
    mode: str, *, course: str | None = None, intake: str | None = None, reason: str | None = None, by: str | None = None
) -> Sending:
    """Return what the sender declares of a file.

    Raises:
        RuleSaysNo: Half a cohort is named, or a delta is given a scope.
    """
    if (course is None) != (intake is None):
        raise RuleSaysNo("name both, course and intake, or neither")
    if course is not None and mode != uploads.SNAPSHOT:
        raise RuleSaysNo("only a snapshot speaks for a whole course and intake")
    cohort = ScopeCohort(course, intake) if course is not None and intake is not None else None
    return Sending(mode=mode, cohort=cohort, reason=reason or "other", by=by)


def receive(
    desk: Desk,
    content: bytes,
    content_id: str,
    filename: str,
    mapping: FileMapping,
    sending: Sending = NOTHING_DECLARED,
) -> tuple[Upload, bool]:
    """Return the job of an uploaded file, kept as `content_id`, and whether it is new.

    The same content that is still being worked on, declared in the same way, is the same job, whoever sends it;
    content that was completed before is recognised (`same_as`), and its rows will be duplicates.

    Raises:
        FileTooLarge: More than one upload may have.
        NoSuchThing: A snapshot speaks for a cohort that this employer has not heard of.
    """
    cohort = sending.cohort
    if cohort is not None and not _is_known(desk, cohort):
        raise NoSuchThing("no such course and intake to send a snapshot of")
    if len(content) > MOST_BYTES:
        raise FileTooLarge(f"the file has more than {MOST_BYTES // 2**20} MiB; send it in parts")
    digest = hashlib.sha256(content).hexdigest()
    before = [known for known in desk.uploads.same_file(digest) if known.state not in _NOT_SEEN]
    unfinished = [
        known
        for known in before
        if known.state != uploads.COMPLETED and known.mapping == mapping and _same_purpose(known.sending, sending)
    ]
    if unfinished:
        return unfinished[0], False
    upload = Upload(
        upload_id=desk.new_id(),
        filename="".join(char for char in filename if char.isprintable())[:_SHOWN_NAME],
        sha256=digest,
        bytes=len(content),
        content_id=content_id,
        mapping=mapping,
        uploaded_at=desk.now,
        same_as=before[0].upload_id if before else None,
        sending=sending,
        scope=(cohort,) if cohort is not None else (),
    )
    desk.silent("a file is the employer's own until its rows are taken")
    desk.uploads.add(upload)
    return upload, True


def _is_known(desk: Desk, cohort: ScopeCohort) -> bool:
    course = desk.catalogue.course(cohort.course)
    return course is not None and cohort.intake in course.cohorts


def _same_purpose(one: Sending, other: Sending) -> bool:
    return replace(one, by=None) == replace(other, by=None)


def refuse_at_the_door(content: bytes, mapping: FileMapping, read: ReadFile) -> None:
    """Raise what is wrong with a small file as a whole, at once; a large one is left to the worker."""
    if len(content) <= CHECKED_AT_THE_DOOR_BYTES:
        for _ in read(content, mapping):
            pass


def refuse_half_a_snapshot(content: bytes, mapping: FileMapping, sending: Sending, says_delta: SaysDelta) -> None:
    """Refuse a snapshot that says of itself that it is none.

    Raises:
        UnreadableFile: The file is an archive of changes.
    """
    if sending.mode == uploads.SNAPSHOT and says_delta(content, mapping):
        raise UnreadableFile(
            "manifest.csv says that enrollments.csv is a delta: send it as one, or export everything (bulk)"
        )


def confirm(desk: Desk, upload_id: str, by: str | None = None) -> Upload:
    """Return the job on its way into the enrolments; confirming twice is confirming once.

    Raises:
        WrongState: It is still being checked, or could not be read; or it would withdraw many, and who sent it cannot
            be the one who confirms that.
    """
    upload = find(desk, upload_id)
    if upload.state in uploads.CONFIRMED_STATES:
        return upload
    if upload.state == uploads.HELD and (by is None or by == upload.sending.by):
        raise WrongState(snapshots.brake(upload) or "")
    if upload.state not in (uploads.CHECKED, uploads.HELD):
        raise WrongState(f"an upload that is {upload.state} cannot be confirmed")
    desk.silent("each row is told when the worker takes it")
    return desk.uploads.save(
        replace(upload, state=uploads.CONFIRMING, done=0, leased_until=None, confirmed_by=by),
    )


def remove(desk: Desk, upload_id: str) -> None:
    """Have a job that was not confirmed forgotten: gone for everybody at once, by the worker step by step.

    Raises:
        WrongState: It was confirmed.
    """
    upload = find(desk, upload_id)
    if upload.state in uploads.CONFIRMED_STATES:
        raise WrongState("a confirmed upload stays")
    desk.silent("nobody was told of the file")
    desk.uploads.save(replace(upload, state=uploads.REMOVING, done=0, leased_until=None))


def find(desk: Desk, upload_id: str) -> Upload:
    """Return the job.

    Raises:
        NoSuchThing: There is none of that id.
    """
    upload = desk.uploads.find(upload_id)
    if upload is None:
        raise NoSuchThing("no such upload")
    return upload


def lease(desk: Desk, upload_id: str) -> Upload | None:
    """Return the job with a new epoch, None when somebody else is at work on it or nothing is to do."""
    upload = desk.uploads.find_any(upload_id)
    if upload is None or upload.state not in uploads.WORK_TO_DO or _is_leased(upload, desk.now):
        return None
    return desk.uploads.save(replace(upload, epoch=upload.epoch + 1, leased_until=desk.now + LEASE))


def _is_leased(upload: Upload, now: datetime) -> bool:
    return upload.leased_until is not None and upload.leased_until > now


def fail(desk: Desk, held: Upload, fault: UnreadableFile) -> Upload:
    """Return the job ended by a fault of the file as a whole."""
    row = fault.faults[0].row if fault.faults else None
    upload = _mine(desk, held)
    failed = replace(upload, state=uploads.FAILED, fault=fault.detail, fault_row=row, leased_until=None)
    return desk.uploads.save(failed)


def read_part(part: Iterable[FileRow], mapping: FileMapping) -> list[CheckedRow]:
    """Return rows of a file as they are read."""
    found = []
    for row in part:
        read = read_row(row.line, row.cells, mapping)
        found.append(CheckedRow(row, read, nomination_key(read.record)))
    return found


def check_step(
    desk: Desk, held: Upload, part: Sequence[CheckedRow], total: int, earlier: Collection[str] | None = None
) -> Upload:
    """Return the job after `part`, its next rows (500 at most) of `total`, were checked.

    `earlier` are the keys of all rows before, where the caller has seen them; without it they are looked up.

    Raises:
        ConcurrentChange: The job is another worker's by now, or these rows were checked already.
    """
    upload = _mine(desk, held)
    if upload.done != held.done:
        raise ConcurrentChange("these rows were checked already")
    catalogue = desk.catalogue.courses()
    checked = _checked(desk, upload, part, catalogue, earlier)
    desk.uploads.add_rows(checked)
    counts = Counter(upload.counts)
    counts.update(row.decision for row in checked)
    done = upload.done + len(part)
    after = replace(
        upload,
        done=done,
        total=total,
        counts=dict(counts),
        fault_counts=uploads.counted(upload.fault_counts, [(row.line, row.faults) for row in checked]),
        leased_until=desk.now + LEASE,
    )
    if upload.sending.mode == uploads.SNAPSHOT:
        after = _named(after, checked, catalogue)
    if done >= total:
        after = _after_checking(after)
    return desk.uploads.save(after)


def _named(upload: Upload, checked: Sequence[UploadRow], catalogue: Catalogue) -> Upload:
    """Return a snapshot with the cohorts that these rows name, and the first row that does not say whom it names."""
    records = [row.record for row in checked]
    nameless = next((row.line for row in checked if not row.record.employee_ref), None)
    found = {
        ScopeCohort(record.course, record.intake)
        for record in records
        if record.course and record.intake and record.course in catalogue
        if record.intake in catalogue[record.course].cohorts
    }
    scope = upload.scope if upload.sending.cohort else tuple(sorted({*upload.scope, *found}))
    return replace(upload, scope=scope, nameless_line=upload.nameless_line or nameless)


def _after_checking(upload: Upload) -> Upload:
    if upload.nameless_line is not None:
        sentence = (
            f"row {upload.nameless_line} does not say which employee it names, so nobody can tell whom this snapshot "
            "leaves out: correct it, or send the file as a delta"
        )
        return replace(upload, state=uploads.FAILED, fault=sentence, fault_row=upload.nameless_line, leased_until=None)
    if snapshots.needs_comparing(upload):
        return replace(upload, state=uploads.COMPARING)
    return replace(upload, state=uploads.CHECKED, leased_until=None)


def _checked(
    desk: Desk, upload: Upload, part: Sequence[CheckedRow], catalogue: Catalogue, earlier: Collection[str] | None
) -> list[UploadRow]:
    same = References(desk, [row.read.record for row in part])
    good = list(dict.fromkeys(key for row in part if not row.read.faults for key in same.keys(row.read.record)))
    taken = desk.nominations.known(good)
    known = {key: each.fingerprint for key, each in taken.items()}
    seen = [key for key in good if key not in known and (earlier is None or key in earlier)]
    known |= desk.uploads.taken_in(upload.upload_id, seen)
    standing = standings.of_nominated(desk, [row.read.record for row in part], catalogue)
    erased = barred(desk, [row.read for row in part])
    checked: list[UploadRow] = []
    for index, row in enumerate(part, start=upload.done):
        reference = row.read.record.employee_ref
        read, key = same.as_taken(row.read, known)
        stands = taken[key].mark_for(fingerprint(read.record)) if key in taken else known.get(key)
        told = _verdict(CheckedRow(row.source, read, row.key), catalogue, stands, standing.get(reference))
        verdict = ERASED_VERDICT if reference in erased else told
        mark = fingerprint(row.read.record)
        if verdict.decision == ACCEPTED:
            known[row.key] = mark
        kept = UploadRow(
            upload_id=upload.upload_id,
            index=index,
            line=row.read.line,
            record=row.read.record,
            faults=verdict.faults,
            decision=verdict.decision,
            codes=verdict.codes,
            key=row.key,
            fingerprint=mark,
            cells={name: _shown(cell) for name, cell in row.source.cells.items()},
        )
        if reference in erased:  # nothing of what the row said of an erased person is kept again
            kept = replace(kept, record=Record(), key="", fingerprint="", cells={})
        checked.append(kept)
    return checked


def _verdict(row: CheckedRow, catalogue: Catalogue, taken: str | None, standing: Standing | None) -> Verdict:
    """Return what becomes of a row. One that ends something needs no more than to say what; a snapshot leaves it out.

    Its other cells may be empty: whoever deletes a person often sends nothing else of them.
    """
    if not row.source.is_ended:
        return decide(row.read, catalogue, taken, standing)
    needed = {"employee_ref", "course", "intake"}
    faults = tuple(fault for fault in row.read.faults if fault.field in needed)
    return Verdict(REFUSED, faults) if faults else Verdict(uploads.ENDING)


def import_step(desk: Desk, held: Upload) -> Upload:
    """Return the job after up to 250 more rows were imported.

    Rows that were found good are decided again, by what is known now; the others stay as the employer saw them. One
    that is as good as before is not written again: its nomination knows the enrolment (`queries.upload_rows`).
    """
    upload = _mine(desk, held)
    part = desk.uploads.rows(upload.upload_id, upload.done, uploads.IMPORTED_PER_STEP)
    good = [row for row in part if row.decision == ACCEPTED]
    outcomes = take(desk, [ReadRow(row.line, row.record) for row in good], nominated_by=upload.confirmed_by)
    counts = Counter(upload.counts)
    changed: list[UploadRow] = []
    refused = [(row.line, outcome.verdict.faults) for row, outcome in zip(good, outcomes, strict=True)]
    for row, outcome in zip(good, outcomes, strict=True):
        counts[ACCEPTED] -= 1
        counts[outcome.verdict.decision] += 1
        if outcome.verdict != Verdict(row.decision, row.faults):
            told, became = outcome.verdict, outcome.enrolment_id
            new = replace(row, decision=told.decision, codes=told.codes, faults=told.faults, enrolment_id=became)
            changed.append(new)
    desk.uploads.save_rows(changed)
    done = upload.done + len(part)
    fault_counts = uploads.counted(upload.fault_counts, refused)
    after = replace(upload, done=done, counts=dict(counts), fault_counts=fault_counts, leased_until=desk.now + LEASE)
    if done >= upload.total and upload.to_withdraw:
        after = replace(after, state=uploads.WITHDRAWING, done=0)
    elif done >= upload.total:
        after = replace(after, state=uploads.COMPLETED, leased_until=None)
    return desk.uploads.save(after)


def compare_step(desk: Desk, held: Upload) -> Upload:
    """Return the job after one more part of what it may end was looked at."""
    return snapshots.compare_step(desk, _mine(desk, held), LEASE)


def withdraw_step(desk: Desk, held: Upload) -> Upload:
    """Return the job after more of what it ends was withdrawn."""
    return snapshots.withdraw_step(desk, _mine(desk, held), LEASE)


def remove_step(desk: Desk, held: Upload) -> Upload | None:
    """Return the job after 500 more of its rows were forgotten, None when nothing of it is left."""
    upload = _mine(desk, held)
    desk.uploads.remove_rows(upload.upload_id, upload.done, uploads.REMOVED_PER_STEP)
    done = upload.done + uploads.REMOVED_PER_STEP
    if done >= max(sum(upload.counts.values()), upload.to_withdraw):
        desk.uploads.remove(upload.upload_id)
        return None
    return desk.uploads.save(replace(upload, done=done, leased_until=desk.now + LEASE))


def _mine(desk: Desk, held: Upload) -> Upload:
    """Return the job as it stands.

    Raises:
        ConcurrentChange: Another worker has taken it since.
    """
    upload = desk.uploads.find_any(held.upload_id)
    if upload is None or upload.epoch != held.epoch or upload.state != held.state:
        raise ConcurrentChange("another worker has this upload now")
    return upload


def _shown(cell: Cell) -> str:
    """Return a cell as the employer's own file showed it, for `errors.csv`."""
    if isinstance(cell, str) and cell.isascii() and len(cell) <= _LONGEST_SHOWN:
        return cell  # most are
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    text = cell.isoformat() if isinstance(cell, date) else "" if cell is None else str(cell)
    text = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    return text.encode("utf-8", "replace").decode("utf-8")  # JSON can spell half a character, which nothing can keep
