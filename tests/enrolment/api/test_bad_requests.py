"""Requests that strangers send to the real enrolment service (faults H1 to H19, I1, I7, I8): refused, nothing kept."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.enrolment.application.upload_handlers import receive
from services.enrolment.bootstrap import build_web_app
from services.enrolment.domain.mapping import FileMapping
from shared.identifiers import new_identifier
from shared.storage.mongo import connect
from tests.enrolment.conftest import RECORD

GOOD = json.dumps(RECORD)
PROBLEM = "application/problem+json"


def _with(text: str) -> str:
    """Return a good body with one more member, spelled as given."""
    return GOOD[:-1] + f",{text}}}"


@pytest.fixture
def kept(house):
    """Count everything that Brent's database holds, apart from what `house.open_course` put there."""
    house.open_course()
    database = house.unit.database("brent")

    def count() -> dict[str, int]:
        return {name: database[name].count_documents({}) for name in sorted(database.list_collection_names())}

    return count


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("", "application/json", 400),
        ("{", "application/json", 400),
        (GOOD, "text/plain", 415),
        (GOOD, "", 415),
        (GOOD.encode("utf-16"), "application/json; charset=utf-16", 415),
        ("[" * 2000 + "]" * 2000, "application/json", 400),
        (_with('"team":' + "9" * 5000), "application/json", 400),
        (_with('"team":NaN'), "application/json", 400),
        (_with('"team":Infinity'), "application/json", 400),
        (_with('"course":"SAR"'), "application/json", 400),
        (" " * (2**20 + 1), "application/json", 413),
    ],
    ids=["h1-empty", "h1-cut", "h1-text", "h1-none", "h1-utf16", "h2", "h3", "h5-nan", "h5-infinity", "h6", "h11"],
)
def test_h1_h2_h3_h5_h6_h11_a_nomination_that_is_no_plain_json_is_refused(house, kept, body, content_type, status):
    """The real door reads JSON as strictly as the toy's, and nothing is kept."""
    before = kept()
    answer = house.ask("POST", "enrolments", data=body, content_type=content_type)
    assert (answer.status_code, answer.mimetype) == (status, PROBLEM)
    assert "Neill" not in answer.get_data(as_text=True)
    assert kept() == before


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"fte": 2**63}, "/fte"),
        ({"fte": 10**30}, "/fte"),
        ({"family_name": "a\ud800"}, "/family_name"),
        ({"family_name": "a\x00b"}, "/family_name"),
        ({"employee_ref": {"$ne": None}}, "/employee_ref"),
        ({"employee_ref": ["10001"]}, "/employee_ref"),
        ({"course": {"$gt": ""}}, "/course"),
        ({"status": "confirmed"}, "/status"),
        ({"org_id": "ealing"}, "/org_id"),
        ({"role": "programme_lead"}, "/role"),
    ],
)
def test_h4_h7_h8_h9_h10_a_nomination_with_a_value_that_is_none_is_refused(house, kept, changes, pointer):
    """422 with a pointer; no operator reaches a query, no member that was not offered is assigned."""
    before = kept()
    answer = house.ask("POST", "enrolments", data=json.dumps(RECORD | changes), content_type="application/json")
    assert (answer.status_code, answer.mimetype) == (422, PROBLEM)
    assert [fault["pointer"] for fault in answer.json["errors"]] == [pointer]
    assert kept() == before


@pytest.mark.parametrize("reference", ["a%00b", "a%07b", "%E2%80%AEx", "x" * 501])
def test_h8_an_address_that_no_text_field_would_take_keeps_nobody(house, kept, reference):
    """A reference in an address is read like one in a body."""
    before = kept()
    assert house.ask("PUT", f"practitioners/{reference}", json={}).status_code == 422
    manager = {"line_manager_ref": "1", "from_on": "2025-01-01"}
    assert house.ask("POST", f"practitioners/{reference}/line-managers", json=manager).status_code == 422
    assert house.ask("GET", f"practitioners/{reference}").status_code == 404
    assert kept() == before


def test_h10_the_organisation_is_the_addresss_and_the_tokens_never_the_bodys(house, kept):
    """What Brent's HR sends stands with Brent and with nobody else."""
    assert kept()
    assert house.ask("POST", "enrolments", json=RECORD).status_code == 201
    assert len(house.pages("enrolments")) == 1
    assert house.pages("enrolments", "ealing") == []


def test_h11_an_encoded_or_overgrown_form_is_refused(house, kept):
    """No bomb is unpacked, and a form has few parts."""
    before = kept()
    packed = house.ask("POST", "enrolments", data=b"x", headers={"Content-Encoding": "gzip"})
    assert packed.status_code == 415
    parts = {f"f{number}": "x" for number in range(1_000)}
    for form in (parts, {"note": "x" * 2**18, "file": (io.BytesIO(b"a"), "a.csv")}):
        sent = house.ask("POST", "enrolment-uploads", data=form, content_type="multipart/form-data")
        assert sent.status_code == 413
    assert kept() == before


@pytest.mark.parametrize(
    "day", ["0001-01-01", "2026-02-30", "2025-07-01T10:00:00", "2025-07-01T10:00:00+25:00", "01/07/2025", 20250701]
)
def test_h14_a_day_that_is_none_is_refused(house, kept, day):
    """In a nomination, a withdrawal and a line manager's first day alike."""
    which = house.ask("POST", "enrolments", json=RECORD).json["enrolment_id"]
    before = kept()
    other = RECORD | {"employee_ref": "2", "manager_approved_on": day}
    assert house.ask("POST", "enrolments", json=other).status_code == 422
    gone = {"reason": "workload", "withdrawn_on": day}
    assert house.ask("POST", f"enrolments/{which}/withdraw", json=gone).status_code == 422
    manager = {"line_manager_ref": "90002", "from_on": day}
    assert house.ask("POST", "practitioners/10001/line-managers", json=manager).status_code == 422
    assert kept() == before


def test_h16_one_key_fifty_times_at_once_is_one_enrolment_and_one_reply(house, kept):
    """One effect, one event, and every success is the same reply to the byte; the key alone decides afterwards."""
    assert kept()
    key = {"Idempotency-Key": new_identifier()}

    def post(_: int) -> tuple[int, bytes]:
        answer = house.ask("POST", "enrolments", json=RECORD, headers=key)
        return answer.status_code, answer.get_data()

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(post, range(50)))
    assert {status for status, _ in answers} <= {201, 409}
    first = {body for status, body in answers if status == 201}
    assert len(first) == 1
    assert post(0) == (201, *first)
    assert len(house.pages("enrolments")) == 1
    assert sum(event["type"] == "enrolment.requested.v1" for event in house.events("brent")) == 1
    other = house.ask("POST", "enrolments", json=RECORD | {"team": "Elsewhere"}, headers=key)
    assert (other.status_code, other.json["type"]) == (422, "urn:problem:idempotency-key-reused")
    for bad in ("k" * 256, "", "k\x7f"):
        assert house.ask("POST", "enrolments", json=RECORD, headers={"Idempotency-Key": bad}).status_code == 400


def test_h16_i7_another_organisations_key_is_another_key(house, kept):
    """Ealing's post under Brent's key is Ealing's own, and tells nothing of Brent's."""
    assert kept()
    key = {"Idempotency-Key": new_identifier()}
    ours = house.ask("POST", "enrolments", json=RECORD, headers=key)
    theirs = house.ask("POST", "enrolments", org="ealing", json=RECORD | {"given_name": "Zoë"}, headers=key)
    trespass = house.ask("POST", "enrolments", org="ealing", at="brent", json=RECORD, headers=key)
    assert [ours.status_code, theirs.status_code, trespass.status_code] == [201, 201, 404]
    assert ours.json["enrolment_id"] != theirs.json["enrolment_id"]
    assert [len(house.pages("enrolments", org)) for org in ("brent", "ealing")] == [1, 1]


@pytest.mark.parametrize("path", ["enrolments", "practitioners", "enrolment-uploads"])
@pytest.mark.parametrize(
    "query",
    [
        "limit=-1",
        "limit=0",
        "limit=1e9",
        "limit=x",
        "after=x",
        "after=",
        "sort=email",
        "org=a&org=b",
        "limit=1&limit=2",
    ],
)
def test_h19_a_page_that_is_none_is_refused(house, path, query):
    """Sizes, cursors and parameters that the list does not know: 400."""
    answer = house.ask("GET", f"{path}?{query}")
    assert (answer.status_code, answer.mimetype) == (400, PROBLEM)


def test_h19_a_page_has_at_most_two_hundred_items(house):
    """A greedy limit is cut, and the rest is behind the cursor."""
    for number in range(201):
        house.unit.run("brent", lambda work, number=number: _keep_upload(house, work, number))
    page = house.good("GET", "enrolment-uploads", query_string={"limit": "999999999"})
    assert len(page["items"]) == 200
    rest = house.good("GET", "enrolment-uploads", query_string={"after": page["next"]})
    assert (len(rest["items"]), rest["next"]) == (1, None)


def _keep_upload(house, work, number: int) -> None:
    receive(house.opener.desk(work), str(number).encode(), str(number), "x.csv", FileMapping(format="csv"))


def test_i1_no_token_garbage_and_a_megabyte_are_401_and_never_logged(house, kept, capfd):
    """The same refusal for each, and nothing of the token anywhere."""
    before = kept()
    secret = "c2VjcmV0" * 1000
    bodies = set()
    for header in ({}, {"Authorization": "Bearer"}, {"Authorization": f"Bearer {secret}.{secret}.{secret}"},
                   {"Authorization": "Bearer " + "a" * 2**20}, {"Authorization": "Basic " + secret}):  # fmt: skip
        answer = house.app.test_client().post("/v1/organisations/brent/enrolments", json=RECORD, headers=header)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        bodies.add(answer.get_data())
    assert len(bodies) == 1
    out, err = capfd.readouterr()
    assert "c2VjcmV0" not in out + err
    assert "aaaaaaaaaaaaaaaa" not in out + err
    assert kept() == before


@pytest.fixture
def estate(house):
    """Everything of Brent's that somebody else might reach for: (method, path, body) of each door."""
    house.open_course()
    which = house.ask("POST", "enrolments", json=RECORD).json["enrolment_id"]
    person = house.good("GET", "practitioners/10001")["practitioner_id"]
    house.good("PUT", "column-mapping", json={"format": "csv"})
    content = (",".join(RECORD) + "\n" + ",".join(str(value) for value in RECORD.values()) + "\n").encode()
    upload = house.upload(content, "x.csv")["id"]
    gone = {"reason": "workload", "withdrawn_on": "2025-10-01"}
    manager = {"line_manager_ref": "1", "from_on": "2025-10-01"}
    return [
        ("GET", "enrolments", None),
        ("GET", "enrolments?employee_ref=10001", None),
        ("GET", f"enrolments/{which}", None),
        ("POST", "enrolments", RECORD),
        ("POST", f"enrolments/{which}/withdraw", gone),
        ("POST", f"enrolments/{which}/complete", {"completed_on": "2025-10-01"}),
        ("GET", "practitioners", None),
        ("GET", "practitioners/10001", None),
        ("PUT", "practitioners/10001", {"given_name": "X"}),
        ("POST", "practitioners/10001/line-managers", manager),
        ("GET", f"practitioners/{person}/identity?purpose=registration", None),
        ("GET", "enrolment-uploads", None),
        ("GET", f"enrolment-uploads/{upload}", None),
        ("GET", f"enrolment-uploads/{upload}/rows", None),
        ("GET", f"enrolment-uploads/{upload}/errors.csv", None),
        ("POST", f"enrolment-uploads/{upload}/confirm", {}),
        ("DELETE", f"enrolment-uploads/{upload}", None),
        ("GET", "column-mapping", None),
        ("PUT", "column-mapping", {"format": "csv"}),
        ("GET", "courses/SAR", None),
        ("GET", "courses/SAR/cohorts/2025-09", None),
        ("GET", "feed", None),
    ]


def test_i7_every_door_of_another_borough_answers_like_an_empty_house(house, estate):
    """Each method on each thing: 404 with the body of what exists nowhere, and nothing has changed."""
    database = house.unit.database("brent")
    names = [name for name in database.list_collection_names() if name != "idempotency"]
    before = {name: list(database[name].find({}, sort=[("_id", 1)])) for name in names}
    absent = house.ask("GET", f"enrolments/{new_identifier()}").get_data()
    for method, path, body in estate:
        for role in ("hr", "programme_lead", "operator"):
            answer = house.ask(method, path, role, "ealing", at="brent", json=body)
            assert (method, path, role, answer.status_code, answer.get_data()) == (method, path, role, 404, absent)
        nowhere = house.ask(method, path, "hr", "ealing", at="nobody", json=body)
        assert (nowhere.status_code, nowhere.get_data()) == (404, absent)
    assert {name: list(database[name].find({}, sort=[("_id", 1)])) for name in names} == before


def test_i7_an_id_of_another_borough_at_ones_own_address_is_absent(house, estate):
    """Ealing's HR asks Ealing's house for what is Brent's: the same 404 for every id, in lists nothing."""
    absent = house.ask("GET", f"enrolments/{new_identifier()}", org="ealing").get_data()
    for method, path, body in estate:
        if path.count("/") == 0 or path.startswith("courses") or method == "PUT":
            continue
        answer = house.ask(method, path, "service" if "identity" in path else "hr", "ealing", json=body)
        assert (path, answer.status_code, answer.get_data()) == (path, 404, absent)
    for path in ("enrolments", "enrolments?employee_ref=10001", "practitioners", "enrolment-uploads"):
        assert house.good("GET", path, org="ealing")["items"] == []


def test_i7_a_cursor_of_another_borough_is_no_cursor(house, kept):
    """Brent's cursor opens nothing at Ealing's list, nor another of Brent's lists."""
    assert kept()
    for number in range(2):
        house.ask("POST", "enrolments", json=RECORD | {"employee_ref": str(number)})
    cursor = house.good("GET", "enrolments?limit=1")["next"]
    assert house.ask("GET", f"enrolments?after={cursor}").status_code == 200
    for answer in (
        house.ask("GET", f"enrolments?after={cursor}", org="ealing"),
        house.ask("GET", f"practitioners?after={cursor}"),
    ):
        assert (answer.status_code, answer.json["type"]) == (400, "urn:problem:forged-cursor")


def test_i7_what_is_anothers_is_refused_before_anything_is_read(enrolment_settings, enrolment_issuer, house):
    """Without a database the answer is the same, so that its time says nothing; and each attempt is counted."""
    client = connect("mongodb://127.0.0.1:1/", appname="none")
    app = build_web_app(enrolment_settings, client)
    token = enrolment_issuer.mint("ealing", ["hr"], "desk", "enrolment")
    sent = {"Authorization": f"Bearer {token}", "Idempotency-Key": new_identifier()}
    counter = 'organisation="ealing"'
    for path in ("enrolments/x", "practitioners/10001", "enrolment-uploads/x/rows"):
        assert app.test_client().get(f"/v1/organisations/brent/{path}", headers=sent).status_code == 404
    lines = app.test_client().get("/metrics").text.splitlines()
    counted = [line for line in lines if "foreign" in line and counter in line and not line.startswith("#")]
    assert counted
    assert house.app is not app
    client.close()


@pytest.mark.parametrize("role", ["practitioner", "auditor", "board", "assessor", "tutor"])
def test_i8_a_role_in_body_header_or_query_changes_nothing(house, kept, role):
    """Whoever the token says asks, asks."""
    before = kept()
    claim = {"X-Role": "hr", "X-Roles": "hr", "Role": "hr", "X-Forwarded-User": "hr", "X-Organisation": "brent"}
    assert house.ask("POST", "enrolments", role, json=RECORD | {"role": "hr"}, headers=claim).status_code == 403
    assert house.ask("POST", "enrolments?role=hr", role, json=RECORD, headers=claim).status_code == 403
    other = house.ask("POST", "enrolments", "hr", "ealing", at="brent", json=RECORD | {"org": "brent"}, headers=claim)
    assert other.status_code == 404
    assert kept() == before


def test_i8_the_board_reads_no_row_of_a_borough(house, estate):
    """The board's people, with any role of theirs, open no door of an employer."""
    for method, path, body in estate:
        for role in ("board", "auditor", "operator"):
            answer = house.ask(method, path, role, "nwl-board", at="brent", json=body)
            assert (path, answer.status_code) == (path, 404)
