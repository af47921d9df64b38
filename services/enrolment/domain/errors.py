"""What enrolment says no to. Only errors live here; each has a stable slug."""

from __future__ import annotations

from typing import ClassVar

from shared.errors import Conflict, Fault, Forbidden, Malformed, NotFound, RuleBroken


class UnreadableFile(Malformed):
    """The file as a whole cannot be read; nothing of it was taken."""

    slug: ClassVar[str] = "unreadable-file"


class WrongFileType(UnreadableFile):
    """The content is not of the type that this employer's mapping or the name says."""

    slug: ClassVar[str] = "wrong-file-type"


class FileTooLarge(UnreadableFile):
    """The file has more bytes or rows than one upload may have."""

    slug: ClassVar[str] = "file-too-large"


class RecordRefused(RuleBroken):
    """The nomination cannot be taken; its faults say why, in the contract's order."""

    slug: ClassVar[str] = "record-refused"


class NoSuchThing(NotFound):
    """No such resource in this organisation."""

    slug: ClassVar[str] = "not-found"


class WrongState(Conflict):
    """What was asked does not fit the state that the thing is in."""

    slug: ClassVar[str] = "wrong-state"


class RuleSaysNo(RuleBroken):
    """A rule of courses, cohorts or enrolments forbids it.

    `about` names the one thing said that the rule is about, where there is one (`withdrawn_on`): callers find it as the
    pointer of the problem, people at that field of the form.
    """

    slug: ClassVar[str] = "enrolment-rule"

    def __init__(self, detail: str, *, about: str = "") -> None:
        faults = (Fault(self.slug, detail, pointer=f"/{about}"),) if about else ()
        super().__init__(detail, faults=faults)


class PersonErased(Conflict):
    """The person of this reference was erased, and nobody said that they are back."""

    slug: ClassVar[str] = "person-erased"


class SamePerson(Forbidden):
    """Two steps that are two people's were asked for by one."""

    slug: ClassVar[str] = "same-person"
