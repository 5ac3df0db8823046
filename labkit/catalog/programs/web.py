"""The web inside the machine: curl, the servers flask, gunicorn and nginx, and what those of containers answer it.

A server is a parked process and answers nothing by itself; so a request is answered here, from the files of the
container that would have got it: nginx's page, the text that a route of a Flask application returns, a file of
http.server's folder. What the server would log goes to its log. Messages: curl 7.88, nginx 1.22, Flask
and Werkzeug 3.1, gunicorn 23.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from labkit.catalog.programs.support import append, complain, options, read_text, say, timestamp
from labkit.engine.containers.inspection import ports
from labkit.engine.containers.processes import Log
from labkit.files import Files
from labkit.kernel.golang import text as text_of
from labkit.kernel.golang import texts
from labkit.kernel.process import Process

if TYPE_CHECKING:
    from labkit.engine.api import Engine
    from labkit.engine.core.records import Container
    from labkit.engine.daemon.daemon import Daemon


_NGINX_PID, _ACCESS = "/run/nginx.pid", "/var/log/nginx/access.log"
_NGINX_404 = b"<html>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n</body>\r\n</html>\r\n"
_FLASK_404 = b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
_LOCAL = ("localhost", "127.0.0.1", "0.0.0.0", "::1")
_VALUES = ("-o", "-H", "-X", "-d", "-u", "-A", "-w", "-m", "--max-time", "--output", "--retry")
_REASONS = {200: "OK", 404: "Not Found"}


class Answer(NamedTuple):
    status: int
    body: bytes
    server: str


@dataclass(frozen=True)
class Target:
    """Who gets a request: these files, at this port there, and the container that they belong to."""

    files: Files
    port: int
    command: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    container: Container | None = None


def curl(process: Process, daemon: Daemon) -> int:
    flags, words = options(process.argv[1:], _VALUES)
    if "--version" in flags or "-V" in flags:
        say(process, "curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1")
        return 0
    if not words:
        complain(process, "curl: no URL specified!", "curl: try 'curl --help' or 'curl --manual' for more information")
        return 2
    found = re.fullmatch(r"(?:(https?)://)?([^/:]+)(?::(\d+))?(/[^?#]*)?.*", words[-1])
    if found is None:
        return _fail(process, flags, 3, "URL using bad/illegal format or missing URL")
    host, path = found[2], found[4] or "/"
    port = int(found[3] or (443 if found[1] == "https" else 80))
    reachable, target = _find_target(process, daemon.engine, host, port)
    if not reachable:
        return _fail(process, flags, 6, f"Could not resolve host: {host}")
    answer = _ask(process, daemon.engine, target, path) if target else None
    if answer is None:
        text = f"Failed to connect to {host} port {port} after 0 ms: Couldn't connect to server"
        return _fail(process, flags, 7, text)
    if answer.status >= 400 and ("-f" in flags or "--fail" in flags):
        return _fail(process, flags, 22, f"The requested URL returned error: {answer.status}")
    _print(process, flags, answer)
    return 0


def _fail(process: Process, flags: dict[str, str], code: int, text: str) -> int:
    if not ("-s" in flags or "--silent" in flags) or "-S" in flags:
        complain(process, f"curl: ({code}) {text}")
    return code


def _print(process: Process, flags: dict[str, str], answer: Answer) -> None:
    first = f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}"
    if "-I" in flags or "-i" in flags:
        process.stdout.write(f"{first}\r\nServer: {answer.server}\r\nContent-Length: {len(answer.body)}\r\n\r\n")
    target = flags.get("-o") or flags.get("--output")
    if "-I" in flags:
        return
    if target and target != "-":
        process.files.write(target, answer.body)
    else:
        process.stdout.write(answer.body)


# --- who is asked


def _find_target(process: Process, engine: Engine, host: str, port: int) -> tuple[bool, Target | None]:
    """Whether there is such a host, and who listens at this port of it."""
    running = [one for _, one in engine.tables.containers.items() if one.state.running]
    by_address = next((one for one in running if one.address and one.address == host), None)
    if by_address:
        return True, _of(engine, by_address, port)
    if host not in (*_LOCAL, process.hostname):
        return False, None
    if process.files.namespace is engine.host.namespace:
        for one in running:
            if inside := _published(one, port):
                return True, _of(engine, one, inside)
        return True, None
    itself = next((one for one in running if one.hostname == process.hostname), None)
    command, env = _start_of(itself) if itself else ((), ())
    return True, Target(process.files, port, command, env, itself)


def _of(engine: Engine, container: Container, port: int) -> Target:
    return Target(engine.container(container.id).files, port, *_start_of(container), container)


def _start_of(container: Container) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(container.command), tuple(texts(container.config, "Env"))


def _published(container: Container, port: int) -> int | None:
    """Which port of the container is this port of the host (-p, -P)."""
    for inside, places in ports(container).items():
        if any(place["HostPort"] == str(port) for place in places or ()):
            return int(inside.split("/")[0])
    return None


# --- what they answer


def _ask(process: Process, engine: Engine, target: Target, path: str) -> Answer | None:
    """The answer of whoever listens there, logged as it would log it; None where nobody does."""
    for server in _SERVERS:
        if answer := server(process, engine, target, path):
            return answer
    return None


def _nginx(process: Process, engine: Engine, target: Target, path: str) -> Answer | None:
    files = target.files
    if target.port != 80 or not files.exists(_NGINX_PID):
        return None
    root = "/usr/share/nginx/html" if files.is_dir("/usr/share/nginx/html") else "/var/www/html"
    body = _page(files, root, path, ("index.html", "index.htm", "index.nginx-debian.html"))
    answer = Answer(404, _NGINX_404, "nginx/1.22.1") if body is None else Answer(200, body, "nginx/1.22.1")
    stamp = timestamp(process, "%d/%b/%Y:%H:%M:%S +0000")
    line = f'172.17.0.1 - - [{stamp}] "GET {path} HTTP/1.1" {answer.status} {len(answer.body)} "-" "curl/7.88.1" "-"\n'
    if _is_link(files, _ACCESS):
        _log(engine, target, "stdout", line)
    else:
        append(files, _ACCESS, line)
    return answer


def _page(files: Files, root: str, path: str, indexes: tuple[str, ...]) -> bytes | None:
    whole = root + path
    if files.is_dir(whole):
        names = (f"{whole.rstrip('/')}/{name}" for name in indexes)
        whole = next((name for name in names if files.exists(name)), "")
    return files.read(whole) if whole and files.exists(whole) and not files.is_dir(whole) else None


def _flask(process: Process, engine: Engine, target: Target, path: str) -> Answer | None:
    source = _application(target)
    if source is None or target.port != _flask_port(target, source):
        return None
    found = routes(source).get(path)
    answer = Answer(404, _FLASK_404, "Werkzeug/3.1.9") if found is None else Answer(200, found, "Werkzeug/3.1.9")
    stamp = timestamp(process, "%d/%b/%Y %H:%M:%S")
    _log(engine, target, "stderr", f'172.17.0.1 - - [{stamp}] "GET {path} HTTP/1.1" {answer.status} -\n')
    return answer


def _application(target: Target) -> str | None:
    """The source of the Flask application that the container runs."""
    words = " ".join(target.command).split()
    env = dict(variable.partition("=")[::2] for variable in target.env)
    if not any("flask" in word or "python" in word for word in words):
        return None
    named = [words[place + 1] for place, word in enumerate(words[:-1]) if word in ("--app", "-A")]
    files = [*named, env.get("FLASK_APP", ""), *words, "app.py"]
    folder = (text_of(target.container.config, "WorkingDir") if target.container else "") or target.files.cwd
    for name in files:
        path = name.split(":")[0].removesuffix(".py") + ".py"
        whole = path if path.startswith("/") else f"{folder.rstrip('/')}/{path}"
        if path != ".py" and "Flask(" in (text := read_text(target.files, whole)):
            return text
    return None


def _flask_port(target: Target, source: str) -> int:
    found = re.search(r"(?:--port[= ]|-p )(\d+)", " ".join(target.command))
    inside = re.search(r"\.run\([^)]*port\s*=\s*(\d+)", source)
    if found:
        return int(found[1])
    return int(inside[1]) if inside and "flask" not in " ".join(target.command[:2]) else 5000


def routes(source: str) -> dict[str, bytes]:
    """Path -> the text that the function for it returns, where that is written down as a text."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found = {}
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef):
            continue
        answers = [node.value for node in function.body if isinstance(node, ast.Return)]
        text = next((value.value for value in answers if isinstance(value, ast.Constant)), None)
        for decorator in function.decorator_list:
            if isinstance(decorator, ast.Call) and decorator.args and isinstance(decorator.args[0], ast.Constant):
                found[str(decorator.args[0].value)] = str(text if text is not None else "").encode()
    return found


def _http_server(process: Process, engine: Engine, target: Target, path: str) -> Answer | None:
    words = " ".join(target.command).split()
    if "http.server" not in words:
        return None
    port = next((int(word) for word in words if word.isdigit()), 8000)
    if target.port != port:
        return None
    folder = (text_of(target.container.config, "WorkingDir") if target.container else "") or "/"
    body = _page(target.files, folder.rstrip("/"), path, ("index.html",))
    answer = Answer(404, b"<h1>Error response</h1>\n", "SimpleHTTP/0.6 Python/3.12.12")
    if body is not None:
        answer = Answer(200, body, answer.server)
    stamp = timestamp(process, "%d/%b/%Y %H:%M:%S")
    _log(engine, target, "stderr", f'172.17.0.1 - - [{stamp}] "GET {path} HTTP/1.1" {answer.status} -\n')
    return answer


def _is_link(files: Files, path: str) -> bool:
    try:
        files.readlink(path)
    except OSError:
        return False
    return True


def _log(engine: Engine, target: Target, stream: str, line: str) -> None:
    """Into the log of the container, as if its first process had printed it."""
    if target.container is None:
        return
    log = Log(engine.now)
    log.add(stream, line.encode())
    log.flush(engine.core, target.container)


_SERVERS: tuple[Callable[[Process, Engine, Target, str], Answer | None], ...] = (_nginx, _flask, _http_server)


_NOT_FOUND = (
    "Error: Could not locate a Flask application. Use the 'flask --app' option, 'FLASK_APP' environment variable, or a "
    "'wsgi.py' or 'app.py' file in the current directory."
)
_DEVELOPMENT = (
    "WARNING: This is a development server. Do not use it in a production deployment. Use a production WSGI server "
    "instead."
)


def flask(process: Process) -> int:
    flags, words = options(process.argv[1:], ("--app", "-A", "--host", "-h", "--port", "-p", "--env-file", "-e"))
    if "--version" in flags:
        say(process, "Python 3.12.12", "Flask 3.1.3", "Werkzeug 3.1.9")
        return 0
    if words[:1] != ["run"]:
        say(process, "Usage: flask [OPTIONS] COMMAND [ARGS]...")
        return 0 if not words else 2
    app = flags.get("--app") or flags.get("-A") or process.env.get("FLASK_APP", "")
    if not app:
        app = next((name for name in ("wsgi.py", "app.py") if process.files.exists(name)), "")
        if not app:
            complain(process, _NOT_FOUND)
            return 2
    path = app.split(":")[0]
    if not (process.files.exists(path) or process.files.exists(f"{path}.py")):
        complain(process, f"Error: Could not import '{path.removesuffix('.py')}'.")
        return 2
    host = flags.get("--host") or flags.get("-h") or process.env.get("FLASK_RUN_HOST") or "127.0.0.1"
    port = flags.get("--port") or flags.get("-p") or process.env.get("FLASK_RUN_PORT") or "5000"
    return serve(process, app, host, port)


def serve(process: Process, app: str, host: str = "127.0.0.1", port: str = "5000") -> int:
    """Flask's development server."""
    say(process, f" * Serving Flask app '{app}'", " * Debug mode: off")
    everywhere = (" * Running on all addresses (0.0.0.0)", f" * Running on http://127.0.0.1:{port}")
    lines = everywhere if host == "0.0.0.0" else (f" * Running on http://{host}:{port}",)
    complain(process, _DEVELOPMENT, *lines, "Press CTRL+C to quit")
    return process.wait_forever()


def gunicorn(process: Process) -> int:
    flags, words = options(process.argv[1:], ("-b", "--bind", "-w", "--workers", "-c", "-k", "-t"))
    if not words:
        complain(process, "Error: No application module specified.")
        return 1
    address = flags.get("-b") or flags.get("--bind") or "127.0.0.1:8000"
    stamp = timestamp(process, "[%Y-%m-%d %H:%M:%S +0000]")
    for line in ("Starting gunicorn 27.0.1", f"Listening at: http://{address} ({process.pid})", "Using worker: sync"):
        complain(process, f"{stamp} [{process.pid}] [INFO] {line}")
    complain(process, f"{stamp} [{process.pid + 6}] [INFO] Booting worker with pid: {process.pid + 6}")
    return process.wait_forever()


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
        _log_to(process, _ERRORS, f"{stamp} [notice] {process.pid}#{process.pid}: {line}\n")


def _log_to(process: Process, path: str, line: str) -> None:
    """To the log's file, or to the stream that it is a link to."""
    try:
        target = process.files.readlink(path)
    except OSError:
        append(process.files, path, line)
        return
    stream = process.stdout if target == "/dev/stdout" else process.stderr if target == "/dev/stderr" else None
    if stream:
        stream.write(line)
