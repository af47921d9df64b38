"""Records that may be one person: found, merged, split; and what never joins anything."""

from __future__ import annotations

import json

import pytest

from services.enrolment import bootstrap
from services.enrolment.domain.duplicates import MOST_ALIKE
from tests.enrolment.conftest import a_record

ALIKE = {
    "given_name": "Zoë",
    "family_name": "O'Brien-Hart",
    "date_of_birth": "1990-02-03",
    "employment_start": "2020-01-06",
}


def put(house, ref, org="brent", **body):
    """Return a person once their details were told."""
    answer = house.tell_of(ref, org, **body)
    assert answer.status_code < 300, answer.get_data(as_text=True)
    return answer.json


def listed(house):
    """Return the pairs that may be one person: their references and what they have in common."""
    return [
        (sorted(one["employee_ref"] for one in pair["people"]), pair["reasons"])
        for pair in house.pages("practitioner-duplicates")
    ]


def merge(house, into, merged):
    """Return the answer to a merge."""
    return house.ask("POST", "practitioner-duplicates/merge", json={"into": into, "merged": merged})


def test_duplicates_are_found_by_number_by_name_and_birth_and_by_address(house):
    """Each with the reason; accents, blanks, hyphens and case make no difference."""
    put(house, "1", **ALIKE)
    put(house, "2", **{**ALIKE, "given_name": "ZOE", "family_name": "OBRIEN HART"})
    put(house, "3", swe_number="SW53380", family_name="Hart")
    put(house, "4", swe_number="sw 0053380", family_name="Singh")
    put(house, "5", email="A@b.example")
    put(house, "6", email="a@B.example")
    put(house, "7", **{**ALIKE, "date_of_birth": "1991-02-03"})
    assert sorted(listed(house)) == [
        (["1", "2"], ["same_name_and_date_of_birth"]),
        (["3", "4"], ["same_registration_number"]),
        (["5", "6"], ["same_email"]),
    ]
    put(house, "6", email="other@b.example")
    assert [refs for refs, _ in sorted(listed(house))] == [["1", "2"], ["3", "4"]]
    house.good("POST", "practitioner-duplicates/merge", json={"into": "3", "merged": "4"})
    assert house.ask("POST", "practitioner-duplicates/keep-apart", json={"one": "1", "other": "2"}).status_code == 204
    assert listed(house) == []


def test_merged_person_is_found_under_every_old_name_for_ever(house):
    """By old reference and old id; chains lead to the end; enrolments of both stand together; nothing is deleted."""
    house.open_course(capacity=5)
    house.open_course("CCB", capacity=5)
    ids = {}
    for ref, course in (("1", "SAR"), ("2", "CCB")):
        record = a_record(employee_ref=ref, course=course, email=f"{ref}@b.example", swe_number=f"SW{ref}")
        ids[ref] = house.good("POST", "enrolments", json=record)["practitioner_id"]
    ids["3"] = put(house, "3", **ALIKE)["practitioner_id"]
    assert merge(house, "2", "1").status_code == 200
    assert merge(house, "3", "2").status_code == 200
    for name in ("1", "2", ids["1"], ids["2"]):
        found = house.good("GET", f"practitioners/{name}")
        assert (found["practitioner_id"], found["resolved_from"]) == (ids["3"], name)
    assert house.good("GET", "practitioners/3")["resolved_from"] is None
    together = house.pages("practitioners/3/enrolments")
    assert {(one["course"], one["practitioner_id"]) for one in together} == {("SAR", ids["1"]), ("CCB", ids["2"])}
    assert [one["employee_ref"] for one in house.pages("practitioners")] == ["3"]
    put(house, "1", team="West", employment_start="2020-01-06")
    assert house.good("GET", "practitioners/3")["team"] == "West"
    told = [event["data"] for event in house.events("brent") if event["type"] == "enrolment.practitioner-merged.v1"]
    assert [(one["practitioner_id"], one["merged_id"]) for one in told] == [(ids["2"], ids["1"]), (ids["3"], ids["2"])]
    assert merge(house, "1", "3").status_code == 409


def test_split_gives_everything_back(house):
    """A merged person is their own again with what was theirs, and the pair is not listed again."""
    first, second = put(house, "1", **ALIKE), put(house, "2", **ALIKE)
    assert merge(house, "1", "2").status_code == 200
    split = house.good("POST", "practitioner-duplicates/split", json={"merged": second["practitioner_id"]})
    assert split["employee_ref"] == "2"
    assert house.good("GET", "practitioners/2")["practitioner_id"] == second["practitioner_id"]
    assert listed(house) == []
    told = [event["data"] for event in house.events("brent") if event["type"] == "enrolment.practitioner-split.v1"]
    assert [one["practitioner_id"] for one in told] == [first["practitioner_id"]]
    assert house.ask("POST", "practitioner-duplicates/split", json={"merged": "2"}).status_code == 409


def test_two_live_enrolments_in_one_cohort_are_not_merged(house):
    """The refusal says what to do, and it works then."""
    house.open_course(capacity=5)
    for ref in ("1", "2"):
        record = a_record(employee_ref=ref, email=f"{ref}@b.example", swe_number=f"SW{ref}")
        last = house.good("POST", "enrolments", json=record)
    refused = merge(house, "1", "2")
    assert refused.status_code == 409
    assert "withdraw one of them first" in refused.get_data(as_text=True)
    assert house.good("GET", "practitioners/2")["resolved_from"] is None
    withdrawn = {"reason": "other", "withdrawn_on": "2026-01-05"}
    house.good("POST", f"enrolments/{last['enrolment_id']}/withdraw", json=withdrawn)
    assert merge(house, "1", "2").status_code == 200


def test_line_managers_are_told_under_the_old_id_too(house):
    """Work that another service knows under the old id has the survivor's line managers."""
    put(house, "1", **ALIKE)
    old = put(house, "2", **ALIKE)["practitioner_id"]
    merge(house, "1", "2")
    body = {"line_manager_ref": "90001", "from_on": "2026-01-05"}
    house.good("POST", "practitioners/1/line-managers", json=body)
    told = [event for event in house.events("brent") if event["type"] == "enrolment.line-manager-assigned.v1"]
    assert old in {event["key"] if "key" in event else event["subject"] for event in told}


def test_equal_names_join_nothing(house):
    """Neither two people of one name, nor two employers' people who are alike in everything, nor their employers."""
    put(house, "1", given_name="Ada", family_name="Greenwich")
    put(house, "2", given_name="Ada", family_name="Greenwich")
    own = put(house, "3", **ALIKE, email="z@b.example", swe_number="SW7")
    other = put(house, "3", "ealing", **ALIKE, email="z@b.example", swe_number="SW7")
    assert listed(house) == []
    assert own["practitioner_id"] != other["practitioner_id"]
    assert house.ask("GET", f"practitioners/{other['practitioner_id']}").status_code == 404
    assert merge(house, "3", other["practitioner_id"]).status_code == 404
    assert house.ask("GET", "practitioner-duplicates", "supervisor").status_code == 403


def test_worker_finds_the_same_pairs_that_the_list_finds_at_once(house, enrolment_settings):
    """Kept pairs, pairs not looked at yet, corrected people: one list, each pair once, page by page."""
    worker = bootstrap.match_worker(enrolment_settings, house.unit)
    for number in range(1, 8):
        put(house, str(number), swe_number=f"SW{(number + 1) // 2}", email="team@b.example")
    before = house.pages("practitioner-duplicates")
    assert len(before) == 7 * 6 // 2
    assert worker.work_once() is False
    assert house.unit.reading("brent").rows("practitioners_to_match").count({}) == 0
    assert house.pages("practitioner-duplicates") == before
    put(house, "8", swe_number="SW4")
    first = house.good("GET", "practitioner-duplicates", query_string={"limit": "2"})
    rest = house.good("GET", "practitioner-duplicates", query_string={"limit": "200", "after": first["next"]})
    pairs = [tuple(one["employee_ref"] for one in pair["people"]) for pair in [*first["items"], *rest["items"]]]
    assert (len(pairs), len(set(pairs))) == (len(before) + 1, len(before) + 1)
    for number in range(1, 7):
        put(house, str(number), swe_number=f"SW{number + 10}", email=f"{number}@b.example")
    worker.work_once()
    assert listed(house) == [(["7", "8"], ["same_registration_number"])]
    assert house.unit.reading("brent").rows("practitioner_duplicates").count({}) == 1


def test_who_is_kept_apart_stays_apart_after_every_change(house, enrolment_settings):
    """A worker that looks again does not list again what somebody decided."""
    worker = bootstrap.match_worker(enrolment_settings, house.unit)
    put(house, "1", swe_number="SW1")
    put(house, "2", swe_number="SW1")
    worker.work_once()
    house.ask("POST", "practitioner-duplicates/keep-apart", json={"one": "1", "other": "2"})
    put(house, "2", swe_number="SW1", team="West")
    worker.work_once()
    assert listed(house) == []


def test_what_very_many_have_in_common_says_nothing_of_anybody(house, enrolment_settings):
    """An address of a whole team pairs nobody; the same registration number beside it still does."""
    worker = bootstrap.match_worker(enrolment_settings, house.unit)
    for number in range(MOST_ALIKE + 1):
        put(house, str(number), email="team@b.example", swe_number="SW7" if number < 2 else None)
        worker.work_once()
    put(house, "0", email="team@b.example", swe_number="SW7", team="West")
    assert (["0", "1"], ["same_registration_number", "same_email"]) in listed(house)
    assert str(MOST_ALIKE) not in {ref for refs, _ in listed(house) for ref in refs}


def of(ref, course="SAR", **more):
    """Return a record of one of two people who will be merged."""
    told = {"employee_ref": ref, "email": f"{ref}@b.example", "swe_number": f"SW{ref}", "course": course}
    return a_record(**{**told, **more})


@pytest.fixture
def merged(house):
    """Reference 2 leads to 1, who was nominated for SAR before."""
    house.open_course(capacity=9)
    house.open_course("CCB", capacity=9)
    house.good("POST", "enrolments", json=of("1"))
    put(house, "2", family_name="O'Neill", employment_start="2018-01-03")
    assert merge(house, "1", "2").status_code == 200
    return house


HEADINGS = list(a_record())


def a_file(*records):
    """Return a CSV file of records under the contract's own headings."""
    lines = [",".join("" if one[name] is None else str(one[name]) for name in HEADINGS) for one in records]
    return "\n".join([",".join(HEADINGS), *lines]).encode()


def test_nomination_under_an_old_reference_is_the_survivors_at_every_door(merged):
    """The same record is a duplicate, another one conflicts: by API, in a file (checked and taken), at intake."""
    same, other = of("1") | {"employee_ref": "2"}, of("2")
    first = merged.pages("enrolments")
    answer = merged.good("POST", "enrolments", json=same)
    assert (answer["decision"], answer["enrolment_id"]) == ("duplicate", first[0]["enrolment_id"])
    refused = merged.ask("POST", "enrolments", json=other)
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (422, "conflicting_duplicate")
    mapping = {"format": "csv", "columns": {name: name for name in HEADINGS}}
    merged.good("PUT", "column-mapping", json=mapping)
    job = merged.upload(a_file(same, other, of("2", "CCB"), of("1", "CCB")), "both.csv")
    counts = {kind: count for kind, count in job["counts"].items() if count}
    assert counts == {"duplicate": 1, "refused": 2, "accepted": 1}
    merged.confirm(job["id"])
    for ref, record in (("told-same", same), ("told-other", other)):
        merged.intake("brent", json.dumps({"record_ref": ref, "record": record}).encode())
    answers = [event["data"] for event in merged.events("brent", "out")]
    assert [one.get("codes") for one in answers] == [None, ["conflicting_duplicate"]], answers
    assert sorted((one["course"], one["employee_ref"]) for one in merged.pages("enrolments")) == [
        ("CCB", "2"),
        ("SAR", "1"),
    ]


def test_snapshot_that_names_somebody_by_an_old_reference_leaves_them_enrolled(merged):
    """And one row under each of two references is one person, not one who is left out."""
    merged.good("PUT", "column-mapping", json={"format": "csv", "columns": {name: name for name in HEADINGS}})
    query = {"filename": "snap.csv", "mode": "snapshot", "course": "SAR", "intake": "2025-09"}
    content = a_file(of("1") | {"employee_ref": "2"})
    sent = merged.good(
        "POST", "enrolment-uploads", data=content, content_type="application/octet-stream", query_string=query
    )
    merged.worker.work_once()
    job = merged.good("GET", f"enrolment-uploads/{sent['id']}")
    assert (job["state"], job["withdrawals"]["to_withdraw"]) == ("checked", 0)


def test_split_gives_back_what_came_under_the_old_reference_in_the_meantime(merged):
    """Enrolments and details go to the one of whom they were told; what was told of the survivor stays."""
    merged.good("POST", "enrolments", json=of("2", "CCB", team="West"))
    put(merged, "2", family_name="Okafor", team="Far West", employment_start="2018-01-03")
    put(merged, "1", family_name="O'Neill", team="East", employment_start="2018-01-03")
    assert len(merged.pages("practitioners/1/enrolments")) == 2
    assert merged.good("GET", "practitioners/2")["team"] == "East"
    merged.good("POST", "practitioner-duplicates/split", json={"merged": "2"})
    one, other = (merged.good("GET", f"practitioners/{ref}") for ref in "12")
    assert (one["family_name"], one["team"]) == ("O'Neill", "East")
    assert (other["family_name"], other["team"]) == ("Okafor", "Far West")
    for ref, course in (("1", "SAR"), ("2", "CCB")):
        found = merged.pages(f"practitioners/{ref}/enrolments")
        assert [(each["course"], each["practitioner_id"]) for each in found] == [
            (course, merged.good("GET", f"practitioners/{ref}")["practitioner_id"])
        ]
