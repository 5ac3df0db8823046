"""Containers, from their creation to their removal."""
