"""nginx and its image's entrypoint; web.py answers for it. Messages: nginx 1.22."""

from __future__ import annotations

from labkit.catalog.programs.support import append, complain, options, read_text, say, timestamp
from labkit.kernel.process import Process

_VERSION = "1.22.1"
_PID = "/run/nginx.pid"
_ERRORS = "/var/log/nginx/error.log"


def entrypoint(process: Process) -> int:
    """/docker-entrypoint.sh: looks for scripts to run first, then starts what it was given."""
    words = process.argv[1:]
    if words[:1] in (["nginx"], ["nginx-debug"]):
        folder = "/docker-entrypoint.d"
        scripts = process.files.listdir(folder) if process.files.is_dir(folder) else []
        if scripts:
            say(process, f"/docker-entrypoint.sh: {folder}/ is not empty, will attempt to perform configuration")
            say(process, f"/docker-entrypoint.sh: Looking for shell scripts in {folder}/")
            for name in scripts:
                say(process, f"/docker-entrypoint.sh: Launching {folder}/{name}")
                process.spawn([f"{folder}/{name}"])
            say(process, "/docker-entrypoint.sh: Configuration complete; ready for start up")
        else:
            say(process, f"/docker-entrypoint.sh: No files found in {folder}/, skipping configuration")
    return process.exec(words) if words else 0


def nginx(process: Process) -> int:
    flags, _ = options(process.argv[1:], ("-g", "-c", "-s", "-p", "-e"))
    if "-v" in flags:
        complain(process, f"nginx version: nginx/{_VERSION}")
        return 0
    if "-t" in flags:
        complain(process, "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok")
        complain(process, "nginx: configuration file /etc/nginx/nginx.conf test is successful")
        return 0
    if "-s" in flags:
        return _signal(process)
    if not process.files.exists("/etc/nginx/nginx.conf"):
        stamp = timestamp(process, "%Y/%m/%d %H:%M:%S")
        complain(
            process,
            f"{stamp} [emerg] {process.pid}#{process.pid}: "
            'open() "/etc/nginx/nginx.conf" failed (2: No such file or directory)',
        )
        return 1
    _start(process)
    if "daemon off" in flags.get("-g", "") or "daemon off" in read_text(process.files, "/etc/nginx/nginx.conf"):
        return process.wait_forever("TERM", "INT", "QUIT")
    return 0


def _signal(process: Process) -> int:
    if process.files.exists(_PID):
        return 0
    complain(process, f'nginx: [error] open() "{_PID}" failed (2: No such file or directory)')
    return 1


def _start(process: Process) -> None:
    process.files.makedirs("/run")
    process.files.write(_PID, f"{process.pid}\n".encode())
    if "client_body" not in (
        process.files.listdir("/var/cache/nginx") if process.files.is_dir("/var/cache/nginx") else []
    ):
        for name in ("client_temp", "fastcgi_temp", "proxy_temp", "scgi_temp", "uwsgi_temp"):
            process.files.makedirs(f"/var/cache/nginx/{name}")
    for line in (
        'using the "epoll" event method', f"nginx/{_VERSION}", "OS: Linux 6.1.0-49-amd64",
        "getrlimit(RLIMIT_NOFILE): 1048576:1048576",
        "start worker processes", f"start worker process {process.pid + 28}",
    ):  # fmt: skip
        stamp = timestamp(process, "%Y/%m/%d %H:%M:%S")
        _log(process, _ERRORS, f"{stamp} [notice] {process.pid}#{process.pid}: {line}\n")


def _log(process: Process, path: str, line: str) -> None:
    """To the log's file, or to the stream that it is a link to."""
    try:
        target = process.files.readlink(path)
    except OSError:
        append(process.files, path, line)
        return
    stream = process.stdout if target == "/dev/stdout" else process.stderr if target == "/dev/stderr" else None
    if stream:
        stream.write(line)
