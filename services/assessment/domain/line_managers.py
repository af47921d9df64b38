"""Who was a person's line manager on a given day. Opaque ids only; names stay with enrolment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Assignment:
    """From `from_on`, that day included, `line_manager_id` is the line manager; None: there is none."""

    from_on: date
    line_manager_id: str | None


@dataclass(frozen=True, slots=True)
class LineManagers:
    """A person's dated history of line managers, oldest first.

    Source: BR-7 (the line manager on the observation's date), partnership data rules ("from" includes the day).
    """

    history: tuple[Assignment, ...] = ()

    def assigned(self, assignment: Assignment) -> LineManagers:
        """Return the history with `assignment`; one of the same day replaces what was said before."""
        kept = [known for known in self.history if known.from_on != assignment.from_on]
        return LineManagers(tuple(sorted([*kept, assignment], key=lambda known: known.from_on)))

    def on(self, day: date) -> str | None:
        """Return the line manager of `day`, None when there was none.

        Days before the first assignment have the first line manager: nothing earlier is known, and a late start
        date must not turn the manager's own observation into an independent one.
        """
        if not self.history:
            return None
        current = self.history[0]
        for assignment in self.history:
            if assignment.from_on <= day:
                current = assignment
        return current.line_manager_id
