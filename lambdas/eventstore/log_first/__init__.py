"""Stores whose log is the commit. Start with `store` (why one put of a page decides a request), then `log` (its pages),
and `combining` (how appends that meet are stored together).

A pattern opens `LogFirstEventStore` on its tables, and says with `as_stored` what it keeps beside each event.
"""
