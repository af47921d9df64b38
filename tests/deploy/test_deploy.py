"""What deploys the platform, checked without an engine: schemas, linters, and that nothing is left out."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import shared
from shared.local import containers, issuer
from shared.partnership import load
from shared.partnership.model import SERVICES
from shared.web.providers import read_providers

ROOT = Path(shared.__file__).parent.parent
COMPOSE = ROOT / "docker-compose.yml"
TOOLS = Path(sys.executable).parent


def run(*command: str) -> str:
    """Return what a checking tool wrote; it must find nothing wrong."""
    done = subprocess.run(
        [str(TOOLS / command[0]), *command[1:]], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def compose() -> dict:
    """Return the compose file."""
    return yaml.safe_load(COMPOSE.read_text())


def parts_of(service: str) -> list[str]:
    """Return the commands that `python -m services.<service>` offers."""
    command = [sys.executable, "-m", f"services.{service}"]
    shown = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert shown.returncode == 2, shown.stderr
    return shown.stderr.split(f"services.{service} ")[1].strip().split(" | ")


def test_the_compose_file_is_one():
    """It fits the compose specification's own schema."""
    run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")


def test_the_dockerfile_has_no_faults():
    """The linter finds nothing."""
    run("hadolint", "deploy/Dockerfile")


@pytest.mark.parametrize("service", SERVICES)
def test_compose_runs_every_part_of_a_service(service):
    """Each command of a service is a container, and no container is left of one that is gone."""
    named = {name.removeprefix(f"{service}-") for name in compose()["services"] if name.startswith(f"{service}-")}
    assert named == set(parts_of(service))


def test_compose_sets_only_settings_that_exist():
    """Every variable that the services get stands in the list of settings."""
    set_anywhere = [compose()["x-service"], *compose()["services"].values()]
    names = {name for entry in set_anywhere for name in entry.get("environment", {}) if not name.startswith("KAFKA_")}
    assert names | set(compose()["x-service"]["environment"]) <= variables_in_examples()


def test_compose_sets_nothing_to_nothing():
    """A variable that is there but empty is another thing than one that is not: metrics would go to files."""
    assert [name for name, value in compose()["x-service"]["environment"].items() if value in ("", None)] == []


def test_every_container_of_a_service_has_its_keys_and_the_partnership_file_and_is_never_asked_for_elsewhere():
    """What the settings name is mounted where they say, and no image of ours is looked for on a public registry."""
    paths = ("PARTNERSHIP_FILE", "TRUSTED_ISSUERS_FILE", "ORGANISATION_KEYS_DIR", "DOORS_FILE")
    for name, entry in compose()["services"].items():
        if name in ("kafka", "mongo"):
            continue
        mounted = [volume.removesuffix(":ro").rsplit(":", 1)[1] for volume in entry["volumes"]]
        named = [entry["environment"][path] for path in paths if path in entry["environment"]]
        assert all(any(path.startswith(place) for place in mounted) for path in named), name
        assert entry["pull_policy"] == "never", name


def test_people_sign_in_by_one_name_that_browsers_and_containers_reach(tmp_path, monkeypatch):
    """The issuer's address is the sign-in container's name and port, inside and outside, and the services take it."""
    monkeypatch.setenv("PROFILE", "local")
    told = compose()["services"]["keys"]["command"]
    partnership = ROOT / "scenarios" / "north-west-london" / "partnership.yaml"
    issuer.main(str(partnership), str(tmp_path), *told[3:])
    found = read_providers(tmp_path / issuer.TRUSTED_ISSUERS)
    assert set(found) == set(load(partnership).organisations)
    entry = compose()["services"]["sign-in"]
    (alias,), port = entry["networks"]["default"]["aliases"], entry["command"][-1]
    assert {provider.issuer for provider in found.values()} == {f"http://{alias}:{port}/{slug}" for slug in found}
    assert entry["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert Path(compose()["x-service"]["environment"]["SESSION_SECRET_FILE"]).name == issuer.SESSION_SECRET


@pytest.mark.parametrize("service", ["enrolment", "reporting"])
def test_pages_are_told_where_browsers_find_them(service):
    """Providers send browsers back to the port that is published."""
    for name, entry in compose()["services"].items():
        if name in (f"{service}-api", f"{service}-worker"):
            (port,) = compose()["services"][f"{service}-api"]["ports"]
            assert entry["environment"]["PUBLIC_URL"] == f"http://{port.removesuffix(':8000')}"


def test_compose_and_containers_use_the_same_images():
    """What `--backbone docker` and `make test-containers` start is what compose starts."""
    images = {entry.get("image") for entry in compose()["services"].values()}
    assert {containers.KAFKA_IMAGE, containers.MONGO_IMAGE} <= images


def variables_in_examples() -> set[str]:
    """Return the settings that the examples name, commented out or not."""
    texts = [path.read_text() for path in (ROOT / "deploy" / "env").glob("*.env.example")]
    return {name for text in texts for name in re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", text, flags=re.MULTILINE)}


def variables_in_code() -> set[str]:
    """Return the settings that the code reads from the environment, the local run's own aside."""
    found = set()
    for folder in ("services", "shared"):
        for path in (ROOT / folder).rglob("*.py"):
            if "local" not in path.parts:
                code = re.sub(r'^""".*?"""', "", path.read_text(), count=1, flags=re.DOTALL)
                found |= set(re.findall(r'\benv\.[a-z_]+\(\s*"([A-Z][A-Z0-9_]+)"', code))
    return found


def test_every_setting_stands_in_the_examples():
    """The examples name exactly the settings that the code reads."""
    assert variables_in_examples() == variables_in_code()


def test_requirements_are_hashed_and_hold_no_address():
    """Every line of the requirements is pinned with hashes, and none names a registry."""
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "://" not in text
        packages = re.findall(r"^[A-Za-z0-9].*", text, flags=re.MULTILINE)
        assert packages
        assert all("==" in line and line.endswith("\\") for line in packages), path.name


def test_the_gpl_database_is_in_no_production_requirement():
    """The local database is in the local and development requirements only."""
    assert "secantusdb" not in (ROOT / "requirements" / "base.txt").read_text().lower()
    assert "secantusdb" in (ROOT / "requirements" / "local.txt").read_text().lower()


def test_the_shell_scripts_can_be_read():
    """The scripts that set up, lock and check are good shell."""
    for name in ("requirements/install", "requirements/lock", "requirements/peers/install", ".ci/run"):
        assert subprocess.run(["sh", "-n", str(ROOT / name)], check=False).returncode == 0
