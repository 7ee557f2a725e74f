"""What comes in from a cluster: plain data, never code.

Dask talks in pickles, and a pickle is a program. Whoever controls a worker could send one that runs in this process,
beside the key of the seal. A list of harmless classes would not help: a pickle can change the classes it names. So
everything that Dask unpickles here passes through a reader that knows one name: that of bytes, which nobody can change.
What they mean is in :mod:`sealtool.cluster.letters`.
"""

from __future__ import annotations

import contextlib
import io
import pickle
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from sealtool.errors import ConfigurationError


class RefusedPickleError(TypeError):
    """Somebody sent what is no plain data. A TypeError, for Dask takes that for what cannot be unpickled."""


class _Reader(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        """Bytes may come in; whatever else has a name may not."""
        if (module_name, global_name) == ("builtins", "bytes"):
            return bytes
        raise RefusedPickleError(f"{module_name}.{global_name} may not come in")


def read(content: Any, *, buffers: Iterable[Any] = ()) -> Any:
    """Unpickles data.

    Raises:
        RefusedPickleError: it names what may not come in.
        Exception: whatever a broken pickle leads to.
    """
    return _Reader(io.BytesIO(content), buffers=buffers).load()


class _Pickles:
    """Stands in the place of the module ``pickle`` where Dask reads with it directly."""

    loads = staticmethod(read)
    dumps = staticmethod(pickle.dumps)


def guard() -> None:
    """Puts the reader in the place of every one that Dask has, and makes sure that nothing gets past it.

    It stays there as long as the process lives.

    Raises:
        ConfigurationError: something would; the installed version of Dask reads in a way that is not known.
    """
    _put_in_place()
    _Intruder.came_in = False
    for way in _ways_in():
        with contextlib.suppress(Exception):  # refused, in whatever words
            way()
    if _Intruder.came_in:
        raise ConfigurationError(
            "The installed version of Dask reads messages in a way that sealtool cannot guard: a worker could run "
            "programs beside the key of the seal. Nothing was done.",
            advice="Install the version in requirements-cluster.txt.",
        )


def _put_in_place() -> None:
    from distributed import client  # noqa: PLC0415 - only where a cluster is used
    from distributed.protocol import pickle as dask_pickle  # noqa: PLC0415

    dask_pickle.loads = read
    client.pickle = _Pickles


class _Intruder:
    """Comes in where somebody unpickles without looking."""

    came_in = False

    def __reduce__(self) -> tuple[object, ...]:
        return (_come_in, ())


def _come_in() -> None:
    _Intruder.came_in = True


def _ways_in() -> Iterable[Callable[[], object]]:
    """Every way in which a message of the scheduler can bring a pickle."""
    from distributed import client, core, protocol  # noqa: PLC0415
    from distributed.protocol.serialize import Serialize, ToPickle  # noqa: PLC0415

    pickled = pickle.dumps(_Intruder())
    for wrapped in (ToPickle(_Intruder()), Serialize(_Intruder()), Serialize([_Intruder()])):
        yield partial(protocol.loads, protocol.dumps({"message": wrapped}))
    yield partial(core.clean_exception, pickled, pickled)
    yield partial(client._handle_warn, (0, {"message": pickled, "category": pickled}))  # noqa: SLF001 - it is one
