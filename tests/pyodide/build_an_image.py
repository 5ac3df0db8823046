"""Run by Pyodide (test_pyodide.py): a machine, a build and a container, as a lesson in the browser has them."""

import sys

from labkit import Machine

assert sys.platform == "emscripten", sys.platform

machine = Machine()
machine.run("mkdir app; echo 'print(1)' > app/app.py")
machine.run("printf 'FROM busybox\\nCOPY app.py /app/\\nRUN echo built > /app/note\\n' > app/Dockerfile")
done = machine.run("docker build -t app app")
assert done.returncode == 0, done
done = machine.run("docker run --rm app cat /app/note /app/app.py")
assert (done.returncode, done.stdout) == (0, "built\nprint(1)\n"), done
print("built and ran in Pyodide")
