"""What accreditation says of itself over HTTP."""

from __future__ import annotations

from openapi_spec_validator import validate


def test_openapi_document_is_valid_and_names_no_route_that_awards(university):
    """The document is OpenAPI 3.1, and nothing posts a credit."""
    document = university.app.test_client().get("/openapi.json").get_json()
    validate(document)
    credits_ = document["paths"]["/v1/organisations/{org}/credits"]
    assert set(credits_) & {"post", "put", "patch", "delete"} == set()


def test_another_organisations_thing_looks_like_none_at_all(university):
    """Absent, another's and not hosted give the same body, but for the correlation."""
    registrar, stranger = university.registrar(), university.as_("riverside", "registrar")
    absent = registrar.get("registrations/unknown")
    foreign = stranger.get("registrations/unknown")
    unhosted = university.as_("riverside", "registrar", hei="nowhere").get("registrations/unknown")
    assert {answer.status_code for answer in (absent, foreign, unhosted)} == {404}
    assert set(foreign.get_json()) == set(unhosted.get_json())
