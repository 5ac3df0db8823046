"""A web host for the built site, on loopback: as any static host, with gzip, and a count of what was sent."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

TYPES = {".mjs": "text/javascript", ".wasm": "application/wasm", ".js": "text/javascript"}


class Host:
    """Where the site is, and what was asked for. `folder` may become another: a new version is put there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sent: dict[str, int] = {}  # path -> bytes, packed
        self.missing: list[str] = []
        self.asked = 0
        self._packed: dict[tuple[Path, str], bytes] = {}
        host = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                host.answer(self)

            def log_message(self, *words: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/course/"  # below a path, as on GitHub Pages

    def answer(self, request: http.server.SimpleHTTPRequestHandler) -> None:
        self.asked += 1
        path = request.path.partition("?")[0]
        file = self.folder / path.removeprefix("/course/")
        file = file / "index.html" if file.is_dir() else file
        if not path.startswith("/course/") or not file.is_file():
            self.missing.append(path)
            request.send_error(404)
            return
        data = self.packed(file)
        self.sent[path] = len(data)
        request.send_response(200)
        request.send_header("Content-Type", TYPES.get(file.suffix) or request.guess_type(str(file)))
        request.send_header("Content-Encoding", "gzip")
        request.send_header("Cache-Control", "max-age=600")
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def packed(self, file: Path) -> bytes:
        key = (file, str(file.stat().st_mtime_ns))
        if key not in self._packed:
            self._packed[key] = gzip.compress(file.read_bytes(), 6)
        return self._packed[key]


@contextlib.contextmanager
def hosted(folder: Path) -> Iterator[Host]:
    host = Host(folder)
    thread = threading.Thread(target=host.server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield host
    finally:
        host.server.shutdown()
        host.server.server_close()
        thread.join()
