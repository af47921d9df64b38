"""ETags, preconditions, paging and query parameters (H19)."""

from __future__ import annotations

import pytest

from shared.identifiers import new_identifier

GOOD = {"name": "one", "amount": 1}


@pytest.fixture
def one(counters) -> str:
    """The address of a counter that does not exist yet."""
    return f"{counters}/{new_identifier()}"


@pytest.fixture
def put(client, headers, one):
    """Put the counter, with or without If-Match."""

    def change(etag: str | None = None, **changes: object):
        more = {} if etag is None else {"If-Match": etag}
        return client.put(one, json=GOOD | changes, headers=headers(**more))

    return change


def test_a_thing_is_made_without_if_match_and_changed_only_with_it(put):
    """428 without the header, 412 with an old state, and the new ETag on success."""
    assert put().headers["ETag"] == '"1"'
    assert put().status_code == 428
    assert put('"7"').status_code == 412
    assert put('"1"', amount=2).headers["ETag"] == '"2"'
    assert put('"1"', amount=3).status_code == 412
    assert put("*", amount=3).headers["ETag"] == '"3"'


def test_a_weak_etag_does_not_match(put):
    """Preconditions of changes are strong."""
    put()
    assert put('W/"1"').status_code == 412


def test_if_match_on_what_does_not_exist_is_refused(put):
    """Whoever has an ETag has seen something; it is gone."""
    assert put('"1"').status_code == 412


def test_pages_follow_each_other_without_gap_or_double(client, headers, counters):
    """Every counter stands on exactly one page, in one order; the last page says so."""
    made = [client.post(counters, json={"name": "x", "amount": n}, headers=headers()).json["id"] for n in range(7)]
    seen, address = [], f"{counters}?limit=3"
    while address:
        page = client.get(address, headers=headers()).json
        seen += [item["id"] for item in page["items"]]
        address = f"{counters}?limit=3&after={page['next']}" if page["next"] else None
    assert seen == made


@pytest.mark.parametrize("limit", ["-1", "0", "x", "1.5", "", "1e9", "\u0661", "9999999999"])
def test_h19_a_page_size_that_is_none_is_refused(client, headers, counters, limit):
    """400; a large one is shown as 200."""
    assert client.get(counters, query_string={"limit": limit}, headers=headers()).status_code == 400
    assert client.get(f"{counters}?limit=999999999", headers=headers()).status_code == 200


def test_h19_a_forged_or_foreign_cursor_is_refused(client, headers, counters, organisation, other_organisation):
    """A cursor belongs to the list that gave it."""
    theirs = counters.replace(organisation, other_organisation)
    for n in range(2):
        client.post(theirs, json={"name": "x", "amount": n}, headers=headers(org=other_organisation))
    cursor = client.get(f"{theirs}?limit=1", headers=headers(org=other_organisation)).json["next"]
    assert client.get(f"{theirs}?after={cursor}", headers=headers(org=other_organisation)).status_code == 200
    for forged in (cursor, cursor[:-2] + "AA", "x", "", "a" * 700, "\u00e9", "!!!!"):
        response = client.get(counters, query_string={"after": forged}, headers=headers())
        assert (response.status_code, response.json["type"]) == (400, "urn:problem:forged-cursor")


@pytest.mark.parametrize("text", ["org=a&org=b", "org=a", "sort=amount", "limit=1&limit=2", "name=a&name=b"])
def test_h19_repeated_and_unknown_parameters_are_refused(client, headers, counters, text):
    """Nothing is picked out of two values, nothing is silently ignored."""
    assert client.get(f"{counters}?{text}", headers=headers()).status_code == 400


def test_h19_a_filter_that_is_none_is_refused(client, headers, counters):
    """The faults of a query are 400 with a pointer."""
    response = client.get(counters, query_string={"name": "x" * 41}, headers=headers())
    assert response.status_code == 400
    assert response.json["errors"][0]["pointer"] == "/name"
