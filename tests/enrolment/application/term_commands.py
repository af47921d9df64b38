"""How each step of a term is asked for: by name, as the employer's desk asks for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import count
from typing import Any

from services.enrolment.application import commands, handlers, transfers
from services.enrolment.domain.enrolment_parts import Sponsorship

EMPLOYERS = ("brent", "ealing", "harrow")
DAY = date(2025, 9, 1)
RELEASE = count(1)


def _other_route(desk: Any, name: str) -> str:  # noqa: ANN401
    routes = {"practice_only": "practice_and_academic", "practice_and_academic": "practice_only"}
    return routes[handlers.of_employer(desk, name).route]


ASK: dict[str, Callable[[Any, str, str], object]] = {
    "approve": lambda desk, name, _: handlers.approve(desk, commands.Approve(name, by="second")),
    "refuse": lambda desk, name, _: handlers.refuse(desk, commands.Refuse(name, by="second", reason="no_funding")),
    "accept": lambda desk, name, _: handlers.accept_offer(desk, name),
    "decline_offer": lambda desk, name, _: handlers.decline_offer(desk, commands.DeclineOffer(name, "workload")),
    "start": lambda desk, name, _: handlers.start(desk, commands.Start(name, DAY)),
    "defer": lambda desk, name, _: handlers.defer(desk, commands.Defer(name, "leave", DAY, None)),
    "resume": lambda desk, name, _: handlers.resume(desk, commands.Resume(name, DAY)),
    "complete": lambda desk, name, _: handlers.complete(desk, commands.Complete(name, "completed", DAY)),
    "withdraw": lambda desk, name, _: handlers.withdraw(desk, commands.Withdraw(name, "workload", DAY)),
    "give_over": lambda desk, name, to: transfers.give_over(
        desk, commands.GiveOver(name, to, "new_job", DAY, EMPLOYERS)
    ),
    "change_route": lambda desk, name, _: handlers.change_route(
        desk, commands.ChangeRoute(name, _other_route(desk, name), DAY, DAY, "worker_choice", None)
    ),
    "sponsor": lambda desk, name, _: handlers.sponsor(
        desk, handlers.of_employer(desk, name), Sponsorship("grant", next(RELEASE) % 300, DAY)
    ),
}
