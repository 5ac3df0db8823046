"""One environment, written down in several places: pyproject.toml, constraints.txt, binder/. They must agree."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from labkit import DISTRIBUTION

ROOT = Path(__file__).parents[1]
BINDER = ROOT / "binder"
CONDA_NAMES = {"graphviz": "python-graphviz"}  # conda-forge's graphviz is the program


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins() -> dict[str, str]:
    """name -> version of constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pairs}


def environment() -> dict[str, SpecifierSet]:
    """What binder/environment.yml asks for, by PyPI's names."""
    back = {conda: name for name, conda in CONDA_NAMES.items()}
    found = {}
    for entry in yaml.safe_load((BINDER / "environment.yml").read_text())["dependencies"]:
        for text in entry["pip"] if isinstance(entry, dict) else [entry]:
            name, version = re.fullmatch(r"([\w.-]+)(.*)", text).groups()
            found[back.get(name, name)] = SpecifierSet(re.sub(r"^=(?!=)(.*)", r"==\1.*", version))
    return found


def test_the_top_level_file_is_binders() -> None:
    """Binder reads nothing beside binder/ when that folder exists; a link would be a line of text on Windows."""
    assert not (ROOT / "environment.yml").is_symlink()
    assert (ROOT / "environment.yml").read_text() == (BINDER / "environment.yml").read_text()


def test_every_dependency_is_in_every_place() -> None:
    """Binder has what the extras check and grade bring, too: a teacher may grade there."""
    extras = project()["project"]["optional-dependencies"]
    texts = [*project()["project"]["dependencies"], *extras["check"], *extras["grade"]]
    for text in texts:
        wanted = Requirement(text)
        pinned = pins()[wanted.name]
        assert wanted.specifier.contains(pinned), text
        assert environment()[wanted.name].contains(pinned), wanted.name
    assert set(environment()) - {"python", "pip"} == {Requirement(text).name for text in texts}


def test_the_distribution_and_the_repository_have_one_name_each() -> None:
    """pyproject.toml says both; nothing is told to be installed under a name that is somebody else's."""
    assert project()["project"]["name"] == DISTRIBUTION
    repository = project()["project"]["urls"]["Repository"]
    owner, name = repository.removeprefix("https://github.com/").split("/")
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    for path in (*documents, *(ROOT / "labkit").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"https://github\.com/[\w.-]+/labkit\b", text)) <= {repository}, path
        assert set(re.findall(r"mybinder\.org/v2/gh/([\w.-]+/[\w.-]+)/", text)) <= {f"{owner}/{name}"}, path
        assert set(re.findall(r"https://([\w.-]+)\.github\.io/", text)) <= {owner.lower()}, path
        assert not re.search(r"pip install (?:-\S+ )*[\"']?labkit\b", text), path


def test_binders_python_is_one_that_labkit_runs_on() -> None:
    version = str(environment()["python"]).strip("=.*")
    assert SpecifierSet(project()["project"]["requires-python"]).contains(f"{version}.0")


def test_every_tool_of_the_tests_is_pinned() -> None:
    groups = project()["dependency-groups"]
    wanted = [Requirement(text) for text in (*groups["site"], *groups["test"]) if isinstance(text, str)]
    assert [text for text in wanted if not text.specifier.contains(pins()[text.name])] == []


def test_constraints_are_exact_and_without_addresses() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []


@pytest.mark.parametrize("folder", ["tests/browser", "site", "widgets"])
def test_the_lock_file_of_npm_holds_hashes_and_no_addresses(folder: str) -> None:
    lock = json.loads((ROOT / folder / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert [name for name, package in packages.items() if "resolved" in package or "integrity" not in package] == []


def test_the_scripts_can_be_executed() -> None:
    for path in (BINDER / "postBuild", ROOT / ".ci" / "run"):
        assert path.stat().st_mode & 0o111, path
        assert subprocess.run(["bash", "-n", path]).returncode == 0


def test_the_link_of_the_readme_opens_a_lesson_that_exists() -> None:
    text = (ROOT / "README.md").read_text()
    for target in re.findall(r"urlpath=lab/tree/([\w./-]+)", text):
        assert (ROOT / target).exists(), target


def test_binder_builds_from_the_one_environment() -> None:
    """repo2docker prints the Dockerfile that Binder would build, in under a second, without engine and network."""
    program = shutil.which("jupyter-repo2docker", path=str(Path(sys.executable).parent)) or shutil.which("repo2docker")
    if program is None:
        pytest.skip("jupyter-repo2docker is not installed")
    done = subprocess.run([program, "--no-build", "--debug", str(ROOT)], capture_output=True, text=True, timeout=60)
    dockerfile = done.stdout + done.stderr
    assert done.returncode == 0, dockerfile
    assert re.search(r'env update -p \S+ --file "binder/environment.yml"', dockerfile)
    assert "RUN ./binder/postBuild" in dockerfile


def test_make_lab_opens_the_first_lesson() -> None:
    command = subprocess.run(["make", "-n", "lab"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    opened = re.search(r"jupyter lab (\S+) --LabApp.default_url=/lab/tree/(\S+)", command)
    assert opened
    assert (ROOT / opened[1] / opened[2]).exists()
