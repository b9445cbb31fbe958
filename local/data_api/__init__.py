"""The RDS Data API of the local AWS: the five operations, on a real PostgreSQL 16 for every cluster.

README.md beside this file says what it does as AWS does, with the sources, and what it does not.
"""
