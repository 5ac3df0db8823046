"""%pip, in a cell."""

from . import NOTHING


async def get_transformed_code(words: list[str]) -> str:
    return f"print({NOTHING!r})"
