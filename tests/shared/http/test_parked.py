"""What operators see of parked records and decide about them, over HTTP: the same routes in every service."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from shared.events import alarms, parking
from shared.events.checking import LogRecord, Next, Stray
from shared.events.envelope import GENESIS, Envelope
from shared.events.requests import replay_requests
from shared.http.parked import address_of
from shared.identity import RoleTable

CANARY = "Ada Lovelace"
PERSON = "0198c9a0-7d1e-7c3a-9a4e-0d6d1f2a3b4c"
REQUESTED = {
    "enrolment_id": PERSON,
    "practitioner_id": "0198c9a0-7d1e-7c3a-9a4e-0d6d1f2a3b4d",
    "cohort_owner": "marchland",
    "course": "CCB",
    "intake": CANARY,  # breaks its contract
    "route": "practice_only",
    "pcf_level": "SW",
    "requested_on": "2025-06-20",
    "nickname": CANARY,
}
PUBLISHED = {"course": "CCB", "title": CANARY, "credits": 20, "owner": "marchland", "routes": ["practice_only"]}
FEED = "org.marchland.enrolment.v1"


def event(number: int, key: str, event_type: str, data: object) -> Next:
    """Return an event of the feed; its hash is nobody's business here."""
    envelope = Envelope(
        id=PERSON, source=f"/feeds/{FEED}", type=event_type, subject=key, time="2026-01-01T00:00:00.000Z",
        dataschema="", organisation="marchland", feedseq=number, prevhash=GENESIS, correlationid=PERSON,
        data=json.dumps(data).encode(),
    )  # fmt: skip
    return Next(envelope, "f" * 64)


@pytest.fixture
def parked(make_unit_of_work, organisation, client, headers, issuer):
    """Two reasons, a follower and a stray that are parked, and a feed that stands still; ways to ask for them."""
    unit = make_unit_of_work("toy")
    record = LogRecord(7, b"E-4711", CANARY.encode(), (("ce_type", b"x"), (CANARY, b"y"), ("x-trace", b"z")))

    def write(work):
        documents = [
            parking.event_document(FEED, event(2, PERSON, "enrolment.requested.v1", REQUESTED), "bug:KeyError",
                                   is_cause=True, at=work.now),
            parking.event_document(FEED, event(3, PERSON, "enrolment.requested.v1", REQUESTED), parking.FOLLOWS,
                                   is_cause=False, at=work.now),
            parking.event_document(FEED, event(5, "CCB", "enrolment.course-published.v1", PUBLISHED), "malformed",
                                   is_cause=True, at=work.now),
            parking.stray_document(FEED, "cluster/topic", Stray(record, "this is no event"), at=work.now),
        ]  # fmt: skip
        parking.park(work, documents)

    unit.run(organisation, write)
    at = f"/v1/organisations/{organisation}"

    def ask(path: str, body: dict[str, object] | None = None, *, by: str = "operator-1"):
        sent = headers() | {"Authorization": f"Bearer {issuer.token(organisation, 'operator', sub=by)}"}
        return (
            client.get(f"{at}/{path}", headers=sent)
            if body is None
            else client.post(f"{at}/{path}", json=body, headers=sent)
        )

    return SimpleNamespace(unit=unit, organisation=organisation, ask=ask)


def record(number: int) -> str:
    """Return the address of one parked event."""
    return f"parked-records/{address_of(f'{FEED}#{number}')}"


def test_parked_is_listed_by_reason_with_causes_and_followers(parked):
    """One row per reason: how many, of which feeds, from when to when."""
    rows = parked.ask("parked").json["items"]
    assert [(row["reason"], row["causes"], row["followers"]) for row in rows] == [
        ("bug:KeyError", 1, 1),
        ("malformed", 1, 0),
        ("this is no event", 1, 0),
    ]
    assert all(row["feeds"] == [FEED] and row["first_seen_at"] <= row["last_seen_at"] for row in rows)


def test_records_are_paged_and_found_again_by_their_ids(parked):
    """Every record once, over pages of two, and each one's address leads to it."""
    first = parked.ask("parked-records?limit=2").json
    second = parked.ask(f"parked-records?limit=2&after={first['next']}").json
    rows = first["items"] + second["items"]
    assert second["next"] is None
    assert [row["number"] for row in rows] == [2, 3, 5, None]
    assert [parked.ask(f"parked-records/{row['id']}").json["number"] for row in rows] == [2, 3, 5, None]
    assert parked.ask("parked-records?feed=org.nobody.enrolment.v1").json["items"] == []
    for unknown in ("AAAA", "not-an-id!", "x"):
        assert parked.ask(f"parked-records/{unknown}").status_code == 404


def test_a_record_is_shown_by_its_contract_and_everything_personal_is_masked(parked):
    """Codes, days and words of a list are shown; ids by their beginning; nothing else of what was sent.

    Titles, what breaks its contract and what the contract does not name are masked; of a stray there are its size, its
    hash and the names of its headers.
    """
    found = parked.ask(record(2)).json
    said = {one["pointer"]: one["value"] for one in found["fields_said"]}
    assert said == {
        "/enrolment_id": f"{PERSON[:8]}…",
        "/practitioner_id": f"{PERSON[:8]}…",
        "/cohort_owner": "marchland",
        "/course": "CCB",
        "/intake": "(masked: not what the contract says)",
        "/route": "practice_only",
        "/pcf_level": "SW",
        "/requested_on": "2025-06-20",
    }
    assert (found["unnamed_fields"], found["key"]) == (1, f"{PERSON[:8]}…")
    titles = {one["pointer"]: one["value"] for one in parked.ask(record(5)).json["fields_said"]}
    assert titles["/title"] == "(masked)"
    [stray] = [row for row in parked.ask("parked-records").json["items"] if row["number"] is None]
    shown = parked.ask(f"parked-records/{stray['id']}").json
    assert (shown["size"], shown["headers"], shown["other_headers"]) == (len(CANARY), ["ce_type", "x-trace"], 1)
    assert len(shown["sha256"]) == 64


def test_nothing_personal_is_in_any_answer_or_log(parked, caplog, capsys):
    """The canary that stands in every content comes back in none, and is written nowhere."""
    answers = [parked.ask(path) for path in ("parked", "parked-records", "parked-replays", "stopped-feeds")]
    answers += [parked.ask(record(number)) for number in (2, 3, 5)]
    answers += [parked.ask(f"parked-records/{row['id']}") for row in answers[1].json["items"]]
    answers.append(parked.ask(f"{record(2)}/replays", {"reason": "mended"}))
    assert {answer.status_code for answer in answers} == {200, 202}
    told = "".join(answer.text for answer in answers) + caplog.text + "".join(capsys.readouterr())
    assert "Lovelace" not in told
    assert "E-4711" not in told


def test_a_replay_and_a_rehearsal_are_asked_for_in_the_name_of_the_token(parked):
    """Both wait for the reader, side by side; a stray has no key to replay."""
    asked = parked.ask(f"{record(3)}/replays", {"reason": "mended"})
    assert (asked.status_code, asked.json["state"], asked.json["is_rehearsal"]) == (202, "asked", False)
    rehearsed = parked.ask(f"{record(3)}/replays", {"reason": "a look", "is_rehearsal": True}, by="operator-2")
    assert rehearsed.json["is_rehearsal"] is True
    kept = {one.is_dry: (one.by, one.reason) for one in replay_requests(parked.unit, parked.organisation)}
    assert kept == {False: ("operator-1", "mended"), True: ("operator-2", "a look")}
    assert [row["by"] for row in parked.ask("parked-replays").json["items"]] == ["operator-1", "operator-2"]
    [stray] = [row for row in parked.ask("parked-records").json["items"] if row["number"] is None]
    assert parked.ask(f"parked-records/{stray['id']}/replays", {"reason": "x"}).status_code == 404


def test_i11_a_discard_needs_a_second_person(parked):
    """I11: one asks, the same one is refused with 403, another confirms with the reason as read; steps are shown."""
    assert parked.ask(f"{record(5)}/discard-confirmation", {"reason": "a mistake"}).status_code == 409
    assert parked.ask(f"{record(5)}/discard", {"reason": "a mistake"}).status_code == 202
    refused = parked.ask(f"{record(5)}/discard-confirmation", {"reason": "a mistake"})
    assert (refused.status_code, refused.json["type"]) == (403, "urn:problem:second-person-needed")
    assert parked.ask(f"{record(5)}/discard-confirmation", {"reason": "x"}, by="operator-2").status_code == 409
    done = parked.ask(f"{record(5)}/discard-confirmation", {"reason": "a mistake"}, by="operator-2")
    assert (done.status_code, done.json["decision"]) == (200, "discarded")
    steps = parked.ask(record(5)).json["steps"]
    assert [(step["what"], step["by"], step["reason"]) for step in steps] == [
        ("discard-asked", "operator-1", "a mistake"),
        ("discarded", "operator-2", "a mistake"),
    ]
    assert parking.discarded_numbers(parked.unit, parked.organisation, FEED) == {5}
    assert parked.ask(f"{record(5)}/discard", {"reason": "again"}).status_code == 404


def test_k13_a_stopped_feed_is_shown_with_its_reason_and_goes_on_when_a_person_says_so(parked):
    """It stands in the list until it is resumed; who let it go on is kept; twice is not found."""
    alarm = alarms.Alarm(feed=FEED, kind=alarms.LIMIT, number=51, detail="too much is parked")
    alarms.raise_alarm(parked.unit, parked.organisation, alarm)
    [row] = parked.ask("stopped-feeds").json["items"]
    assert (row["feed"], row["kind"], row["number"]) == (FEED, "limit", 51)
    assert parked.ask(f"stopped-feeds/{FEED}/resume", {"reason": "the bug is mended"}).status_code == 200
    assert parked.ask("stopped-feeds").json["items"] == []
    assert parked.ask(f"stopped-feeds/{FEED}/resume", {"reason": "again"}).status_code == 404
    kept = parked.unit.database(parked.organisation)["feed_alarms"].find_one({"_id": FEED})
    assert [(step["by"], step["reason"]) for step in kept["steps"]] == [("operator-1", "the bug is mended")]


@pytest.mark.parametrize("service", ["enrolment", "assessment", "accreditation", "reporting"])
def test_in_every_service_only_the_operator_of_the_organisation_may(service):
    """No other role reads or decides about what is parked, and nobody of another organisation."""
    table = RoleTable.of_service(service)
    for action in ("parked.read", "parked.decide"):
        assert dict(table.grants[action].roles) == {"operator": frozenset({"own"})}
