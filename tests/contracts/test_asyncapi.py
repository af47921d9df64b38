"""The AsyncAPI document says of every feed what the catalogue and the schemas say, and hangs together."""

from __future__ import annotations

import json
import re

from jsonschema import Draft202012Validator

from shared.events.asyncapi import asyncapi_document
from shared.events.contracts import ContractBook

BOOK = ContractBook()
DOCUMENT = asyncapi_document(BOOK, "1.2.3")


def references(node) -> list[str]:
    """Return every $ref in the document."""
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in references(value)]
    return [found for item in node for found in references(item)] if isinstance(node, list) else []


def resolve(reference: str):
    """Return what a local reference names; fails where it names nothing."""
    node = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


def test_document_is_asyncapi_3_with_its_required_parts():
    """Version, title and version of the information are there, and names follow the specification's pattern."""
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert DOCUMENT["info"]["version"] == "1.2.3"
    names = [*DOCUMENT["channels"], *DOCUMENT["operations"], *DOCUMENT["components"]["messages"]]
    assert all(re.fullmatch(r"[\w.-]+", name) for name in names)
    assert {operation["action"] for operation in DOCUMENT["operations"].values()} == {"send", "receive"}


def test_every_reference_leads_somewhere():
    """Nothing in the document points to nothing."""
    found = [reference for reference in references(DOCUMENT) if not reference.startswith("#/$defs")]
    assert found
    for reference in found:
        assert resolve(reference), reference


def test_every_type_is_a_message_of_a_channel():
    """All event types are in the document, each on the channel of its service."""
    assert set(DOCUMENT["components"]["messages"]) == set(BOOK.types())
    on_channels = {name for channel in DOCUMENT["channels"].values() for name in channel["messages"]}
    assert on_channels == set(BOOK.types())


def test_examples_meet_the_payloads_of_their_messages():
    """Each example in the document conforms to the schema beside it."""
    for message in DOCUMENT["components"]["messages"].values():
        assert message["examples"]
        for example in message["examples"]:
            Draft202012Validator(message["payload"]).validate(example["payload"])


def test_private_answers_have_a_channel_of_their_own():
    """The employer's private answers are not on the shared channel."""
    private = DOCUMENT["channels"]["out.enrolment"]
    answers = ("accepted", "refused", "ineligible")
    assert set(private["messages"]) == {f"enrolment.record-{answer}.v1" for answer in answers}
    assert not set(private["messages"]) & set(DOCUMENT["channels"]["org.enrolment"]["messages"])


def test_document_is_json():
    """It can be served."""
    assert json.loads(json.dumps(DOCUMENT)) == DOCUMENT
