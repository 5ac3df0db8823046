"""The signals of Linux, signal(7): names without SIG."""

SIGNALS = (  # by number; in the place of 0 stands the shell's trap at its exit
    "EXIT", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
    "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH",
    "POLL", "PWR", "SYS",
)  # fmt: skip
_RTMIN, _RTMAX = 34, 64  # as glibc and musl leave them to programs
NAMES = dict(enumerate(SIGNALS[1:], 1)) | {
    **{_RTMIN + step: f"RTMIN+{step}" if step else "RTMIN" for step in range(16)},
    **{_RTMAX - step: f"RTMAX-{step}" if step else "RTMAX" for step in range(15)},
}
NUMBERS = {name: number for number, name in NAMES.items()} | {"CLD": 17, "IO": 29, "IOT": 6}
IGNORED = frozenset(("CHLD", "CONT", "URG", "WINCH"))  # without a handler nothing happens at these


def signal_named(text: str) -> str | None:
    """TERM for TERM, term, SIGTERM and 15, EXIT for 0, as a shell reads it; None where there is no such signal."""
    if text.isdigit():
        return SIGNALS[int(text)] if int(text) < len(SIGNALS) else None
    name = text.upper().removeprefix("SIG")
    return name if name in SIGNALS else None


def signal_list() -> str:
    """What `kill -l` prints in busybox and dash."""
    return "".join(f"{number:2}) {name}\n" for number, name in enumerate(SIGNALS) if number)
