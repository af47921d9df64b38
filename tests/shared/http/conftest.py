"""A toy service on the real database, with real tokens: counters that people make and change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey

from shared.clock import SystemClock
from shared.errors import NotFound
from shared.http import (
    Choice,
    CivilDate,
    Exact,
    Flag,
    Identifier,
    Instant,
    Items,
    Part,
    Reply,
    Routes,
    ServiceDescription,
    Slug,
    StrictSchema,
    Table,
    Text,
    Whole,
    accepts,
    asks,
    conditional,
    create_app,
    current_principal,
    etag_of,
    if_match,
    load,
    page_of,
    paged,
    public,
    query,
    read,
    returns,
    scope,
    transact,
    uploaded,
    uploads,
)
from shared.identifiers import new_identifier
from shared.identity import RoleTable, TokenVerifier
from shared.storage.replies import prepare_replies

ROLES = """
feed.read: {summary: Read the feed., roles: {service: partner, operator: own}}
parked.read: {summary: Read what is parked., roles: {operator: own}}
parked.decide: {summary: Decide about it., roles: {operator: own}}
counters.create: {summary: Make a counter., roles: {hr: own}}
counters.read: {summary: Read counters., roles: {hr: own, auditor: own, service: partner}}
counters.change: {summary: Change a counter., roles: {hr: own}}
files.create: {summary: Send a file., roles: {hr: own}}
own.read: {summary: Read what is about oneself., roles: {practitioner: self}}
"""


class Inner(StrictSchema):
    flag = Flag(required=True)


class CounterIn(StrictSchema):
    name = Text(required=True, longest=40)
    amount = Whole(required=True)
    code = Slug()
    kind = Choice(("up", "down"))
    made_on = CivilDate()
    made_at = Instant()
    reference = Identifier()
    exact = Exact(most=100)
    inner = Part(Inner)
    parts = Items(Part(Inner), most=20_000)
    words = Table(keys=Text(longest=10), values=Text(longest=10))


class CounterOut(StrictSchema):
    id = Text(required=True)
    name = Text(required=True)
    amount = Whole(required=True)
    by = Text(required=True)


class Filters(StrictSchema):
    name = Text(longest=40)


COUNTER_IN, COUNTER_OUT, FILTERS = CounterIn(), CounterOut(), Filters()
routes = Routes("counters", description="Things that count.")


def shown(found: dict[str, object]) -> dict[str, object]:
    """Show a counter as JSON."""
    return {"id": found["_id"], "name": found["name"], "amount": found["amount"], "by": found["by"]}


@routes.post("/v1/organisations/<org>/counters")
@scope("counters.create")
@accepts(COUNTER_IN)
@returns(201, COUNTER_OUT, etag=True)
def create_counter(org: str) -> Reply:
    """Make a counter."""
    body = load(COUNTER_IN)
    by = current_principal().organisation

    def effect(work):
        found = {"_id": work.new_id(), "version": 1, "name": body["name"], "amount": body["amount"], "by": by}
        work.silent("a toy has no partners")
        work.rows("counters").insert_one(found)
        return Reply(201, shown(found), etag=etag_of(1), location=f"/v1/organisations/{org}/counters/{found['_id']}")

    return transact(org, effect)


@routes.get("/v1/organisations/<org>/counters")
@scope("counters.read")
@asks(FILTERS)
@paged
@returns(200, COUNTER_OUT)
def list_counters(org: str) -> Reply:
    """List counters in the order in which they were made."""
    page, wanted = page_of(), query(FILTERS)

    def look(reading):
        after = {"_id": {"$gt": page.after}} if page.after else {}
        found = reading.rows("counters").find({**wanted, **after}, sort=[("_id", 1)], limit=page.fetch)
        return page.reply(found, lambda row: row["_id"], shown)

    return read(org, look)


@routes.get("/v1/organisations/<org>/counters/<counter_id>")
@scope("counters.read")
@returns(200, COUNTER_OUT, etag=True)
def get_counter(org: str, counter_id: str) -> Reply:
    """Show one counter."""

    def look(reading):
        found = reading.rows("counters").find_one({"_id": counter_id})
        if found is None:
            raise NotFound("no such counter")
        return Reply(200, shown(found), etag=etag_of(found["version"]))

    return read(org, look)


@routes.put("/v1/organisations/<org>/counters/<counter_id>")
@scope("counters.change")
@accepts(COUNTER_IN)
@conditional
@returns(200, COUNTER_OUT, etag=True)
def put_counter(org: str, counter_id: str) -> Reply:
    """Change a counter."""
    body = load(COUNTER_IN)

    def effect(work):
        found = work.rows("counters").find_one({"_id": counter_id})
        if_match(etag_of(found["version"]) if found else None)
        version = found["version"] if found else 0
        by = current_principal().organisation
        doc = {"_id": counter_id, "version": version + 1, "name": body["name"], "amount": body["amount"], "by": by}
        work.silent("a toy has no partners")
        if found:
            work.rows("counters").replace_version(doc, expected=version)
        else:
            work.rows("counters").insert_one(doc)
        return Reply(200, shown(doc), etag=etag_of(doc["version"]))

    return transact(org, effect)


@routes.post("/v1/organisations/<org>/files")
@scope("files.create")
@uploads("text/csv", "application/octet-stream", most_bytes=2 * 2**20)
@returns(202)
def send_file(org: str) -> Reply:
    """Take a file."""
    size = len(uploaded().content)
    return transact(org, lambda _work: Reply(202, {"bytes": size}))


@routes.get("/v1/broken")
@public("a fault of ours must not talk")
@returns(200)
def broken() -> Reply:
    """Fail."""
    raise ValueError("Ada Lovelace 1815-12-10")


@routes.get("/v1/organisations/<org>/mine")
@scope("own.read")
@returns(200)
def mine(org: str) -> Reply:
    """Show what is one's own."""
    return read(org, lambda _reading: Reply(200, {}))


@dataclass
class Issuer:
    """Signs tokens for organisations, as their identity providers would."""

    file: Path
    key: ECKey

    def trust(self, *organisations: str) -> None:
        """Write the file that trusts this key for `organisations`."""
        public_keys = {"keys": [{**self.key.as_dict(private=False), "kid": "k1"}]}
        entries = {f"https://{org}.example": {"organisation": org, "jwks": public_keys} for org in organisations}
        self.file.write_text(json.dumps(entries))

    def token(self, organisation: str, *roles: str, header: dict | None = None, **claims: object) -> str:
        """Sign a token; a claim given as `...` is left out."""
        now = int(SystemClock().now().timestamp())
        body: dict[str, object] = {
            "iss": f"https://{organisation}.example",
            "aud": "toy",
            "sub": "E-1",
            "roles": list(roles),
            "iat": now,
            "exp": now + 300,
            "jti": new_identifier(),
        }
        body |= claims
        body = {name: value for name, value in body.items() if value is not ...}
        return jwt.encode(
            {"alg": "ES256", "typ": "at+jwt", "kid": "k1", **(header or {})}, body, self.key, algorithms=["ES256"]
        )


@pytest.fixture(scope="session")
def signing_key() -> ECKey:
    """One key pair for the run."""
    return ECKey.generate_key("P-256")


@pytest.fixture
def other_organisation(new_organisation) -> str:
    """A second organisation that the instance hosts."""
    return new_organisation("other")


@pytest.fixture
def issuer(tmp_path, signing_key, organisation, other_organisation) -> Issuer:
    """The trusted issuer of both organisations."""
    made = Issuer(tmp_path / "issuers.json", signing_key)
    made.trust(organisation, other_organisation)
    return made


@pytest.fixture
def role_table(tmp_path) -> RoleTable:
    """The toy's role table."""
    path = tmp_path / "roles.yaml"
    path.write_text(ROLES)
    return RoleTable.load(path)


@pytest.fixture
def app(make_unit_of_work, issuer, organisation, other_organisation, role_table) -> Flask:
    """The toy service."""
    unit_of_work = make_unit_of_work("toy")
    prepare_replies(unit_of_work.database(organisation))
    return create_app(
        ServiceDescription(
            name="toy",
            title="Toy",
            version="1.0.0",
            blueprints=[routes],
            unit_of_work=unit_of_work,
            partnership=None,
            roles=role_table,
            verifier=TokenVerifier(issuer.file, "toy", SystemClock()),
            hosted={organisation, other_organisation},
            clock=SystemClock(),
        )
    )


@pytest.fixture
def client(app) -> FlaskClient:
    """A client of the toy service."""
    return app.test_client()


@pytest.fixture
def headers(issuer, organisation):
    """Headers of somebody in `hr` (or other roles), with a fresh Idempotency-Key."""

    def make(*roles: str, org: str = organisation, key: str | None = None, **more: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {issuer.token(org, *(roles or ('hr',)))}",
            "Idempotency-Key": key or new_identifier(),
            **more,
        }

    return make


@pytest.fixture
def counters(organisation) -> str:
    """The address of the organisation's counters."""
    return f"/v1/organisations/{organisation}/counters"
