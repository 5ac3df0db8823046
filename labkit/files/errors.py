"""Failures of file operations: OSError with the kernel's errno and glibc's text for it, on every platform alike."""

from __future__ import annotations

import errno as e

MESSAGES = {
    e.EPERM: "Operation not permitted",
    e.ENOENT: "No such file or directory",
    e.EIO: "Input/output error",
    e.ENXIO: "No such device or address",
    e.E2BIG: "Argument list too long",
    e.ENOEXEC: "Exec format error",
    e.EBADF: "Bad file descriptor",
    e.EACCES: "Permission denied",
    e.EBUSY: "Device or resource busy",
    e.EEXIST: "File exists",
    e.EXDEV: "Invalid cross-device link",
    e.ENODEV: "No such device",
    e.ENOTDIR: "Not a directory",
    e.EISDIR: "Is a directory",
    e.EINVAL: "Invalid argument",
    e.ENOTTY: "Inappropriate ioctl for device",
    e.ETXTBSY: "Text file busy",
    e.EFBIG: "File too large",
    e.ENOSPC: "No space left on device",
    e.ESPIPE: "Illegal seek",
    e.EROFS: "Read-only file system",
    e.EMLINK: "Too many links",
    e.EPIPE: "Broken pipe",
    e.ERANGE: "Numerical result out of range",
    e.ENAMETOOLONG: "File name too long",
    e.ENOSYS: "Function not implemented",
    e.ENOTEMPTY: "Directory not empty",
    e.ELOOP: "Too many levels of symbolic links",
    e.ENODATA: "No data available",
    e.EOPNOTSUPP: "Operation not supported",
}


def failure(code: int, path: str | None = None, other: str | None = None) -> OSError:
    """The OSError for this errno; `path` and `other` are what the call was given."""
    if other is not None:
        return OSError(code, MESSAGES.get(code, f"Unknown error {code}"), path, None, other)
    return OSError(code, MESSAGES.get(code, f"Unknown error {code}"), path)
