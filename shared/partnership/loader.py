"""Reads the partnership file and says everything that is wrong with it at once, each fault with its line.

Only the file as a whole is read here; its sections are `sections.py`, and what follows from it for people and courses
is decided in the services. Source: the scenario folder's README ("partnership.yaml") for the keys; values are taken
exactly as written, so that YAML's own guesses (`No` as false, `2018-06-01` as a date) never change them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import yaml

from shared.errors import Fault, Malformed
from shared.partnership import sections
from shared.partnership.located import Located
from shared.partnership.model import BOARD, EMPLOYER, PROGRAMME_LEAD, Organisation, Partnership, frozen

LARGEST_FILE_BYTES = 1_048_576
REQUIRED = ("partnership", "version", "title", "programme_lead", "board", "organisations")
OPTIONAL = ("frameworks", "evidence_sets", "column_mappings", "doors", "policies", "description")


def load(path: Path) -> Partnership:
    """Return the partnership that the file describes.

    Raises:
        Malformed: with every fault of the file, each with its line, in one message.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Malformed(f"{path} cannot be read: {error.strerror}") from error
    return parse(content, str(path))


def parse(content: bytes, name: str = "partnership file") -> Partnership:
    """Return the partnership in `content`; `name` stands in the message.

    Raises:
        Malformed: with every fault, each with its line, in one message.
    """
    faults: list[Fault] = []
    root = _compose(content, faults)
    partnership = _partnership(root) if root is not None else None
    if faults or partnership is None:
        raise _refusal(name, faults)
    canonical = json.dumps(_plain(partnership), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return replace(partnership, hash=hashlib.sha256(canonical.encode()).hexdigest())


def _refusal(name: str, faults: list[Fault]) -> Malformed:
    ordered = tuple(sorted(faults, key=lambda fault: fault.row or 0))
    count = "1 fault" if len(ordered) == 1 else f"{len(ordered)} faults"
    lines = "\n".join(f"  line {fault.row}: {fault.detail}" for fault in ordered)
    return Malformed(f"{name} has {count}:\n{lines}", faults=ordered)


def _compose(content: bytes, faults: list[Fault]) -> Located | None:
    if len(content) > LARGEST_FILE_BYTES:
        faults.append(Fault("too_large", f"the file has more than {LARGEST_FILE_BYTES} bytes", row=1))
        return None
    try:
        node = yaml.compose(content.decode("utf-8-sig"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        faults.append(Fault("not_utf8", "the file is not UTF-8 text", row=content[: error.start].count(b"\n") + 1))
        return None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        faults.append(Fault("not_yaml", f"not YAML: {error.problem}", row=line))
        return None
    except (yaml.YAMLError, RecursionError):
        faults.append(Fault("not_yaml", "not YAML: a character that cannot stand there, or nested too deeply", row=1))
        return None
    if node is None:
        faults.append(Fault("empty_file", "the file is empty", row=1))
        return None
    return Located(node, "", faults)


def _partnership(root: Located) -> Partnership:
    top = root.record(REQUIRED, OPTIONAL)
    organisations = sections.organisations(top.get("organisations"))
    frameworks = sections.frameworks(top.get("frameworks"))
    result = Partnership(
        slug=top["partnership"].text(sections.SLUG, sections.SLUG_MEANING) if "partnership" in top else "",
        version=top["version"].whole(1) if "version" in top else 1,
        title=top["title"].text() if "title" in top else "",
        hash="",
        programme_lead=_holder(top.get("programme_lead"), organisations, PROGRAMME_LEAD),
        board=_holder(top.get("board"), organisations, BOARD),
        organisations=frozen(organisations),
        frameworks=frozen(frameworks),
        evidence_sets=frozen(sections.evidence_sets(top.get("evidence_sets"), frameworks)),
        column_mappings=frozen(sections.column_mappings(top.get("column_mappings"), organisations)),
        doors=frozen(sections.doors(top.get("doors"), organisations)),
        policies=frozen(sections.policies(top.get("policies"))),
    )
    if organisations and not result.with_role(EMPLOYER):
        top["organisations"].fault("no_employer", f"no organisation has the role {EMPLOYER}")
    return result


def _holder(value: Located | None, organisations: Mapping[str, Organisation], role: str) -> str:
    if value is None:
        return ""
    slug = sections.organisation_slug(value, organisations)
    if slug and role not in organisations[slug].roles:
        value.fault("role_missing", f"{slug} does not have the role {role}")
    return slug


def _plain(value: object) -> object:
    """Return `value` as JSON can write it; mappings are lists of pairs, because their order is part of the hash."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return [[key, _plain(entry)] for key, entry in value.items()]
    if isinstance(value, frozenset):
        return sorted(str(entry) for entry in value)
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, date | Decimal):
        return str(value)
    return value
