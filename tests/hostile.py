"""Answers and files that are made to harm whoever grades them: each named, made when it is asked for.

An answer is to an exercise by commands, unless it says to which. Nothing here is stored as a large file.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator

from labkit.course.exercises import load_exercise
from labkit.kernel.golang import Json

BY_COMMANDS = "your-first-container"
NINES = "9" * 4400
TEN = 'bash -c \'x=$(printf "%1000000s" a); for i in {1..1000}; do '


def dockerfile(text: str) -> list[str]:
    """Lines that build it; they are short, so that what is large is the Dockerfile and not the answer."""
    return [f"cat >Dockerfile <<'END'\n{text}\nEND", "docker build -q . 2>&1 | tail -1"]


def archive(manifest: str, config: str = "{}") -> list[str]:
    made = f"mkdir x; cd x; echo '{manifest}' >manifest.json; echo '{config}' >c.json; tar cf ../x.tar .; cd .."
    return [made, "docker load < x.tar"]


RUNNING = "docker run -d --name c busybox sleep 1000 >/dev/null; "
DOUBLED = "i=0; while [ $i -lt 60 ]; do cat a a >b; mv b a; i=$((i+1)); done; "
NAMES = "mkdir d; cd d; i=0; while [ $i -lt 300 ]; do echo >$(printf 'a%.0s' $(seq 1 100))$i; i=$((i+1)); done"

COMMANDS: dict[str, list[str]] = {
    # loops
    "an endless loop": ["while true; do :; done"],
    "an endless loop of files": ["while true; do echo x >>/tmp/x; done"],
    "400 endless loops": ["while true; do :; done"] * 400,
    "a function that calls itself": ["f() { f; }; f"],
    "a bomb of processes": ["bash -c ':(){ :|:& };:'"],
    "an endless build": dockerfile("FROM busybox\nRUN while true; do :; done"),
    "an endless container": ["docker run busybox sh -c 'while true; do :; done'"],
    "containers without end": ["while true; do docker run -d busybox sleep 1000; done"],
    "folders without end": ["while true; do mkdir d; cd d; done"],
    "jobs without end": ["while true; do sleep 1 & done"],
    # words
    "a variable that doubles": ["x=y; while true; do x=$x$x; done"],
    "braces": ["bash -c 'echo {1..1000000000}'"],
    "braces of braces": ["bash -c 'echo {1..99}{1..99}{1..99}{1..99}'"],
    "wide braces": ["bash -c 'echo {" + "0" * 5000 + "1..2000000}'"],
    "nested substitutions": ["echo " + "$(echo " * 2000 + "x" + ")" * 2000],
    "a substitution of everything": ["x=$(cat /dev/zero)"],
    "stars of stars": ["echo /*/*/../*/../*/../*/../*/../*/../*"],
    "stars against a long word": ["case " + "a" * 3000 + " in " + "*a" * 1000 + "b) ;; esac"],
    "a long word replaced 1,000 times": [TEN + "y=${x// /bb}; done'"],
    "a long word emptied 1,000 times": [TEN + "y=${x//?/}; done'"],
    "a long word cut 1,000 times": [TEN + "y=${x%%*b*c}; done'"],
    "a long word matched 1,000 times": [TEN + "[[ $x =~ (a|b)*c ]]; done'"],
    "a quote over 30,000 lines": ["echo '" + "\n" * 30_000 + "'"],
    "a deep expression": ["echo $((" + "(" * 5000 + "1" + ")" * 5000 + "))"],
    "a power of powers": ["bash -c 'echo $((9**9**9))'"],
    # numbers of 4,400 digits
    **{
        f"4,400 digits for {line.split()[0]} {number}": [line.replace("N", NINES)]
        for number, line in enumerate(
            [
                "expr N \\* N",
                "test N -eq 1",
                "echo $((N))",
                "head -c N /dev/zero",
                "sleep N",
                "seq N N",
                "printf %d N",
                "truncate -s N a",
                "dd bs=N if=/dev/zero of=x",
                "touch -d @N x",
                "date -d @N",
                "date +%N",
                "exit N",
                "chmod N x",
                "chown N /tmp",
                "kill -N 1",
                "umask N",
                "cut -c N /etc/passwd",
                "fold -w N /etc/passwd",
                "split -b N /etc/passwd",
                "sed -n Np /etc/passwd",
                "grep -m N x /etc/passwd",
                "find / -size Nc",
                "nl -w N /etc/passwd",
                "tail -n N /etc/passwd",
                "docker run --memory N busybox true",
            ]
        )
    },
    # widths and what is made of them
    "a wide printf": ["printf '%1000000000d' 1"],
    "a wide printf of awk": ["awk 'BEGIN { printf \"%1000000000d\", 1 }'"],
    "a precise sprintf of awk": ["awk 'BEGIN { x = sprintf(\"%.1000000000f\", 1) }'"],
    "a starred printf of awk": ["awk 'BEGIN { printf \"%*d\", 1000000000, 1 }'"],
    "a wide date": ["date +%1000000000s"],
    "a wide find": ["find / -printf '%1000000000p'"],
    "a wide stat": ["stat -c %1000000000n /"],
    "a wide seq": ["seq -f '%1000000000g' 1 2"],
    "a wide split": ["split -a 1000000 -b 1 /etc/passwd"],
    "wide tabs": ["printf '\\t\\t' | expand -t 1000000000"],
    "a wide od": ["od -w1000000000 /etc/passwd"],
    "a wide tr": ["echo x | tr abc '[x*1000000000]'"],
    "a wide template": [
        "docker ps -a --format '{{printf \"%1000000000d\" 1}}'",
        "docker info -f '{{printf \"%9999999999s\" .ID}}'",
    ],
    "a padded template": ["docker info -f '{{pad .ID 1000000000 1000000000}}'"],
    "a template that counts": ["docker info -f '{{range $i := 1000000000}}x{{end}}'"],
    "a template that counts in silence": ["docker info -f '{{range $i := 1000000000}}{{end}}'"],
    "ranges of ranges": ["docker info -f '" + "{{range $i := 1000}}" * 6 + "x" + "{{end}}" * 6 + "'"],
    "a template that doubles": [
        "docker info -f '{{$x := \"aaaaaaaa\"}}{{range $i := 40}}{{$x = print $x $x}}{{end}}{{len $x}}'"
    ],
    "a deep template": ["docker info -f '" + "{{if 1}}" * 3000 + "{{end}}" * 3000 + "'"],
    "a document 1,000 times": [RUNNING + "docker inspect -f '" + "{{json .}}" * 1000 + "' c"],
    # awk, jq, sed
    "awk doubles": ["awk 'BEGIN { x = \"a\"; while (1) x = x x }'"],
    "awk keeps 200 long texts": ["awk 'BEGIN { x = \"a\"; for (i=0;i<23;i++) x = x x; for (;;) y[j++] = x j }'"],
    "awk doubles by gsub": ['awk \'BEGIN { x = "a"; for (i=0;i<40;i++) gsub(/a/, "&&&&", x) }\''],
    "awk splits 8 MB": ['awk \'BEGIN { x = "a"; for (i=0;i<23;i++) x = x x; n = split(x, y, ""); print n }\''],
    "awk cuts 8 MB": ["awk 'BEGIN { x = \"a\"; for (i=0;i<23;i++) x = x x; for (;;) z = substr(x, 2) }'"],
    "awk matches 8 MB": ["awk 'BEGIN { x = \"a\"; for (i=0;i<23;i++) x = x x; for (;;) z = x ~ /b/ }'"],
    "awk looks for b in 8 MB": ['awk \'BEGIN { x = "a"; for (i=0;i<23;i++) x = x x; for (;;) z = index(x, "b") }\''],
    "awk has a billion fields": ["awk 'BEGIN { $1000000000 = 1; print NF }'"],
    "awk has a number of fields": ["awk 'BEGIN { NF = 1e300; print NF }'"],
    "awk writes a character 1e18": [
        'awk \'BEGIN { printf "%c", 1e18; printf "%c%d", -1, 1e300; print exp(1e9), sin(2^2000) }\''
    ],
    "awk makes files": ['awk \'BEGIN { while (1) print "x" >"/tmp/f" i++ }\''],
    "awk calls itself": ["awk 'function f(x) { return f(x) } BEGIN { f(1) }'"],
    "awk starts programs": ["awk 'BEGIN { while (1) system(\"true\") }'"],
    "a deep program of awk": ["awk 'BEGIN { x = " + "(" * 5000 + "1" + ")" * 5000 + " }'"],
    "jq multiplies": ["jq -n '\"a\"*1000000000'"],
    "jq adds": ["jq -n '\"a\"*8000000 | . + . + . + . | length'"],
    "jq splits": ['jq -n \'"a,"*4000000 | split(",") | length\''],
    "jq joins": ['jq -n \'"a,"*1000000 | split(",") | map(.+"xxxxxxxxxxxxxxxx") | join("yyyyyyyyyyyyyyyyyyyyyy")\''],
    "jq reads what is deep": ["echo '" + "[" * 5000 + "]" * 5000 + "' | jq ."],
    "sed doubles": ["echo x | sed ':a;H;G;h;ba'"],
    "sed replaces without end": ["echo x | sed ':a;s/x/xx/g;ta'"],
    # regular expressions
    "grep of a repeated repeat": ["echo " + "a" * 40 + "b | grep -cE '^(a+)+$'"],
    "grep of nested counts": ["grep -E '((((x{1,200}){1,200}){1,200}){1,200})' /etc/passwd"],
    "grep of a back-reference": ["echo " + "a" * 200 + " | grep '" + "\\(a*\\)" * 9 + "\\1\\2\\3b'"],
    "expr of a star of stars": ["expr " + "a" * 40 + "b : '\\(a*\\)*$'"],
    "find of stars": ["find / -name '*a*a*a*a*a*a*b'", "find / -regex '.*\\(a*\\)*b'"],
    # files
    "a file that doubles": ["echo a >a; " + DOUBLED],
    "a random file that doubles": ["head -c 1000000 /dev/urandom >a; " + DOUBLED + "wc a"],
    "a doubled file hashed": ["echo a >a; " + DOUBLED, "sha256sum a", "cksum a", "md5sum a"],
    "a doubled file copied into an image": [
        "head -c 1000000 /dev/urandom >a; " + DOUBLED,
        *dockerfile("FROM busybox\nCOPY a /a"),
    ],
    "a terabyte hashed": ["truncate -s 1T a", "sha256sum a"],
    "a terabyte sorted": ["truncate -s 1T a", "sort a", "tac a"],
    "a terabyte copied into an image": ["truncate -s 1T a", *dockerfile("FROM busybox\nCOPY a /a")],
    "a terabyte packed": ["truncate -s 1T a", "tar czf a.tgz a"],
    "a terabyte through sed": ["truncate -s 1T a", "sed s/x/y/ a >b"],
    "a hundred files of 9 MB": [f"printf '%9000000s' {number} >f{number}" for number in range(100)],
    "yes": ["yes"],
    "yes, sorted": ["yes | sort"],
    "yes, backwards": ["yes | tac"],
    "long lines of yes": ["yes $(printf '%100000s' x)"],
    "a long count": ["seq 1 100000000000000000000000000"],
    "a long count between texts": ["seq -s $(printf '%100000s' x) 1 100000"],
    "all files read": ["find / -exec cat {} +"],
    "all files copied": ["cp -r / /x"],
    "all files packed": ["tar cf x.tar /"],
    "all files gone": ["rm -rf / --no-preserve-root", "docker ps", "ls"],
    "the engine's files written over": [
        "find /var/lib/docker -type f | while read f; do echo x >$f; done",
        "docker ps; docker images",
    ],
    "a bomb of gzip": ["head -c 60000000 /dev/zero | gzip >x.tgz", "tar xzf x.tgz", "zcat x.tgz | wc -c"],
    "a bomb of gzip in gzip": [
        "head -c 30000000 /dev/zero | gzip | gzip >x",
        "zcat x | zcat | wc -c",
        "docker import x",
    ],
    # docker
    "arguments that grow": dockerfile("FROM busybox\nARG A=aaaaaaaaaaaaaaaa\n" + "ARG A=$A$A$A$A$A$A$A$A\n" * 20),
    "an environment that grows": dockerfile("FROM busybox\nENV A=aaaaaaaaaaaaaaaa\n" + "ENV A=$A$A$A$A$A$A$A$A\n" * 20),
    "stars in an argument": dockerfile("FROM busybox\nARG A=" + "a" * 60 + "\nENV B=${A//" + "*a" * 20 + "b/x}"),
    "a deep argument": dockerfile("FROM busybox\nENV B=" + "${A:-" * 3000 + "x" + "}" * 3000),
    "stages of stages": dockerfile(
        "FROM busybox AS s0\n"
        + "".join(f"FROM s{i} AS s{i + 1}\nCOPY --from=s{i} / /a\nCOPY --from=s{i} / /b\n" for i in range(14))
    ),
    "stages in a chain": dockerfile(
        "FROM busybox AS s0\n" + "".join(f"FROM s{i} AS s{i + 1}\nCOPY --from=s{i} /bin /x{i}\n" for i in range(100))
    ),
    "5,000 steps": dockerfile("FROM busybox\n" + "RUN true\n" * 5000),
    "20,000 labels": [
        "yes 'LABEL a=b' | head -20000 | sed '1s/.*/FROM busybox/' >Dockerfile",
        "docker build -q . 2>&1 | tail -1",
    ],
    "20,000 folders": [
        "yes 'WORKDIR a' | head -20000 | sed '1s/.*/FROM busybox/' >Dockerfile",
        "docker build -q . 2>&1 | tail -1",
    ],
    "3,000 heredocs": dockerfile("FROM busybox\nRUN " + " ".join(f"<<A{i}" for i in range(3000))),
    "stars in .dockerignore": [
        NAMES,
        "echo '*a*a*a*a*a*a*a*a*a*a*a*a*b' >.dockerignore",
        *dockerfile("FROM busybox\nCOPY . /x"),
    ],
    "stars in COPY": [NAMES, *dockerfile("FROM busybox\nCOPY *a*a*a*a*a*a*a*a*a*b /x")],
    "a long .dockerignore": [
        "yes '!**/a/**/b' | head -c 1000000 >.dockerignore; touch a b c d e f",
        *dockerfile("FROM busybox\nCOPY . /x"),
    ],
    "an archive without layers": archive('[{"Config":"c.json","RepoTags":["a:b"]}]', '{"rootfs":{}}'),
    "an archive of nothing": archive("[{}]"),
    "an archive of numbers": archive("[1]"),
    "an archive that lacks a layer": archive(
        '[{"Config":"c.json","RepoTags":[5],"Layers":["l"]}]', '{"rootfs":{"diff_ids":["a"]}}'
    ),
    "an archive with a list for a configuration": archive('[{"Config":"c.json","Layers":["c.json"]}]', "[]"),
    "a message of 7 MB": ["printf '%7000000s\\n' x >&2; false"],
    "a log of 7 MB": ["docker run --name try busybox sh -c 'yes | head -c 7000000'"],
    "an import of Python": [
        'python3 -c \'import os; os.system("id"); open("/etc/passwd")\'',
        "import os; os.system('x')",
    ],
    "a read and no answer": ["read x; ls /nosuch", ""],
    "a NUL": ["echo a\0b"],
}

OTHERS: dict[str, tuple[str, Json]] = {
    "a subpath that is not there": ("one-folder-of-a-volume", "--mount type=volume,source=x,target=/y,volume-subpath=nosuch"),
    "a size of 400 digits": ("the-same-with-mount", "--mount type=tmpfs,target=/x,tmpfs-size=" + "9" * 400),
    "a mode of 400 digits": ("the-same-with-mount", "--mount type=tmpfs,target=/x,tmpfs-mode=" + "7" * 400),
    "a flag that goes on as a command": ("a-host-folder-with-minus-v", "-v $(rm -rf /):/x; rm -rf /"),
    "a long flag": ("a-host-folder-with-minus-v", "-v " + "a" * 60_000 + ":/x"),
    "a long choice": ("a-tag-moves", "a" * 70_000),
    "a list for a choice": ("a-tag-moves", ["a"]),
    "nested lists": ("a-tag-moves", [[[[[["a"]]]]]]),
}  # fmt: skip


def answers() -> Iterator[tuple[str, str, Json]]:
    """Name, exercise, answer."""
    for name, lines in COMMANDS.items():
        yield name, BY_COMMANDS, [*lines]
    for name, (slug, answer) in OTHERS.items():
        yield name, slug, answer


def submission(slug: str, answer: Json) -> bytes:
    exercise = load_exercise(slug)
    rows = [{"exercise": slug, "revision": exercise.revision, "answer": answer}]
    return json.dumps({"labkit-submission": 1, "learner": "ann", "answers": rows}).encode()


def zipped(names: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in names.items():
            made.writestr(name, data)
    return out.getvalue()


def files() -> dict[str, bytes]:
    """Files that are none to grade, by the name that they are handed in under."""
    bad = [{"exercise": f"no-such-{number}", "revision": 1, "answer": "x"} for number in range(500)]
    return {
        "empty.labkit.json": b"",
        "values.ipynb": b"[" + b"{}," * 10_000_000 + b"{}]",
        "values.labkit.json": b"[" + b"{}," * 1_000_000 + b"{}]",
        "deep.labkit.json": b'{"a":' * 100_000,
        "digits.labkit.json": b'{"labkit-submission": ' + b"9" * 1_000_000 + b"}",
        "bytes.labkit.json": bytes(range(256)) * 1000,
        "large.labkit.json": b" " * (5 << 20),
        "bad.labkit.json": json.dumps({"labkit-submission": 1, "answers": bad}).encode(),
        "half.labkit.json": submission(BY_COMMANDS, ["echo \udc80 >\udcff"]),
        "bomb.zip": zipped({"x.labkit.json": bytes(200 << 20)}),
        "out.zip": zipped({"../../x.labkit.json": b"{}", "/etc/x.ipynb": b"{}"}),
        "zips.zip": zipped({"a.zip": zipped({"b.zip": zipped({"c.zip": zipped({"d.zip": b""})})})}),
        "=cmd|' C calc'!A0.labkit.json": b"{",
        "\u200b=1+1.labkit.json": b"{",
        "\x1b[2Jname\n.labkit.json": b"{",
    }
