"""The magics: what they print is what the machine printed."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import labkit.jupyter
from labkit import Machine
from labkit.course import open_progress
from labkit.jupyter.magics import LabMagics, options


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    made = InteractiveShell.instance()
    made.register_magics(LabMagics(made))
    yield made
    InteractiveShell.clear_instance()


def machine_of(shell: InteractiveShell) -> Machine:
    return shell.magics_manager.registry["LabMagics"].lesson.machine


def test_docker_and_host_print_what_the_machine_prints(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_line_magic("docker", "volume create data")
    shell.run_line_magic("host", "docker volume ls -q; pwd")
    assert capsys.readouterr() == ("data\ndata\n/home/learner\n", "")


def test_braces_and_dollars_are_left_alone(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.user_ns["HOME"] = "wrong"
    shell.run_cell("%docker volume create data")
    shell.run_cell("%docker volume inspect --format '{{.Name}} of '$HOME data")
    shell.run_cell("%%host\necho $HOME {HOME}\n")
    assert capsys.readouterr().out == "data\ndata of /home/learner\n/home/learner {HOME}\n"


def test_a_failing_command_is_no_exception(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    result = shell.run_cell("%docker volume inspect none")
    assert result.success
    assert capsys.readouterr() == ("[]\n", "Error response from daemon: get none: no such volume\n")


def test_a_file_is_written_below_the_learners_folder(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell("%%hostfile app/Dockerfile\nFROM busybox\n")
    shell.run_cell("%%hostfile /etc/motd\nhello\n")
    shell.run_cell("%%hostfile /etc\nhello\n")
    files = machine_of(shell).files
    assert (files.read("/home/learner/app/Dockerfile"), files.read("/etc/motd")) == (b"FROM busybox\n", b"hello\n")
    assert capsys.readouterr() == ("", "%%hostfile: cannot write /etc: Is a directory\n")


def test_a_session_types_into_the_shell_that_waits(capsys: pytest.CaptureFixture[str]) -> None:
    made = InteractiveShell.instance()
    try:
        made.register_magics(LabMagics(made))
        made.run_cell("%host docker pull -q busybox")
        made.run_cell(
            "%%session\n\ndocker run -it --rm --hostname box busybox\nhostname; ls /nosuch\nexit\nhostname\n\n"
        )
        _, typed = capsys.readouterr().out.split("\n", 1)
        assert typed.splitlines()[0] == "# docker run -it --rm --hostname box busybox"
        assert typed.splitlines()[-6:] == [
            "/ # hostname; ls /nosuch",
            "box",
            "ls: /nosuch: No such file or directory",
            "/ # exit",
            "# hostname",
            "lab",
        ]
        made.run_cell("%undo")
        assert capsys.readouterr().out == "taken back: docker run -it --rm --hostname box busybox ...\n"
    finally:
        InteractiveShell.clear_instance()


def test_undo_takes_back_inputs(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    for line in ("%host touch one", "%host touch two", "%host touch three", "%undo", "%undo 5"):
        shell.run_cell(line)
    assert machine_of(shell).files.listdir("/home/learner") == []
    told = capsys.readouterr()
    assert told.out.splitlines() == ["taken back: touch three", "taken back: touch two", "taken back: touch one"]
    assert told.err == "%undo: there is nothing to take back\n"


def test_fresh_starts_over(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell("%host touch one")
    shell.run_cell("%fresh")
    assert machine_of(shell).files.listdir("/home/learner") == []
    shell.run_cell("%fresh nonsense")
    assert capsys.readouterr().err == "%fresh: nonsense is not of the form name=value\n"
    shell.run_cell("%fresh colour=blue")
    assert capsys.readouterr().err.startswith("%fresh: what can be chosen is system=, storage_driver=")
    assert options("a=1 b=20.10 c=vfs d=None") == {"a": "1", "b": "20.10", "c": "vfs", "d": None}


@pytest.mark.parametrize(
    "cell", ["%host", "%%hostfile\nx", "%%session x\ny", "%%session\n\n", "%%answer\nx", "%undo many"]
)
def test_a_magic_used_wrongly_is_one_line(
    cell: str, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.run_cell(cell).success
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert told.err.startswith("%")


def test_an_answer_is_judged(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell("%%answer three-layers\ndocker ps\n")
    assert capsys.readouterr().out.startswith("Not there yet.\n  [ ] ")
    assert (open_progress().entry("three-layers") or {})["tries"] == 1


def test_show_draws_the_lessons_machine(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no images" in repr(labkit.jupyter.show())
    machine_of(shell).run("docker volume create data")
    assert "volume data  [new]" in repr(labkit.jupyter.show())
    assert "[new]" not in repr(labkit.jupyter.show())
    assert labkit.jupyter.show("wbe") is None
    assert capsys.readouterr().out == "show: there is no image, container or volume 'wbe' to show\n"


def test_the_extension_is_loaded_once() -> None:
    made = InteractiveShell.instance()
    try:
        labkit.jupyter.load_ipython_extension(made)
        first = made.magics_manager.registry["LabMagics"]
        labkit.jupyter.load_ipython_extension(made)
        assert made.magics_manager.registry["LabMagics"] is first
        assert made.user_ns["show"] is labkit.jupyter.show
    finally:
        InteractiveShell.clear_instance()


def test_outside_a_notebook_it_is_said() -> None:
    with pytest.raises(RuntimeError, match="no lesson is running"):
        labkit.jupyter.lesson()


def test_the_labkit_command_in_a_cell(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    monkeypatch.delenv("LABKIT_LEARNER", raising=False)
    for line, out, err in (
        ("learner ann --seed autumn", "learner: ann, course: autumn\n", ""),
        ("submit", "", "labkit: there are no answers of 'ann' in "),
        ("learner 'ann", "", "%labkit: No closing quotation\n"),
    ):
        shell.run_cell(f"%labkit {line}")
        printed = capsys.readouterr()
        assert printed.out == out
        assert printed.err.startswith(err)
    shell.run_cell("%labkit --help")
    assert capsys.readouterr().out.startswith("usage: labkit")


def test_where_nobody_may_write_the_file_to_hand_in_is_a_download(
    shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a course folder that is read-only, on Binder."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LABKIT_LEARNER", "ann")
    shell.run_cell_magic("answer", "whose-file-is-it", "nothing")
    monkeypatch.setattr(os, "access", lambda path, mode: path != ".")
    with capture_output() as captured:
        shell.run_line_magic("labkit", "submit")
    written = tmp_path / "home" / "ann.labkit.json"
    assert f"{written}: 1 answer of ann." in captured.stdout
    (link,) = [output.data["text/html"] for output in captured.outputs]
    found = re.fullmatch(r'<a download="ann.labkit.json" href="data:application/json;base64,([^"]+)">.*</a>', link)
    assert found
    assert base64.b64decode(found[1]) == written.read_bytes()
