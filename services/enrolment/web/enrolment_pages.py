"""The list of enrolments with its filters in the address, the same list as a file, and one enrolment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask import Response, make_response, request

from services.enrolment.application import place_queries, queries
from services.enrolment.application.ports import Books, EnrolmentFilter
from services.enrolment.application.taken_records import records
from services.enrolment.domain import sessions
from services.enrolment.domain.enrolments import Enrolment
from services.enrolment.domain.errors import NoSuchThing, RuleSaysNo
from services.enrolment.domain.lifecycle import STATUSES
from services.enrolment.domain.mapping import FileMapping
from services.enrolment.domain.practitioners import Practitioner, on_day
from services.enrolment.domain.records import LEVELS, ROUTES, Record
from services.enrolment.web import enrolment_wording as words
from services.enrolment.web.asking import may_do, only_person, today, with_query
from services.enrolment.web.lifecycle_forms import DONE
from services.enrolment.web.lifecycle_pages import possible_now
from services.enrolment.web.rooms import books, declared_mapping, names, rooms
from shared.storage.unit_of_work import Reading
from shared.web import Form, Page, PageRoutes, blank, page, page_read, who_asks

enrolment_pages = PageRoutes("enrolment_pages", __name__)

ON_A_PAGE = 50
MOST_COUNTED = 1_000
MOST_IN_SHEET = 10_000
_ASKED = ("course", "intake", "status", "pcf_level", "route", "employee_ref")
_LONGEST = 500
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Shown:
    """One page of the list: what is on it, how many there are in all, where to go on.

    There may be more than `count` unless `is_all`. `is_part` says that the page ended before it was full, for very
    little of the list gets through the filters: then `next` or `previous` leads to where to look further.
    """

    rows: list[list[object]]
    count: int
    is_all: bool
    next: str | None
    previous: str | None
    is_part: bool


@enrolment_pages.show("/enrolments", "enrolments.read")
def enrolments() -> Page:
    """Show enrolments, narrowed by what the address asks for."""
    form, wanted = _filter()
    after, before = request.args.get("after"), request.args.get("before")
    shown, courses, intakes = page_read(lambda reading: _listed(books(reading), wanted, after, before))
    asked = {name: form.get(name) for name in _ASKED}
    following = with_query("/enrolments", **asked, after=shown.next) if shown.next else None
    previous = with_query("/enrolments", **asked, before=shown.previous) if shown.previous else None
    return page(
        "enrolments/list.html",
        form=form,
        shown=shown,
        courses=courses,
        intakes=intakes,
        statuses=[(code, words.STATUS_TAGS[code][0]) for code in STATUSES],
        levels=words.options(words.LEVELS, LEVELS),
        routes=words.options(words.ROUTES, ROUTES),
        csv=with_query("/enrolments.csv", **asked),
        xlsx=with_query("/enrolments.xlsx", **asked),
        most=MOST_COUNTED,
        next=following if not shown.is_part or before else None,
        previous=previous if not shown.is_part or not before else None,
        further=(previous if before else following) if shown.is_part else None,
        may_nominate=may_do("enrolments.create"),
        may_export=may_do("uploads.create"),
        comes_back=page_read(_comes_back),
        may_answer=may_do("transfers.read"),
        sees_names=may_do("practitioners.read"),
        done=DONE.get(request.args.get("done", "")),
    )


@enrolment_pages.show("/enrolments.csv", "uploads.create")
def enrolments_as_csv() -> Response:
    """Return exactly what is filtered, with the columns of the import."""
    return _file("csv", "text/csv; charset=utf-8", rooms().nomination_files.nominations_csv)


@enrolment_pages.show("/enrolments.xlsx", "uploads.create")
def enrolments_as_xlsx() -> Response:
    """Return the same as a sheet, which has to be in memory as a whole: a longer list is taken as CSV.

    Raises:
        RuleSaysNo: The list is longer than a sheet may be.
    """
    _, wanted = _filter()
    if page_read(lambda reading: books(reading).enrolments.count(wanted, MOST_IN_SHEET + 1)) > MOST_IN_SHEET:
        raise RuleSaysNo(f"A sheet has at most {MOST_IN_SHEET:,} rows. Filter the list, or download it as CSV.")
    return _file("xlsx", XLSX, rooms().nomination_files.nominations_xlsx)


@enrolment_pages.show("/enrolments/<enrolment_id>", "enrolments.read")
def enrolment(enrolment_id: str) -> Page:
    """Show one enrolment: where it stands and why, its history, attendance, and what may be done now."""
    return page_read(lambda reading: _one(books(reading), enrolment_id))


def found_one(at: Books, enrolment_id: str) -> Enrolment:
    """Return an enrolment that the viewer may see.

    Raises:
        NoSuchThing: There is none, or it is another person's and the viewer sees their own only.
    """
    found, own = queries.enrolment(at, enrolment_id), only_person()
    if own is not None and found.employee_ref != own:
        raise NoSuchThing("another person's")
    return found


def called(person: Practitioner | None) -> str:
    """Return a person's name as it is today, "" where nothing is known."""
    if person is None:
        return ""
    named = on_day(person, today())
    return " ".join(part for part in (named.given_name, named.family_name) if part)


def _filter() -> tuple[Form, EnrolmentFilter]:
    """Return what the address asks for, as a form and as a filter; what nobody could ask for finds nothing."""
    given = {name: request.args.get(name, "").strip()[:_LONGEST] for name in _ASKED}
    own = only_person()
    if own is not None:
        given["employee_ref"] = own
    return blank(**given), EnrolmentFilter(**{name: value or None for name, value in given.items()})


def _listed(
    at: Books, wanted: EnrolmentFilter, after: str | None, before: str | None
) -> tuple[Shown, list[tuple[str, str]], list[tuple[str, str]]]:
    if before:
        part = at.enrolments.part_before(before, ON_A_PAGE + 1, wanted)
        found = part.enrolments[-ON_A_PAGE:]
        first = found[0].enrolment_id if len(part.enrolments) > ON_A_PAGE else part.reached
        last = found[-1].enrolment_id if found else None
    else:
        part = at.enrolments.part(after, ON_A_PAGE + 1, wanted)
        found = part.enrolments[:ON_A_PAGE]
        first = found[0].enrolment_id if found and after else None
        last = found[-1].enrolment_id if len(part.enrolments) > ON_A_PAGE else part.reached
    is_part = part.reached is not None  # then counting would only look through the same again
    count, is_all = (len(found), False) if is_part else at.enrolments.counted(wanted, MOST_COUNTED)
    titles = {code: told.title for code, told in at.catalogue.titles().items()}
    people = at.people.many(list({each.practitioner_id for each in found})) if may_do("practitioners.read") else {}
    shown = Shown(
        [_row(each, people.get(each.practitioner_id), titles) for each in found],
        max(count, len(found)),
        is_all,
        last,
        first,
        is_part=is_part,
    )
    courses = [(code, f"{title} ({code})") for code, title in sorted(titles.items())]
    intakes = sorted({intake for course in at.catalogue.courses().values() for intake in course.cohorts})
    return shown, courses, [(intake, intake) for intake in intakes]


def _row(found: Enrolment, person: Practitioner | None, titles: dict[str, str]) -> list[object]:
    name = called(person)
    return [
        {"text": name or found.employee_ref, "href": f"/enrolments/{found.enrolment_id}"},
        {"tag": words.STATUS_TAGS[found.status]},
        found.employee_ref,
        f"{titles.get(found.course, found.course)} ({found.course})",
        found.intake,
        words.said(words.ROUTES, found.route),
        words.said(words.LEVELS, found.pcf_level),
    ]


def _file(ending: str, kind: str, write: Callable[[Iterable[Record], FileMapping], bytes]) -> Response:
    _, wanted = _filter()

    def written(reading: Reading) -> bytes:
        mapping = declared_mapping(who_asks().organisation, reading) or FileMapping()
        return write(records(books(reading), wanted), mapping)

    response = make_response(page_read(written))
    response.headers["Content-Type"] = kind
    response.headers["Content-Disposition"] = f'attachment; filename="enrolments.{ending}"'
    return response


def _comes_back(reading: Reading) -> tuple[str, ...]:
    """Return which of the two files this employer's mapping reads when it is sent again."""
    mapping = declared_mapping(who_asks().organisation, reading)
    if mapping is None or mapping.format is None:
        return ("CSV", "XLSX")
    return ("CSV",) if mapping.format in ("csv", "tsv") else ("XLSX",) if mapping.format == "xlsx" else ()


def _one(at: Books, enrolment_id: str) -> Page:
    found = found_one(at, enrolment_id)
    person = at.people.find(found.practitioner_id) if may_do("practitioners.read") else None
    told = at.catalogue.titles().get(found.course)
    attended = at.news.attendance_of(found.enrolment_id) if may_do("attendance.read") else []
    course = at.catalogue.course(found.course)
    return page(
        "enrolments/one.html",
        found=found,
        name=called(person) or found.employee_ref,
        title=told.title if told else found.course,
        tag=words.STATUS_TAGS[found.status],
        rows=_summary(at, found, told.title if told else found.course),
        history=[
            [words.said(words.HAPPENED, one.what), {"day": one.on}, {"at": one.recorded_at}]
            for one in reversed(found.history)
        ],
        attended=attended,
        sums=sessions.summary([(each.attendance, each.minutes) for each in attended]),
        commands=possible_now(at, found, course),
        words=words,
        done=DONE.get(request.args.get("done", "")),
    )


def _summary(at: Books, found: Enrolment, title: str) -> list[tuple[str, object, str]]:
    """Return key, value and how the value is shown: "" as it is, "day" a date, "person" and "enrolment" with a link."""
    why = place_queries.explanations_of(at, [found], names()).get(found.enrolment_id)
    called_by = names()
    rows: list[tuple[str, object, str]] = [
        ("Employee reference", found.employee_ref, "person" if may_do("practitioners.read") else ""),
        ("Course", f"{title} ({found.course})", ""),
        ("Intake", found.intake, ""),
        ("Offered by", called_by.get(found.cohort_owner, found.cohort_owner), ""),
        ("Route", words.said(words.ROUTES, found.route), ""),
        ("Level", words.said(words.LEVELS, found.pcf_level), ""),
        ("Why", why, ""),
        ("Asked for on", found.requested_on, "day"),
        ("Accept the offer by", found.offer_expires_on, "day"),
        ("Place confirmed on", found.confirmed_on, "day"),
        ("Started on", found.started_on, "day"),
        ("Ended on", found.ended_on, "day"),
        ("Reason", words.said(words.REASONS, found.reason) if found.reason else None, ""),
        ("Outcome", words.said(words.OUTCOMES, found.outcome) if found.outcome else None, ""),
    ]
    if found.sponsorship:
        days = found.sponsorship.release_days
        rows.append(("Paid for by", words.said(words.FUNDERS, found.sponsorship.funded_by), ""))
        rows.append(("Days of release", f"{days} {'day' if days == 1 else 'days'}", ""))
    if found.transfer:
        other = called_by.get(found.transfer.to_employer, found.transfer.to_employer)
        rows.append(("Transferred to", other, ""))
        rows.append(("State of the transfer", words.said(words.TRANSFER_STATES, found.transfer.state), ""))
        rows.append(("They may accept until", found.transfer.accept_by, "day"))
    if found.transferred_from:
        came_from = found.transferred_from.employer
        rows.append(("Came from", called_by.get(came_from, came_from), ""))
    if found.asked_again_after:
        rows.append(("Asked for again after", found.asked_again_after, "enrolment"))
    return [row for row in rows if row[1] is not None]
