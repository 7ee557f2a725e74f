"""The check of an installation, before it matters: each part is looked at by itself, and none stops the others."""
