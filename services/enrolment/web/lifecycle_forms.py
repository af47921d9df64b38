"""What may be done with an enrolment, as forms: each command's questions, words, and the handler that answers it.

One table: the pages, their checks and the list of what may come now are made from it. The rule itself is the domain's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import Schema

from services.enrolment.application import commands, handlers, transfers
from services.enrolment.application.asking_again import AskAgain, ask_again, may_be_asked_again
from services.enrolment.application.ports import Books, Desk
from services.enrolment.domain import enrolment_parts as parts
from services.enrolment.domain import lifecycle
from services.enrolment.domain.enrolment_parts import Sponsorship
from services.enrolment.domain.enrolments import MOST_RELEASE_DAYS, Enrolment
from services.enrolment.domain.records import ROUTES
from services.enrolment.web import enrolment_wording as words
from shared.http import Choice, CivilDate, Slug, StrictSchema, WholeText, current_service
from shared.web import who_asks

DAY: Final = "day"
CHOICE: Final = "choice"
EMPLOYER: Final = "employer"
WHOLE: Final = "whole"
ASK_AGAIN: Final = "ask-again"

Values = Mapping[str, Any]
Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One field of a form: `text` is what is said when it is missing or cannot be read."""

    name: str
    label: str
    text: str
    kind: str = DAY
    hint: str = ""
    options: Options = ()
    is_needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandForm:
    """One command; `done` is said after it. Its questions are called as in the API: so rules find their field.

    `refuses` says whether it may come, where that is not in the domain's table.
    """

    command: str
    action: str
    title: str
    explains: str
    done: str
    run: Callable[[Desk, str, Values], Enrolment]
    questions: tuple[Question, ...] = ()
    button: str = "Continue"
    is_warning: bool = False
    needs_other: bool = False
    refuses: Callable[[Books, Enrolment], object] | None = None

    @property
    def schema(self) -> Schema:
        """Return what the form is read by; the buttons of the check page are part of it."""
        made = {question.name: _field(question) for question in self.questions}
        buttons = {name: Choice(("yes",), load_default=None) for name in ("confirmed", "change")}
        schema: Schema = StrictSchema.from_dict({**made, **buttons}, name=f"{self.command}Form")()
        return schema

    def must_come_now(self, at: Books, found: Enrolment) -> None:
        """Refuse a command that may not come now.

        Raises:
            WrongState: In the domain's words, which say what to do instead.
        """
        if self.refuses is not None:
            self.refuses(at, found)
        else:
            lifecycle.after(self.command, found.status)

    @property
    def texts(self) -> dict[str, str]:
        """Return what is said of each field that is missing or cannot be read."""
        return {question.name: question.text for question in self.questions}


def _field(question: Question) -> Any:  # noqa: ANN401 - a field of whatever kind
    needed: dict[str, Any] = {"required": True} if question.is_needed else {"load_default": None}
    if question.kind == CHOICE:
        return Choice(tuple(code for code, _ in question.options), **needed)
    if question.kind == WHOLE:
        return WholeText(most=MOST_RELEASE_DAYS, **needed)
    return Slug(**needed) if question.kind == EMPLOYER else CivilDate(**needed)


def _reasons(codes: tuple[str, ...]) -> Question:
    options = tuple(words.options(words.REASONS, codes))
    return Question("reason", "Reason", "Choose a reason", CHOICE, options=options)


def _day(name: str, label: str, hint: str = "", *, is_needed: bool = True) -> Question:
    text = (
        f"Enter the {label.removeprefix('The ')[0].lower()}{label.removeprefix('The ')[1:]} as a date like 2026-11-21"
    )
    return Question(name, label, text, DAY, hint, is_needed=is_needed)


def _employers() -> tuple[str, ...]:
    return tuple(current_service().partnership.with_role("employer"))


FORMS: Final[tuple[CommandForm, ...]] = (
    CommandForm(
        command=lifecycle.APPROVE,
        action="enrolments.approve",
        title="Approve this nomination",
        explains="The programme lead is then asked for a place. Whoever nominated cannot approve.",
        done="The nomination is approved. A place was asked for.",
        button="Approve",
        needs_other=True,
        run=lambda at, one, _: handlers.approve(at, commands.Approve(one, who_asks().subject)),
    ),
    CommandForm(
        command=lifecycle.REFUSE,
        action="enrolments.approve",
        title="Refuse this nomination",
        explains="Nobody outside your organisation hears of it.",
        done="The nomination is refused.",
        questions=(_reasons(parts.REFUSAL_REASONS),),
        is_warning=True,
        needs_other=True,
        run=lambda at, one, said: handlers.refuse(at, commands.Refuse(one, who_asks().subject, said["reason"])),
    ),
    CommandForm(
        command=lifecycle.ACCEPT,
        action="enrolments.accept",
        title="Accept the offered seat",
        explains="The place is certain then.",
        done="The offer is accepted. The place is confirmed.",
        button="Accept the seat",
        run=lambda at, one, _: handlers.accept_offer(at, one),
    ),
    CommandForm(
        command=lifecycle.DECLINE_OFFER,
        action="enrolments.accept",
        title="Decline the offered seat",
        explains="The seat goes to whoever is next in the queue. It cannot be taken back.",
        done="The offer is declined. The seat went back.",
        questions=(_reasons(parts.REASONS),),
        is_warning=True,
        run=lambda at, one, said: handlers.decline_offer(at, commands.DeclineOffer(one, said["reason"])),
    ),
    CommandForm(
        command=lifecycle.START,
        action="enrolments.progress",
        title="Record the start",
        explains="Say on which day they started on the course.",
        done="The start is recorded.",
        questions=(_day("started_on", "The day they started"),),
        run=lambda at, one, said: handlers.start(at, commands.Start(one, said["started_on"])),
    ),
    CommandForm(
        command=lifecycle.DEFER,
        action="enrolments.progress",
        title="Defer",
        explains="The seat is kept. How often and for how long is in your enrolment settings.",
        done="The enrolment is deferred. The seat is kept.",
        questions=(
            _reasons(parts.DEFERRAL_REASONS),
            _day("from_on", "First day of the pause"),
            _day("until_on", "Last day of the pause", "Leave empty for the longest time allowed.", is_needed=False),
        ),
        run=lambda at, one, said: handlers.defer(
            at, commands.Defer(one, said["reason"], said["from_on"], said["until_on"])
        ),
    ),
    CommandForm(
        command=lifecycle.RESUME,
        action="enrolments.progress",
        title="Resume",
        explains="The enrolment goes on where it was.",
        done="The enrolment goes on.",
        questions=(_day("resumed_on", "The day they came back"),),
        run=lambda at, one, said: handlers.resume(at, commands.Resume(one, said["resumed_on"])),
    ),
    CommandForm(
        command=lifecycle.CHANGE_ROUTE,
        action="enrolments.change-route",
        title="Change the route",
        explains="You and the worker have both chosen the new route.",
        done="The route is changed.",
        questions=(
            Question(
                "route", "New route", "Choose the new route", CHOICE, options=tuple(words.options(words.ROUTES, ROUTES))
            ),
            _day("effective_on", "First day on the new route"),
            _day("agreed_with_worker_on", "The day the worker agreed"),
            _reasons(parts.ROUTE_REASONS),
            _day(
                "prerequisite_on",
                "The day the prerequisite was met",
                "Only where the course asks for something first on that route.",
                is_needed=False,
            ),
        ),
        run=lambda at, one, said: handlers.change_route(at, commands.ChangeRoute(one, **said)),
    ),
    CommandForm(
        command=lifecycle.SPONSOR,
        action="enrolments.sponsor",
        title="Funding and release",
        explains="Who pays, and for how many days the worker is released to learn. This stays with you.",
        done="Funding and release are kept.",
        questions=(
            Question(
                "funded_by",
                "Who pays",
                "Choose who pays",
                CHOICE,
                options=tuple(words.options(words.FUNDERS, parts.FUNDERS)),
            ),
            Question(
                "release_days", "Days of release", f"Enter a whole number of days from 0 to {MOST_RELEASE_DAYS}", WHOLE
            ),
            _day("agreed_on", "The day it was agreed"),
        ),
        run=lambda at, one, said: handlers.sponsor(at, handlers.of_employer(at, one), Sponsorship(**said)),
    ),
    CommandForm(
        command=lifecycle.TRANSFER,
        action="enrolments.transfer",
        title="Give the place over to another employer",
        explains="The person’s place goes with them. What you wrote down about them stays with you.",
        done="The place is given over. The other employer was asked.",
        questions=(
            Question("to_employer", "Their new employer", "Choose the new employer", EMPLOYER),
            _day("transferred_on", "The day they move"),
            _reasons(parts.TRANSFER_REASONS),
        ),
        is_warning=True,
        run=lambda at, one, said: transfers.give_over(at, commands.GiveOver(one, **said, employers=_employers())),
    ),
    CommandForm(
        command=lifecycle.WITHDRAW,
        action="enrolments.withdraw",
        title="Withdraw",
        explains="The enrolment ends. A freed seat goes to whoever is next in the queue. It cannot be taken back.",
        done="The enrolment is withdrawn.",
        questions=(_reasons(parts.REASONS), _day("withdrawn_on", "The day it ends")),
        is_warning=True,
        run=lambda at, one, said: handlers.withdraw(at, commands.Withdraw(one, **said)),
    ),
    CommandForm(
        command=lifecycle.COMPLETE,
        action="enrolments.complete",
        title="Complete",
        explains="For courses without a portfolio: say how it ended.",
        done="The enrolment is completed.",
        questions=(
            Question(
                "outcome",
                "How it ended",
                "Choose how it ended",
                CHOICE,
                options=tuple(words.options(words.OUTCOMES, parts.OUTCOMES)),
            ),
            _day("completed_on", "The day it ended"),
        ),
        run=lambda at, one, said: handlers.complete(at, commands.Complete(one, **said)),
    ),
    CommandForm(
        command=ASK_AGAIN,
        action="enrolments.create",
        title="Ask for a place again",
        explains="A new enrolment in the same intake, at the end of the queue. This one stays as it ended.",
        done="A place was asked for again. This is the new enrolment; the earlier one stays as it ended.",
        questions=(_day("manager_approved_on", "The day the manager approved asking again"),),
        button="Continue",
        refuses=may_be_asked_again,
        run=lambda at, one, said: ask_again(at, AskAgain(one, said["manager_approved_on"], who_asks().subject)),
    ),
)
DONE: Final[Mapping[str, str]] = {form.command: form.done for form in FORMS} | {
    "nominate": "The nomination is taken.",
    "nominated-before": "This nomination was taken before. Nothing has changed.",
    "taken-on": "The person is taken on. The cohort’s owner was asked for their place.",
}
