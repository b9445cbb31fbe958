"""Proofs about an append-only log, in formats that other people's tools read.

Needs Python, `cryptography` to verify signatures, and nothing of AWS or of the rest of this project: an auditor can
copy this folder and check proofs with public keys alone.
"""
