"""sealtool issues sealed certificates of teachers' digital competence, in batches and without hands."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name: str) -> str:
        """The version, looked up where it is asked for: that takes as long as all that `--help` needs."""
        if name != "__version__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib.metadata import version  # noqa: PLC0415

        return version("sealtool")
