"""Every flag of every help text is read by its command's function, refused, or listed as one that does nothing here."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

import pytest

import labkit.dockercli
from labkit import Machine
from labkit.dockercli.commands import COMMANDS, HARMLESS, MISSING, DockerCommand
from labkit.dockercli.flags import flags_of, help_of

ROOT = Path(labkit.dockercli.__file__).parent


@lru_cache
def defined(module: str) -> dict[str, ast.AST | tuple[str, str]]:
    """What a module names at its top: the code, or module and name of what it imports from this package."""
    found: dict[str, ast.AST | tuple[str, str]] = {}
    for node in ast.parse((ROOT / f"{module}.py").read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: node for target in targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom):
            place = source(module, node)
            found |= {alias.name: (place, alias.name) for alias in node.names}
    return found


def source(module: str, node: ast.ImportFrom) -> str:
    """The file below dockercli/ that an import names, as modules are named here; a file that is not there for others."""
    if not node.level:
        return (node.module or "").removeprefix("labkit.dockercli.").replace(".", "/")
    folder = "commands/" if module.startswith("commands/") and node.level == 1 else ""
    return folder + (node.module or "__init__")


def strings(module: str, name: str, seen: set[tuple[str, str]]) -> set[str]:
    """The strings in what a function runs, as far as this package goes; f"health-{name}" as "health-"."""
    if (module, name) in seen or not (ROOT / f"{module}.py").exists():
        return set()
    seen.add((module, name))
    node = defined(module).get(name)
    if node is None:
        return set()
    if isinstance(node, tuple):
        return strings(*node, seen)
    found: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            found.add(part.value)
        elif isinstance(part, ast.Name):
            found |= strings(module, part.id, seen)
        elif isinstance(part, ast.Attribute) and part.attr == "filters":
            found.add("filter")
    return found


def read(command: DockerCommand, flag: str) -> bool:
    module, _, function = command.run.partition(".")
    found = strings(f"commands/{module}", function, set())
    head, _, tail = flag.partition("-")
    return flag in found or (f"{head}-" in found and tail in found)


def flags(command: DockerCommand) -> set[str]:
    named = f"docker {command.name}"
    return {flag.name for flag in flags_of(help_of(named, named))} - {"help"}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.name)
def test_a_flag_is_heeded(command: DockerCommand) -> None:
    silent = {flag for flag in flags(command) if not read(command, flag)}
    told = {flag for flag in flags(command) if flag in HARMLESS or f"{command.name} {flag}" in HARMLESS}
    assert silent - told == set(MISSING.get(command.name, ()))


def test_the_tables_name_flags_that_there_are() -> None:
    known = {f"{command.name} {flag}" for command in COMMANDS for flag in flags(command)}
    assert {f"{name} {flag}" for name, missing in MISSING.items() for flag in missing} <= known
    assert {name for name in HARMLESS if " " in name} <= known
    assert {name for name in HARMLESS if " " not in name} <= {each.rpartition(" ")[2] for each in known}


@pytest.fixture(scope="module")
def machine() -> Machine:
    machine = Machine()
    machine.run("docker run --name web busybox echo one")
    return machine


ADDRESS = (
    "docker: Error response from daemon: invalid config for network bridge: invalid endpoint settings:\n"
    "user-specified IP address is supported on user-defined networks only\n\nRun 'docker run --help' for more information\n"
)


@pytest.mark.parametrize(
    ("line", "stdout", "stderr"),
    [
        ("docker logs --details web", " one\n", ""),
        ("docker rm --link web", "", "Error response from daemon: Conflict, cannot remove the default link name of the container\n"),
        ("docker rm --link nosuch", "", "Error response from daemon: No such container: nosuch\n"),
        ("docker run --ip 10.0.0.9 busybox true", "", ADDRESS),
        ("docker image inspect --platform linux/arm64 busybox", "", "docker image inspect: this simulated Docker has no --platform\n"),
        ("docker builder prune --verbose -f", "", "ERROR: docker buildx prune: this simulated Docker has no --verbose\n"),
    ],
)  # fmt: skip
def test_flags_that_were_silent(machine: Machine, line: str, stdout: str, stderr: str) -> None:
    done = machine.run(line)
    assert (done.stdout, done.stderr) == (stdout, stderr)
