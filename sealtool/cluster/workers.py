"""The executor whose workers are on other machines."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import pickle
import threading
import time
from asyncio import run_coroutine_threadsafe
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final, TypeVar, assert_never

from sealtool.cluster.door import RefusedPickleError, guard
from sealtool.cluster.labour import Errand, Parcel, answer_to, digest_of, introduce, perform
from sealtool.cluster.letters import Outcome, open_letter, untrustworthy
from sealtool.cluster.options import ClusterOptions
from sealtool.errors import ConfigurationError, SealtoolError, WorkerLostError

T = TypeVar("T")
Likeness = Callable[[], Mapping[str, str]]

_LOOK_SECONDS: Final = 1.0
_WAIT_SECONDS: Final = 0.1
_DIFFERENCES_SHOWN: Final = 4


@contextmanager
def cluster_workers(
    options: ClusterOptions, likeness: Likeness, results: tuple[type, ...], *, alone: bool
) -> Iterator[ClusterExecutor]:
    """Connects to a cluster whose workers are like this process.

    Args:
        options: where it is.
        likeness: says what a process is like; called here and in every worker, so it must be importable there.
        results: the types that functions may return.
        alone: whether calls must not run beside each other in one process of a worker.

    Raises:
        ConfigurationError: Dask is not installed, nobody answers, there is no worker, or one is not like this process.
        WorkerLostError: scheduler or workers answered, and then no more.
    """
    client = _connected(options)
    try:
        _wait_for_workers(client, options)
        question = pickle.dumps(likeness)
        _insist_on_likeness(client, question, options)
        executor = ClusterExecutor(client, question, options, results, alone=alone)
        try:
            yield executor
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
    finally:
        with contextlib.suppress(Exception):  # it may be gone; what counts is that nothing of it is left here
            client.close(timeout=_LOOK_SECONDS)


def insist_on_dask() -> None:
    """Makes sure that Dask can be used.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        import_module("distributed")
    except ImportError as error:
        raise ConfigurationError(
            f"A cluster needs a library that is not installed ({error.name}).",
            advice="Install it: pip install 'sealtool[cluster]'.",
        ) from error


def _connected(options: ClusterOptions) -> Any:
    insist_on_dask()
    import dask  # noqa: PLC0415 - only where a cluster is used
    import distributed  # noqa: PLC0415

    for name in ("distributed", "tornado"):  # what they have to say is said by our own messages
        logging.getLogger(name).handlers[:] = [logging.NullHandler()]
        logging.getLogger(name).propagate = False
    guard()
    dask.config.set({"distributed.comm.timeouts.connect": f"{options.timeout_seconds}s"})

    class Client(distributed.Client):  # type: ignore[misc]  # Dask has no types
        """One whose start has an end also where somebody takes the connection and never says a word."""

        async def _start(self, *args: Any, **kwargs: Any) -> Any:
            try:
                return await asyncio.wait_for(super()._start(*args, **kwargs), options.timeout_seconds)
            except TimeoutError:
                await self._close(fast=True)
                raise

    try:
        security = _security(options)
        client = Client(
            options.address,
            security=security,
            timeout=options.timeout_seconds,
            set_as_default=False,
            direct_to_workers=False,  # one connection, to the scheduler: a tunnel is enough
            name="sealtool",
        )
    except (OSError, ValueError, RuntimeError) as error:  # also of TLS; a time limit is an OSError
        raise ConfigurationError(
            f"The scheduler of the cluster, {options.address}, cannot be reached ({type(error).__name__}). Nothing was "
            "done.",
            advice="Check that `dask scheduler` runs there, and for tls:// that both ends have certificates of one "
            "authority; or call with --cluster local, to work on this machine alone.",
        ) from error
    return client


def _wait_for_workers(client: Any, options: ClusterOptions) -> None:
    deadline = time.monotonic() + options.timeout_seconds
    while not _threads_of_workers(client, options):
        if time.monotonic() > deadline:
            raise ConfigurationError(
                f"The scheduler at {options.address} has no worker. Nothing was done.",
                advice="Start some with `dask worker`, or call with --cluster local, to work on this machine alone.",
            )
        time.sleep(_WAIT_SECONDS)


def _threads_of_workers(client: Any, options: ClusterOptions) -> Mapping[str, int]:
    """How many calls each worker takes up at a time, by its address.

    Raises:
        WorkerLostError: the scheduler does not tell in time.
    """
    try:
        threads: Mapping[str, int] = client.nthreads(callback_timeout=options.timeout_seconds)
    except Exception as error:  # it stands still, or went away just now, in whatever words
        raise _lost("its scheduler does not answer") from error
    return threads


def _security(options: ClusterOptions) -> Any:
    from distributed.security import Security  # noqa: PLC0415

    if (credentials := options.credentials) is None:
        return Security(require_encryption=False)
    return Security(
        require_encryption=True,
        tls_ca_file=str(credentials.ca),
        tls_client_cert=str(credentials.certificate),
        tls_client_key=str(credentials.key),
    )


def _insist_on_likeness(client: Any, question: bytes, options: ClusterOptions) -> None:
    mine = answer_to(question)
    try:
        answers = client.run(introduce, question, on_error="return", callback_timeout=options.timeout_seconds)
    except RefusedPickleError as error:
        raise untrustworthy() from error
    except Exception as error:  # a worker or the scheduler stands still or went away just now, in whatever words
        raise _lost("it went away, or did not answer, before the work began") from error
    for worker, answer in sorted(answers.items()):
        if isinstance(answer, Exception):  # of Dask: it could not even call the function
            raise ConfigurationError(
                f"The worker {worker} of the cluster cannot run this sealtool. Nothing was done.",
                advice="Install the same version of sealtool there as here, and start the worker with its Python.",
            )
        _, theirs = open_letter(answer, (dict,))
        if isinstance(theirs, SealtoolError):
            raise ConfigurationError(f"The worker {worker} of the cluster: {theirs.message}", advice=theirs.advice)
        if theirs != mine:
            raise not_alike(f"The worker {worker}", mine, theirs)


def not_alike(worker: str, mine: Mapping[str, str], theirs: object) -> ConfigurationError:
    """A worker computes with something else than the host."""
    answer = theirs if isinstance(theirs, Mapping) else {}
    names = [name for name in sorted({*mine, *answer}) if mine.get(name) != answer.get(name)]
    listed = [f"{name} (here {mine.get(name, 'none')}, there {answer.get(name, 'none')})" for name in names]
    more = len(listed) - _DIFFERENCES_SHOWN
    if more > 0:
        listed[_DIFFERENCES_SHOWN:] = [f"and {more} more"]
    return ConfigurationError(
        f"{worker} of the cluster is not like this machine, so certificates could come out differently there: "
        f"{', '.join(listed)}.",
        advice="Install the same versions, fonts and templates there as here, and start the worker anew.",
    )


class ClusterExecutor(Executor):
    """Calls functions in the workers of a cluster.

    A call that a lost worker held is made by another one. Where no worker is left, or the scheduler is gone or does not
    answer, and nobody comes back in time, every call fails with :class:`~sealtool.errors.WorkerLostError`.

    Attributes:
        workers: how many there were when they were counted first.
        places: how many calls they could take up at a time then.
    """

    def __init__(
        self, client: Any, question: bytes, options: ClusterOptions, results: tuple[type, ...], *, alone: bool
    ) -> None:
        self._client = client
        self._question, self._options, self._results, self._alone = question, options, results, alone
        self._mine = answer_to(question)
        self._likeness = digest_of(self._mine)
        self._parcels: dict[Callable[..., Any], Parcel] = {}
        self._pending: set[Future[Any]] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._is_lost = False
        threads = _threads_of_workers(client, options)
        self.workers, self.places = len(threads), max(1, sum(threads.values()))
        self._watch = threading.Thread(target=self._look_after, daemon=True)
        self._watch.start()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Sends a call on its way.

        Raises:
            WorkerLostError: no worker is left.
        """
        if self._over.is_set():
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: Future[T] = Future()
        with self._lock:
            if self._is_lost:
                raise _lost("no worker is left")
            self._pending.add(future)
        future.set_running_or_notify_cancel()  # what is on its way cannot be called back
        self._send(future, self._parcel(fn), pickle.dumps((args, kwargs)), whole=False)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - Executor's
        """Takes no more calls; waits for those on their way, or gives them up."""
        self._over.set()
        with self._lock:
            pending = list(self._pending)
        if wait and not cancel_futures:
            concurrent.futures.wait(pending)
        for future in pending:
            self._settle(future, _lost("its work was given up"))
        self._watch.join(timeout=self._options.timeout_seconds)

    def everywhere(self, function: Callable[[], object]) -> None:
        """Calls a function in every worker that is there; what comes of it does not matter."""
        with contextlib.suppress(Exception):
            self._client.run(function, on_error="ignore", callback_timeout=self._options.timeout_seconds)

    def _parcel(self, function: Callable[..., Any]) -> Parcel:
        with self._lock:
            if function not in self._parcels:
                self._parcels[function] = Parcel.of(function)
            return self._parcels[function]

    def _send(self, future: Future[Any], parcel: Parcel, arguments: bytes, *, whole: bool) -> None:
        """The function itself travels only to a worker that does not have it yet."""
        named = parcel if whole else Parcel(parcel.name, None)
        errand = Errand(self._question, self._likeness, named, arguments, self._alone)

        def arrived(inner: Future[Any]) -> None:
            try:
                outcome, value = _opened(inner, self._results)
            except SealtoolError as error:
                self._settle(future, error)
                return
            match outcome:
                case Outcome.DONE | Outcome.FAILED:
                    self._settle(future, value)
                case Outcome.DIFFERS:
                    self._settle(future, not_alike("A worker", self._mine, value))
                case Outcome.FUNCTION_UNKNOWN if not whole:
                    self._send(future, parcel, arguments, whole=True)
                case Outcome.FUNCTION_UNKNOWN | Outcome.BROKE_DOWN:
                    self._settle(future, RuntimeError(f"a worker of the cluster broke down: {value}"))
                case _:
                    assert_never(outcome)

        try:
            on_its_way = self._client.gather(self._client.submit(perform, errand, pure=False), asynchronous=True)
            run_coroutine_threadsafe(on_its_way, self._client.loop.asyncio_loop).add_done_callback(arrived)
        except Exception as error:  # noqa: BLE001 - a connection that is closed says so in many ways
            lost = _lost("there is no connection to its scheduler")
            lost.__cause__ = error
            self._settle(future, lost)

    def _settle(self, future: Future[Any], value: object) -> None:
        with self._lock:
            if future not in self._pending:
                return
            self._pending.remove(future)
        if isinstance(value, Exception):
            future.set_exception(value)
        else:
            future.set_result(value)

    def _look_after(self) -> None:
        """Without this, a call would wait for ever where nobody is left who could take it up."""
        last_seen = time.monotonic()
        while not self._over.wait(_LOOK_SECONDS):
            if self._has_workers():
                last_seen = time.monotonic()
            elif time.monotonic() - last_seen > self._options.timeout_seconds:
                self._lose()
                return

    def _has_workers(self) -> bool:
        try:
            # A scheduler that stands still keeps its connections, and would be asked for ever.
            return bool(self._client.nthreads(callback_timeout=self._options.timeout_seconds))
        except Exception:  # noqa: BLE001 - a scheduler that is gone or does not answer, in whatever words
            return False

    def _lose(self) -> None:
        with self._lock:
            self._is_lost = True
            pending = list(self._pending)
        for future in pending:
            self._settle(future, _lost("no worker is left"))


def _opened(inner: Future[Any], types: tuple[type, ...]) -> tuple[Outcome, Any]:
    """What came of a call. Errands raise nothing: an error is Dask's, and means that the cluster could not do it."""
    try:
        received = inner.result()
    except RefusedPickleError as error:
        raise untrustworthy() from error
    except CancelledError as error:
        raise _lost("the connection to its scheduler broke off") from error
    except Exception as error:
        raise _lost("a piece of work ended every worker that took it up") from error
    return open_letter(received, types)


def _lost(detail: str) -> WorkerLostError:
    return WorkerLostError(
        f"The cluster was lost: {detail}. What was published is recorded; the rest is pending.",
        advice="Look after its scheduler and workers and call again: the next run goes on. With --cluster local it "
        "does so on this machine alone.",
    )
