"""Modules that ship in place of larger ones of the same name: see tools/package.py."""
