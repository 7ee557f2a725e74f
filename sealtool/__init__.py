"""sealtool issues sealed certificates of teachers' digital competence, in batches and without hands."""

from importlib.metadata import version

__version__ = version("sealtool")
