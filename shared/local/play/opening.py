"""First act: the university approves the course's instance, the programme lead opens its cohorts."""

from __future__ import annotations

from shared.local.play.scenario import Course, Instance, ShellModule
from shared.local.play.stage import Stage


def open_term(stage: Stage) -> None:
    """Publish modules, approve instances, publish courses and open cohorts; return when every employer sees them."""
    for module in stage.scenario.term.shell_modules:
        for instance in module.instances:
            publish_module(stage, module)
            approve(stage, module, instance)
    for course in stage.scenario.term.courses:
        publish_course(stage, course)
    stage.doors.until("the catalogue to reach every employer", lambda: all_see_courses(stage))


def publish_module(stage: Stage, module: ShellModule) -> None:
    """The awarding university's registrar publishes the shell module."""
    registrar = stage.doors.as_("accreditation", module.awarding_hei, "registrar")
    registrar.put(
        registrar.path(f"shell-modules/{module.code}"),
        {
            "title": module.title,
            "credits": module.credits,
            "level": module.level,
            "pass_mark": module.pass_mark,
            "words": module.words,
        },
    )


def approve(stage: Stage, module: ShellModule, instance: Instance) -> None:
    """A delivering partner proposes the instance, the awarding university approves it."""
    proposer = stage.doors.as_("accreditation", instance.proposed_by, "programme_lead")
    proposed = proposer.post(
        proposer.path("module-instances", module.awarding_hei),
        {
            "module": module.code,
            "course": instance.course,
            "intake": instance.intake,
            "course_owner": stage.lead,
            "delivered_by": instance.delivered_by,
        },
    )
    if instance.approved_on:
        registrar = stage.doors.as_("accreditation", module.awarding_hei, "registrar")
        path = registrar.path(f"module-instances/{proposed['instance_id']}/approve")
        registrar.post(path, {"approved_on": instance.approved_on})


def publish_course(stage: Stage, course: Course) -> None:
    """The programme lead publishes a course and opens its cohort."""
    lead = stage.doors.as_("enrolment", stage.lead, "programme_lead")
    found = stage.scenario.module_of(course.code, course.intake)
    routes = ["practice_only", *(["practice_and_academic"] if course.academic else [])]
    prerequisite = course.prerequisite
    lead.put(
        lead.path(f"courses/{course.code}"),
        {
            "title": course.title,
            "level": course.level,
            "routes": routes,
            "credits": course.credits,
            "accreditation": course.accreditation,
            "awarding_hei": found[0].awarding_hei if found else None,
            "module": found[0].code if found else None,
            "prerequisite": {"text": prerequisite.text, "routes": prerequisite.routes} if prerequisite else None,
            "evidence_set": course.evidence_set,
        },
    )
    lead.put(lead.path(f"courses/{course.code}/cohorts/{course.intake}"), {"capacity": course.capacity})


def all_see_courses(stage: Stage) -> bool:
    """Return True once every employer's own catalogue has every course and cohort."""
    wanted = {(course.code, course.intake) for course in stage.scenario.term.courses}
    return all(wanted <= set(cohorts_seen(stage, employer)) for employer in stage.employers)


def cohorts_seen(stage: Stage, employer: str) -> dict[tuple[str, str], bool]:
    """Return the cohorts that an employer's catalogue shows, and whether each is closed."""
    items = stage.hr(employer).get("/v1/catalogue")["items"]
    return {(item["code"], cohort["intake"]): cohort["closed"] for item in items for cohort in item["cohorts"]}
