"""Run by Pyodide and by this computer's Python (test_pyodide.py): what is printed must be the same, to the letter."""

from labkit import Machine

# Numbers of errors are Linux' own, whatever the system's Python counts them as; files are longer than 2³¹ bytes.
LINES = r"""
mkdir app; echo 'print(1)' > app/app.py
printf 'FROM busybox\nCOPY app.py /app/\nRUN echo built > /app/note\n' > app/Dockerfile
docker build -t app app
docker run --rm app cat /app/note /app/app.py
missing; echo $?; ./app; echo $?; touch plain; ./plain; echo $?; env missing; echo $?; ln -s loop loop; cat loop
docker run --rm python:3.12-slim sh -c 'ln -s l /l; python -c "open(\"/l\")"'
docker run --rm python:3.12-slim python -c 'open("/nowhere")'; docker run --rm busybox missing; echo $?
docker run --rm --read-only python:3.12-slim python -c 'open("/new", "w")'
docker volume create -o type=ext9 -o device=/dev/none odd; docker run --rm -v odd:/o busybox true
truncate -s 5G big; ls -l big; docker run --rm -v "$PWD":/here debian sh -c 'cp /here/big /; ls -l /big'
"""

machine = Machine()
for line in LINES.strip().splitlines():
    done = machine.run(line)
    print(line, done.returncode, done.stdout, done.stderr, sep="\n")
