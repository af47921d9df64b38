"""What the states of files, kinds of fault and fields are called in pages. Words only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from services.enrolment.application import uploads
from services.enrolment.application.uploads import FaultCount, Upload
from services.enrolment.domain import records
from services.enrolment.domain.errors import FileTooLarge
from services.enrolment.domain.field_list import BY_NAME
from services.enrolment.domain.heading_matching import NAME_COLUMN
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.records import RowFault
from services.enrolment.domain.text_files import MOST_BYTES, MOST_ROWS
from shared.errors import PlatformError

STATES: Final[Mapping[str, tuple[str, str]]] = {
    uploads.MAPPING: ("Columns to match", "yellow"),
    uploads.CHECKING: ("Being checked", "light-blue"),
    uploads.COMPARING: ("Being checked", "light-blue"),
    uploads.CHECKED: ("Ready to confirm", "yellow"),
    uploads.HELD: ("Waits for a second person", "orange"),
    uploads.CONFIRMING: ("Being added", "light-blue"),
    uploads.WITHDRAWING: ("Being added", "light-blue"),
    uploads.COMPLETED: ("Done", "green"),
    uploads.FAILED: ("Could not be read", "red"),
}
DECISIONS: Final[Mapping[str, tuple[str, str]]] = {
    "accepted": ("Can be added", "green"),
    "duplicate": ("Already known", "grey"),
    "refused": ("Has errors", "red"),
    uploads.ENDING: ("Ends an enrolment", "orange"),
}
NOUNS: Final[Mapping[str, tuple[str, str]]] = {
    "employee_ref": ("employee reference", "employee references"),
    "given_name": ("given name", "given names"),
    "family_name": ("family name", "family names"),
    "email": ("e-mail address", "e-mail addresses"),
    "date_of_birth": ("date of birth", "dates of birth"),
    "swe_number": ("Social Work England number", "Social Work England numbers"),
    "job_title": ("job title", "job titles"),
    "team": ("team", "teams"),
    "pcf_level": ("PCF level", "PCF levels"),
    "line_manager_ref": ("line manager’s reference", "line managers’ references"),
    "employment_start": ("employment start", "employment starts"),
    "fte": ("full-time equivalent", "full-time equivalents"),
    "course": ("course", "courses"),
    "intake": ("intake", "intakes"),
    "route": ("route", "routes"),
    "manager_approved_on": ("day of the manager’s approval", "days of the manager’s approval"),
    "prerequisite_on": ("day on which the prerequisite was met", "days on which the prerequisite was met"),
}
_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    records.MISSING_VALUE: ("add {n} {noun}", "add {n} {noun}"),
    records.MANAGER_APPROVAL_MISSING: ("add {n} {noun}", "add {n} {noun}"),
    records.PREREQUISITE_MISSING: ("add {n} {noun}", "add {n} {noun}"),
    records.UNKNOWN_COURSE: ("correct {n} course that nobody offers", "correct {n} courses that nobody offers"),
    records.UNKNOWN_COHORT: (
        "correct {n} intake that its course does not have",
        "correct {n} intakes that their courses do not have",
    ),
    records.COHORT_CLOSED: ("choose another intake for {n} row", "choose another intake for {n} rows"),
    records.LEVEL_MISMATCH: (
        "look at {n} PCF level that the course is not for",
        "look at {n} PCF levels that the course is not for",
    ),
    records.ROUTE_NOT_OFFERED: (
        "correct {n} route that the course does not offer",
        "correct {n} routes that the course does not offer",
    ),
    records.CONFLICTING_DUPLICATE: (
        "look at {n} person who is nominated already, with other details",
        "look at {n} people who are nominated already, with other details",
    ),
    records.SEQUENCE_NOT_MET: (
        "look at {n} person who needs another course first",
        "look at {n} people who need another course first",
    ),
    records.ROLE_NOT_ELIGIBLE: (
        "look at {n} person whose role the course is not for",
        "look at {n} people whose role the course is not for",
    ),
    records.NOT_OPEN_TO_EMPLOYER: (
        "choose another course for {n} row: this one is not open to your organisation",
        "choose another course for {n} rows: theirs is not open to your organisation",
    ),
    records.PCF_RATING_MISSING: (
        "look at {n} person whose self-audit is missing",
        "look at {n} people whose self-audits are missing",
    ),
}
_FIX: Final = ("fix {n} {noun}", "fix {n} {noun}")


def title(field: str) -> str:
    """Return what a field is called, a whole name too."""
    if field == NAME_COLUMN:
        return "Whole name"
    return BY_NAME[field].title if field in BY_NAME else field


def lower_title(field: str) -> str:
    """Return what a field is called in the middle of a sentence."""
    name = title(field)
    return name if name.split()[0] in ("PCF", "Social") else name[:1].lower() + name[1:]


def to_fix(found: FaultCount) -> str:
    """Return what to do about one kind of fault: `fix 3 dates of birth`."""
    return kind_to_fix(found.code, found.field, found.count)


def kind_to_fix(code: str, field: str, count: int) -> str:
    """Return what to do about `count` rows with one kind of fault."""
    one, many = _KINDS.get(code, _FIX)
    noun = NOUNS.get(field, ("value", "values"))[count != 1]
    return (one if count == 1 else many).format(n=f"{count:,}", noun=noun)


def sentence(text: str) -> str:
    """Return a text as a sentence."""
    text = text.strip()
    return text if not text else text[0].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def fault_sentence(fault: RowFault) -> str:
    """Return what to do about one fault: an empty cell is said by what belongs into it."""
    if fault.code == records.MISSING_VALUE and fault.field in NOUNS:
        noun = NOUNS[fault.field][0]
        return f"Enter {'an' if noun[0] in 'aeio' else 'a'} {noun}."
    return sentence(fault.detail)


def counted(number: int, one: str, many: str) -> str:
    """Return a number with what it counts: `1,204 rows`."""
    return f"{number:,} {one if number == 1 else many}"


def confirming(added: int, withdrawn: int) -> str:
    """Return what a button does that confirms a file."""
    adding = [f"add {counted(added, 'nomination', 'nominations')}"] if added else []
    ending = [f"withdraw {counted(withdrawn, 'enrolment', 'enrolments')}"] if withdrawn else []
    return f"Confirm and {' and '.join([*adding, *ending])}"


def listed(names: Sequence[str], most: int = 20) -> str:
    """Return names as a list in a sentence: `‘Email’, ‘Team’ and 3 more`."""
    shown = [f"‘{name[:100]}’" for name in names[:most]]
    rest = [f"{len(names) - most} more"] if len(names) > most else []
    parts = [*shown, *rest]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def file_refused(error: PlatformError) -> str:
    """Return what is wrong with a file as a whole, as something to do."""
    if isinstance(error, FileTooLarge):
        return f"We can read up to {MOST_ROWS:,} rows and {MOST_BYTES // 2**20} MB at once. Send the file in parts."
    return sentence(error.detail)


def columns_expected(mapping: FileMapping, found: Sequence[str]) -> str:
    """Return which columns a file needs and which it has."""
    needed = [heading for name, heading in mapping.headings.items() if mapping.columns or name in records.REQUIRED]
    return f"It needs columns called {listed(needed)}. Right now it has columns called {listed(found)}."


def declared_as(upload: Upload) -> str:
    """Return what the sender declared the file to be."""
    if upload.sending.mode == uploads.DELTA:
        return "New and changed nominations only"
    if upload.sending.cohort is not None:
        cohort = upload.sending.cohort
        return f"The complete list of your people on {cohort.course}, intake {cohort.intake}"
    return "The complete list of your people on every course and intake that the file names"
