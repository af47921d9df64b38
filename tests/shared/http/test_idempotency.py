"""One effect per key (faults H16, H17), on the real database."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.errors import RuleBroken
from shared.identifiers import new_identifier

GOOD = {"name": "one", "amount": 1}


@pytest.fixture
def stored(app, organisation):
    """Count the counters that are there in truth."""
    unit_of_work = app.extensions["service"].unit_of_work
    return lambda: unit_of_work.reading(organisation).rows("counters").count({})


def test_h16_the_same_post_twice_has_one_effect_and_one_reply(client, headers, counters, stored):
    """Byte for byte the same reply, with its status, ETag and Location."""
    key = new_identifier()
    first = client.post(counters, json=GOOD, headers=headers(key=key))
    again = client.post(counters, data='{"amount": 1,  "name":"one"}', headers=headers(key=key),
                        content_type="application/json")  # fmt: skip
    assert (again.status_code, again.data) == (first.status_code, first.data) == (201, first.data)
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Location"] == first.headers["Location"]
    assert stored() == 1


def test_h16_fifty_in_parallel_have_one_effect_and_one_reply(app, headers, counters, stored):
    """Whoever comes first makes it; the others get the same reply, or a 409 to try again."""
    key = new_identifier()
    sent = headers(key=key)

    def post(_: int) -> tuple[int, bytes]:
        response = app.test_client().post(counters, json=GOOD, headers=sent)
        return response.status_code, response.data

    with ThreadPoolExecutor(10) as pool:
        replies = list(pool.map(post, range(50)))
    assert stored() == 1
    assert {status for status, _ in replies} <= {201, 409}
    assert len({body for status, body in replies if status == 201}) == 1
    assert app.test_client().post(counters, json=GOOD, headers=sent).status_code == 201


def test_h16_the_same_key_with_another_body_is_refused(client, headers, counters, stored):
    """422, and no effect."""
    key = new_identifier()
    client.post(counters, json=GOOD, headers=headers(key=key))
    response = client.post(counters, json=GOOD | {"amount": 2}, headers=headers(key=key))
    assert response.status_code == 422
    assert response.json["type"] == "urn:problem:idempotency-key-reused"
    assert stored() == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "a\x7fb", "\u00e9"])
def test_h16_a_key_that_is_none_is_refused(client, headers, counters, key):
    """Missing, too long or not printable: 400."""
    sent = headers() | {"Idempotency-Key": key}
    assert client.post(counters, json=GOOD, headers=sent).status_code == 400


def test_h16_a_post_without_a_key_is_refused(client, headers, counters):
    """400, before the body is looked at."""
    sent = headers()
    del sent["Idempotency-Key"]
    response = client.post(counters, data="{", headers=sent)
    assert (response.status_code, response.json["type"]) == (400, "urn:problem:idempotency-key-missing")


def test_h16_a_key_of_255_characters_is_taken(client, headers, counters):
    """The limit is the limit."""
    assert client.post(counters, json=GOOD, headers=headers(key="k" * 255)).status_code == 201


def test_h16_keys_belong_to_their_organisation(client, headers, counters, organisation, other_organisation):
    """Another organisation's equal key is another key."""
    key = new_identifier()
    ours = client.post(counters, json=GOOD, headers=headers(key=key))
    path = counters.replace(organisation, other_organisation)
    theirs = client.post(path, json=GOOD | {"amount": 2}, headers=headers(org=other_organisation, key=key))
    assert (ours.status_code, theirs.status_code) == (201, 201)
    assert ours.json["id"] != theirs.json["id"]


def test_h16_a_refusal_is_not_stored(app, client, headers, counters, stored):
    """Only committed outcomes are kept: what was refused may be tried again with the same key."""
    key = new_identifier()
    view = app.view_functions["counters.create_counter"]
    unit_of_work = app.extensions["service"].unit_of_work
    organisation = counters.split("/")[3]

    def refuse(work):
        work.rows("counters").insert_one({"_id": "never"})
        raise RuleBroken("no")

    with pytest.raises(RuleBroken):
        unit_of_work.run(organisation, refuse)
    assert stored() == 0
    assert view is app.view_functions["counters.create_counter"]
    assert client.post(counters, json={"name": ""}, headers=headers(key=key)).status_code == 422
    assert client.post(counters, json=GOOD, headers=headers(key=key)).status_code == 201


def test_h16_a_stored_reply_goes_after_400_days(app, client, headers, counters, organisation):
    """The record says when, and the index makes it so."""
    client.post(counters, json=GOOD, headers=headers())
    unit_of_work = app.extensions["service"].unit_of_work
    (kept,) = unit_of_work.reading(organisation).rows("idempotency").find({})
    days = kept["expires_at"] - unit_of_work.clock.now()
    assert timedelta(days=399) < days <= timedelta(days=400)
    index = unit_of_work.database(organisation)["idempotency"].index_information()["expires_at"]
    assert index["expireAfterSeconds"] == 0


def test_h16_the_key_itself_is_not_stored(app, client, headers, counters, organisation):
    """Partners put references into keys; we keep a hash."""
    client.post(counters, json=GOOD, headers=headers(key="EMP-0001-2026"))
    reading = app.extensions["service"].unit_of_work.reading(organisation)
    assert "EMP-0001" not in str(reading.rows("idempotency").find({}))


def test_h17_a_retry_after_a_lost_reply_gets_it(app, headers, counters, stored):
    """The client went away after the commit; another worker answers its retry."""
    sent = headers(key=new_identifier())
    first = app.test_client().post(counters, json=GOOD, headers=sent)
    again = app.test_client().post(counters, json=GOOD, headers=sent)
    assert again.data == first.data
    assert stored() == 1


def test_h16_an_upload_is_known_by_its_content(client, headers, counters):
    """The same file in another form boundary is the same request; another file is not."""
    files, key = counters.replace("/counters", "/files"), new_identifier()

    def post(content: bytes):
        data = {"file": (io.BytesIO(content), "a.csv")}
        return client.post(files, data=data, content_type="multipart/form-data", headers=headers(key=key))

    assert [post(b"abc").status_code, post(b"abc").status_code, post(b"abd").status_code] == [202, 202, 422]
