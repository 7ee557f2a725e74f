"""What comes in from a cluster: data, never code.

Dask talks in pickles, and a pickle is a program. Whoever controls a worker could send one that runs in this process,
beside the key of the seal. So everything that Dask unpickles here passes through a reader that knows a short list of
names: the words of the domain, our own errors, and what Dask itself says of its tasks. Anything else is refused.
"""

from __future__ import annotations

import builtins
import datetime as dt
import importlib
import io
import pickle
from collections.abc import Callable, Iterable
from typing import Any, Final

from sealtool.errors import ConfigurationError

_OUR_MODULES: Final = frozenset({"sealtool.model", "sealtool.errors", "sealtool.chambers", "sealtool.cluster.labour"})
"""Only the classes that are defined there; they hold data and do nothing when they are made."""
_PLAIN: Final = frozenset(
    {"bytes", "bytearray", "str", "int", "float", "bool", "tuple", "list", "dict", "set", "frozenset", "NoneType"}
)
_NAMED: Final = frozenset(
    {
        ("sealtool.errors", "_rebuild"),
        ("distributed.scheduler", "KilledWorker"),
        ("distributed.scheduler", "WorkerState"),
    }
)


class RefusedPickleError(TypeError):
    """Somebody sent what is no data. A TypeError, for Dask takes that for what cannot be unpickled."""


class _Reader(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        """The class that a name stands for, if it is one of those that may come in."""
        if (found := _allowed(module_name, global_name)) is None:
            raise RefusedPickleError(f"{module_name}.{global_name} may not come in")
        return found


def _allowed(module: str, name: str) -> Any:
    if (module, name) in _NAMED:
        return getattr(importlib.import_module(module), name)
    if module == "builtins":
        found = getattr(builtins, name, None)
        return found if name in _PLAIN or _is_error(found) else None
    if module == "datetime":
        return getattr(dt, name) if name in {"datetime", "date", "timedelta", "timezone"} else None
    if module in _OUR_MODULES and name.isidentifier():
        found = getattr(importlib.import_module(module), name, None)
        return found if isinstance(found, type) and found.__module__ == module else None
    return None


def _is_error(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, Exception)


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
    from distributed import client  # noqa: PLC0415 - only where a cluster is used
    from distributed.protocol import pickle as dask_pickle  # noqa: PLC0415

    dask_pickle.loads = read
    client.pickle = _Pickles
    for way in _ways_in():
        try:
            way()
        except Exception:  # noqa: BLE001, S112 - refused, in whatever words
            continue
    if _Intruder.came_in:
        raise ConfigurationError(
            "The installed version of Dask reads messages in a way that sealtool cannot guard: a worker could run "
            "programs beside the key of the seal. Nothing was done.",
            advice="Install the version in requirements-cluster.txt.",
        )


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
        frames = protocol.dumps({"message": wrapped})
        yield lambda frames=frames: protocol.loads(frames)
    yield lambda: core.clean_exception(pickled, pickled)
    yield lambda: client._handle_warn((0, {"message": pickled, "category": pickled}))  # noqa: SLF001 - it is one
