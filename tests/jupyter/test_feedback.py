"""What is said to an answer: comparisons, differences, the parts of a flag."""

from __future__ import annotations

import pytest

from labkit.jupyter.feedback import differences, flag_parts, goals_trait, side_by_side
from labkit.jupyter.view import MachineView, look

from .fakes import FakeResult, small_machine


@pytest.mark.parametrize(
    ("said", "real", "signs", "row", "column"),
    [
        ("0B", "15MB", [False], 0, 0),
        ("15kB", "15MB", [False], 0, 2),
        ("a\nb\nc", "a\nx\nc", [True, False, True], 1, 0),
        ("a\nc", "a\nb\nc", [True, False, True], 1, 0),
        ("a  1\nb", "a 1\nb", [True, True], -1, 0),
        ("", "x", [False], 0, 0),
        ("x", "", [False], 0, 0),
        ("ab", "abc", [False], 0, 2),
    ],
)
def test_the_first_difference_is_found(said: str, real: str, signs: list[bool], row: int, column: int) -> None:
    found = side_by_side(said, real, right=False)
    assert ([each["same"] for each in found["rows"]], found["row"], found["column"]) == (signs, row, column)
    assert "\n".join(each["said"] for each in found["rows"] if each["said"] is not None) == said.strip()
    assert "\n".join(each["real"] for each in found["rows"] if each["real"] is not None) == real.strip()


def test_what_is_right_has_no_difference_however_it_is_written() -> None:
    found = side_by_side("3MB", "3.1MB", right=True)
    assert found == {"rows": [{"said": "3MB", "real": "3.1MB", "same": True}], "row": -1, "column": 0}


def test_what_is_done_and_what_is_missing() -> None:
    results = (FakeResult(True, "a"), FakeResult(False, "b", "no b"), FakeResult(False, "c", "no b"))
    told = goals_trait(results, "a, but no b")
    assert (told["title"], told["missing"]) == ("1 of 3 checks is done", "a, but no b")
    assert [item["note"] for item in told["items"]] == ["", "no b", ""]
    assert goals_trait(results[:1], "x") == {
        "title": "1 of 1 check is done: press Check to hand it in",
        "missing": "",
        "items": [{"ok": True, "text": "a", "note": ""}],
    }


def test_how_two_machines_differ() -> None:
    wanted, reached = small_machine(), small_machine()
    wanted.engine.volume_table.append("wanted")
    reached.engine.volume_table += [f"v{number}" for number in range(9)]
    found = differences(look(wanted), look(reached))
    assert found[:2] == ["not there: volume wanted", "there as well: volume v0"]
    assert found[-1] == "and 2 more"
    assert differences(look(wanted), look(wanted)) == []
    assert differences(look(small_machine()), MachineView())[0].startswith("not there: step ")


@pytest.mark.parametrize(
    ("text", "parts", "message"),
    [
        ("", [], ""),
        ("-v", [], ""),
        ("-v data:/x:ro", [("source", "data"), ("target", "/x"), ("readonly", "ro")], ""),
        ("--volume=data:/x", [("source", "data"), ("target", "/x")], ""),
        ("--mount type=bind,src=/a", [("type", "type=bind"), ("source", "src=/a")], ""),
        ("--mount <b>", [("?", "<b>")], "--mount: invalid field '<b>' must be a key=value pair"),
        (
            "-v data:/x:ro:z",
            [("source", "data"), ("target", "/x"), ("readonly", "ro"), ("?", "z")],
            "-v: invalid spec: data:/x:ro:z: too many colons",
        ),
    ],
)
def test_a_flag_is_taken_apart_while_it_is_typed(text: str, parts: list[tuple[str, str]], message: str) -> None:
    found = flag_parts(text)
    assert [(part["name"], part["text"]) for part in found["parts"]] == parts
    assert found["message"] == message
