"""Volumes, bind mounts, tmpfs mounts."""
