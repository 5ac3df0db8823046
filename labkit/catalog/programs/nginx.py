"""nginx, its image's entrypoint, and curl to look at what it serves. Messages: nginx 1.22, curl 7.88."""

from __future__ import annotations

import re

from labkit.catalog.programs.support import append, complain, options, read_text, say, timestamp
from labkit.engine.process import Process

_VERSION = "1.22.1"
_PID = "/run/nginx.pid"
_ERRORS, _ACCESS = "/var/log/nginx/error.log", "/var/log/nginx/access.log"


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


def curl(process: Process) -> int:
    """Fetches what an nginx of the same container serves; the rest of the world is not there."""
    flags, words = options(
        process.argv[1:], ("-o", "-H", "-X", "-d", "-u", "-A", "-w", "-m", "--max-time", "--output", "--retry")
    )
    if "--version" in flags or "-V" in flags:
        say(process, "curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1")
        return 0
    if not words:
        complain(process, "curl: no URL specified!", "curl: try 'curl --help' or 'curl --manual' for more information")
        return 2
    found = re.match(r"(?:(https?)://)?([^/:]+)(?::(\d+))?(/[^?#]*)?", words[-1])
    host, port = (found[2], found[3] or ("443" if found[1] == "https" else "80")) if found else (words[-1], "80")
    if host not in ("localhost", "127.0.0.1", "0.0.0.0", process.hostname):
        return _fail(process, flags, 6, f"Could not resolve host: {host}")
    if port != "80" or not process.files.exists(_PID):
        return _fail(
            process, flags, 7, f"Failed to connect to {host} port {port} after 0 ms: Couldn't connect to server"
        )
    status, body = _page(process, found[4] or "/" if found else "/")
    if status >= 400 and ("-f" in flags or "--fail" in flags):
        return _fail(process, flags, 22, f"The requested URL returned error: {status}")
    _answer(process, flags, status, body)
    stamp = timestamp(process, "%d/%b/%Y:%H:%M:%S +0000")
    path = found[4] or "/" if found else "/"
    if not _is_link(process, _ACCESS):
        append(
            process.files,
            _ACCESS,
            f'127.0.0.1 - - [{stamp}] "GET {path} HTTP/1.1" {status} {len(body)} "-" "curl/7.88.1"\n',
        )
    return 0


def _is_link(process: Process, path: str) -> bool:
    try:
        process.files.readlink(path)
    except OSError:
        return False
    return True


def _fail(process: Process, flags: dict[str, str], code: int, text: str) -> int:
    if not ("-s" in flags or "--silent" in flags) or "-S" in flags:
        complain(process, f"curl: ({code}) {text}")
    return code


def _answer(process: Process, flags: dict[str, str], status: int, body: bytes) -> None:
    first = f"HTTP/1.1 {status} {'OK' if status == 200 else 'Not Found'}"
    head = f"{first}\r\nServer: nginx/{_VERSION}\r\nContent-Length: {len(body)}\r\n\r\n"
    target = flags.get("-o") or flags.get("--output")
    if "-I" in flags or "-i" in flags:
        process.stdout.write(head)
    if "-I" in flags:
        return
    if target and target != "-":
        process.files.write(target, body)
    else:
        process.stdout.write(body)


def _page(process: Process, path: str) -> tuple[int, bytes]:
    root = "/usr/share/nginx/html" if process.files.is_dir("/usr/share/nginx/html") else "/var/www/html"
    whole = root + path
    names = (f"{whole.rstrip('/')}/{name}" for name in ("index.html", "index.htm", "index.nginx-debian.html"))
    if process.files.is_dir(whole):
        whole = next((name for name in names if process.files.exists(name)), "")
    if whole and process.files.exists(whole):
        return 200, process.files.read(whole)
    return (
        404,
        b"<html>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n</body>\r\n</html>\r\n",
    )
