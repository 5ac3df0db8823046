"""flask and gunicorn: servers that say where they listen, and wait. Messages: Flask 3.1, gunicorn 23."""

from __future__ import annotations

from labkit.catalog.programs.support import complain, options, say, timestamp
from labkit.kernel.process import Process

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
