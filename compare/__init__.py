"""Measures the patterns: what a handler costs by itself (`bench`), and all of them side by side."""
