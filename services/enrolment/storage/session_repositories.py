"""The programme lead's session plans, and who attended."""

from __future__ import annotations

from dataclasses import replace

from services.enrolment.domain.sessions import Attendance, Session
from services.enrolment.storage.documents import document_of, value_of
from services.enrolment.storage.keeping import following, keep_version
from shared.storage.unit_of_work import Reading


class StoredSessions:
    """Sessions by cohort and code; attendance by session and enrolment."""

    def __init__(self, reading: Reading) -> None:
        self._rows = reading.rows("sessions")
        self._attendance = reading.rows("attendance")

    def find(self, course: str, intake: str, session: str) -> Session | None:
        """Return the session, or None."""
        found = self._rows.find_one({"_id": f"{course}/{intake}/{session}"})
        return value_of(found, Session) if found else None

    def page(self, course: str, intake: str, after: str | None, limit: int) -> list[Session]:
        """Return a cohort's sessions in order of their codes."""
        wanted = {"cohort": f"{course}/{intake}", **following(after and f"{course}/{intake}/{after}")}
        return [value_of(found, Session) for found in self._rows.find(wanted, sort=[("_id", 1)], limit=limit)]

    def save(self, session: Session) -> Session:
        """Keep the session as its next version and return that."""
        kept = replace(session, version=session.version + 1)
        keep_version(self._rows, document_of(kept, _name(kept), cohort=f"{kept.course}/{kept.intake}"))
        return kept

    def attendance(self, session: Session, enrolment_id: str) -> Attendance | None:
        """Return what is recorded of one person at one session, or None."""
        found = self._attendance.find_one({"_id": f"{_name(session)}/{enrolment_id}"})
        return value_of(found, Attendance) if found else None

    def attendance_page(self, session: Session, after: str | None, limit: int) -> list[Attendance]:
        """Return what is recorded of one session, in order of enrolments."""
        wanted = {"place": _name(session), **following(after and f"{_name(session)}/{after}")}
        return [value_of(found, Attendance) for found in self._attendance.find(wanted, sort=[("_id", 1)], limit=limit)]

    def attendance_of(self, enrolment_id: str) -> list[Attendance]:
        """Return what is recorded of one enrolment, in order of sessions."""
        found = self._attendance.find({"enrolment_id": enrolment_id}, sort=[("_id", 1)])
        return [value_of(row, Attendance) for row in found]

    def save_attendance(self, attendance: Attendance) -> Attendance:
        """Keep what is recorded as its next version and return that."""
        kept = replace(attendance, version=attendance.version + 1)
        name = f"{kept.course}/{kept.intake}/{kept.session}"
        keep_version(self._attendance, document_of(kept, f"{name}/{kept.enrolment_id}", place=name))
        return kept


def _name(session: Session) -> str:
    return f"{session.course}/{session.intake}/{session.session}"
