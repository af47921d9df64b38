"""The application as a whole: a request from one end to the other, the document, headers, health."""

from __future__ import annotations

import re

from openapi_spec_validator import validate

from shared.http import routes_without_decision, unlisted_actions
from shared.http.conformance import watch


def test_a_counter_is_made_read_and_listed(client, headers, counters):
    """What a POST made, GET shows, with the same ETag."""
    made = client.post(counters, json={"name": "one", "amount": 1}, headers=headers())
    assert made.status_code == 201, made.text
    assert made.headers["ETag"] == '"1"'
    got = client.get(made.headers["Location"], headers=headers())
    assert got.json == made.json
    assert got.headers["ETag"] == made.headers["ETag"]
    listed = client.get(counters, headers=headers())
    assert listed.json == {"items": [made.json], "next": None}


def test_every_route_states_who_may_call_it(app, role_table):
    """No route is without a decision, and no action is without an entry in the role table."""
    assert routes_without_decision(app) == []
    assert unlisted_actions(app, role_table) == set()


def test_the_document_is_valid_openapi_3_1(client):
    """`/openapi.json` is OpenAPI 3.1 by the reference validator."""
    document = client.get("/openapi.json").json
    assert document["openapi"] == "3.1.0"
    validate(document)


def test_the_document_states_what_a_post_takes_and_gives(client):
    """A POST names its key, body, replies, problems and security."""
    post = client.get("/openapi.json").json["paths"]["/v1/organisations/{org}/counters"]["post"]
    assert {(one["in"], one["name"]) for one in post["parameters"]} >= {("header", "Idempotency-Key")}
    assert post["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/CounterIn"}
    assert set(post["responses"]) == {"201", "400", "401", "403", "404", "409", "413", "415", "422", "500", "503"}
    assert list(post["responses"]["422"]["content"]) == ["application/problem+json"]
    assert post["security"] == [{"bearer": []}]


def test_the_document_states_pages_conditions_and_formats(client):
    """Paging, If-Match, query parameters and the fields' own limits stand in the document."""
    document = client.get("/openapi.json").json
    listing = document["paths"]["/v1/organisations/{org}/counters"]["get"]
    assert {"after", "limit", "name"} <= {one["name"] for one in listing["parameters"]}
    change = document["paths"]["/v1/organisations/{org}/counters/{counter_id}"]["put"]
    assert "If-Match" in {one["name"] for one in change["parameters"]}
    assert {"412", "428"} <= set(change["responses"])
    fields = document["components"]["schemas"]["CounterIn"]
    assert fields["additionalProperties"] is False
    assert fields["properties"]["amount"] == {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}
    assert fields["properties"]["made_on"].items() >= {"type": "string", "format": "date"}.items()
    assert re.match(fields["properties"]["made_on"]["pattern"], "2100-12-31")
    assert not re.match(fields["properties"]["made_on"]["pattern"], "1899-12-31")
    assert fields["properties"]["code"]["pattern"]


def test_the_document_agrees_with_every_reply(app, client, headers, counters):
    """Replies and accepted requests are what the document says."""
    faults = watch(app)
    full = {
        "name": "one",
        "amount": 1,
        "code": "a-b",
        "kind": "up",
        "made_on": "2026-01-31",
        "made_at": "2026-01-31T10:00:00+01:00",
        "reference": "01938f5e-0000-7000-8000-000000000000",
        "exact": "62.5",
        "inner": {"flag": True},
        "parts": [{"flag": False}],
        "words": {"a": "b"},
    }
    made = client.post(counters, json=full, headers=headers())
    assert made.status_code == 201, made.text
    client.get(made.headers["Location"], headers=headers())
    client.get(f"{counters}/absent", headers=headers())
    client.get(f"{counters}?limit=1", headers=headers())
    client.put(made.headers["Location"], json=full, headers=headers())
    client.post(counters, json={}, headers=headers())
    client.get("/v1/broken")
    assert faults == []


def test_the_docs_page_asks_nobody_else(client):
    """The page and its files come from here, run under script-src 'self' and hold no inline script."""
    page = client.get("/docs")
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(sources) == 4
    assert "http" not in page.text.replace("<!doctype html>", "")
    assert re.search(r"<script(?![^>]*src=)", page.text) is None
    for source in sources:
        if source.startswith("/"):
            assert client.get(source).status_code == 200
    assert client.get("/docs/../app.py").status_code == 404
    assert client.get("/docs/LICENSE").status_code == 404


def test_every_response_carries_the_security_headers(client, headers, counters):
    """Pages, replies and problems alike."""
    for response in (client.get("/livez"), client.get("/nowhere"), client.get(counters, headers=headers())):
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Correlation-Id"]


def test_health_routes_need_no_token(client):
    """Probes and scrapers get their answers; readiness asks the database."""
    assert client.get("/livez").json == {"status": "live"}
    assert client.get("/readyz").json == {"status": "ready"}
    assert client.get("/version").json == {"service": "toy", "version": "1.0.0"}
    assert "http_requests_total" in client.get("/metrics").text


def test_a_partners_correlation_id_never_becomes_ours(client):
    """The id that comes back and goes onto events is always made here."""
    for given in ("0190b5f4-2d51-7c33-9d0e-6d2d4f5a7b11", "Jane.Smith-SW136973", "<script>alert(1)</script>"):
        answered = client.get("/livez", headers={"X-Correlation-Id": given}).headers["X-Correlation-Id"]
        assert answered
        assert answered != given


def test_a_fault_of_ours_shows_a_correlation_id_and_nothing_else(client):
    """An unexpected error repeats nothing that it knows."""
    response = client.get("/v1/broken")
    assert response.status_code == 500
    assert response.mimetype == "application/problem+json"
    assert set(response.json) == {"type", "title", "status", "detail", "correlation_id"}
    assert "Ada" not in response.text
    assert response.json["correlation_id"] == response.headers["X-Correlation-Id"]


def test_a_route_without_a_decision_is_refused_to_everybody(app, client):
    """Deny by default holds for views that forgot to say who may call them."""
    app.view_functions["counters.list_counters"] = lambda org: org
    assert routes_without_decision(app) == ["GET,HEAD,OPTIONS /v1/organisations/<org>/counters"]
    assert client.get("/v1/organisations/x/counters").status_code == 403


def test_options_tells_what_this_very_address_allows(client):
    """Not what a rule with a parameter in the same place would allow."""
    answer = client.options("/openapi.json")
    assert answer.status_code == 200
    assert answer.allow.as_set() == {"get", "head", "options"}
