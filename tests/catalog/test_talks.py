"""Programs at a terminal: prompts, statements over several lines, and that a machine can go back in the middle of it."""

from __future__ import annotations

import pytest

from labkit import Machine


@pytest.fixture
def machine() -> Machine:
    machine = Machine()
    machine.run("docker run -d --name db -e MYSQL_ROOT_PASSWORD=pw -e MYSQL_DATABASE=shop mysql")
    return machine


def talk(machine: Machine, *lines: str) -> list[tuple[str, str]]:
    """What each line prints, and the prompt after it."""
    session = machine.session()
    return [(session.run(line).stdout, session.prompt) for line in lines]


def test_mysql(machine: Machine) -> None:
    said = talk(
        machine,
        "docker exec -it db mysql -uroot -p shop",
        "pw",
        "create table t (id int,",
        "name text);",
        "insert into t values (1, 'a'), (2, 'b');",
        "select * from t;",
        "select * from t where;",
        "exit",
    )
    assert said[0] == ("Enter password: ", "")
    assert said[1][1] == "mysql> "
    assert said[2] == ("", "    -> ")
    assert said[3] == ("Query OK, 0 rows affected (0.01 sec)\n\n", "mysql> ")
    assert said[4][0] == "Query OK, 2 rows affected (0.01 sec)\n\n"
    assert said[5][0].endswith("| 2  | b    |\n+----+------+\n2 rows in set (0.00 sec)\n\n")
    assert said[6][0].startswith("ERROR 1064 (42000): You have an error in your SQL syntax;")
    assert said[7][0] == "Bye\n"


def test_a_wrong_password_ends_it(machine: Machine) -> None:
    said = talk(machine, "docker exec -it db mysql -p", "wrong", "echo $?")
    assert "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: YES)" in said[1][0]


def test_redis() -> None:
    machine = Machine()
    machine.run("docker run -d --name cache redis")
    lines = ["docker exec -it cache redis-cli", "set a b", "get a", "get none", "incr n", "exit"]
    assert [out for out, _ in talk(machine, *lines)][1:5] == ["OK\n", '"b"\n', "(nil)\n", "(integer) 1\n"]


def test_postgres() -> None:
    machine = Machine()
    machine.run("docker run -d --name pg -e POSTGRES_PASSWORD=pw postgres")
    said = talk(machine, "docker exec -it pg psql -U postgres", "create database", "shop;", "\\c shop", "\\q")
    assert [prompt for _, prompt in said[:4]] == ["postgres=# ", "postgres-# ", "postgres=# ", "shop=# "]


def test_python() -> None:
    machine = Machine()
    machine.run("docker pull -q python:3.12-slim")
    said = talk(
        machine, "docker run -it --rm python:3.12-slim", "x = [1]", "x.append(2)", "x", "for n in x:", "    print(n)", "", "nosuch", "quit()"
    )  # fmt: skip
    assert said[3] == ("[1, 2]\n", ">>> ")
    assert said[4] == ("", "... ")
    assert said[6] == ("1\n2\n", ">>> ")
    assert "NameError: name 'nosuch' is not defined\n" in said[7][0]
