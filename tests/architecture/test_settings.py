"""A setting is known everywhere or nowhere: in the settings classes, in the README and in the examples to copy.

That the code asks the environment for exactly what the examples hold is a test of `tests/deploy`.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import fields
from pathlib import Path

from shared.process.settings import CommonSettings

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("enrolment", "assessment", "accreditation", "reporting")
OF_THE_SERVER = {"PROMETHEUS_MULTIPROC_DIR"}  # read by the metrics' own library before any settings are


def settings_classes() -> list[type[CommonSettings]]:
    """Return the common settings and every service's own."""
    modules = [importlib.import_module(f"services.{service}.settings") for service in SERVICES]
    return [CommonSettings, *(getattr(module, f"{module.SERVICE.capitalize()}Settings") for module in modules)]


def in_code() -> set[str]:
    """Return the variables of all fields: a field is its variable in small letters."""
    return {field.name.upper() for kind in settings_classes() for field in fields(kind)} | OF_THE_SERVER


def in_readme() -> list[str]:
    """Return the variables of the README's table of settings."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## Settings\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)]


def in_examples() -> set[str]:
    """Return the variables that the examples hold, those with their default in a comment too."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "deploy" / "env").glob("*.env.example")]
    return set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", "\n".join(texts), flags=re.MULTILINE))


def test_every_setting_stands_in_the_readme_once():
    """The README's table has every field of every settings class, and nothing that no process takes."""
    assert sorted(in_readme()) == sorted(in_code())


def test_every_setting_stands_in_the_examples():
    """Who copies the examples has seen every setting, and no example names one that is gone."""
    assert in_examples() == in_code()


def test_every_settings_class_says_what_its_own_fields_are():
    """Each field's variable stands in its class's docstring."""
    for kind in settings_classes():
        own = [name for name in kind.__annotations__ if name.upper() not in (kind.__doc__ or "")]
        assert own == [], kind.__name__
