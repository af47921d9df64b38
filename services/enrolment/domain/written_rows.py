"""A canonical record's way back to the cells of one employer's files: the inverse of reading, value by value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from services.enrolment.domain.mapping import FileMapping, SplitName
from services.enrolment.domain.records import FIELDS, Record


def write_row(record: Record, mapping: FileMapping) -> dict[str, str]:
    """Return the cells by our names of columns, so that reading them again gives the same record."""
    cells = {name: _cell(name, getattr(record, name), mapping) for name in FIELDS}
    if mapping.split_name is not None:
        cells[mapping.split_name.column] = _whole_name(cells, mapping.split_name)
    return {name: cells.get(name, "") for name in mapping.headings}


def _cell(name: str, value: str | date | None, mapping: FileMapping) -> str:
    if value is None:
        return ""
    if isinstance(value, date):
        return value.strftime(mapping.date_format) if mapping.date_format else value.isoformat()
    text = value
    scale = mapping.scale.get(name)
    if scale:
        text = f"{(Decimal(value) / scale).normalize():f}"
    return _theirs(text, mapping.values.get(name, {}))


def _theirs(text: str, translations: Mapping[str, str]) -> str:
    """Return the employer's own word for ours; several of theirs may mean it: the first that the mapping names."""
    return next((theirs for theirs, ours in translations.items() if ours == text), text)


def _whole_name(cells: Mapping[str, str], rule: SplitName) -> str:
    """Return the two names as one, in the mapping's order; somebody with one name has that."""
    given, family = cells["given_name"], cells["family_name"]
    if not (given and family):
        return given or family
    return re.sub("given|family", lambda found: given if found[0] == "given" else family, rule.order)
