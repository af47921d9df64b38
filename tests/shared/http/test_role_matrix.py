"""Who may do what (faults I7, I8), on the toy service: every cell, and the bodies of what is not one's own."""

from __future__ import annotations

import pytest

from shared.http.matrix import disagreements, matrix_cells
from shared.identifiers import new_identifier

GOOD = {"name": "one", "amount": 1}


def test_every_cell_of_the_role_matrix(app, role_table, issuer, organisation, other_organisation):
    """The guard agrees with the table for every route, role and relation."""

    def mint(org: str, roles: tuple[str, ...]) -> str:
        return issuer.token(org, *roles)

    assert disagreements(app, role_table, mint, own=organisation, other=other_organisation) == []


def test_the_matrix_has_a_cell_for_every_role_and_relation(app, role_table):
    """Per route: no token, and 12 roles and none, for one's own organisation and another."""
    cells = list(matrix_cells(app, role_table))
    assert len(cells) == 16 * (1 + 13 * 2)
    assert {cell.expected for cell in cells} == {"allowed", "forbidden", "not_found", "unauthenticated"}


def test_the_walk_notices_a_wrong_decision(app, role_table, issuer, organisation, other_organisation):
    """A route that lets others in than the table says is a disagreement."""

    def mint(org: str, roles: tuple[str, ...]) -> str:
        return issuer.token(org, *(("hr",) if roles == ("auditor",) else roles))

    found = disagreements(app, role_table, mint, own=organisation, other=other_organisation)
    assert any("POST" in one and "auditor own: forbidden, but got allowed" in one for one in found)


@pytest.mark.parametrize("method", ["get", "put"])
def test_i7_what_is_anothers_looks_exactly_like_what_is_absent(
    client, headers, counters, organisation, other_organisation, method
):
    """The same status and the same bytes, whether the thing exists elsewhere, nowhere, or the partner is unknown."""
    theirs = counters.replace(organisation, other_organisation)
    made = client.post(theirs, json=GOOD, headers=headers(org=other_organisation))
    addresses = [
        made.headers["Location"],
        f"{theirs}/{new_identifier()}",
        f"/v1/organisations/nobody/counters/{made.json['id']}",
    ]
    if method == "get":
        addresses.append(f"{counters}/{made.json['id']}")
        addresses.append(f"{counters}/{new_identifier()}")
    replies = [getattr(client, method)(address, headers=headers(), json=GOOD) for address in addresses]
    assert {reply.status_code for reply in replies} == {404}
    assert len({reply.data for reply in replies}) == 1


def test_i7_lists_hold_nothing_of_anothers(client, headers, counters, organisation, other_organisation):
    """A list is one organisation's, also for a partner that may read it."""
    client.post(counters.replace(organisation, other_organisation), json=GOOD, headers=headers(org=other_organisation))
    assert client.get(counters, headers=headers()).json["items"] == []


def test_i7_a_refusal_comes_before_anything_is_read(client, headers, counters, organisation, other_organisation):
    """A bad body, query or key of somebody else's resource says nothing about itself."""
    theirs = counters.replace(organisation, other_organisation)
    sent = headers()
    del sent["Idempotency-Key"]
    response = client.post(f"{theirs}?x=1", data=b"{", content_type="application/json", headers=sent)
    assert response.status_code == 404


def test_i8_a_role_in_the_body_or_a_header_changes_nothing(client, headers, counters):
    """Roles come from the token."""
    response = client.post(counters, json=GOOD | {"roles": ["hr"]}, headers=headers("auditor", **{"X-Role": "hr"}))
    assert response.status_code == 403


def test_several_roles_add_up(client, headers, counters):
    """Whoever has a role that may, may."""
    assert client.post(counters, json=GOOD, headers=headers("auditor", "hr")).status_code == 201


def test_an_organisation_that_is_not_hosted_here_is_not_found(client, headers, issuer):
    """A partner's own people find nothing at an instance that does not serve them."""
    issuer.trust("elsewhere")
    response = client.get("/v1/organisations/elsewhere/counters", headers=headers(org="elsewhere"))
    assert response.status_code == 404
