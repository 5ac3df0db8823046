"""The Mac's own tools: GNU's, with the messages worded as BSD words them (`ls: /x: No such file or directory`)."""

from __future__ import annotations

import re
from dataclasses import replace

from labkit.kernel.process import Output, Process

_NAMED = re.compile(r"^(\w+): (?:[a-z ]+?) ['‘](.*?)['’](?: for (?:reading|writing))?: ", re.MULTILINE)
_TRY = re.compile(r"^Try '.*' for more information\.\n", re.MULTILINE)


def main(process: Process) -> int:
    """Run the GNU tool of the same name."""
    name = process.argv[0].rpartition("/")[2]
    stderr = Output()
    status = process.kernel.programs[f"gnu:{name}"](replace(process, stderr=stderr))
    text = stderr.getvalue().decode("utf-8", "surrogateescape")
    process.stderr.write(_TRY.sub("", _NAMED.sub(r"\1: \2: ", text)))
    return min(status, 1)
