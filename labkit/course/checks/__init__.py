"""What can be asserted about a machine: the checks that records name.

They ask the engine and the files. Nothing that a learner may have replaced is run: no program of the host's or of a
container's, no alias, no file that a shell reads.
"""

from labkit.course.checks import containers, contents, files, images, storage
from labkit.course.checks.table import CHECKS, SIZE, UNITS, Check, CheckResult, check, evaluate, size_of

__all__ = [
    "CHECKS",
    "SIZE",
    "UNITS",
    "Check",
    "CheckResult",
    "check",
    "containers",
    "contents",
    "evaluate",
    "files",
    "images",
    "size_of",
    "storage",
]
