"""curl and the servers of containers: who answers, and what the server logs."""

from __future__ import annotations

import json

import pytest

from labkit import Machine
from labkit.catalog.programs.web import routes


@pytest.fixture
def machine() -> Machine:
    machine = Machine()
    machine.run("docker pull -q nginx; docker pull -q python:3.12-slim")
    return machine


def test_a_published_port_of_nginx(machine: Machine) -> None:
    machine.run("docker run -d --name web -p 8080:80 nginx")
    assert "<h1>Welcome to nginx!</h1>" in machine.run("curl -s localhost:8080").stdout
    assert machine.run("docker logs web").stdout.splitlines()[-1] == (
        '172.17.0.1 - - [24/Nov/2026:09:00:03 +0000] "GET / HTTP/1.1" 200 121 "-" "curl/7.88.1" "-"'
    )
    assert machine.run("curl -s localhost:8081").returncode == 7
    machine.run("docker stop web")
    assert machine.run("curl localhost:8080").returncode == 7


def test_from_within_the_container(machine: Machine) -> None:
    machine.run("docker run -d --name web nginx")
    assert "<h1>Welcome to nginx!</h1>" in machine.run("docker exec web curl -s localhost").stdout
    assert machine.run("docker exec web curl -s -f localhost/nosuch").returncode == 22
    machine.run("docker exec web sh -c 'rm /var/log/nginx/access.log; curl -s localhost'")
    assert '"GET / HTTP/1.1" 200' in machine.run("docker exec web cat /var/log/nginx/access.log").stdout


def test_the_world_is_not_there(machine: Machine) -> None:
    done = machine.run("docker run --rm nginx curl example.com")
    assert (done.returncode, done.stdout, done.stderr) == (6, "", "curl: (6) Could not resolve host: example.com\n")
    assert machine.run("docker run --rm nginx curl localhost").returncode == 7


def test_a_page_on_a_bind_mount_is_served(machine: Machine) -> None:
    machine.run("mkdir site; echo hello > site/index.html")
    machine.run("docker run -d --name web -p 80:80 -v $PWD/site:/usr/share/nginx/html:ro nginx")
    assert machine.run("curl -s localhost").stdout == "hello\n"
    machine.run("echo changed > site/index.html")
    assert machine.run("curl -s localhost").stdout == "changed\n"


def test_by_the_containers_address(machine: Machine) -> None:
    machine.run("docker run -d --name web nginx")
    address = machine.run("docker inspect -f '{{.NetworkSettings.Networks.bridge.IPAddress}}' web").stdout.strip()
    assert machine.run(f"curl -sI {address}").stdout.startswith("HTTP/1.1 200 OK\r\n")
    assert machine.run("curl -s -o /dev/null -f web").returncode == 6


def test_a_flask_application(machine: Machine) -> None:
    machine.run("mkdir app")
    machine.files.write(
        "/home/learner/app/app.py",
        'from flask import Flask\napp = Flask(__name__)\n\n@app.route("/")\ndef main():\n    return "Welcome"\n',
    )
    machine.files.write(
        "/home/learner/app/Dockerfile",
        "FROM python:3.12-slim\nRUN pip install flask\nWORKDIR /opt\nCOPY app.py .\n"
        'CMD ["flask", "run", "--host=0.0.0.0", "--port=8000"]\n',
    )
    machine.run("docker build -q -t app app")
    machine.run("docker run -d --name shop -p 8000:8000 app")
    assert machine.run("curl -s localhost:8000").stdout == "Welcome"
    assert machine.run("curl -s -f localhost:8000/nosuch").returncode == 22
    assert '"GET /nosuch HTTP/1.1" 404 -' in machine.run("docker logs shop").stderr


def test_pythons_own_server(machine: Machine) -> None:
    machine.run("docker run -d --name files -p 8000:8000 -w /etc python:3.12-slim python -m http.server")
    assert (
        machine.run("curl -s localhost:8000/hostname").stdout
        == machine.run("docker exec files cat /etc/hostname").stdout
    )


def test_routes_of_a_source() -> None:
    source = '@app.route("/a")\ndef a():\n    return "A"\n\n@app.get("/b")\ndef b():\n    return str(1)\n'
    assert routes(source) == {"/a": b"A", "/b": b""}
    assert routes("def (") == {}


@pytest.mark.parametrize(
    ("flags", "shown", "inspected"),
    [
        ("-p 8080:80", "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp", "8080"),
        ("-p 127.0.0.1:8080:80", "127.0.0.1:8080->80/tcp", "8080"),
        ("", "80/tcp", None),
    ],
)
def test_ports_are_listed(machine: Machine, flags: str, shown: str, inspected: str | None) -> None:
    """Messages: docker-ps's reference and go-connections' nat; no recording has them (unverified)."""
    machine.run(f"docker run -d --name web {flags} nginx")
    assert machine.run("docker ps --format '{{.Ports}}'").stdout == f"{shown}\n"
    ports = json.loads(machine.run("docker inspect -f '{{json .NetworkSettings.Ports}}' web").stdout)
    assert (ports["80/tcp"][0]["HostPort"] if inspected else ports["80/tcp"]) == inspected
    machine.run("docker stop web")
    assert machine.run("docker ps -a --format '{{.Ports}}'").stdout == "\n"
