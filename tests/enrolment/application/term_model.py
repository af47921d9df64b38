"""What the lifecycle with seats must do, as a model that shares no code with it: a plain list, and a status each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

OPEN = ("nominated", "requested", "waiting", "offered", "confirmed", "started", "deferred")
WHERE: dict[str, tuple[tuple[str, ...], str]] = {
    "approve": (("nominated",), "requested"),
    "refuse": (("nominated",), "refused"),
    "accept": (("offered",), "confirmed"),
    "decline_offer": (("offered",), "withdrawn"),
    "start": (("confirmed",), "started"),
    "defer": (("confirmed", "started"), "deferred"),
    "resume": (("deferred",), "confirmed or started"),
    "complete": (("confirmed", "started", "deferred"), "completed"),
    "withdraw": (OPEN, "withdrawn"),
    "give_over": (("waiting", "offered", "confirmed", "started", "deferred"), "transferred"),
    "change_route": (OPEN, ""),
    "sponsor": ((*OPEN, "completed"), ""),
}
"""What may be asked for: in which states, and the state that it leads to; none where it changes no state."""
SEATED = ("offered", "confirmed", "started", "deferred", "completed")


@dataclass
class Known:
    """What the model knows of one enrolment."""

    employer: str
    status: str
    has_started: bool = False
    deferred: int = 0
    given_to: str | None = None
    taken_on: bool = False


@dataclass
class Queue:
    """The cohort's owner as a plain list: [enrolment, employer, state], in the order of arrival."""

    capacity: int
    at_most: dict[str, int]
    reserved: dict[str, int]
    closed: bool = False
    places: list[list[str]] = field(default_factory=list)
    handovers: dict[str, dict[str, Any]] = field(default_factory=dict)
    gone_early: set[str] = field(default_factory=set)

    def taken(self, employer: str | None = None) -> int:
        """Return how many seats are taken, of one employer or of all."""
        return sum(state == "seat" and employer in (None, whose) for _, whose, state in self.places)

    def could_sit(self, employer: str) -> bool:
        """Return whether that employer may have one more seat."""
        kept = sum(max(0, n - self.taken(other)) for other, n in self.reserved.items() if other != employer)
        return self.taken() + kept < self.capacity and self.taken(employer) < self.at_most.get(employer, 10**6)

    def fill(self) -> None:
        """Give seats to the first who may have one, until nobody may."""
        while head := next((p for p in self.places if p[2] == "waiting" and self.could_sit(p[1])), None):
            head[2] = "seat"

    def ask(self, enrolment: str, employer: str) -> None:
        """Take a request."""
        if self.closed or enrolment in self.gone_early or any(p[0] == enrolment for p in self.places):
            return
        self.places.append([enrolment, employer, "waiting"])
        self.fill()

    def leave(self, enrolment: str) -> None:
        """Free a place, or remember that it was given up before it was asked for."""
        found = [p for p in self.places if p[0] == enrolment]
        if not found:
            self.gone_early.add(enrolment)
        for place in found:
            place[2] = "left"
        self.fill()

    def hand_over(self, old: str, **said: Any) -> None:  # noqa: ANN401
        """Hear one side of a transfer; both have spoken: decide."""
        heard = self.handovers.setdefault(old, {"to": None, "taken": {}, "refused": set(), "over": False})
        heard["to"] = said.get("to", heard["to"])
        heard["taken"].update(said.get("taken", {}))
        heard["refused"] |= set(said.get("refused", ()))
        for employer, new in said.get("taken", {}).items() if heard["over"] else ():
            self.ask(new, employer)  # too late: a request of its own
        if heard["over"] or heard["to"] is None:
            return
        if heard["to"] in heard["taken"]:
            heard["over"] = True
            self._move(old, heard["to"], heard["taken"][heard["to"]])
        elif heard["to"] in heard["refused"]:
            heard["over"] = True
            self.leave(old)

    def lapse(self) -> None:
        """Give back every place that was given over and that nobody has taken on."""
        for old, heard in self.handovers.items():
            if heard["to"] is not None and not heard["over"]:
                heard["over"] = True
                self.leave(old)

    def _move(self, old: str, employer: str, new: str) -> None:
        place = next((p for p in self.places if p[0] == old and p[2] in ("seat", "waiting")), None)
        if place is None or new in self.gone_early:
            if place is not None:
                self.leave(old)
            else:
                self.ask(new, employer)
            return
        state, place[2] = place[2], "left"
        seat = state == "seat" and self.could_sit(employer)
        self.places.insert(self.places.index(place), [new, employer, "seat" if seat else "waiting"])
        self.fill()
