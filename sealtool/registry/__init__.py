"""Reading the registry export: CSV files in, records, problems and held persons out.

A file that cannot be trusted as a whole raises :class:`~sealtool.errors.RegistryError`; a row that
cannot be trusted becomes a :class:`~sealtool.model.Problem` and holds whom it names. This is the only
room that knows pandas.
"""

from sealtool.registry.given import read_given_day, read_given_name
from sealtool.registry.options import RegistryOptions
from sealtool.registry.reading import read_registry

__all__ = ["RegistryOptions", "read_given_day", "read_given_name", "read_registry"]
