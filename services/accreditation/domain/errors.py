"""What accreditation refuses, each with a slug that stays for ever.

Only error types live here. Texts carry ids and rules, never names or marks.
"""

from __future__ import annotations

from shared.errors import Conflict, Forbidden, NotFound, RuleBroken


class NoSuchModule(NotFound):
    """The university has no shell module of that code."""

    slug = "no-such-module"


class NoSuchInstance(NotFound):
    """The university has no module instance of that id."""

    slug = "no-such-instance"


class NoSuchRegistration(NotFound):
    """The university has no registration of that id."""

    slug = "no-such-registration"


class NoSuchBoard(NotFound):
    """The university has no board of that id."""

    slug = "no-such-board"


class NotWhole(RuleBroken):
    """A figure of a module is outside what a module may have."""

    slug = "module-figure-out-of-range"


class CodeNotAllowed(RuleBroken):
    """A module's code is letters, digits, dots, hyphens and underscores, at most 64."""

    slug = "module-code-not-allowed"


class ModuleInUse(Conflict):
    """Credits, level and pass mark stay once a run of the module has been proposed."""

    slug = "module-in-use"


class NotADeliveringPartner(Forbidden):
    """Only a delivering partner, or the university itself, proposes a run of a module."""

    slug = "not-a-delivering-partner"


class UnknownPartner(RuleBroken):
    """Delivery may only name organisations of the partnership."""

    slug = "unknown-partner"


class AlreadyProposed(Conflict):
    """That course and intake already has a live instance of this module."""

    slug = "instance-already-proposed"


class AlreadyDecided(Conflict):
    """The instance has been approved or refused otherwise before."""

    slug = "instance-already-decided"


class NotRegistered(Conflict):
    """The candidate's identity has not arrived yet: there is nobody to register."""

    slug = "not-registered-yet"


class Withdrawn(Conflict):
    """The enrolment was withdrawn: no work, mark or credit can follow."""

    slug = "registration-withdrawn"


class AlreadySubmitted(Conflict):
    """Other work has been handed in for this registration."""

    slug = "work-already-submitted"


class NothingSubmitted(Conflict):
    """There is no work to mark."""

    slug = "nothing-submitted"


class MarkAlreadySet(Conflict):
    """A mark of that kind stands; it is corrected by a new decision, never overwritten."""

    slug = "mark-already-set"


class MarkFrozen(Conflict):
    """A board has ratified: the marks of this registration stand."""

    slug = "mark-ratified"


class MarkOutOfRange(RuleBroken):
    """A mark is a whole number from 0 to 100."""

    slug = "mark-out-of-range"


class FirstMarkMissing(Conflict):
    """A second or agreed mark needs a first mark."""

    slug = "first-mark-missing"


class SameMarker(Forbidden):
    """The first marker may not also agree the mark."""

    slug = "same-marker"


class MarkerMayNotRatify(Forbidden):
    """Whoever marked work before this board may not ratify it."""

    slug = "marker-may-not-ratify"


class InstanceRefused(Conflict):
    """A refused instance has no board."""

    slug = "instance-refused"


class BoardNotHeld(RuleBroken):
    """A board decides on the day on which it sits: nothing is awarded from a day to come."""

    slug = "board-not-held"


class BoardTooLarge(RuleBroken):
    """One board's decision is one commit: it takes only so many registrations."""

    slug = "board-too-large"
