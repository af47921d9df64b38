"""A toy service with pages on the real database: things that people name, and the sign-in of made-up people."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask, Response
from werkzeug.serving import BaseWSGIServer, make_server

from shared.clock import SystemClock
from shared.errors import Fault, RuleBroken
from shared.http import Reply, Routes, ServiceDescription, StrictSchema, Text, create_app, read, returns, scope
from shared.identifiers import new_identifier
from shared.identity import RoleTable, TokenVerifier
from shared.local.issuer import LocalIssuer
from shared.local.made_up_people import provider_app
from shared.local.ports import any_free
from shared.partnership import load as load_partnership
from shared.process.settings import PagesSettings, load
from shared.storage.replies import prepare_replies
from shared.web import Look, Page, PageRoutes, Place, WebRoom, blank, page, page_read, page_transact, submitted

PARTNERSHIP = Path(__file__).parents[3] / "scenarios" / "north-west-london" / "partnership.yaml"
ROLES = """
feed.read: {summary: Read the feed., roles: {service: partner, operator: own}}
things.read: {summary: See things., roles: {hr: own, auditor: own}}
things.keep: {summary: Name a thing., roles: {hr: own}}
"""
TEMPLATES = {
    "things.html": """{% extends "web/base.html" %}
{% from "web/macros.html" import showing, table, filters, text_field, pages, status %}
{% block title %}Things{% endblock %}
{% block content %}<h1 class="govuk-heading-l">Things</h1>
{% call filters("/things", "things") %}{{ text_field(form, "q", "Name") }}{% endcall %}
{{ showing(names | length, 312, "things") }}
{{ table("Things", ["Name"], names | map("list_of") | list) }}{{ pages("/things?before=a", "/things?after=b") }}
{% endblock %}""",
    "thing.html": """{% extends "web/base.html" %}
{% from "web/macros.html" import hidden_fields, text_field, select, radios, checkboxes, file_field, button, details %}
{% block title %}Name a thing{% endblock %}
{% block content %}<h1 class="govuk-heading-l">Name a thing</h1>
<form method="post" novalidate>{{ hidden_fields() }}{{ text_field(form, "name", "Name", "As it is called") }}
{{ button("Save") }}</form>{% endblock %}""",
}


class ThingIn(StrictSchema):
    name = Text(required=True, longest=40)


THING_IN = ThingIn()
api = Routes("toys")


@api.get("/v1/organisations/<org>/things")
@scope("things.read")
@returns(200)
def things_as_json(org: str) -> Reply:
    """Give the things."""
    return read(org, lambda reading: Reply(200, {"items": _names(reading)}))


def _names(reading) -> list[str]:
    return [row["name"] for row in reading.rows("things").find({}, sort=[("_id", 1)])]


def _keep(work, name: str) -> str:
    if name == "taken":
        raise RuleBroken("No.", faults=(Fault("taken", "Enter a name that nobody has", pointer="/name"),))
    work.silent("a toy has no partners")
    work.rows("things").insert_one({"_id": work.new_id(), "name": name})
    return "/things"


def toy_pages() -> PageRoutes:
    """The toy's pages."""
    routes = PageRoutes("toys_pages", __name__)

    @routes.show("/things", "things.read")
    def things() -> Page:
        return page("things.html", names=page_read(_names), form=blank())

    @routes.show("/things/new", "things.keep")
    def new() -> Page:
        return page("thing.html", form=blank())

    @routes.act("/things/new", "things.keep", most_bytes=1000)
    def keep() -> Page | Response:
        form = submitted(THING_IN, {"name": "Enter a name"})
        if form.errors:
            return page("thing.html", form=form)
        try:
            return page_transact(lambda work: _keep(work, form.values["name"]))
        except RuleBroken as refusal:
            return page("thing.html", form=form.refused(refusal))

    @routes.show("/broken", "things.read")
    def broken() -> Page:
        raise ZeroDivisionError

    return routes


LOOK = Look(service="Toys", home="/things", places=(Place("New", "/things/new", "things.keep"),))


@pytest.fixture(scope="session")
def people() -> Iterator[BaseWSGIServer]:
    """The sign-in of made-up people, on loopback."""
    server = make_server("127.0.0.1", any_free(), provider_app(load_partnership(PARTNERSHIP), SystemClock()))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def toy_issuer(tmp_path, people) -> LocalIssuer:
    """Keys and trust of the whole partnership."""
    issuer = LocalIssuer(tmp_path / "keys", "local", SystemClock(), new_identifier)
    organisations = tuple(load_partnership(PARTNERSHIP).organisations)
    issuer.prepare(organisations, f"http://127.0.0.1:{people.server_port}")
    return issuer


@pytest.fixture
def toy_settings(toy_issuer, mongodb_uri, monkeypatch) -> PagesSettings:
    """The settings of a local instance."""
    given = {
        "PROFILE": "local",
        "PARTNERSHIP_FILE": str(PARTNERSHIP),
        "MONGODB_URI": mongodb_uri,
        "KAFKA_BOOTSTRAP_SERVERS": "localhost:9",
        "TRUSTED_ISSUERS_FILE": str(toy_issuer.trusted_issuers_file),
        "ORGANISATION_KEYS_DIR": str(toy_issuer.keys_dir),
        "PUBLIC_URL": "http://127.0.0.1:8001",
        "SESSION_SECRET_FILE": str(toy_issuer.session_secret_file),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return load(PagesSettings.read)


@pytest.fixture
def make_toys(toy_settings, tmp_path, make_unit_of_work, database_prefix):
    """`make_toys(**settings)` -> the toy service's application, with changed settings where given."""
    (tmp_path / "toys.yaml").write_text(ROLES, encoding="utf-8")

    def make(**changes) -> Flask:
        given = replace(toy_settings, **changes)
        unit = make_unit_of_work("toys", prefix=database_prefix)
        prepare_replies(unit.database("brent"))
        clock = SystemClock()
        app = create_app(
            ServiceDescription(
                name="toys",
                title="Toys",
                version="1",
                blueprints=(api,),
                unit_of_work=unit,
                partnership=given.partnership(),
                roles=RoleTable.load(tmp_path / "toys.yaml"),
                verifier=TokenVerifier(given.trusted_issuers_file, "toys", clock),
                hosted=("brent", "ealing", "goldsmiths"),
                clock=clock,
            )
        )
        WebRoom(LOOK, (toy_pages(),)).install(app, given)
        app.jinja_env.filters["list_of"] = lambda value: [value]
        from jinja2 import ChoiceLoader, DictLoader

        app.jinja_loader = ChoiceLoader([DictLoader(TEMPLATES), app.jinja_loader])
        return app

    return make


@pytest.fixture
def toys(make_toys) -> Flask:
    """The toy service's application."""
    return make_toys()
