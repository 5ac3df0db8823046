"""Utilities that run others, or wait: env, printenv, xargs, timeout, time, nohup, sleep, nice, su, chroot."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from labkit.files import Files, User
from labkit.kernel.process import Parked
from labkit.userland.owning import Account, Names
from labkit.userland.printing import unescaped
from labkit.userland.quantities import plain_float
from labkit.userland.tool import Say, Tool, Utility, bytes_of, text_of

_EXEC = Say("can't execute '{0}'", "{0:l}")
_FAILED = Say("can't execute '{0}'", "failed to run command {0:l}")
_NAP = 60  # seconds of sleep in which a person at a terminal waits for the prompt; a longer one is waited for until ^C
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def env(tool: Tool) -> int:
    variables = {} if tool.has("i") else dict(tool.env)
    for name in tool.values("u"):
        variables.pop(name, None)
    words = list(tool.operands)
    if split := tool.value("S"):
        words = shlex.split(split) + words
    if words[:1] == ["-"]:
        words.pop(0)
        variables = {}
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        variables[name] = value
    if not words:
        end = "\0" if tool.has("0") else "\n"
        tool.out("".join(f"{name}={value}{end}" for name, value in variables.items()))
        return 0
    files = tool.files.copy()
    if folder := tool.value("C"):
        with tool.refusing(
            Say("can't change directory to '{0}'", "cannot change directory to {0:q}"), folder, status=125
        ):
            files.chdir(folder)
    return tool.run(words, _EXEC, env=variables, files=files)


def printenv(tool: Tool) -> int:
    if not tool.operands:
        tool.out("".join(f"{name}={value}\n" for name, value in tool.env.items()))
    for name in tool.operands:
        if name in tool.env:
            tool.out(f"{tool.env[name]}\n")
        else:
            tool.status = 1
    return tool.status


# xargs


def xargs(tool: Tool) -> int:
    command = tool.operands or ["echo"]
    replaced = tool.value("I")
    if replaced is None and tool.has("i"):
        replaced = tool.value("i") or "{}"
    path = tool.value("a") or "-"
    with tool.refusing(Say("can't open '{0}'", "Cannot open input file {0:l}"), path):
        data = tool.data(path)
    end = tool.value("E", "e")
    if tool.has("L") and replaced is None:
        batches: Iterator[list[str]] = _by_lines(tool, data, command, tool.number("L", 1))
    else:
        items = list(_items(tool, data, replaced is not None))
        if end and end in items and not tool.has("0", "d"):
            items = items[: items.index(end)]
        batches = _batches(tool, items, command, replaced)
    status = 0
    for argv in batches:
        tool.tick()
        if tool.has("t"):
            tool.process.stderr.write(" ".join(argv) + "\n")
        code = tool.run(argv, Say("{0}", "{0}"))
        if code in (126, 127):
            return code
        if code == 255:
            tool.fail(f"{argv[0]}: exited with status 255; aborting", 124)
        if code:
            status = 123
    return status


def _by_lines(tool: Tool, data: bytes, command: list[str], count: int) -> Iterator[list[str]]:
    lines = [line for line in data.splitlines(keepends=True) if line.strip()]
    for start in range(0, len(lines), count):
        yield [*command, *_items(tool, b"".join(lines[start : start + count]), False)]


def _batches(tool: Tool, items: list[str], command: list[str], replaced: str | None) -> Iterator[list[str]]:
    if replaced is not None:
        for item in items:
            yield [arg.replace(replaced, item) for arg in command]
        return
    count = tool.number("n", 0) or max(1, len(items))
    most = tool.number("s", 0) or 1 << 17  # bytes of one command line, the end of each word counted
    if not items and not tool.has("r"):
        yield command
    start = sum(len(bytes_of(word)) + 1 for word in command)
    batch, size = list[str](), start
    for item in items:
        more = len(bytes_of(item)) + 1
        if batch and (len(batch) == count or size + more > most):
            yield [*command, *batch]
            batch, size = [], start
        if size + more > most:
            tool.fail("argument line too long")
        batch.append(item)
        size += more
    if batch:
        yield [*command, *batch]


_WORD = re.compile(r"""(?:[^\s'"\\]|\\.|'[^'\n]*'|"[^"\n]*")+""", re.S)


def _items(tool: Tool, data: bytes, by_line: bool) -> Iterator[str]:
    text = text_of(data)
    if tool.has("0"):
        yield from (part for part in text.removesuffix("\0").split("\0") if part or "\0" in text)
        return
    if mark := tool.value("d"):
        mark = text_of(unescaped(bytes_of(mark))[0]) or "\0"
        yield from text.removesuffix("\n" if mark == "\n" else "").split(mark) if text else []
        return
    if by_line:
        yield from (_unquoted(line.lstrip(" \t")) for line in text.splitlines() if line.strip())
        return
    place = 0
    while True:
        match = re.compile(r"\s*").match(text, place)
        place = match.end() if match else place
        if place >= len(text):
            return
        word = _WORD.match(text, place)
        if not word or (word.end() < len(text) and text[word.end()] in "'\""):
            quote = "single" if text[word.end() if word else place] == "'" else "double"
            tool.fail(
                f"unmatched {quote} quote; by default quotes are special to xargs unless you use the -0 option"
                if tool.gnu
                else f"unmatched {quote} quote"
            )
        tool.tick()
        yield _unquoted(word[0])
        place = word.end()


def _unquoted(word: str) -> str:
    return re.sub(
        r"""\\(.)|'([^'\n]*)'|"([^"\n]*)\"""",
        lambda match: next(part for part in match.groups() if part is not None),
        word,
        flags=re.S,
    )


# waiting


def _duration(tool: Tool, text: str) -> float:
    match = re.fullmatch(r"(.*?)([smhd]?)", text)
    try:
        return plain_float(match[1] if match else text) * _SECONDS[match[2] if match else ""]
    except ValueError:
        tool.wrong(tool.text(Say("", "invalid time interval {0:l}"), text), f"invalid number '{text}'")


def sleep(tool: Tool) -> int:
    seconds = sum(_duration(tool, text) for text in tool.operands)
    if seconds == float("inf") or (tool.process.kernel.keys and seconds > _NAP and not tool.process.detached):
        return tool.process.wait_forever()
    tool.process.sleep(seconds)
    return 0


def usleep(tool: Tool) -> int:
    tool.process.sleep(int((tool.operands or ["0"])[0]) / 1e6)
    return 0


def timeout(tool: Tool) -> int:
    """The program runs to its end; where the clock shows that it took too long, it has been ended in time."""
    if len(tool.operands) < 2:
        if tool.gnu and tool.operands:
            tool.missing(after=True)
        tool.usage()
    limit = _duration(tool, tool.operands[0])
    clock = tool.process.kernel.clock
    start = clock.now
    try:
        with tool.process.kernel.unattended():
            status = tool.run(tool.operands[1:], _FAILED)
    except Parked as parked:
        if limit and (parked.until is None or parked.until - start > limit * 1e9):
            raise Parked(start + int(limit * 1e9), lambda process: _timed_out(tool)) from None
        raise
    if limit and (
        (status == 130 and clock.now == start) or clock.now - start > limit * 1e9
    ):  # 130: it would wait for ever
        clock.now = start + int(limit * 1e9)
        return _timed_out(tool)
    return status


def _timed_out(tool: Tool) -> int:
    if not tool.gnu:
        return 143
    return 137 if tool.value("s") in ("9", "KILL", "SIGKILL") else 124


def time(tool: Tool) -> int:
    if not tool.operands:
        tool.usage()
    clock = tool.process.kernel.clock
    start = clock.now
    status = tool.run(tool.operands, Say("can't execute '{0}'", "cannot run {0}"))
    if status:
        tool.process.stderr.write(f"Command exited with non-zero status {status}\n")
    seconds = (clock.now - start) / 1e9
    form = tool.value("f")
    if form is not None:
        text = _timed(form, " ".join(tool.operands), status, seconds, strange="?" if tool.gnu else "")
    elif tool.has("p"):
        text = f"real {seconds:.2f}\nuser 0.00\nsys 0.00\n"
    elif tool.gnu:
        text = (
            f"0.00user 0.00system {int(seconds // 60)}:{seconds % 60:05.2f}elapsed 0%CPU "
            "(0avgtext+0avgdata 1104maxresident)k\n"
            "0inputs+0outputs (0major+70minor)pagefaults 0swaps\n"
        )
    else:
        text = f"real\t{int(seconds // 60)}m {seconds % 60:.2f}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n"
    tool.process.stderr.write(text)
    return status


def _timed(form: str, command: str, status: int, seconds: float, strange: str) -> str:
    """time -f: what it can tell; GNU marks a letter that it does not know, busybox 1.35 knows no escapes either."""
    elapsed = f"{int(seconds // 60)}:{seconds % 60:05.2f}"
    told = {"C": command, "x": str(status), "e": f"{seconds:.2f}", "E": elapsed, "U": "0.00", "S": "0.00", "P": "0%",
            "M": "1104", "Z": "4096", "%": "%" if strange else "", "R": "70",
            **dict.fromkeys("DFIKOWXcrstkpw", "0")}  # fmt: skip
    escapes = {"n": "\n", "t": "\t", "\\": "\\"} if strange else {}

    def one(match: re.Match[str]) -> str:
        mark, letter = match[1], match[2]
        if mark == "%":
            return told.get(letter, strange and f"?{letter}") if letter else strange
        return escapes.get(letter, f"?\\{letter}" if strange else letter) if letter else strange and "?\\"

    return re.sub(r"([%\\])(.?)", one, form, flags=re.S) + "\n"


def nohup(tool: Tool) -> int:
    return tool.run(tool.operands, Say("can't execute '{0}'", "failed to run command {0:q}"))


def nice(tool: Tool) -> int:
    if not tool.operands:
        tool.out("0\n")
        return 0
    return tool.run(tool.operands, _EXEC)


def run_operands(tool: Tool) -> int:
    if not tool.operands:
        tool.usage("no command specified")
    return tool.run(tool.operands, Say("can't execute '{0}'", "failed to execute {0}"))


# other users


def su(tool: Tool) -> int:
    words = list(tool.operands)
    login = tool.has("l")
    if words[:1] == ["-"]:
        words.pop(0)
        login = True
    name = words.pop(0) if words else "root"
    names = Names(tool.files)
    account = names.account(name)
    if account is None:
        said = f"user {name} does not exist or the user entry does not contain all the required fields"
        tool.fail(said if tool.gnu else f"unknown user {name}")
    if tool.files.user.uid not in (0, account.uid):
        tool.fail("Authentication failure" if tool.gnu else "incorrect password")
    shell = tool.value("s") or account.shell
    argv = [shell, *(["-c", tool.value("c") or ""] if tool.has("c") else []), *words]
    return tool.run(
        argv,
        Say("can't execute '{0}'", "failed to execute {0}"),
        files=_files_of(tool, account, names, login),
        env=_su_env(tool, account, login),
    )


def _files_of(tool: Tool, account: Account, names: Names, login: bool) -> Files:
    files = tool.files.as_user(User(account.uid, account.gid, tuple(names.member_of(account.name))))
    if login and files.is_dir(account.home):
        files.chdir(account.home)
    return files


def _su_env(tool: Tool, account: Account, login: bool) -> dict[str, str]:
    own = {"HOME": account.home, "SHELL": account.shell}
    if account.uid or login:
        own |= {"USER": account.name, "LOGNAME": account.name}
    kept = {name: value for name, value in tool.env.items() if not login or name in ("TERM", "PATH")}
    return {**kept, **own}


def chroot(tool: Tool) -> int:
    tool.fail("chroot is not simulated here; docker run is what gives a program another root", 125)


UTILITIES = {
    "env": Utility(
        env,
        "i 0 u:",
        "i=ignore-environment 0=null u:=unset C:=chdir S:=split-string v",
        "[-i0] [-u NAME]... [-] [NAME=VALUE]... [PROG ARGS]",
        bad=125,
        permute=False,
    ),
    "printenv": Utility(printenv, "", "0=null", "[VARIABLE]...", permute=False),
    "xargs": Utility(
        xargs,
        "r 0 t p n: s: E: e? x o I: i? L: a: P:",
        "0=null a:=arg-file d:=delimiter E: e? I: i?=replace L:=max-lines l? n:=max-args o "
        "P:=max-procs p r=no-run-if-empty s:=max-chars t=verbose x",
        "[OPTIONS] [PROG ARGS]",
        permute=False,
        package="GNU findutils) 4.9.0",
    ),
    "timeout": Utility(
        timeout,
        "s: k:",
        "s:=signal k:=kill-after v =foreground =preserve-status",
        "[-s SIG] [-k KILL_SECS] SECS PROG ARGS",
        bad=125,
        permute=False,
    ),
    "time": Utility(time, "v p a o: f:", "v p=portability a o: f:", "[-vpa] [-o FILE] PROG ARGS", permute=False),
    "nohup": Utility(nohup, "", "", "PROG ARGS", bad=125, permute=False, needs="operand"),
    "sleep": Utility(sleep, "", "", "[N]...", "NUMBER[SUFFIX]...", needs="operand"),
    "usleep": Utility(usleep, "", "", "N"),
    "nice": Utility(nice, "n:", "n:=adjustment", "[-n ADJUST] [PROG ARGS]", permute=False),
    "setsid": Utility(run_operands, "c", "c f w", "[-c] PROG ARGS", permute=False),
    "ionice": Utility(
        run_operands, "c: n: p: t", "c: n: p: t", "[-c 1-3] [-n 0-7] [-t] [-p PID] [PROG ARGS]", permute=False
    ),
    "su": Utility(
        su,
        "l m p s: c:",
        "l=login m p s:=shell c:=command",
        "[-lmp] [-s SH] [-] [USER [FILE ARGS | -c 'CMD' [ARG0 ARGS]]]",
        package="util-linux 2.38.1)",
    ),
    "chroot": Utility(chroot, None, None, "NEWROOT [PROG ARGS]", permute=False),
}
