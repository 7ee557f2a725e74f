"""Measurements beside the stock tools: ``make bench``."""
