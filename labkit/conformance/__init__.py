"""Recordings of a real Docker Engine, played on fresh machines: does the simulated one say the same?"""
