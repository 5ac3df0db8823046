"""What the programs of the images print and leave behind."""

from __future__ import annotations

import json

import pytest

HOME = "/root"
CACHE = f"{HOME}/.cache"


class TestApt:
    def test_without_lists_a_package_is_unknown(self, start) -> None:
        assert start("debian").run("apt-get", "install", "-y", "curl") == (
            100,
            "Reading package lists...\nBuilding dependency tree...\nReading state information...\n",
            "E: Unable to locate package curl\n",
        )

    def test_update_leaves_lists_behind(self, start) -> None:
        box = start("debian")
        status, out, _ = box.run("apt-get", "update")
        assert status == 0
        assert out.startswith("Get:1 http://mirror.catalog/debian bookworm InRelease [151 kB]\n")
        assert "Fetched 9004 kB in 1s" in out
        lists = box.files.listdir("/var/lib/apt/lists")
        assert (
            sum(box.files.stat(f"/var/lib/apt/lists/{name}").st_size for name in lists if "mirror" in name)
            == 19_058_359
        )

    def test_install(self, start) -> None:
        box = start("debian")
        box.run("apt-get", "update")
        status, out, _ = box.run("apt-get", "install", "-y", "--no-install-recommends", "curl")
        assert status == 0
        assert "0 upgraded, 16 newly installed, 0 to remove and 0 not upgraded.\n" in out
        assert "After this operation, 12.0 MB of additional disk space will be used.\n" in out
        assert "Setting up curl (7.88.1-10+deb12u15) ...\n" in out
        assert box.files.exists("/usr/bin/curl")
        assert "curl" in box.run("dpkg", "-l", "curl")[1]
        assert box.run("dpkg", "-S", "/usr/bin/curl")[1] == "curl: /usr/bin/curl\n"
        assert "curl is already the newest version" in box.run("apt-get", "install", "-y", "curl")[1]

    def test_it_asks_where_more_is_needed(self, start) -> None:
        box = start("debian")
        box.run("apt-get", "update")
        status, out, _ = box.run("apt-get", "install", "git")
        assert (status, out[-37:]) == (1, "Do you want to continue? [Y/n] Abort.\n"[-37:])
        assert box.run("apt-get", "install", "git", stdin="y\n")[0] == 0
        assert box.run("git", "--version")[1] == "git version 2.39.5\n"

    def test_only_root_may(self, start) -> None:
        from labkit.files import User

        box = start("debian")
        box.files = box.files.as_user(User(1000, 1000))
        status, _, err = box.run("apt-get", "update")
        assert status == 100
        assert err.startswith("E: Could not open lock file /var/lib/apt/lists/lock - open (13: Permission denied)\n")

    def test_remove(self, start) -> None:
        box = start("debian")
        box.run("apt-get", "update")
        box.run("apt-get", "install", "-y", "tree")
        assert box.run("apt-get", "remove", "-y", "tree")[0] == 0
        assert not box.files.exists("/usr/bin/tree")
        assert box.run("dpkg", "-s", "tree")[0] == 1

    def test_unknown_operation(self, start) -> None:
        assert start("debian").run("apt-get", "frobnicate") == (100, "", "E: Invalid operation frobnicate\n")


class TestApk:
    def test_add(self, start) -> None:
        box = start("alpine")
        status, out, _ = box.run("apk", "add", "--no-cache", "curl")
        assert status == 0
        assert "(4/4) Installing curl (8.7.1-r0)\n" in out
        assert out.splitlines()[-1].startswith("OK: ")
        assert box.files.listdir("/var/cache/apk") == []
        assert box.run("apk", "info")[1].split()[-4:] == ["libssl3", "musl", "nghttp2-libs", "zlib"]

    def test_without_no_cache_the_index_stays(self, start) -> None:
        box = start("alpine")
        box.run("apk", "add", "tree")
        assert box.files.listdir("/var/cache/apk") == ["APKINDEX.community.tar.gz", "APKINDEX.main.tar.gz"]
        assert box.run("apk", "del", "tree")[0] == 0
        assert not box.files.exists("/usr/bin/tree")

    def test_unknown(self, start) -> None:
        status, _, err = start("alpine").run("apk", "add", "--no-cache", "nosuch")
        assert status == 1
        assert err == "ERROR: unable to select packages:\n  nosuch (no such package):\n    required by: world[nosuch]\n"


class TestPip:
    def test_install(self, start) -> None:
        box = start("python", "3.12-slim")
        status, out, err = box.run("pip", "install", "flask")
        assert status == 0
        assert "  Downloading flask-3.1.3-py3-none-any.whl (103 kB)\n" in out
        assert out.splitlines()[-1].startswith("Successfully installed blinker-1.9.0 click-8.5.1 flask-3.1.3 ")
        assert err.startswith("WARNING: Running pip as the 'root' user")
        assert box.files.exists("/usr/local/bin/flask")
        assert box.files.exists(f"{CACHE}/pip/http-v2")
        assert "Flask==3.1.3\n" in box.run("pip", "freeze")[1]
        assert "Requirement already satisfied: flask" in box.run("pip", "install", "flask")[1]

    def test_no_cache_dir_leaves_no_cache(self, start) -> None:
        box = start("python", "3.12-slim")
        box.run("pip", "install", "--no-cache-dir", "requests")
        assert not box.files.exists(CACHE)

    def test_requirements(self, start) -> None:
        box = start("python", "3.12-slim")
        box.files.write("/requirements.txt", "requests>=2\n# numbers\nnumpy\n")
        assert box.run("pip", "install", "-q", "-r", "/requirements.txt", "--root-user-action=ignore") == (0, "", "")
        assert box.run("pip", "show", "numpy")[0] == 0
        assert box.run("pip", "install", "-r", "nosuch.txt")[2] == (
            "ERROR: Could not open requirements file: [Errno 2] No such file or directory: 'nosuch.txt'\n"
        )

    @pytest.mark.parametrize(("wanted", "versions"), [("nosuch", "none"), ("flask==99", "3.1.3")])
    def test_what_is_not_there(self, start, wanted: str, versions: str) -> None:
        assert start("python", "3.12-slim").run("pip", "install", wanted)[::2] == (
            1,
            f"ERROR: Could not find a version that satisfies the requirement {wanted} (from versions: {versions})\n"
            f"ERROR: No matching distribution found for {wanted}\n",
        )

    def test_debians_python_is_managed_from_outside(self, start) -> None:
        box = start("debian")
        box.run("apt-get", "update")
        box.run("apt-get", "install", "-y", "--no-install-recommends", "python3-pip")
        assert box.run("pip", "install", "flask")[2].startswith("error: externally-managed-environment\n")
        assert box.run("pip", "install", "--break-system-packages", "flask")[0] == 0

    def test_ubuntu_22_is_not(self, start) -> None:
        box = start("ubuntu", "22.04")
        box.run("apt-get", "update")
        box.run("apt-get", "install", "-y", "--no-install-recommends", "python3-pip")
        assert box.run("pip", "install", "flask")[0] == 0


class TestPython:
    @pytest.mark.parametrize(
        ("source", "out"),
        [
            ("print(1 + 1)", "2\n"),
            ("print('a', 'b', sep='-', end='!')", "a-b!"),
            ("for n in range(3):\n    if n == 1: continue\n    print(n)", "0\n2\n"),
            ("import os\nprint(os.environ.get('LANG'))", "C.UTF-8\n"),
            ("x = ['a']\nx.append('b')\nprint(f'{len(x)} {x[1]:>3}')", "2   b\n"),
            ("with open('/f', 'w') as f:\n    f.write('hi')\nprint(open('/f').read())", "hi\n"),
            ("n = 0\nwhile True:\n    n += 1\n    if n > 4: break\nprint(n)", "5\n"),
        ],
    )
    def test_small_scripts(self, start, source: str, out: str) -> None:
        assert start("python", "3.12-slim").run("python", "-c", source) == (0, out, "")

    @pytest.mark.parametrize(
        ("source", "last"),
        [
            ("import flask", "ModuleNotFoundError: No module named 'flask'"),
            ("print(nosuch)", "NameError: name 'nosuch' is not defined"),
            ("print(1 / 0)", "ZeroDivisionError: division by zero"),
            ("open('/nosuch')", "FileNotFoundError: [Errno 2] No such file or directory: '/nosuch'"),
            ("print('a", "SyntaxError: unterminated string literal (detected at line 1)"),
            ("class A: pass", "python: <string>, line 1: this simulated Python knows no 'class'"),
            ("'a' * 10**9", "python: <string>, line 1: this simulated Python knows no such operator"),
            ("'a' * 1000000000", "python: <string>, line 1: this simulated Python knows no value as large as that"),
        ],
    )
    def test_mistakes(self, start, source: str, last: str) -> None:
        status, _, err = start("python", "3.12-slim").run("python", "-c", source)
        assert (status, err.splitlines()[-1]) == (1, last)

    def test_a_missing_script(self, start) -> None:
        assert start("python", "3.12-slim").run("python", "app.py") == (
            2, "", "python: can't open file '/app.py': [Errno 2] No such file or directory\n",
        )  # fmt: skip

    def test_an_endless_loop_ends(self, start) -> None:
        from labkit.kernel.limits import Runaway

        with pytest.raises(Runaway):
            start("python", "3.12-slim").run("python", "-c", "while True: pass")

    def test_a_server_of_flask_waits(self, start) -> None:
        box = start("python", "3.12-slim")
        box.run("pip", "install", "-q", "flask")
        box.files.write(
            "/app.py",
            "from flask import Flask\napp = Flask(__name__)\n@app.route('/')\ndef hello():\n    return 'hi'\n",
        )
        status, out, err = box.run("flask", "run", "--host=0.0.0.0", detached=True)
        assert (status, out) == (-1, " * Serving Flask app 'app.py'\n * Debug mode: off\n")
        assert "Running on all addresses (0.0.0.0)" in err
        box.files.append("/app.py", b"app.run(port=8080)\n")
        assert "http://127.0.0.1:8080" in box.run("python", "/app.py", detached=True)[2]

    def test_flask_without_an_app(self, start) -> None:
        box = start("python", "3.12-slim")
        box.run("pip", "install", "-q", "flask")
        assert box.run("flask", "run")[::2] == (
            2,
            "Error: Could not locate a Flask application. Use the 'flask --app' option, 'FLASK_APP' environment "
            "variable, or a 'wsgi.py' or 'app.py' file in the current directory.\n",
        )


class TestNode:
    def test_npm_install(self, start) -> None:
        box = start("node")
        box.files.makedirs("/app")
        box.files.chdir("/app")
        assert box.run("npm", "install")[0] == 254
        box.files.write("package.json", json.dumps({"name": "app", "dependencies": {"express": "^5.0.0"}}))
        status, out, _ = box.run("npm", "install")
        assert (status, out.splitlines()[1]) == (0, "added 68 packages, and audited 69 packages in 1s")
        assert "up to date" in box.run("npm", "install")[1]
        box.files.write(
            "server.js", "const app = require('express')();\napp.listen(3000);\nconsole.log('listening');\n"
        )
        assert box.run("node", "server.js", detached=True)[:2] == (-1, "listening\n")

    def test_a_missing_package(self, start) -> None:
        box = start("node")
        box.files.write("/a.js", "require('express')")
        assert box.run("node", "/a.js")[2].startswith("Error: Cannot find module 'express'")

    def test_a_missing_file(self, start) -> None:
        assert "Error: Cannot find module '/nosuch.js'" in start("node").run("node", "/nosuch.js")[2]


def serve(start, **env: str):
    box = start("mysql")
    status, out, err = box.run("docker-entrypoint.sh", "mysqld", detached=True, **env)
    return box, status, out, err


class TestMysql:
    def test_it_refuses_to_start_without_a_password(self, start) -> None:
        _, status, out, err = serve(start)
        assert status == 1
        assert "[Note] [Entrypoint]: Entrypoint script for MySQL Server" in out
        assert err == (
            "2026-11-24 09:00:00+00:00 [ERROR] [Entrypoint]: "
            "Database is uninitialized and password option is not specified\n"
            "    You need to specify one of the following as an environment variable:\n"
            "    - MYSQL_ROOT_PASSWORD\n    - MYSQL_ALLOW_EMPTY_PASSWORD\n    - MYSQL_RANDOM_ROOT_PASSWORD\n"
        )

    def test_the_data_folder_becomes_its_own(self, start) -> None:
        """A folder of the host, mounted there, belongs to root before."""
        box = start("mysql")
        box.files.chown("/var/lib/mysql", 0, 0)
        box.run("docker-entrypoint.sh", "mysqld", detached=True, MYSQL_ROOT_PASSWORD="pw")
        assert (box.files.stat("/var/lib/mysql").st_uid, box.files.stat("/var/lib/mysql").st_gid) == (999, 0)

    def test_it_fills_an_empty_folder_once(self, start) -> None:
        box, status, out, err = serve(start, MYSQL_ROOT_PASSWORD="pw", MYSQL_DATABASE="shop")
        assert status == -1
        assert "Initializing database files" in out
        assert "ready for connections" in err
        names = box.files.listdir("/var/lib/mysql")
        assert {"ibdata1", "mysql", "shop", "undo_001"} <= set(names)
        assert box.files.stat("/var/lib/mysql/shop").st_uid == 999
        status, out, _ = box.run("docker-entrypoint.sh", "mysqld", detached=True)
        assert status == -1
        assert "Initializing" not in out

    def test_a_database_is_a_folder(self, start) -> None:
        box, *_ = serve(start, MYSQL_ALLOW_EMPTY_PASSWORD="1")
        assert box.run("mysql", "-e", "create database shop") == (0, "", "")
        assert box.files.is_dir("/var/lib/mysql/shop")
        assert box.run("mysql", "-e", "show databases") == (
            0, "Database\ninformation_schema\nmysql\nperformance_schema\nshop\nsys\n", "",
        )  # fmt: skip
        assert box.run("mysql", "-e", "create database shop") == (
            1, "", "ERROR 1007 (HY000) at line 1: Can't create database 'shop'; database exists\n",
        )  # fmt: skip

    def test_tables(self, start) -> None:
        box, *_ = serve(start, MYSQL_ALLOW_EMPTY_PASSWORD="1", MYSQL_DATABASE="shop")
        text = "create table t (id int primary key, name varchar(20));"
        text += "insert into t values (1, 'a'), (2, 'it''s'); select * from t"
        assert box.run("mysql", "shop", "-e", text) == (0, "id\tname\n1\ta\n2\tit's\n", "")
        assert box.run("mysql", "-N", "shop", "-e", "select count(*) from t")[1] == "2\n"
        assert box.files.stat("/var/lib/mysql/shop/t.ibd").st_size == 114_688
        assert (
            box.run("mysql", "shop", "-e", "select * from u")[2]
            == "ERROR 1146 (42S02) at line 1: Table 'shop.u' doesn't exist\n"
        )
        assert box.run("mysql", "-t", "shop", stdin="select name from t")[1].splitlines()[1] == "| name |"
        assert box.run("mysql", "-e", "select * from t")[2] == "ERROR 1046 (3D000) at line 1: No database selected\n"

    def test_passwords(self, start) -> None:
        box, *_ = serve(start, MYSQL_ROOT_PASSWORD="pw")
        assert (
            box.run("mysql", "-e", "select 1")[2]
            == "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: NO)\n"
        )
        assert box.run("mysql", "-uroot", "-pbad", "-e", "select 1")[2].endswith("(using password: YES)\n")
        assert box.run("mysql", "-uroot", "-ppw", "-e", "select 1") == (
            0, "1\n1\n", "mysql: [Warning] Using a password on the command line interface can be insecure.\n",
        )  # fmt: skip

    def test_without_a_server(self, start) -> None:
        assert start("mysql").run("mysql", "-e", "select 1") == (
            1,
            "",
            "ERROR 2002 (HY000): Can't connect to local MySQL server through socket "
            "'/var/run/mysqld/mysqld.sock' (2)\n",
        )


class TestPostgres:
    def test_it_refuses_to_start_without_a_password(self, start) -> None:
        status, _, err = start("postgres").run("docker-entrypoint.sh", "postgres")
        assert status == 1
        assert err.startswith("Error: Database is uninitialized and superuser password is not specified.\n")

    def test_a_database(self, start) -> None:
        box = start("postgres")
        assert box.run("docker-entrypoint.sh", "postgres", detached=True, POSTGRES_PASSWORD="pw")[0] == -1
        assert box.files.stat("/var/lib/postgresql/data/pg_wal/000000010000000000000001").st_size == 16 << 20
        assert box.run("psql", "-U", "postgres", "-c", "create database shop") == (0, "CREATE DATABASE\n", "")
        assert box.run("psql", "-U", "postgres", "shop", "-c", "create table t (a int); insert into t values (1)")[
            1
        ] == ("CREATE TABLE\nINSERT 0 1\n")
        assert box.run("psql", "-U", "postgres", "shop", "-c", "create table if not exists t (a int)")[0] == 0
        assert box.run("psql", "-U", "postgres", "shop", "-c", "select * from t")[1] == " a \n---\n 1\n(1 row)\n\n"
        assert 'role "root" does not exist' in box.run("psql", "-c", "select 1")[2]


class TestRedis:
    def test_what_is_set_is_kept(self, start) -> None:
        box = start("redis")
        box.files.chdir("/data")
        assert box.run("redis-cli", "ping")[0] == 1
        status, out, _ = box.run("docker-entrypoint.sh", "redis-server", detached=True)
        assert status == -1
        assert "Ready to accept connections" in out
        assert box.run("redis-cli", "set", "k", "v")[1] == "OK\n"
        assert box.run("redis-cli", "get", "k")[1] == "v\n"
        assert box.files.exists("/data/dump.rdb")
        assert "DB loaded from disk" in box.run("docker-entrypoint.sh", "redis-server", detached=True)[1]


class TestNginx:
    def test_it_logs_and_waits(self, start) -> None:
        box = start("nginx")
        status, out, err = box.run("/docker-entrypoint.sh", "nginx", "-g", "daemon off;", detached=True)
        assert status == -1
        assert out.startswith("/docker-entrypoint.sh: ")
        assert "[notice] 1#1: start worker processes\n" in err

    def test_in_the_background_it_returns(self, start) -> None:
        assert start("nginx").run("nginx", detached=True)[0] == 0


def test_hello_world(start) -> None:
    assert "Hello from Docker!" in start("hello-world").run("/hello")[1]


def test_the_shells_utilities_are_not_here_too() -> None:
    from labkit.catalog.programs import PROGRAMS
    from labkit.userland import PROGRAMS as UTILITIES

    assert set(PROGRAMS) & set(UTILITIES) == set()


def test_what_is_installed_takes_its_time(start) -> None:
    box = start("debian")
    times = []
    for words in (["update"], ["install", "-y", "tree"], ["install", "-y", "python3"]):
        before = box.kernel.clock.now
        assert box.run("apt-get", *words)[0] == 0
        times.append(box.kernel.clock.now - before)
    assert times[1] < times[0] < times[2], "the lists are larger than one small package, and Python than both"
