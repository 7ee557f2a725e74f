"""A throw-away test PKI, so that everything through B-LTA can be tried with no network and no real seal."""

from sealtool.demo.pki import KEY_BITS, DemoPki, create_demo_pki

__all__ = ["KEY_BITS", "DemoPki", "create_demo_pki"]
