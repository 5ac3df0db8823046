"""What the page's kernel asks for packages: here there are none, all that the course needs is loaded already."""

NOTHING = "This page has all that the course needs, and installs nothing else."


async def install(*wanted: object, **options: object) -> None:
    print(NOTHING)
