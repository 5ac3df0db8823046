"""The simulated registry: images to pull, packages to install, the programs in them, and the host's own files.

registry.py has the images, host.py the host, programs/ the programs, base.py the image that recordings start from;
data/ has the records, each with the source of its sizes.
"""
