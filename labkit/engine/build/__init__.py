"""docker build as BuildKit does it: Dockerfile, context, cache, steps (solve.py), progress."""
