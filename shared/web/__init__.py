"""Pages, the same for every service that has any: layout, session, sign-in, forms, errors. No word of the domain.

GOV.UK Frontend's patterns without GOV.UK's identity; no JavaScript at all; a policy that lets a page load nothing but
our own style. A service's pages live in `services/<service>/web/` and are written like this:

    from shared.web import PageRoutes, current_viewer, page, page_read, page_transact, submitted, blank

    people_pages = PageRoutes("people", __name__)             # templates in web/templates of the service

    @people_pages.show("/people", "practitioners.read")       # GET; an action of shared/contracts/roles/<service>.yaml
    def people() -> Page:
        organisation = who_asks().organisation                # the Principal, as current_principal() of the API
        found = page_read(lambda reading: list_people(rooms().books(reading), ...))     # an application query
        return page("people/list.html", people=found)

    @people_pages.show("/people/<person>/edit", "practitioners.keep")
    def edit(person: str) -> Page:
        return page("people/edit.html", form=blank(given_name="Aoife"))

    @people_pages.act("/people/<person>/edit", "practitioners.keep")                    # POST
    def keep(person: str) -> Page | Response:
        form = submitted(PERSON_FORM, {"given_name": "Enter a given name"})             # a StrictSchema, own sentences
        if form.errors:
            return page("people/edit.html", form=form)                                  # 422, summary, "Error: " title
        try:
            return page_transact(lambda work: keep_person(rooms().desk(work), form.values))   # returns the next address
        except RuleBroken as refusal:
            return page("people/edit.html", form=form.refused(refusal))

The view runs only for somebody who signed in and whose roles include the action at the owner (one's own organisation;
`PageRoutes(..., owner=lambda principal: board)` says otherwise). Strangers go to /sign-in and come back; a POST after
the session's end shows a page that keeps what was typed. `act` checks the form's token; `page_transact` runs one
transaction per form however often it is sent, and its callback must emit an event or be `silent`, as `transact`'s.
`act(..., most_bytes=20 * 2**20)` takes a file: `request.files["file"]`. Any other response (a CSV) may be returned as a
Flask Response. Every PlatformError that a view lets through becomes a page with its own sentence.

A template:

    {% extends "web/base.html" %}
    {% from "web/macros.html" import table, filters, showing, pages, text_field, button, back_link, hidden_fields %}
    {% block title %}People{% endblock %}
    {% block before %}{{ back_link("/") }}{% endblock %}
    {% block content %}
    <h1 class="govuk-heading-l">People</h1>
    {% call filters("/people", "people") %}{{ text_field(form, "q", "Name or number") }}{% endcall %}
    {{ showing(48, 312, "people") }}
    {{ table("People", ["Name", {"text": "Seats", "number": true}, "Status"],
             [[{"text": "Aoife", "href": "/people/1"}, {"text": 2, "number": true}, {"tag": ["Given", "green"]}]]) }}
    {{ pages("/people?before=…", "/people?after=…") }}
    <form method="post" novalidate>
      {{ hidden_fields() }}{{ text_field(form, "given_name", "Given name") }}{{ button("Save") }}
    </form>
    {% endblock %}

Macros (`templates/web/macros.html`): hidden_fields, table, status, filters (call), showing, pages, summary, tasks,
confirmation, details (call), text_field, long_text, date_field, select, radios, checkboxes, file_field, button,
link_button, back_link, done, progress. Filters: day, day_and_time, number, role. A page that waits for something sets
`{% block refresh %}<meta http-equiv="refresh" content="3">{% endblock %}`. Put a GET form's values into
`blank(**request.args)`. Bootstrap: `WebRoom(Look(service=, home=, places=), (people_pages, ...)).install(app, given)`.

In tests: `shared.testing.pages` has `browser_of(app, "brent", "hr")` (signed in) and `send_form(browser, page, ...)`.
"""

from shared.web.forms import FieldError, Form, blank, submitted
from shared.web.look import Look, Place
from shared.web.pages import (
    Page,
    PageRoutes,
    current_viewer,
    page,
    page_read,
    page_transact,
    see_other,
    who_asks,
)
from shared.web.room import WebRoom

__all__ = [
    "FieldError",
    "Form",
    "Look",
    "Page",
    "PageRoutes",
    "Place",
    "WebRoom",
    "blank",
    "current_viewer",
    "page",
    "page_read",
    "page_transact",
    "see_other",
    "submitted",
    "who_asks",
]
