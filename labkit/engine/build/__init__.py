"""docker build as BuildKit does it: Dockerfile, context, cache, steps, progress."""
