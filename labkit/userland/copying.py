"""cp and install; and where they, mv and ln put what."""

from __future__ import annotations

import stat
from contextlib import suppress
from dataclasses import dataclass, field
from posixpath import basename, dirname

from labkit.files import O_CREAT, O_EXCL, O_TRUNC, O_WRONLY, Stat, errno, failure
from labkit.files.paths import Handle
from labkit.userland import owning
from labkit.userland.owning import Names
from labkit.userland.tool import Done, Say, Tool, Utility, below, is_same

STAT = Say("can't stat '{0}'", "cannot stat {0:q}")
SAME_FILE = Say("'{0}' and '{1}' are the same file", "{0:q} and {1:q} are the same file")
OVERWRITE = Say("overwrite '{0}'? ", "overwrite {0:q}? ")
KEPT = frozenset({"mode", "ownership", "timestamps", "links", "xattr"})  # all that can be kept of a file


def destination_of(tool: Tool) -> tuple[list[str], str, bool]:
    """The sources, the destination, and whether it is a folder that they go into."""
    operands = list(tool.operands)
    if folder := tool.value("t"):
        if not tool.files.is_dir(folder):
            not_a_folder(tool, folder)
        return operands, folder, True
    if len(operands) == 1:
        tool.missing("destination file operand", after=True)
    destination = operands.pop()
    if tool.has("T"):
        if len(operands) > 1:
            tool.extra(2)
        return operands, destination, False
    into = tool.files.is_dir(destination)
    if len(operands) > 1 and not into and tool.gnu:
        not_a_folder(tool, destination)
    return operands, destination, into or len(operands) > 1


def not_a_folder(tool: Tool, path: str) -> None:
    code = errno.ENOTDIR if tool.files.exists(path) else errno.ENOENT
    tool.refuse(Say("target '{0}'", "target {0:q}"), path, error=failure(code))


def inside(folder: str, path: str) -> str:
    """The path that a source has in the folder it is copied into."""
    name = basename(path.rstrip("/"))
    if name in ("..", "."):
        name = "" if name == "." or path == ".." else name
    return f"{folder.rstrip('/') if folder.strip('/') else ''}/{name}" if name else f"{folder}/."


@dataclass(frozen=True)
class CopyOptions:
    """How files are copied."""

    recursive: bool = False
    keep: frozenset[str] = frozenset()  # of mode, ownership, timestamps, xattr
    follow: bool = True  # symbolic links below the operands
    follow_operands: bool = True
    force: bool = False
    link: str = ""  # "l": hard links instead of copies, "s": symbolic ones
    update: bool = False
    no_clobber: bool = False
    ask: bool = False
    parents: bool = False
    hard_links: bool = False  # files with several names stay one file
    attributes_only: bool = False
    remove_first: bool = False
    done: dict[tuple[int, int], str] = field(default_factory=dict)


def _way(tool: Tool) -> CopyOptions:
    keep: set[str] = set()
    for name, value in tool.options:
        if name == "a" or (name == "preserve" and "all" in value.split(",")):
            keep |= KEPT
        elif name == "p" or (name == "preserve" and not value):
            keep |= {"mode", "ownership", "timestamps"}
        elif name == "preserve":
            keep |= set(value.split(","))
        elif name == "no-preserve":
            keep -= set(value.split(","))
    links = tool.last("L", "P", "H", "d", "a")
    if not tool.gnu:  # in which the order does not count
        links = next((name for name in ("L", "H") if tool.has(name)), links)
    recursive = tool.has("r", "R", "a")
    follow = links == "L" if links else not recursive
    hard = "links" in keep or tool.has("d") or (not tool.gnu and tool.has("a", "d", "p"))
    return CopyOptions(
        recursive, frozenset(keep), follow, follow or links in ("H",), tool.has("f"), tool.last("l", "s") or "",
        tool.has("u"), tool.last("n", "i", "f") == "n", tool.last("n", "i", "f") == "i", tool.has("parents"), hard,
        tool.has("attributes-only"), tool.has("remove-destination"),
    )  # fmt: skip


def cp(tool: Tool) -> None:
    sources, destination, into = destination_of(tool)
    way = _way(tool)
    if way.parents and not into:
        said = "with --parents, the destination must be a directory"
        tool.usage(said) if tool.gnu else tool.fail(said)
    for source in sources:
        target = inside(destination, source) if into else destination
        if (
            not tool.gnu
            and way.recursive
            and tool.files.is_dir(source)
            and tool.files.exists(target)
            and not tool.files.is_dir(target)
        ):
            tool.fail(f"can't stat '{inside(target, source)}': Not a directory")
        elif not way.parents and is_below_a_file(tool, target, "Not a directory" if into else BELOW):
            continue
        if way.parents:
            target = f"{destination.rstrip('/')}/{source.strip('/')}"
            tool.files.makedirs(dirname(target))
        copy_file(tool, source, target, way, top=True)


BELOW = "Path has non-directory component"  # busybox with FEATURE_VERBOSE_CP_MESSAGE, as Debian builds it


def is_below_a_file(tool: Tool, target: str, why: str) -> bool:
    """Whether busybox says so of a target, at which it looks before the source (libbb/cp_mv_stat.c, copy_file.c)."""
    try:
        tool.files.lstat(target)
    except NotADirectoryError:
        if not tool.gnu:
            tool.err(f"can't stat '{target}': {why}")
            return True
    except OSError:
        return False
    return False


def copy_file(tool: Tool, source: str, target: str, way: CopyOptions, *, top: bool = False) -> bool:
    tool.tick()
    follow = way.follow_operands if top else way.follow
    about = tool.attempt(lambda: (tool.files.stat if follow else tool.files.lstat)(source), STAT, source)
    if about is None:
        return False
    if stat.S_ISDIR(about.st_mode) and not way.recursive and not (way.link == "s" and not tool.gnu):
        tool.complain(Say("omitting directory '{0}'", "-r not specified; omitting directory {0:q}"), source)
        return False
    there = tool.look(target, follow=True)
    if is_same(there, about) and not way.link:
        tool.complain(SAME_FILE, source, target)
        return False
    if stat.S_ISDIR(about.st_mode):
        return _copy_folder(tool, source, target, about, there, way)
    if there and stat.S_ISDIR(there.st_mode):
        said = "cannot overwrite directory {1:q} with non-directory"
        tool.complain(Say("can't create '{1}': Is a directory", said), source, target)
        return False
    if not _may_replace(tool, source, target, about, there, way):
        return True
    return _copy_one(tool, source, target, about, way)


def _may_replace(tool: Tool, source: str, target: str, about: Stat, there: Stat | None, way: CopyOptions) -> bool:
    if there is None:
        return True
    if way.no_clobber or (way.update and there.st_mtime_ns >= about.st_mtime_ns):
        return False
    return tool.asks(OVERWRITE, target) if way.ask else True


def _copy_folder(tool: Tool, source: str, target: str, about: Stat, there: Stat | None, way: CopyOptions) -> bool:
    files = tool.files
    if there is not None and not stat.S_ISDIR(there.st_mode):
        tool.complain(
            Say(
                "can't create directory '{1}': File exists", "cannot overwrite non-directory {1:q} with directory {0:q}"
            ),
            source,
            target,
        )
        return False
    try:
        names = files.listdir(source)
        if there is None:
            files.mkdir(target, about.st_mode & 0o7777 | 0o700)
            if tool.gnu:
                _say_copied(tool, source, target)
        if _is_below(tool, source, target):
            said = "cannot copy a directory, {0:q}, into itself, {1:q}"
            tool.complain(Say("recursion detected, omitting directory '{1}'", said), source, target)
            names = [name for name in names if not _same(tool, below(source, name), target)]
    except OSError as error:
        reading = error.filename == source
        making = Say("can't create directory '{1}'", "cannot create directory {1:q}")
        tool.complain(
            Say("can't open '{0}'", "cannot access {0:q}") if reading else making, source, target, error=error
        )
        return False
    copied = [copy_file(tool, below(source, name), below(target, name), way) for name in names]
    if there is None or "mode" in way.keep or not tool.gnu:
        if "mode" not in way.keep and there is None:
            with suppress(OSError):
                files.chmod(target, about.st_mode & 0o7777 & ~files.umask)
        _keep(tool, source, target, about, way)
    if there is None and not tool.gnu:
        _say_copied(tool, source, target)
    return all(copied)


def _same(tool: Tool, path: str, other: str) -> bool:
    return tool.files.realpath(path) == tool.files.realpath(other) if tool.files.exists(path) else False


def _is_below(tool: Tool, source: str, target: str) -> bool:
    """Whether the target lies in the source folder."""
    try:
        real = tool.files.realpath(source)
        parent = tool.files.realpath(dirname(target.rstrip("/")) or ("/" if target.startswith("/") else "."))
    except OSError:
        return False
    return parent == real or parent.startswith(real.rstrip("/") + "/")


def _copy_one(tool: Tool, source: str, target: str, about: Stat, way: CopyOptions) -> bool:
    files = tool.files
    key = (about.st_dev, about.st_ino)
    try:
        if way.remove_first and tool.look(target):
            files.unlink(target)
        if way.hard_links and about.st_nlink > 1 and key in way.done:
            if tool.look(target):
                files.unlink(target)
            files.link(way.done[key], target)
        elif way.link:
            _link_instead(tool, source, target, way)
        elif stat.S_ISREG(about.st_mode) or not (way.recursive or stat.S_ISLNK(about.st_mode)):
            _copy_data(tool, source, target, about, way)
        else:
            _copy_special(tool, source, target, about)
        way.done.setdefault(key, target)
        _say_copied(tool, source, target)
        if not way.link and (tool.gnu or way.recursive or stat.S_ISREG(about.st_mode)):
            _keep(tool, source, target, about, way)
    except OSError as error:
        _say_failed(tool, source, target, about, way, error)
        return False
    return True


def _link_instead(tool: Tool, source: str, target: str, way: CopyOptions) -> None:
    if way.force and tool.look(target):
        tool.files.unlink(target)
    if way.link == "l":
        tool.files.link(source, target)
    else:
        tool.files.symlink(source, target)


def _copy_data(tool: Tool, source: str, target: str, about: Stat, way: CopyOptions) -> None:
    files = tool.files
    with files.open(source) as reader:
        there = tool.look(target)
        if there is not None and stat.S_ISLNK(there.st_mode) and not files.exists(target):
            if tool.gnu and not way.force:
                tool.complain(Say("", "not writing through dangling symlink {0:q}"), target)
                raise Done(1)
            if not tool.gnu:
                there = None
                files.write(target, b"", about.st_mode & 0o777)
                there = tool.look(target, follow=True)
        if there is None:
            writer = files.open(target, O_WRONLY | O_CREAT | O_EXCL, about.st_mode & 0o777)
        else:
            writer = _reopened(tool, target, about, way)
        with writer:
            content = reader.read_content()
            if not way.attributes_only:
                writer.write_content(content)


def _reopened(tool: Tool, target: str, about: Stat, way: CopyOptions) -> Handle:
    try:
        return tool.files.open(target, O_WRONLY if way.attributes_only else O_WRONLY | O_TRUNC)
    except OSError as error:
        if not way.force or error.errno == errno.EROFS:
            raise
        tool.files.unlink(target)
        return tool.files.open(target, O_WRONLY | O_CREAT | O_EXCL, about.st_mode & 0o777)


def _copy_special(tool: Tool, source: str, target: str, about: Stat) -> None:
    files, link = tool.files, stat.S_ISLNK(about.st_mode)
    if tool.look(target) and (link or tool.gnu or tool.name != "cp"):
        files.unlink(target)
    if link:
        files.symlink(files.readlink(source), target)
    else:
        files.mknod(target, about.st_mode, about.st_rdev)


def _keep(tool: Tool, source: str, target: str, about: Stat, way: CopyOptions) -> None:
    """Give the copy what is to be kept of the original."""
    files, link = tool.files, stat.S_ISLNK(about.st_mode)
    if "xattr" in way.keep and not link:
        for name in files.listxattr(source):
            with suppress(OSError):
                files.setxattr(target, name, files.getxattr(source, name))
    if "ownership" in way.keep:
        with suppress(OSError):
            files.chown(target, about.st_uid, about.st_gid, False)
    if "mode" in way.keep and not link:
        with suppress(OSError):
            files.chmod(target, about.st_mode & 0o7777)
    if "timestamps" in way.keep and not (link and not tool.gnu):
        with suppress(OSError):
            files.utime(target, about.st_atime_ns, about.st_mtime_ns, False)


def _say_copied(tool: Tool, source: str, target: str) -> None:
    if tool.has("v") and tool.name != "mv":
        tool.out(tool.text(Say("'{0}' -> '{1}'", "{0:q} -> {1:q}"), source, target) + "\n")


def _say_failed(tool: Tool, source: str, target: str, about: Stat, way: CopyOptions, error: OSError) -> None:
    if way.link:
        kind = "symbolic link" if way.link == "s" else "hard link"
        busybox = "can't create " + ("symlink" if way.link == "s" else "link") + " '{1}'"
        tool.complain(Say(busybox, f"cannot create {kind} {{1:q}} to {{0:q}}"), source, target, error=error)
    elif error.filename == source and source != target:
        tool.complain(Say("can't open '{0}'", "cannot open {0:q} for reading"), source, error=error)
    elif error.errno == errno.ENOSPC or error.filename is None:
        tool.complain(Say("write error", "error writing {1:q}"), source, target, error=error)
    elif not stat.S_ISREG(about.st_mode):
        link = Say("can't create symlink '{1}'", "cannot create symbolic link {1:q}")
        other = Say("can't create '{1}'", "cannot create special file {1:q}")
        tool.complain(link if stat.S_ISLNK(about.st_mode) else other, source, target, error=error)
    else:
        _say_not_created(tool, source, target, error)


def _say_not_created(tool: Tool, source: str, target: str, error: OSError) -> None:
    cannot = Say("can't create '{0}'", "cannot create regular file {0:q}")
    if not tool.gnu or not target.endswith("/") or tool.look(target):
        tool.complain(cannot, target, error=error)
    elif tool.look(target.rstrip("/")):
        tool.complain(STAT, target, error=failure(errno.ENOTDIR))
    else:
        tool.complain(cannot, target, error=failure(errno.ENOTDIR) if tool.name == "cp" else error)


def install(tool: Tool) -> None:
    mode = owning.changed(tool.value("m") or "755", 0, 0)
    if mode is None:
        tool.refuse(Say("invalid mode '{0}'", "invalid mode {0:l}"), tool.value("m") or "")
    if tool.has("d"):
        for path in tool.operands:
            tool.files.makedirs(path)
            _installed(tool, path, mode)
        return
    sources, destination, into = destination_of(tool)
    for source in sources:
        target = inside(destination, source) if into else destination
        if tool.has("D"):
            tool.files.makedirs(dirname(target) or ".")
        if tool.look(target):
            tool.files.unlink(target)
        if copy_file(
            tool, source, target, CopyOptions(keep=frozenset({"timestamps"} if tool.has("p") else ())), top=True
        ):
            _installed(tool, target, mode)


def _installed(tool: Tool, path: str, mode: int) -> None:
    names = Names(tool.files)
    tool.files.chmod(path, mode)
    if tool.has("o", "g"):
        uid, gid = names.uid(tool.value("o") or ""), names.gid(tool.value("g") or "")
        tool.files.chown(path, -1 if uid is None else uid, -1 if gid is None else gid)


UTILITIES = {
    "cp": Utility(
        cp,
        "a=archive r R=recursive P=no-dereference L=dereference H p f=force i=interactive "
        "n=no-clobber l=link s=symbolic-link T u=update v=verbose t:=target-directory d =parents "
        "=remove-destination =reflink?",
        "a=archive b f=force i=interactive H l=link L=dereference n=no-clobber P=no-dereference p r "
        "R=recursive s=symbolic-link S: t:=target-directory T=no-target-directory u=update? "
        "v=verbose x=one-file-system d Z "
        "=preserve? =no-preserve: =parents =attributes-only =remove-destination =reflink? =sparse: "
        "=backup? =strip-trailing-slashes",
        "[-arPLHpfinlsTu] SOURCE DEST\n[-arPLHpfinlsu] SOURCE... { -t DIRECTORY | DIRECTORY }",
        needs="file operand",
    ),
    "install": Utility(
        install,
        "c d D p s m: o: g: t: v",
        "c d=directory D p=preserve-timestamps s m:=mode o:=owner g:=group t:=target-directory T v=verbose",
        "[-cdDsp] [-o USER] [-g GRP] [-m MODE] [-t DIR] [SOURCE]... DEST",
        needs="file operand",
    ),
}
