"""What statuses, reasons, routes, levels and commands of enrolments are called in pages. Words only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.enrolment.domain import lifecycle
from services.enrolment.domain.enrolment_parts import OFFER_LAPSED

STATUS_TAGS: Final[Mapping[str, tuple[str, str]]] = {
    lifecycle.NOMINATED: ("Waits for approval", "yellow"),
    lifecycle.REFUSED: ("Refused", "red"),
    lifecycle.REQUESTED: ("Place asked for", "light-blue"),
    lifecycle.WAITING: ("On the waiting list", "purple"),
    lifecycle.OFFERED: ("Seat offered", "yellow"),
    lifecycle.CONFIRMED: ("Place confirmed", "green"),
    lifecycle.DECLINED: ("No place", "red"),
    lifecycle.STARTED: ("Started", "turquoise"),
    lifecycle.DEFERRED: ("Deferred", "orange"),
    lifecycle.TRANSFERRED: ("Transferred", "grey"),
    lifecycle.WITHDRAWN: ("Withdrawn", "grey"),
    lifecycle.COMPLETED: ("Completed", "blue"),
}
ROUTES: Final[Mapping[str, str]] = {
    "practice_only": "Practice only",
    "practice_and_academic": "Practice and academic",
}
LEVELS: Final[Mapping[str, str]] = {
    "ASYE": "Newly qualified (ASYE)",
    "SW": "Social worker",
    "ESW": "Experienced social worker",
    "ADVANCED": "Advanced social worker",
    "STRATEGIC": "Strategic social worker",
    "ALL": "All levels",
}
REASONS: Final[Mapping[str, str]] = {
    "workload": "Workload",
    "teaching_style": "The teaching did not suit them",
    "health": "Health",
    "leave": "Leave, such as parental leave",
    "left_employer": "They left our employment",
    "employer_release_refused": "We could not release them",
    "academic_fail": "They failed an academic assessment",
    "caseload_change": "Change of caseload",
    "worker_choice": "The worker’s choice",
    "employer_choice": "The employer’s choice",
    "entry_requirements": "Entry requirements of the university",
    "new_job": "A new job there",
    "secondment": "Secondment",
    "reorganisation": "Reorganisation",
    "release_not_possible": "Release is not possible",
    "no_funding": "There is no funding",
    "not_eligible": "They are not eligible",
    "not_ours": "They are not one of our people",
    OFFER_LAPSED: "Nobody accepted the offer in time",
    "cohort_closed": "The intake was closed",
    "unknown_cohort": "The course has no such intake",
    "not_invited": "The intake is for invited employers only",
    "withdrawn": "It was withdrawn before the answer",
    "other": "Another reason",
}
FUNDERS: Final[Mapping[str, str]] = {"employer": "The employer", "grant": "A grant", "self": "The worker"}
OUTCOMES: Final[Mapping[str, str]] = {"completed": "Completed", "not_completed": "Not completed"}
TRANSFER_STATES: Final[Mapping[str, str]] = {
    "in_progress": "Waits for the other employer",
    "moved": "The place went with the person",
    "refused": "The other employer refused; the place went back",
    "lapsed": "Nobody accepted in time; the place went back",
}
INCOMING_TAGS: Final[Mapping[str, tuple[str, str]]] = {
    "open": ("Waits for you", "yellow"),
    "accepted": ("Accepted", "green"),
    "refused": ("Refused", "red"),
    "lapsed": ("Lapsed", "grey"),
}
ATTENDANCES: Final[Mapping[str, str]] = {"attended": "Attended", "absent": "Absent", "excused": "Excused"}
SESSION_KINDS: Final[Mapping[str, str]] = {
    "one_to_one": "One to one",
    "group_learning": "Group learning",
    "direct_teaching": "Direct teaching",
    "applied_learning": "Applied learning",
    "self_directed": "Self-directed",
    "extra_day": "Extra day",
    "individual_coaching": "Individual coaching",
    "group_coaching": "Group coaching",
    "career_counselling": "Career counselling",
}
COURSE_KINDS: Final[Mapping[str, str]] = {
    "course": "Course",
    "online_course": "Online course",
    "webinar": "Webinar",
    "self_study": "Self-study",
    "workshop": "Workshop",
    "conference": "Conference",
    "shadowing": "Shadowing",
    "reading": "Reading",
    "peer_group": "Peer group",
    "team_activity": "Activity in the team",
    "coaching": "Coaching",
    "career_counselling": "Career counselling",
    "in_house_training": "In-house training",
}
HAPPENED: Final[Mapping[str, str]] = {
    "nominated": "Nominated, waits for approval",
    "requested": "Nominated, place asked for",
    "asked-again": "Asked for again",
    "transferred-in": "Taken on from another employer",
    "approve": "Approved, place asked for",
    "refuse": "Nomination refused",
    "offer": "Seat offered",
    "confirm": "Place confirmed",
    "wait": "Put on the waiting list",
    "decline": "No place",
    "accept": "Offer accepted",
    "decline-offer": "Offer declined",
    "lapse": "Offer lapsed",
    "start": "Started",
    "defer": "Deferred",
    "resume": "Resumed",
    "change-route": "Route changed",
    "sponsor": "Funding and release agreed",
    "transfer": "Given over to another employer",
    "withdraw": "Withdrawn",
    "complete": "Completed",
    "transfer-moved": "The place went with the person",
    "transfer-refused": "The other employer refused the transfer",
    "transfer-lapsed": "The transfer lapsed",
}


def said(words: Mapping[str, str], code: str | None) -> str:
    """Return the words of a code; a code that has none says itself, an en dash stands for nothing."""
    if not code:
        return "–"
    return words.get(code, code.replace("_", " ").replace("-", " ").capitalize())


def options(words: Mapping[str, str], codes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the codes with their words, for a select or radios."""
    return [(code, said(words, code)) for code in codes]


def sentence(text: str) -> str:
    """Return what a rule says as a sentence of a page: it begins with a capital letter."""
    return text[:1].upper() + text[1:]
