"""Every page and form of enrolment, for each role that reaches it: axe, width on a telephone, and its error state.

The list of pages is the application's own: a page that has no place here fails the first test. Screenshots of all of
them are written to the temporary folder, at a desk and on a telephone.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from services.enrolment.web.lifecycle_forms import FORMS
from shared.identity import Principal, Resource, RoleTable, may
from shared.web.pages import ACTION
from tests.browser.conftest import DESK, PHONE
from tests.browser.enrolment.busy_house import UNSEEN, Busy, busy_house

pytestmark = pytest.mark.browser

ROLES = RoleTable.of_service("enrolment")
WHO = {
    "hr": "Made-up HR officer",
    "supervisor": "Made-up supervisor",
    "programme_lead": "Made-up programme lead",
    "practitioner": "10000",
    "auditor": "Made-up auditor",
}
AREAS = {
    "enrolments": {"enrolments", "incoming-transfers"},
    "people": {"people"},
    "courses": {"courses", "publish-course"},
    "uploads": {"uploads"},
    "first-page-and-settings": {"tasks", "settings"},
}
DOWNLOADS = {
    "/enrolments.csv",
    "/enrolments.xlsx",
    "/uploads/template.csv",
    "/uploads/template.xlsx",
    "/uploads/example.csv",
    "/uploads/<upload_id>/errors.csv",
    "/people/<practitioner_id>/access-report",
}
STATUS_OF = {
    "approve": "nominated",
    "refuse": "nominated",
    "accept": "offered",
    "decline-offer": "offered",
    "resume": "deferred",
    "ask-again": "withdrawn",
    "complete": "short",
}
EMPTY = """() => {
  const form = [...document.querySelectorAll('main form[method=post]')].find(f =>
    f.querySelector('input:not([type=hidden]), select, textarea'));
  if (!form) return false;
  for (const e of form.elements) {
    if (e.type === 'radio' || e.type === 'checkbox') e.checked = false;
    else if (e.tagName === 'SELECT') e.selectedIndex = 0;
    else if (e.type !== 'hidden' && e.tagName !== 'BUTTON') e.value = '';
  }
  form.querySelector('button[type=submit], button:not([type])').dataset.send = 'here';
  for (let d = form.closest('details'); d; d = d.parentElement.closest('details')) d.open = true;
  return true;
}"""
TARGETS = """() => [...document.querySelectorAll('.govuk-error-summary a')].map(a => {
  const field = document.getElementById(a.getAttribute('href').slice(1));
  if (!field) return a.getAttribute('href') + ' leads nowhere';
  const group = field.closest('fieldset');
  const told = (field.getAttribute('aria-describedby') || '') + ' ' + (group?.getAttribute('aria-describedby') || '');
  const ids = told.split(/\\s+/).filter(Boolean);
  const isTied = ids.some(id => id.endsWith('-error') && document.getElementById(id));
  return isTied ? '' : a.innerText + ' is not at its field';
}).filter(Boolean)"""


def places(busy: Busy, draft: str) -> dict[str, list[str]]:
    """Return addresses by rule: of every page one at least, of pages with states one of each."""
    person = f"/people/{busy.person}"
    cohort, transfer = "/courses/SAR/cohorts/2025-09", f"/incoming-transfers/{busy.transfer}"
    files = busy.uploads | {"draft": draft}
    found = {
        f"/enrolments/<enrolment_id>/{form.command}": [
            f"/enrolments/{busy.enrolments[STATUS_OF.get(form.command, 'confirmed')]}/{form.command}"
        ]
        for form in FORMS
    }
    found |= {f"/uploads/<upload_id>/{name}": [f"/uploads/{draft}/{name}"] for name in ("columns", "values", "as-read")}
    found |= {
        f"/people/<name>/{name}": [f"{person}/{name}"] for name in ("details", "line-manager", "advice", "absence")
    }
    found |= {
        f"/courses/<code>/cohorts/<intake>{name}": [f"{cohort}{name}"]
        for name in ("/change", "/plan-session", "/close")
    }
    return found | {
        "/tasks": ["/tasks"],
        "/enrolments": ["/enrolments", "/enrolments?status=waiting&course=NONE"],
        "/enrolments/nominate": ["/enrolments/nominate"],
        "/enrolments/<enrolment_id>": [f"/enrolments/{each}" for each in busy.enrolments.values()],
        "/incoming-transfers": ["/incoming-transfers"],
        "/incoming-transfers/<enrolment_id>": [transfer],
        "/incoming-transfers/<enrolment_id>/refuse": [f"{transfer}/refuse"],
        "/people": ["/people"],
        "/people/<name>": [person, f"{person}?as_of=2010-01-01", f"{person}?as_of=then", f"{person}?done=absence"],
        "/people/<name>/employment": [f"{person}/employment", f"{person}/employment?started_on=2018-01-03"],
        "/people/<name>/absence": [f"{person}/absence", f"{person}/absence?from_on=2026-01-05"],
        "/people/<name>/absence/<day>/take-back": [f"{person}/absence/2026-01-05/take-back"],
        "/people/<name>/employment/<day>/take-back": [f"{person}/employment/2018-01-03/take-back"],
        "/people/<name>/learning-needs": [f"{person}/learning-needs"],
        "/people/<practitioner_id>/erase": [f"{person}/erase"],
        "/people/<name>/background": [f"{person}/background"],
        "/people/access": ["/people/access", "/people/access?from_on=2026-01-01&until_on=then"],
        "/people/duplicates": ["/people/duplicates"],
        "/people/erasures": ["/people/erasures"],
        "/people/erasures/<erasure_id>": [f"/people/erasures/{each}" for each in busy.erasures.values()],
        "/people/erasures/<erasure_id>/is-back": [f"/people/erasures/{busy.erasures['done']}/is-back"],
        "/people/registrations": ["/people/registrations", "/people/registrations?status=registered"],
        "/people/registrations/check": ["/people/registrations/check"],
        "/people/registrations/checks": ["/people/registrations/checks"],
        "/people/registrations/checks/<check_id>": [f"/people/registrations/checks/{busy.check}"],
        "/courses": ["/courses"],
        "/publish-course": ["/publish-course"],
        "/courses/<code>": ["/courses/SAR", "/courses/SPR"],
        "/courses/<code>/change": ["/courses/SAR/change"],
        "/courses/<code>/open-cohort": ["/courses/SAR/open-cohort"],
        "/courses/<code>/cohorts/<intake>": [cohort, f"{cohort}?show=waiting"],
        "/courses/<code>/cohorts/<intake>/sessions/<session>": [f"{cohort}/sessions/day-1"],
        "/uploads": ["/uploads"],
        "/uploads/start": ["/uploads/start"],
        "/uploads/guide": ["/uploads/guide"],
        "/uploads/new": ["/uploads/new"],
        "/uploads/<upload_id>": [f"/uploads/{each}" for each in files.values()],
        "/uploads/<upload_id>/errors": [f"/uploads/{files['checked']}/errors"],
        "/uploads/<upload_id>/rows": [f"/uploads/{files['done']}/rows"],
        "/uploads/<upload_id>/withdrawals": [f"/uploads/{files['held']}/withdrawals"],
        "/uploads/<upload_id>/confirm": [f"/uploads/{files['checked']}/confirm", f"/uploads/{files['held']}/confirm"],
        "/uploads/<upload_id>/cancel": [f"/uploads/{files['pending']}/cancel"],
        "/settings": ["/settings"],
        "/settings/notices": ["/settings/notices"],
        "/settings/retention": ["/settings/retention"],
        "/settings/retention/periods": ["/settings/retention/periods"],
    }


@pytest.fixture
def busy(site, enrolment_settings) -> Busy:
    """A Brent in which something of everything is going on."""
    return busy_house(site.house, enrolment_settings)


def pages_of(app) -> dict[str, str]:
    """Return every page that is looked at: its action by its rule."""
    found = {}
    for rule in app.url_map.iter_rules():
        decided = getattr(app.view_functions[rule.endpoint], ACTION, None)
        if decided and "GET" in rule.methods and rule.rule not in DOWNLOADS:
            found[rule.rule] = decided[0]
    return found


def sign_in(somebody, role: str) -> None:
    """Sign in as a made-up person of Brent; a practitioner by a reference that people have here."""
    if role != "practitioner":
        somebody.sign_in("brent", WHO[role])
        return
    somebody.open("/sign-in/brent")
    somebody.page.get_by_label("Reference at").fill(WHO[role])
    somebody.page.get_by_label("Role").select_option(role)
    somebody.page.get_by_role("button", name="Sign in", exact=True).click()
    somebody.page.wait_for_url(f"{somebody.site.address}/**")


def unmapped(somebody, folder) -> str:
    """Return the file of unknown headings that HR sends."""
    path = folder / "staff.csv"
    path.write_bytes(UNSEEN.encode())
    somebody.open("/uploads/new")
    somebody.page.set_input_files("input[type=file]", path)
    somebody.page.get_by_label("New and changed nominations only").check()
    somebody.page.get_by_role("button", name="Upload and check").click()
    return urlsplit(somebody.page.url).path.split("/")[2]


def named(role: str, path: str, what: str = "") -> str:
    """Return what a screenshot is called: ids are left out."""
    short = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9A-Za-z_-]{20,}", "one", path.strip("/"))
    return "-".join(part for part in ("every", role, re.sub(r"[^A-Za-z0-9]+", "-", short), what) if part)


def looked_at(somebody, name: str) -> None:
    """Hold the page that is open against axe, and see that it fits a telephone."""
    somebody.must_be_accessible(name)
    somebody.page.set_viewport_size(PHONE)
    somebody.shot(f"{name}-phone")
    somebody.must_fit()
    somebody.page.set_viewport_size(DESK)


def test_every_page_has_its_place_in_the_walk(site, busy):
    """A new page is not forgotten."""
    rules = set(pages_of(site.house.app))
    assert set(places(busy, "draft")) == rules
    assert {rule.split("/")[1] for rule in rules} == set().union(*AREAS.values())


WALKS = [("hr", area) for area in sorted(AREAS)] + [(role, None) for role in sorted(WHO) if role != "hr"]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("role", "area"), WALKS)
def test_every_page_and_form_that_a_role_reaches(make_visitor, site, busy, tmp_path, role, area):
    """Axe finds nothing on it, nor where its form is sent empty; each sentence of the summary leads to its field."""
    somebody = make_visitor()
    sign_in(somebody, role)
    draft = unmapped(somebody, tmp_path) if area == "uploads" else busy.uploads["checked"]
    actions = pages_of(site.house.app)
    principal, own = Principal("brent", "somebody", frozenset({role})), Resource("brent", "somebody")
    failures: list[str] = []
    for rule, addresses in places(busy, draft).items():
        if area is not None and rule.split("/")[1] not in AREAS[area]:
            continue
        for address in addresses:
            if not may(principal, actions[rule], own, ROLES):
                assert somebody.context.request.get(f"{site.address}{address}").status == 403, address
                continue
            answer = somebody.page.goto(f"{site.address}{address}")
            if role == "practitioner" and answer.status == 404:
                continue
            try:
                assert answer.status in (200, 422), answer.status
                looked_at(somebody, named(role, address))
                if somebody.page.evaluate(EMPTY):
                    with somebody.page.expect_navigation():
                        somebody.page.locator("[data-send]").click()
                    assert somebody.page.evaluate(TARGETS) == []
                    looked_at(somebody, named(role, address, "empty"))
            except AssertionError as failure:
                failures.append(f"{address}: {failure}")
    assert not failures, "\n\n".join(failures)
