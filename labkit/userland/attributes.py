"""What else is known of a file: getfattr, setfattr, lsattr, chattr, file."""

from __future__ import annotations

import base64
import re
import stat

from labkit.files import Content, errno
from labkit.kernel.process import program_name
from labkit.userland.patterns import matches
from labkit.userland.tool import Say, Tool, Utility, bytes_of

# extended attributes


def getfattr(tool: Tool) -> int:
    follow = not tool.has("h")
    for path in tool.operands:
        names = tool.attempt(lambda: _attributes(tool, path, follow), Say("", "{0}"), path)  # noqa: B023 (called at once)
        _print_attributes(tool, path, names or [], follow)
    return tool.status


def _attributes(tool: Tool, path: str, follow: bool) -> list[str]:
    wanted = tool.value("n")
    if wanted is not None:
        try:
            tool.files.getxattr(path, wanted, follow)
        except OSError as error:
            if error.errno != errno.ENODATA:
                raise
            tool.process.stderr.write(f"{path}: {wanted}: No such attribute\n")
            tool.status = 1
            return []
        return [wanted]
    pattern = tool.value("m")
    names = tool.files.listxattr(path, follow)
    if pattern is None:
        return [name for name in names if name.startswith("user.")]
    return names if pattern == "-" else [name for name in names if re.search(pattern, name)]


def _print_attributes(tool: Tool, path: str, names: list[str], follow: bool) -> None:
    if not names:
        return
    values = {name: tool.files.getxattr(path, name, follow) for name in names}
    if tool.has("only-values"):
        for value in values.values():
            tool.out(value)
        return
    shown = path
    if path.startswith("/") and not tool.has("absolute-names"):
        tool.process.stderr.write("getfattr: Removing leading '/' from absolute path names\n")
        shown = path.lstrip("/")
    tool.out(f"# file: {shown}\n")
    for name, value in values.items():
        tool.out(f"{name}={_encoded(tool, value)}\n" if tool.has("d", "n") else f"{name}\n")
    tool.out("\n")


def _encoded(tool: Tool, value: bytes) -> str:
    how = tool.value("e") or ("text" if all(32 <= byte < 127 for byte in value.rstrip(b"\0")) else "base64")
    if how == "hex":
        return "0x" + value.hex()
    if how == "base64":
        return "0s" + base64.b64encode(value).decode()
    text = "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}" for byte in value)
    return f'"{text}"'


def setfattr(tool: Tool) -> int:
    follow = not tool.has("h")
    for path in tool.operands:
        try:
            if name := tool.value("x"):
                tool.files.removexattr(path, name, follow)
            elif name := tool.value("n"):
                tool.files.setxattr(path, name, _decoded(tool.value("v") or ""), follow)
        except OSError as error:
            reason = "No such attribute" if error.errno == errno.ENODATA else tool.reason(error)
            tool.complain(Say("", f"{{0}}: {reason}"), path)
    return tool.status


def _decoded(text: str) -> bytes:
    if re.fullmatch(r"0[xX][0-9a-fA-F]*", text):
        return bytes.fromhex(text[2:])
    if text[:2] in ("0s", "0S"):
        return base64.b64decode(text[2:])
    text = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
    return bytes_of(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text))


# ext4's attributes


def lsattr(tool: Tool) -> None:
    for path in tool.operands or ["."]:
        try:
            folder = stat.S_ISDIR(tool.files.lstat(path).st_mode) and not tool.has("d")
            names = tool.files.listdir(path) if folder else []
        except OSError as error:
            tool.err(f"{tool.reason(error)} while trying to stat {path}")
            continue
        shown = (
            [f"{path.rstrip('/')}/{name}" for name in names if tool.has("a") or not name.startswith(".")]
            if folder
            else [path]
        )
        for one in shown:
            tool.out(f"--------------e------- {one}\n")


def chattr(tool: Tool) -> None:
    tool.fail(
        "Operation not supported while setting flags"
        if tool.operands
        else "usage: chattr [-RVf] [-+=aAcCdDeijPsStTuFx] files..."
    )


# file

_MAGIC = [
    (b"\x7fELF", "ELF 64-bit LSB pie executable, x86-64, version 1 (SYSV), dynamically linked, stripped"),
    (b"\x1f\x8b", "gzip compressed data"), (b"BZh", "bzip2 compressed data"), (b"\xfd7zXZ", "XZ compressed data"),
    (b"\x89PNG", "PNG image data"), (b"PK\x03\x04", "Zip archive data"), (b"%PDF", "PDF document"),
]  # fmt: skip


def file(tool: Tool) -> None:
    for path in tool.operands:
        front = "" if tool.has("b") else f"{path}: "
        tool.out(f"{front}{_kind(tool, path)}\n")


def _kind(tool: Tool, path: str) -> str:
    try:
        about = tool.files.stat(path) if tool.has("L") else tool.files.lstat(path)
        if stat.S_ISLNK(about.st_mode):
            broken = "" if tool.files.exists(path) else "broken "
            return f"{broken}symbolic link to {tool.files.readlink(path)}"
        named = {stat.S_IFDIR: "directory", stat.S_IFIFO: "fifo (named pipe)", stat.S_IFSOCK: "socket",
                 stat.S_IFCHR: "character special", stat.S_IFBLK: "block special"}  # fmt: skip
        if kind := named.get(stat.S_IFMT(about.st_mode)):
            return kind
        return _content_kind(tool.files.content(path))
    except OSError as error:
        return f"cannot open `{path}' ({tool.reason(error)})"


def _content_kind(content: Content) -> str:
    head = content.read(0, 4096)
    if not head:
        return "empty"
    if program_name(content) is not None:
        return _MAGIC[0][1]
    if name := next((name for magic, name in _MAGIC if head.startswith(magic)), ""):
        return name
    if content.read(257, 5) == b"ustar":
        return "POSIX tar archive" + (" (GNU)" if content.read(257, 8) == b"ustar  \0" else "")
    return _text_kind(head)


def _text_kind(head: bytes) -> str:
    if match := re.match(rb"#! ?(\S+)", head):
        name = match[1].decode()
        script = {"sh": "POSIX shell script", "bash": "Bourne-Again shell script"}.get(
            name.rpartition("/")[2], f"a {name} script"
        )
        return f"{script}, ASCII text executable"
    if head[:1] in b"{[" and matches("*[]}]", head.decode("latin-1").strip()):
        return "JSON data" if len(head) < 4096 else "JSON text data"
    if b"\0" in head or any(byte < 7 or 13 < byte < 27 for byte in head):
        return "data"
    try:
        kind = "ASCII text" if head.isascii() else "Unicode text, UTF-8 text" if head.decode() else ""
    except UnicodeDecodeError:
        kind = "ISO-8859 text"
    if b"\r\n" in head:
        kind += ", with CRLF line terminators"
    elif b"\n" not in head:
        kind += ", with no line terminators"
    return kind


UTILITIES = {
    "getfattr": Utility(
        getfattr,
        "",
        "n:=name d=dump e:=encoding h=no-dereference m:=match L P R =absolute-names =only-values",
        package="attr 2.5.1)",
    ),
    "setfattr": Utility(setfattr, "", "n:=name v:=value x:=remove h=no-dereference", package="attr 2.5.1)"),
    "lsattr": Utility(lsattr, "a d R", "R a d l p v V", "[-Radlv] [FILE]...", package="e2fsprogs 1.47.0)"),
    "chattr": Utility(chattr, None, None, "[-pRv] [-+=AacDdijsStTu] FILE...", package="e2fsprogs 1.47.0)"),
    "file": Utility(file, "", "b=brief L=dereference i=mime z s", package="file 5.44)"),
}
