"""A throw-away test PKI, so that everything through B-LTA can be tried with no network and no real seal."""

from sealtool.demo.pki import DemoPki, create_demo_pki

__all__ = ["DemoPki", "create_demo_pki"]
