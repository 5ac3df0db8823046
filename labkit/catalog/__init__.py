"""The simulated registry: images to pull, packages to install, the programs in them, and the computers' own files.

images.py has the images and the registry, computers.py the host and the Mac, programs/ the programs; data/ has the
records, each with the source of its sizes.
"""
