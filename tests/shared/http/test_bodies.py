"""Bodies that strangers send (faults 3.1, H1 to H11, H14, H18): 4xx with a pointer, never a 500, never an echo."""

from __future__ import annotations

import gzip
import io
import json

import pytest

GOOD = {"name": "one", "amount": 1}


@pytest.fixture
def send(client, headers, counters):
    """Post raw bytes as JSON (or another content type)."""

    def post(body: bytes | str, content_type: str = "application/json", **more: str):
        return client.post(counters, data=body, content_type=content_type, headers=headers(**more))

    return post


@pytest.fixture
def send_field(send):
    """Post a good body with one field changed."""
    return lambda name, value: send(json.dumps(GOOD | {name: value}))


def pointers(response) -> set[str]:
    """Return where the faults of a problem stand."""
    return {fault["pointer"] for fault in response.json["errors"]}


@pytest.mark.parametrize("body", ["", "{", "{'a':1}", "nul", '{"a":1} x', "\ufeff{}"])
def test_h1_a_body_that_is_no_json_is_refused(send, body):
    """Empty, cut off, single quotes, trailing text: 400."""
    response = send(body)
    assert response.status_code == 400
    assert response.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/xml", "application/json; charset=utf-16", "application/x-www-form-urlencoded"],
)
def test_h1_another_content_type_or_charset_is_refused(send, content_type):
    """Only JSON in UTF-8 is taken."""
    assert send(json.dumps(GOOD), content_type).status_code == 415


def test_h1_utf_8_named_in_full_is_taken(send):
    """`charset=utf-8` says what is true anyway."""
    assert send(json.dumps(GOOD), "application/json; charset=UTF-8").status_code == 201


def test_h1_bytes_that_are_not_utf_8_are_refused(send):
    """A cp1252 apostrophe is not guessed."""
    assert send(b'{"name":"O\x92Neill","amount":1}').status_code == 400


@pytest.mark.parametrize("levels", [40, 2000, 100_000])
def test_h2_deep_nesting_is_refused(send, levels):
    """Neither the parser nor we recurse into it."""
    assert send("[" * levels + "]" * levels).status_code == 400


def test_h3_an_integer_of_5000_digits_is_refused(send):
    """Nobody converts it."""
    assert send('{"name":"one","amount":' + "9" * 5000 + "}").status_code == 400


@pytest.mark.parametrize("amount", [2**53, 2**63, 2**64, -1, 10**30])
def test_h4_an_integer_beyond_the_range_is_refused(send_field, amount):
    """What BSON or JavaScript cannot hold never reaches the database."""
    response = send_field("amount", amount)
    assert response.status_code == 422
    assert pointers(response) == {"/amount"}


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_h5_nan_and_infinities_are_refused(send, text):
    """They are no JSON numbers."""
    assert send(f'{{"name":"one","amount":{text}}}').status_code == 400


@pytest.mark.parametrize(
    "body", ['{"amount":1,"amount":20,"name":"x"}', '{"name":"x","amount":1,"inner":{"flag":true,"flag":false}}']
)
def test_h6_duplicate_keys_are_refused(send, body):
    """One body, one meaning."""
    assert send(body).status_code == 400


def test_h7_a_lone_surrogate_is_refused(send):
    """It could not be stored."""
    response = send('{"name":"a\\ud800","amount":1}')
    assert response.status_code == 422
    assert pointers(response) == {"/name"}


@pytest.mark.parametrize("name", ["a\x00b", "a\x07", "\u202eevil", "a\nb"])
def test_h8_nul_control_and_direction_characters_are_refused(send_field, name):
    """Text holds letters, not instructions to a terminal."""
    assert send_field("name", name).status_code == 422


@pytest.mark.parametrize("value", [{"$ne": None}, ["a"], 1, True, None, 1.5])
def test_h9_another_type_where_text_is_expected_is_refused(send_field, value):
    """A query operator is not a name."""
    response = send_field("name", value)
    assert response.status_code == 422
    assert pointers(response) == {"/name"}


@pytest.mark.parametrize("value", ["1", 1.0, True, [], None])
def test_h9_another_type_where_a_number_is_expected_is_refused(send_field, value):
    """Nothing is converted."""
    assert send_field("amount", value).status_code == 422


@pytest.mark.parametrize("body", ["[]", "1", '"a"', "null", "true"])
def test_h9_another_shape_of_body_is_refused(send, body):
    """The body is an object."""
    assert send(body).status_code == 422


@pytest.mark.parametrize("name", ["role", "org_id", "status", "version", "_id"])
def test_h10_an_unknown_field_is_refused(send_field, name):
    """Nobody assigns what was not offered."""
    response = send_field(name, "x")
    assert response.status_code == 422
    assert response.json["errors"][0]["code"] == "unknown-field"


def test_h10_the_organisation_comes_from_the_token(client, headers, counters, organisation):
    """What was stored names the token's organisation."""
    assert client.post(counters, json=GOOD, headers=headers()).json["by"] == organisation


def test_h10_nothing_that_was_sent_is_repeated(send):
    """Neither values nor the names of unknown fields come back."""
    body = {"name": ["Ada Lovelace"], "amount": "SW123456", "kind": "Ada", "Ada Lovelace": 1, "code": "Ada L"}
    response = send(json.dumps(body))
    assert response.status_code == 422
    assert "Ada" not in response.text
    assert "SW123456" not in response.text
    assert pointers(response) == {"/name", "/amount", "/kind", "/*", "/code"}


def test_h11_a_body_of_one_mebibyte_and_a_byte_is_refused(send):
    """413, whatever it holds."""
    assert send(b" " * (2**20 + 1)).status_code == 413


def test_h11_a_chunked_body_is_counted_too(client, headers, counters):
    """Without a Content-Length the bytes are counted while they are read."""
    body = b'{"name":"' + b"a" * 2**20 + b'","amount":1}'
    builder = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    response = client.post(
        counters,
        input_stream=io.BytesIO(body),
        content_type="application/json",
        headers=headers(),
        environ_overrides={**builder, "CONTENT_LENGTH": ""},
    )
    assert response.status_code == 413


def test_h11_a_content_encoding_is_refused(send):
    """No bomb is ever unpacked."""
    packed = gzip.compress(json.dumps(GOOD).encode())
    assert send(packed, **{"Content-Encoding": "gzip"}).status_code == 415


def test_h11_an_upload_has_its_own_limit(client, headers, counters):
    """A route that takes files takes larger ones, up to its own limit."""
    files = counters.replace("/counters", "/files")
    taken = client.post(files, data=b"x" * (2**20 + 1), content_type="text/csv", headers=headers())
    assert (taken.status_code, taken.json) == (202, {"bytes": 2**20 + 1})
    refused = client.post(files, data=b"x" * (2 * 2**20 + 1), content_type="text/csv", headers=headers())
    assert refused.status_code == 413
    assert client.post(files, data=b"", content_type="text/csv", headers=headers()).status_code == 422
    assert client.post(files, data=b"x", content_type="image/png", headers=headers()).status_code == 415


def test_h11_a_form_upload_takes_exactly_one_file(client, headers, counters):
    """The part is called `file`; its size is limited like a raw body's."""
    files = counters.replace("/counters", "/files")

    def post(data):
        return client.post(files, data=data, content_type="multipart/form-data", headers=headers())

    assert post({"file": (io.BytesIO(b"abc"), "a.csv")}).json == {"bytes": 3}
    assert post({"other": (io.BytesIO(b"abc"), "a.csv")}).status_code == 400
    assert post({"file": (io.BytesIO(b""), "a.csv")}).status_code == 422
    assert post({f"f{n}": "x" for n in range(1_000)}).status_code == 413
    assert post({"note": "x" * 2**17, "file": (io.BytesIO(b"abc"), "a.csv")}).status_code == 413
    large = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    large += b"x" * (2 * 2**20 + 1) + b"\r\n--b--\r\n"
    sent = client.post(files, data=large, content_type="multipart/form-data; boundary=b", headers=headers())
    assert sent.status_code == 413


@pytest.mark.parametrize(
    "value", ["0001-01-01", "2026-02-30", "2026-13-01", "20260131", "2026-01-31T00:00:00", "9999-12-31", 20260131, ""]
)
def test_h14_a_date_that_is_none_is_refused(send_field, value):
    """Real, in ISO form, in living memory."""
    assert send_field("made_on", value).status_code == 422


@pytest.mark.parametrize(
    "value",
    ["2026-01-31T10:00:00", "2026-01-31T10:00:00+25:00", "2026-02-30T10:00:00Z", "0001-01-01T00:00:00+14:00", "now"],
)
def test_h14_an_instant_without_a_sane_offset_is_refused(send_field, value):
    """An instant says which instant."""
    assert send_field("made_at", value).status_code == 422


@pytest.mark.parametrize("value", ["{01938f5e-0000-7000-8000-000000000000}", "01938F5E-0000-7000-8000-000000000000"])
def test_h15_an_id_in_another_spelling_is_refused(send_field, value):
    """One thing, one spelling of its id."""
    assert send_field("reference", value).status_code == 422


@pytest.mark.parametrize("name", ["O'Neill", "Smith-Jones", "Nkrumah", "Zoë", "李", "🙂"])
def test_h15_names_are_kept_as_typed(send_field, name):
    """Apostrophes, hyphens and single names are names."""
    assert send_field("name", f"  {name} ").json["name"] == name


def test_h15_text_is_made_canonical(send_field):
    """A decomposed letter and a composed one are the same letter."""
    assert send_field("name", "Zoe\u0308").json["name"] == "Zo\u00eb"
    assert send_field("name", "x" * 41).status_code == 422


def test_h18_twenty_thousand_bad_items_give_a_hundred_faults(send):
    """The reader of a problem is a person."""
    response = send(json.dumps(GOOD | {"parts": [{}] * 20_000}))
    assert response.status_code == 422
    assert len(response.json["errors"]) == 100
    assert response.json["errors"][0]["pointer"] == "/parts/0/flag"


@pytest.mark.parametrize("value", [-1, "1e30", 0.123, 101, "NaN", "", True, None, 10**30])
def test_h20_a_number_outside_its_range_is_refused(send_field, value):
    """Exact numbers have a range and a number of places."""
    assert send_field("exact", value).status_code == 422


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"a": "b" * 11}, {"/words/a"}),
        ({"a": 1, "b": 2, "c": "c"}, {"/words/a", "/words/b"}),
        ({"long_name_of_more_than_ten": "c"}, {"/words/long_name_of_more_than_ten"}),
        ({"long_name_of_more_than_ten": 1}, {"/words/long_name_of_more_than_ten"}),
    ],
)
def test_a_fault_in_a_table_points_at_its_name(send_field, words, expected):
    """What is wrong with the name or with its value stands where both stand, and nowhere below."""
    response = send_field("words", words)
    assert response.status_code == 422
    assert pointers(response) == expected
