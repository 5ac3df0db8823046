"""A persistent map against plain dicts, each copy with a dict of its own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from labkit.files import Map

steps = st.lists(
    st.tuples(
        st.sampled_from(["set", "delete", "copy", "freeze", "switch"]),
        st.integers(0, 40),
        st.sampled_from([None, 1, 2]),
    )
)


@given(steps)
def test_copies_are_independent_and_equal_to_dicts(played: list[tuple[str, int, int | None]]) -> None:
    pairs: list[tuple[Map[int, int | None], dict[int, int | None]]] = [(Map(), {})]
    frozen: list[tuple[Map[int, int | None], dict[int, int | None]]] = []  # nobody writes to these
    current, plain = pairs[0]
    for step, key, value in played:
        if step == "set":
            current.set(key, value)
            plain[key] = value
        elif step == "delete" and key in plain:
            current.delete(key)
            del plain[key]
        elif step == "copy":
            pairs.append((current.copy(), dict(plain)))
        elif step == "freeze":
            frozen.append((current.frozen(), dict(plain)))
            assert current.frozen() is current.frozen()
        else:
            current, plain = pairs[key % len(pairs)]
    for some, expected in pairs + frozen:
        assert dict(some.items()) == expected
        assert len(some) == len(expected)
        assert set(some) == set(expected)
        for key in range(41):
            assert some.get(key, "no") == expected.get(key, "no")
            assert (key in some) == (key in expected)
