"""The alerting rules as tests read them: the file's rules, and the metrics that an expression asks for.

A small reader of PromQL, for the part of it that the rules use; what it does not know it refuses.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

import shared

ROOT = Path(shared.__file__).parent.parent
FILE = ROOT / "deploy" / "alerts.yml"
EVERY = "every"
PROMETHEUS_OWN = {"up"}
FUNCTIONS = {"abs", "changes", "histogram_quantile", "increase", "rate", "sum", "time"}
WORDS = {"and", "or", "unless", "by"}
TOKEN = re.compile(
    r"""\s*(?:
        (?P<name>[a-z_][a-z0-9_]*)
      | (?P<number>[0-9]+(?:\.[0-9]+)?)
      | (?P<matchers>\{[^{}]*\})
      | (?P<range>\[[0-9]+[smhd]\])
      | (?P<sign>==|!=|<=|>=|[-+*/<>(),])
    )""",
    re.VERBOSE,
)
MATCHER = re.compile(r'([a-z_]+)(=~|!~|=|!=)"([^"\\]*)"')


def rules() -> list[dict[str, Any]]:
    """Return every rule of the file."""
    return [rule for group in yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def tokens(expression: str) -> list[tuple[str, str]]:
    """Return kind and text of each token; fails on anything else."""
    found, at = [], 0
    text = expression.strip()
    while at < len(text):
        match = TOKEN.match(text, at)
        assert match is not None, f"{text[at:]!r} is no expression"
        found.append((str(match.lastgroup), match[match.lastgroup or 0]))
        at = match.end()
    return found


def metrics_in(expression: str) -> set[str]:
    """Return the metrics that an expression asks for; names in `by (...)` are labels, names before `(` functions."""
    read = tokens(re.sub(r"\bby\s*\([^()]*\)", "", expression))
    found = set()
    for (kind, text), (_, after) in zip(read, [*read[1:], ("end", "")], strict=True):
        if kind != "name" or text in WORDS:
            continue
        if after == "(":
            assert text in FUNCTIONS, f"{text} is no function that we know"
        else:
            found.add(text)
    return found


def matchers_in(expression: str) -> list[tuple[str, str, str, str]]:
    """Return metric, label, operator and value of each matcher."""
    found, name = [], ""
    for kind, text in tokens(expression):
        name = text if kind == "name" else name
        if kind == "matchers":
            parts = MATCHER.findall(text)
            assert "{" + ",".join(f'{label}{sign}"{value}"' for label, sign, value in parts) + "}" == text
            found += [(name, *part) for part in parts]
    return found


def labels_by(expression: str) -> set[str]:
    """Return the labels that an expression sums by."""
    return {label.strip() for group in re.findall(r"\bby\s*\(([^()]*)\)", expression) for label in group.split(",")}
