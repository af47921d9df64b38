"""What every projection of the platform shows, read from its databases and topics, and held against a load's history.

`findings(stage, history)` is the whole check, to be called when all is quiet. Recounts are made here from the owners'
feeds, by rules of their own, not by the services' code.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

import msgspec
from pymongo import MongoClient

from shared.events.envelope import GENESIS, Envelope
from shared.events.feed import FeedName, feed_of
from shared.events.ledger import Ledger
from shared.events.verify import verify_feed
from shared.testing.feeds import on_topic
from shared.testing.history import (
    Findings,
    History,
    Kind,
    Projection,
    Violation,
    check_balance,
    check_capacity,
    check_chain,
    check_effects,
    check_log,
    check_same,
    check_steps,
    check_turns,
)
from tests.faults.processes.awarding import CREDIT, UNIVERSITY
from tests.faults.processes.collecting import EVIDENCE, is_ours, label_of
from tests.faults.processes.load import NOMINATE, WITHDRAW
from tests.faults.processes.stage import EMPLOYERS, LEAD, READERS, Stage, on_board, read_to

LOOKS = 5
COUNTED = ("nominated", "confirmed", "waiting", "withdrawn", "submitted", "passed", "awarded", "credits")
REQUESTS = ("enrolment.requested.v1", "enrolment.requested.v2")
"""The second is of a release that only a test makes."""
LIFE = {**dict.fromkeys(REQUESTS, 1), "enrolment.confirmed.v1": 2, "enrolment.withdrawn.v1": 3}
SEATS = ("enrolment.seat-confirmed.v1", "enrolment.seat-promoted.v1")
SUBMISSIONS = ("assessment.portfolio-submitted.v1", "assessment.portfolio-returned.v1")
ANSWERS = ("enrolment.seat-confirmed.v1", "enrolment.wait-listed.v1", "enrolment.seat-declined.v1")


@dataclass
class Seen:
    """The owners' feeds, and who is who."""

    feeds: dict[str, list[tuple[Envelope, str]]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def events(self, topics: Iterable[str], *types: str) -> list[tuple[Envelope, dict]]:
        """Return the events of some types on some feeds, each with its data."""
        found = chain.from_iterable(self.feeds.get(topic, ()) for topic in topics)
        return [(event, msgspec.json.decode(event.data)) for event, _ in found if event.type in types]

    def by_label(self, ids: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
        """Return (enrolment id, what was found) pairs by the client's label; an id that nobody asked for is its own."""
        found = defaultdict(list)
        for enrolment_id, what in ids:
            found[self.labels.get(enrolment_id, enrolment_id)].append(what)
        return found


def findings(stage: Stage, history: History, *, topics: bool = True) -> Findings:
    """Return all that is wrong with the platform, after quiet; `topics`: whether the logs are gone through as well.

    Where something was told while it was looked at, as when a university asks once more after a while, it is looked at
    again: two places seen at different moments differ by right.
    """
    with stage.client() as client:
        for _ in range(LOOKS):
            found, seen = _look(stage, client, history, topics=topics)
            if all(len(feed) == _head(stage, client, topic) for topic, feed in seen.feeds.items()):
                return found
            stage.quiet()
    message = f"the platform did not come to rest while it was looked at {LOOKS} times"
    raise AssertionError(message)


def _head(stage: Stage, client: MongoClient, topic: str) -> int:
    feed = feed_of(topic)
    return Ledger(stage.unit(client, feed.service).reading(feed.organisation), feed).head().number


def _look(stage: Stage, client: MongoClient, history: History, *, topics: bool) -> tuple[Findings, Seen]:
    seen = seen_on(stage, client, history)
    found = [
        *nominations(client, seen, history),
        *_withdrawals(client, seen, history),
        *_evidence(client, seen, history),
        *_credits(client, seen, history),
        *_order(seen),
        *_seats(client, seen),
        *_report(client, seen),
        *_readers(stage, client, seen),
        *_parked(stage, client),
    ]
    for feed in stage.feeds():
        reading = stage.unit(client, feed.service).reading(feed.organisation)
        found += check_chain(feed.topic, verify_feed(reading, feed))
        if topics:
            found += _log(stage, feed, seen)
    return Findings(found), seen


def own(service: str, *owners: str) -> list[str]:
    """Return the topics of some owners' feeds."""
    return [FeedName("org", owner, service).topic for owner in owners]


def seen_on(stage: Stage, client: MongoClient, history: History) -> Seen:
    """Read the feeds. Who is who say the replies, and the employers' rows where there was none."""
    seen = Seen()
    seen.labels.update({one.made: one.label for one in history.of(NOMINATE) if one.made})
    for feed in stage.feeds():
        ledger = Ledger(stage.unit(client, feed.service).reading(feed.organisation), feed)
        seen.feeds[feed.topic] = list(ledger.walk(0, ledger.head()))
    for employer in EMPLOYERS:
        for row in client[f"enrolment__{employer}"]["enrolments"].find({}, {"employee_ref": 1}):
            seen.labels[row["_id"]] = row["employee_ref"]
    return seen


def nominations(client: MongoClient, seen: Seen, history: History) -> list[Violation]:
    """Hold each nomination against all that is to come of it, from its employer's row to the board's."""
    rows = [
        (doc["_id"], doc["_id"])
        for employer in EMPLOYERS
        for doc in client[f"enrolment__{employer}"]["enrolments"].find({}, {"_id": 1})
    ]
    requested = seen.events(own("enrolment", *EMPLOYERS), *REQUESTS)
    answered = seen.events(own("enrolment", LEAD), *ANSWERS)
    confirmed = seen.events(own("enrolment", *EMPLOYERS), "enrolment.confirmed.v1")
    seated = seated_in(seen)
    opened = seen.events(own("assessment", *EMPLOYERS), "assessment.portfolio-opened.v1")
    places = client[f"enrolment__{LEAD}"]["places"].find({}, {"_id": 1})
    portfolios = [
        doc["_id"]
        for employer in EMPLOYERS
        for doc in client[f"assessment__{employer}"]["portfolios"].find({}, {"_id": 1})
    ]
    reported = on_board(client, "enrolments").find({"bucket": {"$ne": None}}, {"_id": 1})
    return check_effects(
        history.of(NOMINATE),
        [
            Projection("the employer's rows", seen.by_label(rows), shows_ids=True),
            Projection("the employer's feed", seen.by_label((e.subject, e.id) for e, _ in requested)),
            Projection("the owner's places", seen.by_label((doc["_id"], "place") for doc in places)),
            Projection("the owner's answers", seen.by_label((e.subject, e.id) for e, _ in answered)),
            Projection("confirmations", seen.by_label((e.subject, e.id) for e, _ in confirmed), seated),
            Projection("portfolios", seen.by_label((id, "portfolio") for id in portfolios), seated),
            Projection("portfolios' feed", seen.by_label((e.subject, e.id) for e, _ in opened), seated),
            Projection("the report", seen.by_label((doc["_id"].split("/")[1], "row") for doc in reported)),
        ],
    )


def seated_in(seen: Seen) -> set[str]:
    """Return the labels that are to be confirmed by their employer: those to whom the lead gave a seat.

    Who withdrew is left out where nothing was confirmed, for that employer may have heard of the seat afterwards.
    """
    given = {data["enrolment_id"] for _, data in seen.events(own("enrolment", LEAD), *SEATS)}
    confirmed = {event.subject for event, _ in seen.events(own("enrolment", *EMPLOYERS), "enrolment.confirmed.v1")}
    withdrawn = {event.subject for event, _ in seen.events(own("enrolment", *EMPLOYERS), "enrolment.withdrawn.v1")}
    return {seen.labels.get(one, one) for one in given - (withdrawn - confirmed)}


def _withdrawals(client: MongoClient, seen: Seen, history: History) -> list[Violation]:
    rows = [
        doc["_id"]
        for employer in EMPLOYERS
        for doc in client[f"enrolment__{employer}"]["enrolments"].find({"status": "withdrawn"}, {"_id": 1})
    ]
    told = seen.events(own("enrolment", *EMPLOYERS), "enrolment.withdrawn.v1")
    places = client[f"enrolment__{LEAD}"]["places"].find({"state": "left"}, {"_id": 1})
    reported = on_board(client, "enrolments").find({"facts": "withdrawn"}, {"_id": 1})
    each = [
        ("the employer's rows", ((id, id) for id in rows)),
        ("the employer's feed", ((e.subject, e.id) for e, _ in told)),
        ("the owner's places", ((doc["_id"], "left") for doc in places)),
        ("the report", ((doc["_id"].split("/")[1], "fact") for doc in reported)),
    ]
    projections = []
    for name, pairs in each:
        found = defaultdict(list)
        for enrolment_id, what in pairs:
            found[enrolment_id].append(what)
        projections.append(Projection(name, found))
    return check_effects(history.of(WITHDRAW), projections)


def _evidence(client: MongoClient, seen: Seen, history: History) -> list[Violation]:
    """Each piece that the load sent stands once in its portfolio and once on its employer's feed, in its turn."""
    in_portfolio: dict[str, list[str]] = defaultdict(list)
    shelved: list[tuple[str, str]] = []
    told: list[tuple[str, str]] = []
    labels = {one.made: one.label for one in history.of(EVIDENCE) if one.made}
    for employer in EMPLOYERS:
        for doc in client[f"assessment__{employer}"]["portfolios"].find({}, {"evidence": 1}):
            for piece in doc["evidence"]:
                labels[piece["evidence_id"]] = label_of(doc["_id"], piece["ref"])
                shelved.append((doc["_id"], labels[piece["evidence_id"]]))
                if is_ours(piece["ref"]):
                    in_portfolio[labels[piece["evidence_id"]]].append(piece["evidence_id"])
    on_feed: dict[str, list[str]] = defaultdict(list)
    for event, data in seen.events(own("assessment", *EMPLOYERS), "assessment.evidence-added.v1"):
        label = labels.get(data["evidence_id"], data["evidence_id"])
        told.append((event.subject, label))
        if is_ours(label.rpartition("/")[2]) or data["evidence_id"] not in labels:
            on_feed[label].append(data["evidence_id"])
    places = [("evidence in portfolios", in_portfolio), ("the employers' feeds of evidence", on_feed)]
    sent = history.of(EVIDENCE)
    return [
        *check_effects(sent, [Projection(name, found, shows_ids=True) for name, found in places]),
        *check_turns("order within portfolios", sent, shelved),
        *check_turns("order of evidence on feeds", sent, told),
    ]


def _credits(client: MongoClient, seen: Seen, history: History) -> list[Violation]:
    """Each credit stands once in the ledger, on the feed and in the report; nothing is issued that was not awarded.

    The ledger only grows, for no award is ever taken back: what was issued is what was awarded, to the last credit.
    """
    ledger = list(client[f"accreditation__{UNIVERSITY}"]["credits"].find({}, sort=[("sequence", 1)]))
    told = [data for _, data in seen.events(own("accreditation", UNIVERSITY), "accreditation.credit-awarded.v1")]
    in_ledger, on_feed, in_report = defaultdict(list), defaultdict(list), defaultdict(list)
    accounts: dict[str, list[int]] = defaultdict(list)
    for doc in ledger:
        in_ledger[doc["body"]["enrolment_id"]].append(doc["_id"])
        accounts[f"ledger and feed, {doc['_id']}"].append(doc["body"]["credits"])
        accounts["ledger and report, all"].append(doc["body"]["credits"])
    for data in told:
        on_feed[data["enrolment_id"]].append(data["credit_id"])
        accounts[f"ledger and feed, {data['credit_id']}"].append(-data["credits"])
    for doc in on_board(client, "enrolments").find({"credits.0": {"$exists": True}}):
        in_report[doc["_id"].split("/")[1]] += [awarded.split(":")[1] for awarded, _ in doc["credits"]]
    for doc in on_board(client, "rollups").find({"credits": {"$exists": True}}):
        accounts["ledger and report, all"].append(-doc["credits"])
    places = [("the ledger", in_ledger), ("the university's feed", on_feed), ("the report's credits", in_report)]
    return [
        *check_effects(history.of(CREDIT), [Projection(name, found, shows_ids=True) for name, found in places]),
        *check_steps("the ledger", [(UNIVERSITY, doc["sequence"]) for doc in ledger]),
        *check_balance("credits issued and awarded", accounts),
    ]


def _order(seen: Seen) -> list[Violation]:
    """Per enrolment: asked for, confirmed, withdrawn, in that order, on its employer's feed."""
    found: list[Violation] = []
    for topic in own("enrolment", *EMPLOYERS):
        ranks = [(event.subject, LIFE[event.type]) for event, _ in seen.feeds[topic] if event.type in LIFE]
        by_key = defaultdict(set)
        for key, rank in ranks:
            by_key[key].add(rank)
        steps = [(key, sorted(by_key[key]).index(rank) + 1) for key, rank in ranks]
        found += check_steps(topic, steps)
    return found


def _seats(client: MongoClient, seen: Seen) -> list[Violation]:
    """Never more seats than there are; each cohort's count is what its decisions and its places add up to."""
    lead = client[f"enrolment__{LEAD}"]
    places = {doc["_id"]: doc for doc in lead["places"].find({})}
    cohorts = {doc["_id"]: doc["cohort"] for doc in lead["cohorts"].find({})}
    given = seen.events(own("enrolment", LEAD), *SEATS)
    ledger: dict[str, list[int]] = {name: [-cohort["taken"]] for name, cohort in cohorts.items()}
    for _, data in given:
        name = f"{data['course']}/{data['intake']}"
        place = places.get(data["enrolment_id"])
        ledger[name] += [1, -1] if place is not None and place["state"] == "left" else [1]
    counted = {
        name: sum(1 for doc in places.values() if doc["cohort"] == name and doc["state"] == "seat") for name in cohorts
    }
    waiting = {
        name: sum(1 for doc in places.values() if doc["cohort"] == name and doc["state"] == "waiting")
        for name in cohorts
    }
    return [
        *check_capacity("cohorts", {name: (cohort["taken"], cohort["capacity"]) for name, cohort in cohorts.items()}),
        *check_balance("seats given, freed and held", ledger),
        *check_same("seats held", {name: cohort["taken"] for name, cohort in cohorts.items()}, counted),
        *check_same("people waiting", {name: cohort["waiting"] for name, cohort in cohorts.items()}, waiting),
    ]


def _report(client: MongoClient, seen: Seen) -> list[Violation]:
    """Compare the board's roll-ups with a recount from the owners' feeds."""
    return check_same("the report's figures", _shown(client), recount(seen))


def _shown(client: MongoClient) -> dict[str, dict[str, int]]:
    shown = {}
    for doc in on_board(client, "rollups").find({}):
        figures = {name: doc.get(name, 0) for name in COUNTED if doc.get(name, 0)}
        if figures:
            shown[doc["_id"]] = figures
    return shown


def recount(seen: Seen) -> dict[str, dict[str, int]]:
    """Return the report's figures as the owners' feeds have them, by bucket; counts that are nothing are left out."""
    facts = _facts(seen)
    credits_: dict[str, int] = defaultdict(int)
    for _, data in seen.events(own("accreditation", UNIVERSITY), "accreditation.credit-awarded.v1"):
        credits_[data["enrolment_id"]] += data["credits"]
    figures: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for event, data in seen.events(own("enrolment", *EMPLOYERS), *REQUESTS):
        known = facts[data["enrolment_id"]]
        cut = (event.organisation, data["course"], data["route"], data["pcf_level"], data["requested_on"][:7])
        row = figures["|".join(cut)]
        row["nominated"] += 1
        if "withdrawn" in known:
            row["withdrawn"] += 1
        elif "seated" in known:
            row["confirmed"] += 1
        elif "queued" in known and "declined" not in known:
            row["waiting"] += 1
        row["submitted"] += "submitted" in known
        row["passed"] += {"passed", "seated", "withdrawn"} & known == {"passed", "seated"}
        row["awarded"] += credits_[data["enrolment_id"]] > 0
        row["credits"] += credits_[data["enrolment_id"]]
    return {bucket: {word: count for word, count in row.items() if count} for bucket, row in figures.items()}


def _facts(seen: Seen) -> dict[str, set[str]]:
    """Return what the owners' feeds say of each enrolment, in words."""
    facts: dict[str, set[str]] = defaultdict(set)
    for event, data in seen.events(own("enrolment", LEAD), *SEATS, *ANSWERS):
        word = {"wait-listed": "queued", "seat-declined": "declined"}.get(event.type.split(".")[1], "seated")
        facts[data["enrolment_id"]].add(word)
    for event, data in seen.events(own("enrolment", *EMPLOYERS), "enrolment.confirmed.v1", "enrolment.withdrawn.v1"):
        facts[data["enrolment_id"]].add("seated" if event.type == "enrolment.confirmed.v1" else "withdrawn")
    for _, data in seen.events(own("assessment", *EMPLOYERS), *SUBMISSIONS):
        facts[data["portfolio_id"]].add("submitted")
    for _, data in seen.events(own("assessment", *EMPLOYERS), "assessment.practice-confirmed.v1"):
        facts[data["enrolment_id"]].add("passed" if data["outcome"] == "pass" else "failed")
    return facts


def _readers(stage: Stage, client: MongoClient, seen: Seen) -> list[Violation]:
    """Every reader stands at every owner's number; every position's own hash is what its owner has there."""
    found: list[Violation] = []
    for service in READERS:
        at = read_to(stage, client, service)
        heads = {topic: len(feed) for topic, feed in seen.feeds.items() if topic in at}
        found += check_same(f"{service} has read", {topic: at[topic] for topic in heads}, heads)
        for organisation in stage.platform.partnership.owners(service):
            for doc in stage.unit(client, service).database(organisation)["positions"].find({}):
                if doc["_id"] in seen.feeds and doc["head"] != _hash_at(seen.feeds[doc["_id"]], doc["number"]):
                    told = f"{doc['_id']} at {doc['number']} is not what its owner has there"
                    found.append(Violation(Kind.FORKED, f"{service} of {organisation}", told))
    return found


def _parked(stage: Stage, client: MongoClient) -> list[Violation]:
    """Nothing that the platform itself sent may wait for a person."""
    found = []
    for service in READERS:
        for organisation in stage.platform.partnership.owners(service):
            for doc in stage.unit(client, service).database(organisation)["parked"].find({}):
                told = f"{doc.get('feed')}: {doc.get('reason')}"
                found.append(Violation(Kind.STALE, f"{service} of {organisation} has parked", told))
    return found


def _hash_at(feed: list[tuple[Envelope, str]], number: int) -> str:
    if number == 0:
        return GENESIS
    return feed[number - 1][1] if number <= len(feed) else ""


def _log(stage: Stage, feed: FeedName, seen: Seen) -> list[Violation]:
    owner = [digest for _, digest in seen.feeds[feed.topic]]
    records = on_topic(stage.platform.kafka_bootstrap, feed.topic)
    numbers = [(one.body.feedseq, one.event_hash) for one in records if isinstance(one.body, Envelope)]
    return check_log(feed.topic, numbers, owner)
