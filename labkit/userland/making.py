"""Names made and taken away: mkdir, rm, rmdir, unlink, touch, truncate, fallocate, mktemp, mknod, mkfifo, shred."""

from __future__ import annotations

import hashlib
import re
import stat
from posixpath import dirname

from labkit.files import O_CREAT, O_RDWR, O_WRONLY, Content, errno, failure, makedev
from labkit.userland import owning
from labkit.userland.quantities import parsed, size, stamped
from labkit.userland.tool import SAME, Say, Tool, Utility, below

_MKDIR = Say("can't create directory '{0}'", "cannot create directory {0:l}")


def _mode(tool: Tool, default: int, base: int = 0) -> int | None:
    """The mode of -m; None where it was not given."""
    text = tool.value("m")
    if text is None:
        return None
    mode = owning.changed(text, default, tool.files.umask)
    if mode is None:
        tool.refuse(Say("invalid mode '{0}'", "invalid mode {0:l}" if tool.name == "mkdir" else "invalid mode"), text)
    return mode


# mkdir


def mkdir(tool: Tool) -> None:
    mode = _mode(tool, stat.S_IFDIR | 0o777)
    for path in tool.operands:
        try:
            _mkdir_parents(tool, path, mode) if tool.has("p") else _mkdir_one(tool, path, mode)
        except OSError as error:
            tool.complain(_MKDIR, str(error.filename) if tool.has("p") and error.filename else path, error=error)


def _mkdir_one(tool: Tool, path: str, mode: int | None) -> None:
    tool.files.mkdir(path)
    if mode is not None:
        tool.files.chmod(path, mode)
    _say_made(tool, path)


def _say_made(tool: Tool, path: str) -> None:
    if tool.has("v"):
        tool.out(tool.text(Say("created directory: '{0}'", "mkdir: created directory {0:q}"), path) + "\n")


def _mkdir_parents(tool: Tool, path: str, mode: int | None) -> None:
    names = re.findall(r"/*[^/]+", path) or [path]
    done = ""
    for index, name in enumerate(names):
        done += name
        last = index == len(names) - 1
        if tool.files.is_dir(done):
            continue
        shown = done if last or tool.gnu else done + "/"
        try:
            tool.files.mkdir(done, 0o777 if last else 0o777 | 0o300)
        except OSError as error:
            code = errno.ENOTDIR if error.errno == errno.EEXIST and not last else error.errno
            raise failure(code or errno.EIO, shown) from None
        if last and mode is not None:
            tool.files.chmod(done, mode)
        _say_made(tool, shown)


# rm


def rm(tool: Tool) -> None:
    if not tool.operands:
        if tool.has("f"):
            return
        tool.missing()
    for path in tool.operands:
        _rm_operand(tool, path)


def _rm_operand(tool: Tool, path: str) -> None:
    last = path.rstrip("/").rpartition("/")[2]
    recursive = tool.has("r", "R")
    if recursive and tool.gnu and path.strip("/") == "" and path and not tool.has("no-preserve-root"):
        tool.err("it is dangerous to operate recursively on '/'")
        tool.err("use --no-preserve-root to override this failsafe")
        return
    if last in (".", "..") and (recursive or not tool.gnu):
        said = "refusing to remove '.' or '..' directory: skipping {0:q}"
        tool.complain(Say("can't remove '.' or '..'", said), path)
        return
    try:
        mode = tool.files.lstat(path).st_mode
    except OSError as error:
        if not (tool.has("f") and error.errno in (errno.ENOENT, errno.ENOTDIR)):
            looking = Say("can't stat '{0}'", "cannot remove {0:q}")
            tool.complain(_RM if error.errno == errno.ENOENT else looking, path, error=error)
        return
    if stat.S_ISDIR(mode) and not recursive and not (tool.gnu and tool.has("d")):
        tool.complain(Say("'{0}' is a directory", "cannot remove {0:q}: Is a directory"), path)
        return
    _remove(tool, path, mode)


_RM = Say("can't remove '{0}'", "cannot remove {0:q}")


def _ask(tool: Tool, path: str, mode: int, what: str = "remove") -> bool:
    """-i: whether the answer is yes."""
    if tool.last("i", "f") != "i":
        return True
    form = f"{what} {owning.kind(mode, tool.files.lstat(path).st_size)} {{0:q}}? "
    busybox = "descend into directory '{0}'? " if what.startswith("descend") else "remove '{0}'? "
    return tool.asks(Say(busybox, form), path)


def _remove(tool: Tool, path: str, mode: int) -> bool:
    """Whether it is gone, with all that is in it."""
    tool.tick()
    files, folder = tool.files, stat.S_ISDIR(mode)
    try:
        names = files.listdir(path) if folder and tool.has("r", "R") else []
        if names and not _ask(tool, path, mode, "descend into"):
            return False
        inside = [below(path, name) for name in names]
        gone = [_remove(tool, one, files.lstat(one).st_mode) for one in inside]  # all, whatever became of the first
        if not all(gone) or not _ask(tool, path, mode):
            return False
        (files.rmdir if folder else files.unlink)(path)
        if tool.has("v"):
            said = Say("removed directory: '{0}'", "removed directory {0:q}") if folder else _REMOVED
            tool.out(tool.text(said, path) + "\n")
    except OSError as error:
        tool.complain(_RM, path, error=error)
        return False
    return True


_REMOVED = Say("removed '{0}'", "removed {0:q}")


def rmdir(tool: Tool) -> None:
    for path in tool.operands:
        while path:
            if tool.has("v"):
                tool.out(f"rmdir: removing directory, '{path}'\n")
            try:
                tool.files.rmdir(path)
            except OSError as error:
                if not (tool.has("ignore-fail-on-non-empty") and error.errno == errno.ENOTEMPTY):
                    tool.complain(Say("'{0}'", "failed to remove {0:q}"), path, error=error)
                break
            path = dirname(path.rstrip("/")) if tool.has("p") else ""
            if path in ("/", "."):
                break


def unlink(tool: Tool) -> None:
    with tool.complaining(Say("can't remove file '{0}'", "cannot unlink {0:q}"), tool.operands[0]):
        tool.files.unlink(tool.operands[0])


# touch


def touch(tool: Tool) -> None:
    atime, mtime = _touch_times(tool)
    for path in tool.operands:
        said = "setting times of {0:q}" if path.endswith("/") else "cannot touch {0:q}"
        with tool.complaining(Say("{0}", said), path):
            _touch_one(tool, path, atime, mtime)


def _touch_times(tool: Tool) -> tuple[int | None, int | None]:
    """Access and modification time; None: now."""
    now = tool.process.kernel.clock.now
    if reference := tool.value("r"):
        with tool.refusing(Say("{0}", "failed to get attributes of {0:q}"), reference):
            about = tool.files.stat(reference)
        return about.st_atime_ns, about.st_mtime_ns
    text, stamp = tool.value("d"), tool.value("t")
    if text is None and stamp is None:
        return None, None
    zone = tool.zone
    when = stamped(stamp, now, zone) if stamp is not None else parsed(text or "", now, gnu=tool.gnu, zone=zone)
    if when is not None and not tool.gnu and text and re.fullmatch(r"\d{4}-\d\d?-\d\d?", text):
        when += now % (86400 * 10**9)  # busybox' touch takes the time of day from the clock
    if when is None:
        form = "invalid date format {0:l}"
        tool.refuse(Say("invalid date '{0}'", form), stamp if stamp is not None else text or "")
    return when, when


def _touch_one(tool: Tool, path: str, atime: int | None, mtime: int | None) -> None:
    files, follow = tool.files, not tool.has("h")
    try:
        old = files.stat(path) if follow else files.lstat(path)
    except FileNotFoundError:
        if tool.has("c", "h"):
            return
        if path.endswith("/") and tool.gnu:
            raise
        files.open(path, O_WRONLY | O_CREAT).close()
        if mtime is not None:
            files.utime(path, atime, mtime)
        return
    if tool.has("m") and not tool.has("a"):
        atime, mtime = old.st_atime_ns, mtime if mtime is not None else tool.process.kernel.clock.now
    elif tool.has("a") and not tool.has("m"):
        atime, mtime = atime if atime is not None else tool.process.kernel.clock.now, old.st_mtime_ns
    files.utime(path, atime, mtime, follow)


# sizes


def truncate(tool: Tool) -> None:
    text, reference = tool.value("s"), tool.value("r")
    if text is None and reference is None:
        tool.usage(tool.text(Say("", "you must specify either {0:l} or {1:l}"), "--size", "--reference"))
    if not tool.operands:
        tool.missing("file operand")
    sign, number = "", 0
    if text is not None:
        sign, number = _size(tool, text.strip())
    if reference is not None:
        number = tool.files.stat(reference).st_size
    for path in tool.operands:
        with tool.complaining(Say("{0}: open", "cannot open {0:q} for writing"), path):
            if tool.has("c") and not tool.files.exists(path):
                continue
            with tool.files.open(path, O_WRONLY | O_CREAT) as handle:
                handle.truncate(_target(sign, number, handle.stat().st_size))


def _size(tool: Tool, text: str) -> tuple[str, int]:
    sign = text[0] if tool.gnu and text[:1] in tuple("+-<>/%") else ""
    try:
        return sign, size(text[len(sign) :], gnu=tool.gnu)
    except ValueError:
        tool.refuse(Say("invalid number '{0}'", "Invalid number: {0:l}"), text)


def _target(sign: str, number: int, old: int) -> int:
    if sign in ("/", "%"):
        return old // number * number if sign == "/" else -(-old // number) * number
    return {"": number, "+": old + number, "-": max(0, old - number), "<": min(old, number), ">": max(old, number)}[
        sign
    ]


def fallocate(tool: Tool) -> None:
    if not tool.has("l") or not tool.operands:
        if tool.gnu:
            tool.fail("no filename specified" if tool.has("l") else "no length argument specified")
        tool.usage()
    path = tool.operands[0]
    if tool.gnu and not re.fullmatch(r"\d+\w*", tool.value("l") or ""):
        tool.fail("invalid length value specified")
    number = _size(tool, tool.value("l") or "0")[1]
    start = _size(tool, tool.value("o") or "0")[1]
    try:
        with tool.files.open(path, O_RDWR | O_CREAT) as handle:
            old = handle.stat().st_size
            handle.seek(old)
            if start + number > old and not tool.has("n"):
                handle.write_content(Content.zeros(start + number - old))
    except OSError as error:
        if error.filename is None:
            tool.refuse(Say("fallocate '{0}'", "fallocate failed"), path, error=error)
        tool.complain(Say("can't open '{0}'", "cannot open {0}"), path, error=error)


# others

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def mktemp(tool: Tool) -> None:
    given = tool.operands[0] if tool.operands else None
    template = given or ("tmp.XXXXXXXXXX" if tool.gnu else "tmp.XXXXXX")
    what = "directory" if tool.has("d") else "file"
    least = 3 if tool.gnu else 6
    if not re.search("X" * least, template) or (not tool.gnu and not template.endswith("X" * 6)):
        tool.refuse(Say("(null): Invalid argument", "too few X's in template {0:l}"), template)
    if given is None or tool.has("p", "t", "tmpdir"):
        folder = tool.value("p", "tmpdir") or tool.env.get("TMPDIR") or "/tmp"
        template = f"{folder}/{template}"
    for attempt in range(1000):
        path = _filled_template(tool, template, attempt)
        if not tool.files.exists(path):
            break
    with tool.refusing(Say("(null)", f"failed to create {what} via template {{0:l}}"), template):
        if tool.has("d"):
            tool.files.mkdir(path, 0o700)
        elif not tool.has("u"):
            tool.files.open(path, O_RDWR | O_CREAT, 0o600).close()
    tool.out(f"{path}\n")


def _filled_template(tool: Tool, template: str, attempt: int) -> str:
    seed = f"{template} {tool.process.kernel.clock.now} {tool.process.pid} {attempt}"
    digest = hashlib.sha256(seed.encode()).digest()
    runs = list(re.finditer("XXX+", template))
    run = runs[-1]
    letters = "".join(_LETTERS[digest[index % 32] % 62] for index in range(run.end() - run.start()))
    return template[: run.start()] + letters + template[run.end() :]


def mkfifo(tool: Tool) -> None:
    mode = _mode(tool, 0o666)
    for path in tool.operands:
        with tool.complaining(Say("{0}", "cannot create fifo {0:q}"), path):
            tool.files.mkfifo(path)
            if mode is not None:
                tool.files.chmod(path, mode)


_KINDS = {"p": stat.S_IFIFO, "c": stat.S_IFCHR, "u": stat.S_IFCHR, "b": stat.S_IFBLK}


def mknod(tool: Tool) -> None:
    if len(tool.operands) < 2:
        tool.missing(after=True)
    path, letter, *numbers = tool.operands
    if letter not in _KINDS:
        tool.usage(tool.text(Say("", "invalid device type {0:l}"), letter))
    if letter != "p" and len(numbers) < 2:
        tool.missing(after=True)
    if letter == "p" and numbers and tool.gnu:
        tool.process.stderr.write(
            f"mknod: {tool.text(Say('', 'extra operand {0:l}'), numbers[0])}\n"
            "Fifos do not have major and minor device numbers.\n"
        )
        tool.usage()
    mode = _mode(tool, 0o666)
    try:
        device = makedev(*(int(number, 0) for number in numbers[:2])) if len(numbers) >= 2 else 0
    except ValueError:
        tool.refuse(Say("invalid number '{0}'", "invalid major device number {0:l}"), numbers[0])
    with tool.complaining(SAME, path):
        tool.files.mknod(path, _KINDS[letter] | 0o666, device)
        if mode is not None:
            tool.files.chmod(path, mode)


def shred(tool: Tool) -> None:
    for path in tool.operands:
        with tool.complaining(Say("{0}", "{0:n}: failed to open for writing"), path):
            length = tool.files.stat(path).st_size
            with tool.files.open(path, O_RDWR) as handle:
                handle.write_content(Content.filler(f"shred {path}", length))
            if tool.has("u"):
                tool.files.unlink(path)


UTILITIES = {
    "mkdir": Utility(
        mkdir,
        "m:=mode p=parents v=verbose",
        "m:=mode p=parents v=verbose Z",
        "[-m MODE] [-p] DIRECTORY...",
        needs="operand",
    ),
    "rm": Utility(
        rm,
        "i r R f v",
        "i I r=recursive R f=force d=dir v=verbose =interactive? =one-file-system =preserve-root =no-preserve-root",
        "[-irf] FILE...",
    ),
    "rmdir": Utility(
        rmdir,
        "p=parents v=verbose =ignore-fail-on-non-empty",
        "p=parents v=verbose =ignore-fail-on-non-empty",
        "[-p] DIRECTORY...",
        needs="operand",
    ),
    "unlink": Utility(unlink, "", "", "FILE", needs="operand"),
    "touch": Utility(
        touch,
        "c=no-create h=no-dereference a m d:=date t: r:=reference",
        "c=no-create h=no-dereference a m d:=date t: r:=reference =time: f",
        "[-cham] [-d DATE] [-t DATE] [-r FILE] FILE...",
        needs="file operand",
    ),
    "truncate": Utility(truncate, "c s:", "c=no-create s:=size r:=reference o=io-blocks", "[-c] -s SIZE FILE..."),
    "fallocate": Utility(
        fallocate, "l: o:", "l:=length o:=offset n=keep-size v", "[-o OFS] -l LEN FILE", package="util-linux 2.38.1)"
    ),
    "mktemp": Utility(
        mktemp, "d t p: q u", "d=directory t p: q=quiet u=dry-run =tmpdir? =suffix:", "[-dt] [-p DIR] [TEMPLATE]"
    ),
    "mkfifo": Utility(mkfifo, "m:=mode", "m:=mode Z", "[-m MODE] NAME", needs="operand"),
    "mknod": Utility(mknod, "m:=mode", "m:=mode Z", "[-m MODE] NAME TYPE [MAJOR MINOR]"),
    "shred": Utility(shred, "f u z n:", "f u z v n:=iterations", "FILE...", needs="file operand"),
}
