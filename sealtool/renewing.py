"""Keeping what was issued provable: validation data and a fresh archive time stamp before the old one runs out."""
