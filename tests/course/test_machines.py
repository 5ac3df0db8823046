"""A script is cut into the inputs that a person would type."""

from __future__ import annotations

import pytest

from labkit.course.machines import AnswerError, answer_text, inputs_of, split_inputs


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("", []),
        ("docker ps\n\n  # a comment\nls", ["docker ps", "ls"]),
        ("cat > f <<'EOF'\na\n# kept\n\nEOF\nls", ["cat > f <<'EOF'\na\n# kept\n\nEOF", "ls"]),
        ("cat > f <<-END\n\ta\n\tEND\nls", ["cat > f <<-END\n\ta\n\tEND", "ls"]),
        ("docker run \\\n  busybox\nls", ["docker run \\\n  busybox", "ls"]),
        ("echo 'a\nb' c\nls", ["echo 'a\nb' c", "ls"]),
        ('echo "it\'s"\nls', ['echo "it\'s"', "ls"]),
        ("echo a\\\\\nls", ["echo a\\\\", "ls"]),
        ("echo 'never closed\nls", ["echo 'never closed\nls"]),
        ("cat <<EOF\nnever closed", ["cat <<EOF\nnever closed"]),
    ],
)
def test_split(text: str, inputs: list[str]) -> None:
    assert split_inputs(text) == inputs


@pytest.mark.parametrize("answer", [3, None, {"a": "b"}, ["a", 3], ["x"] * 401, "x" * 70_000, ["a\0b"], [["a"]]])
def test_no_commands(answer: object) -> None:
    with pytest.raises(AnswerError):
        inputs_of(answer)


def test_as_text() -> None:
    assert answer_text(["a", "b"]) == "a\nb"
    assert answer_text({"a": "b"}) == "a: b"
    assert answer_text(" a\n") == "a"
