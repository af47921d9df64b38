"""Uploaded files, step by step: taken in, checked 500 rows at a time, confirmed, imported 250 at a time.

Each step is one transaction that also moves the job on, guarded by the worker's epoch: a worker that died is followed
by one that begins where the last commit stopped, and one that merely slept finds itself fenced.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from services.enrolment.application import uploads
from services.enrolment.application.ports import Desk, ReadFile
from services.enrolment.application.taking import take
from services.enrolment.application.uploads import Upload, UploadRow
from services.enrolment.domain.decisions import ACCEPTED, Verdict, decide
from services.enrolment.domain.errors import FileTooLarge, NoSuchThing, UnreadableFile, WrongState
from services.enrolment.domain.mapping import Cell, FileMapping, read_row
from services.enrolment.domain.records import ReadRow, fingerprint, nomination_key
from services.enrolment.domain.text_files import MOST_BYTES, FileRow
from shared.errors import ConcurrentChange

LEASE = timedelta(seconds=20)
CHECKED_AT_THE_DOOR_BYTES = 256 * 1024
_SHOWN_NAME = 120
_LONGEST_SHOWN = 1000  # no value is longer than 500: a cell beyond that is refused, and shown by its beginning


def receive(desk: Desk, content: bytes, content_id: str, filename: str, mapping: FileMapping) -> tuple[Upload, bool]:
    """Return the job of an uploaded file, kept as `content_id`, and whether it is new.

    The same content that is still being worked on is the same job; content that was completed before is recognised
    (`same_as`), and its rows will be duplicates.

    Raises:
        FileTooLarge: More than one upload may have.
    """
    if len(content) > MOST_BYTES:
        raise FileTooLarge(f"the file has more than {MOST_BYTES // 2**20} MiB; send it in parts")
    digest = hashlib.sha256(content).hexdigest()
    before = [known for known in desk.uploads.same_file(digest) if known.state != uploads.FAILED]
    unfinished = [known for known in before if known.state != uploads.COMPLETED and known.mapping == mapping]
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
    )
    desk.silent("a file is the employer's own until its rows are taken")
    desk.uploads.add(upload)
    return upload, True


def refuse_at_the_door(content: bytes, mapping: FileMapping, read: ReadFile) -> None:
    """Raise what is wrong with a small file as a whole, at once; a large one is left to the worker."""
    if len(content) <= CHECKED_AT_THE_DOOR_BYTES:
        for _ in read(content, mapping):
            pass


def confirm(desk: Desk, upload_id: str) -> Upload:
    """Return the job on its way into the enrolments; confirming twice is confirming once.

    Raises:
        WrongState: It is still being checked, or could not be read.
    """
    upload = find(desk, upload_id)
    if upload.state in (uploads.CONFIRMING, uploads.COMPLETED):
        return upload
    if upload.state != uploads.CHECKED:
        raise WrongState(f"an upload that is {upload.state} cannot be confirmed")
    desk.silent("each row is told when the worker takes it")
    return desk.uploads.save(replace(upload, state=uploads.CONFIRMING, done=0, leased_until=None))


def remove(desk: Desk, upload_id: str) -> None:
    """Have a job that was not confirmed forgotten: gone for everybody at once, by the worker step by step.

    Raises:
        WrongState: It was confirmed.
    """
    upload = find(desk, upload_id)
    if upload.state in (uploads.CONFIRMING, uploads.COMPLETED):
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


def check_step(desk: Desk, held: Upload, part: Sequence[FileRow], total: int) -> Upload:
    """Return the job after `part`, its next rows (500 at most) of `total`, were checked.

    Raises:
        ConcurrentChange: The job is another worker's by now, or these rows were checked already.
    """
    upload = _mine(desk, held)
    if upload.done != held.done:
        raise ConcurrentChange("these rows were checked already")
    checked = _checked(desk, upload, part)
    desk.uploads.add_rows(checked)
    counts = Counter(upload.counts)
    counts.update(row.decision for row in checked)
    done = upload.done + len(part)
    after = replace(
        upload,
        done=done,
        total=total,
        counts=dict(counts),
        leased_until=desk.now + LEASE,
    )
    if done >= total:
        after = replace(after, state=uploads.CHECKED, leased_until=None)
    return desk.uploads.save(after)


def _checked(desk: Desk, upload: Upload, part: Sequence[FileRow]) -> list[UploadRow]:
    read = [read_row(row.line, row.cells, upload.mapping) for row in part]
    keys = [nomination_key(row.record) for row in read]
    good = list(dict.fromkeys(key for key, row in zip(keys, read, strict=True) if not row.faults))
    known = {key: taken.fingerprint for key, taken in desk.nominations.known(good).items()}
    known |= desk.uploads.taken_in(upload.upload_id, [key for key in good if key not in known])
    catalogue = desk.catalogue.courses()
    checked: list[UploadRow] = []
    for index, (row, source, key) in enumerate(zip(read, part, keys, strict=True), start=upload.done):
        verdict = decide(row, catalogue, known.get(key))
        mark = fingerprint(row.record)
        if verdict.decision == ACCEPTED:
            known[key] = mark
        kept = UploadRow(
            upload_id=upload.upload_id,
            index=index,
            line=row.line,
            record=row.record,
            faults=verdict.faults,
            decision=verdict.decision,
            codes=verdict.codes,
            key=key,
            fingerprint=mark,
            cells={name: _shown(cell) for name, cell in source.cells.items()},
        )
        checked.append(kept)
    return checked


def import_step(desk: Desk, held: Upload) -> Upload:
    """Return the job after up to 250 more rows were imported.

    Rows that were found good are decided again, by what is known now; the others stay as the employer saw them.
    """
    upload = _mine(desk, held)
    part = desk.uploads.rows(upload.upload_id, upload.done, uploads.IMPORTED_PER_STEP)
    good = [row for row in part if row.decision == ACCEPTED]
    outcomes = take(desk, [ReadRow(row.line, row.record) for row in good])
    counts = Counter(upload.counts)
    changed: list[UploadRow] = []
    for row, outcome in zip(good, outcomes, strict=True):
        counts[ACCEPTED] -= 1
        counts[outcome.verdict.decision] += 1
        changed.append(_decided(row, outcome.verdict, outcome.enrolment_id))
    desk.uploads.save_rows(changed)
    done = upload.done + len(part)
    after = replace(upload, done=done, counts=dict(counts), leased_until=desk.now + LEASE)
    if done >= upload.total:
        after = replace(after, state=uploads.COMPLETED, leased_until=None)
    return desk.uploads.save(after)


def remove_step(desk: Desk, held: Upload) -> Upload | None:
    """Return the job after 500 more of its rows were forgotten, None when nothing of it is left."""
    upload = _mine(desk, held)
    desk.uploads.remove_rows(upload.upload_id, upload.done, uploads.REMOVED_PER_STEP)
    done = upload.done + uploads.REMOVED_PER_STEP
    if done >= sum(upload.counts.values()):
        desk.uploads.remove(upload.upload_id)
        return None
    return desk.uploads.save(replace(upload, done=done, leased_until=desk.now + LEASE))


def _decided(row: UploadRow, verdict: Verdict, enrolment_id: str | None) -> UploadRow:
    return replace(
        row, decision=verdict.decision, codes=verdict.codes, faults=verdict.faults, enrolment_id=enrolment_id
    )


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
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    text = cell.isoformat() if isinstance(cell, date) else "" if cell is None else str(cell)
    text = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    return text.encode("utf-8", "replace").decode("utf-8")  # JSON can spell half a character, which nothing can keep
