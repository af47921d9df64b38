"""The OpenAPI document attacked by schemathesis: every operation, every check, stateful, once per role.

The application runs on a loopback port with the real database. What schemathesis makes up is the same at every run
(`deterministic`, the seed is printed); `OPENAPI_ATTACK_EXAMPLES` makes it try more, and `OPENAPI_ATTACK_LONG` adds its
systematic phase, every limit of every field: some thousand requests for `hr`. The exceptions from its checks are
in `settings_of` and `of_a_rule_only`, each with its reason; there are no others.
"""

from __future__ import annotations

import json
import re
import threading
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
import schemathesis
from environs import Env
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.engine import events, from_schema
from werkzeug.serving import WSGIRequestHandler, make_server

from shared.identifiers import new_identifier
from shared.identity import RoleTable

SEED = 20250901
TABLE = RoleTable.of_service("enrolment")
EXAMPLES = Env().int("OPENAPI_ATTACK_EXAMPLES", 2)
IS_LONG = Env().bool("OPENAPI_ATTACK_LONG", False)
WRITING = ("hr", "programme_lead", "supervisor")
"""Roles that change things: for them every phase, the stateful one too, on what they may."""
READING = ("assessor", "moderator", "tutor", "registrar", "board")
"""Roles that may read a little: one example of each of that. What they may not is asked of them together."""
WHOLE = ("practitioner", "auditor", "operator", "service", None)
"""Roles, and nobody, that are sent through the whole document: less of everything."""
ROLES = (*WRITING, *READING, *WHOLE)
DAYS = ("from_on", "started_on")
CIVIL_DAY = re.compile(r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}")
DECIMAL = re.compile(r"-?[0-9.]+")
OF_DECIMALS = re.compile(r"Must be a number with at most .*|Between [0-9.-]+ and [0-9.-]+\.")
OF_CHARACTERS = "Holds characters that text may not hold."
OF_SHAPE = {"urn:problem:invalid-request", "urn:problem:unreadable-request", "urn:problem:unknown-parameter"}


class Silent(WSGIRequestHandler):
    """Writes no line per request."""

    def log(self, _type: str, _message: str, *_: Any) -> None:  # noqa: ANN401 - werkzeug's signature
        """Say nothing."""


class RefusedByShape(Failure):
    """A request that the document allows was refused for its shape."""


@schemathesis.check
def of_a_rule_only(_ctx: Any, response: Any, case: Any) -> None:  # noqa: ANN401 - schemathesis's signature
    """Hold 400 and 422 to their meaning: what the document allows may be refused by a rule, never for its shape.

    schemathesis's own `positive_data_acceptance` cannot tell the two apart, so that it is told to expect both.
    """
    if response.status_code not in (400, 422) or not is_positive(case):
        return
    problem = json.loads(response.content)
    told = [(fault.get("pointer"), fault["detail"]) for fault in problem.get("errors", [])]
    if problem["type"] in OF_SHAPE and not is_undocumentable(told, response, case):
        raise RefusedByShape(
            operation=case.operation.label, title="Refused by shape", message=f"{problem['detail']} {told}"
        )


def is_undocumentable(told: list[tuple[str | None, str]], response: Any, case: Any) -> bool:  # noqa: ANN401
    """Return whether the shape refused is one that schemathesis cannot be told of.

    A file without content (it makes those up where the document says at least one byte); a whole number written as
    2.0 (an integer for JSON Schema, and none for us: what partners hash must have one spelling); the places of a
    decimal number and the size of one written as text; a day in the address, or a reference in it with a character
    that is none (controls, unassigned), which are no fields of a schema.
    """
    if case.media_type not in (None, "application/json", "multipart/form-data") and not response.request.body:
        return True
    if case.media_type == "multipart/form-data" and isinstance(case.body, dict) and case.body.get("file") in ("", b""):
        return True
    return bool(told) and all(
        pointer is not None and is_of_number_or_day(detail, pointer, case) for pointer, detail in told
    )


def is_of_number_or_day(detail: str, pointer: str, case: Any) -> bool:  # noqa: ANN401 - schemathesis's own
    """Return whether this is said of a value that JSON Schema has no word for."""
    if pointer == "/day":
        return any(not CIVIL_DAY.fullmatch(str(case.path_parameters.get(name, "2025-09-01"))) for name in DAYS)
    if pointer == "/employee_ref" and detail == OF_CHARACTERS:
        asked = unquote(str(case.path_parameters.get("employee_ref", "")))
        return any(unicodedata.category(each)[0] == "C" for each in asked)
    value = at(case.body, pointer)
    if detail == "Must be a whole number.":
        return isinstance(value, float) and value.is_integer()
    is_decimal = isinstance(value, float) or (isinstance(value, str) and DECIMAL.fullmatch(value) is not None)
    return is_decimal and OF_DECIMALS.fullmatch(detail) is not None


def at(body: Any, pointer: str) -> Any:  # noqa: ANN401 - any JSON
    """Return what stands at a JSON pointer, None where nothing does."""
    for part in pointer.removeprefix("/").split("/"):
        if isinstance(body, dict):
            body = body.get(part)
        elif isinstance(body, list) and part.isdigit() and int(part) < len(body):
            body = body[int(part)]
        else:
            return None
    return body


def is_positive(case: Any) -> bool:  # noqa: ANN401 - schemathesis's own
    """Return whether all of the request is as the document says."""
    return case.meta is not None and case.meta.generation.mode.is_positive


@pytest.fixture
def served(house) -> Iterator[str]:
    """The address of the whole application on a loopback port."""
    server = make_server("127.0.0.1", 0, house.app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(10)


def settings_of(token: str | None, *, everything: bool) -> SchemathesisConfig:
    """Return how schemathesis attacks with this token.

    Exceptions, each narrow: data as documented may be refused by a rule (422), by the state of a thing that needs
    If-Match (412, 428), and by an opaque cursor or an Idempotency-Key of another request (400, 422), which nobody can
    make up; `of_a_rule_only` holds those refusals to their kinds.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    refused = ["2xx", "3xx", "400", "401", "403", "404", "409", "412", "422", "428"]
    return SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "headers": headers,
            "parameters": {"path.org": "brent"},
            "continue-on-failure": True,
            "generation": {
                "max-examples": EXAMPLES if everything else max(EXAMPLES // 2, 1),
                "deterministic": True,
                "database": "none",
                "no-shrink": True,
            },
            "checks": {"positive_data_acceptance": {"expected-statuses": refused}},
            "phases": {"coverage": {"enabled": everything and IS_LONG}, "stateful": {"enabled": everything}},
        }
    )


def failures_of(address: str, settings: SchemathesisConfig, actions: set[str] | None = None) -> tuple[list[str], int]:
    """Return every failure as a line, and how many requests were made; `actions` are the only ones asked for."""
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json", config=settings)
    if actions is not None:
        schema = schema.include(lambda context: context.operation.definition.raw.get("x-action") in actions)
    found: dict[str, str] = {}
    asked = 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            asked += len(event.recorder.interactions)
            found.update(faults_in(event))
        elif isinstance(event, events.NonFatalError):
            found.setdefault(f"{event.phase} {event.label}", str(event.value))
        elif isinstance(event, events.FatalError):
            found["fatal"] = str(event.exception)
    return [f"{where}: {what}" for where, what in found.items()], asked


def faults_in(event: events.ScenarioFinished) -> Iterator[tuple[str, str]]:
    """Yield where and what of each failed check of a scenario, one per operation and kind."""
    for checks in event.recorder.checks.values():
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                sample = check.failure_info.code_sample
                yield f"{event.recorder.label} {failure.title}", f"{failure.message[:500]} {sample[:500]}"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("role", ROLES, ids=str)
def test_h1_h4_h9_h10_h19_the_openapi_document_withstands_an_attack(house, served, role, capsys):
    """No request, however made up, is a 5xx, is answered otherwise than documented, or gets past the document."""
    house.open_course()
    org = "goldsmiths" if role == "service" else "brent"
    token = house.issuer.mint(org, [role], "10001", "enrolment") if role else None
    own = {action for action, grant in TABLE.grants.items() if role in grant.roles} if role not in WHOLE else None
    failures, asked = failures_of(served, settings_of(token, everything=role in WRITING), own)
    with capsys.disabled():
        print(f"\n{role}: {asked} requests, seed {SEED}, {EXAMPLES} examples", end=" ")  # noqa: T201 - to repeat it
    assert not failures, "\n".join(failures)
    assert asked > 0


def test_every_role_is_sent():
    """A role that is new to the table is new to the attack."""
    assert set(filter(None, ROLES)) == {role for grant in TABLE.grants.values() for role in grant.roles}


@pytest.mark.timeout(600)
def test_roles_that_read_a_little_withstand_the_whole_document(house, served):
    """All of them in one token, which may no more than each: what they may not is refused as documented."""
    house.open_course()
    token = house.issuer.mint("brent", list(READING), "10001", "enrolment")
    failures, asked = failures_of(served, settings_of(token, everything=False))
    assert not failures, "\n".join(failures)
    assert asked > len(TABLE.grants) // 2


def test_a_shape_that_the_document_does_not_tell_would_be_noticed(house, served):
    """A route that takes less than it says it takes is found: the attack can fail."""
    document = json.loads(house.app.extensions["openapi"])
    document["components"]["schemas"]["WithdrawalIn"]["properties"]["reason"].pop("enum")
    house.app.extensions["openapi"] = json.dumps(document).encode()
    token = house.issuer.mint("brent", ["hr"], new_identifier(), "enrolment")
    failures, _ = failures_of(served, settings_of(token, everything=True), {"enrolments.withdraw"})
    assert any("withdraw" in failure and "shape" in failure for failure in failures), failures
