"""The bodies of the task list, its feed, the notices and their settings."""

from __future__ import annotations

from services.enrolment.domain.notices import STATES
from services.enrolment.domain.tasks import KINDS, MOST_COUNTED, ROLES
from shared.http import Choice, CivilDate, Flag, Items, Part, StrictSchema, Text, Whole

_NAMES = tuple(kind.name for kind in KINDS)
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+"


class StandingOut(StrictSchema):
    """One kind of task and how it stands."""

    kind = Choice(_NAMES, required=True)
    title = Text(required=True)
    count = Whole(most=MOST_COUNTED, required=True)
    is_more = Flag(required=True, metadata={"description": f"There are more than {MOST_COUNTED}."})
    oldest = CivilDate(required=True, allow_none=True)
    age_days = Whole(required=True, allow_none=True)
    href = Text(required=True, longest=500)


class TasksOut(StrictSchema):
    """A task list: every kind of the asker's roles, those with nothing to do too."""

    on = CivilDate(required=True)
    tasks = Items(Part(StandingOut), required=True)


class OpenTaskOut(StrictSchema):
    """One single thing that waits."""

    id = Text(required=True, longest=500)
    kind = Choice(_NAMES, required=True)
    since = CivilDate(required=True, allow_none=True)
    due = CivilDate(required=True, allow_none=True)
    href = Text(required=True, longest=500)


class NoticeSettings(StrictSchema):
    """To which addresses each role's digest is sent; none: no e-mail."""

    addresses = Part(
        StrictSchema.from_dict(
            {role: Items(Text(longest=254, pattern=_ADDRESS), most=20, load_default=list) for role in ROLES},
            name="NoticeAddresses",
        ),
        required=True,
    )


class NoticeOut(StrictSchema):
    """One role's digest of one day and what became of it."""

    id = Text(required=True)
    role = Choice(ROLES, required=True)
    day = CivilDate(required=True)
    state = Choice(STATES, required=True)
    tries = Whole(required=True)


TASKS_OUT = TasksOut()
OPEN_TASK_OUT = OpenTaskOut()
NOTICE_SETTINGS = NoticeSettings()
NOTICE_OUT = NoticeOut()
