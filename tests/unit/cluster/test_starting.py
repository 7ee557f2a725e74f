"""The start of a run with a cluster has an end, whoever is at its address."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from sealtool.cluster import ClusterOptions, cluster_workers
from sealtool.cluster.likeness import program_likeness
from sealtool.errors import ConfigurationError, ExitCode


@pytest.fixture
def silent_address() -> Iterator[str]:
    """Of somebody who takes connections and never says a word; after a minute they are broken off."""
    connections: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def take() -> None:
            while True:
                try:
                    connections.append(listener.accept()[0])
                except OSError:
                    return

        def break_off() -> None:
            with contextlib.suppress(OSError):  # it was broken off before
                listener.shutdown(socket.SHUT_RDWR)
            for one in connections:
                one.close()

        taking, ending = threading.Thread(target=take), threading.Timer(60, break_off)
        taking.start()
        ending.start()
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        ending.cancel()
        break_off()
        taking.join()


def test_a_scheduler_that_takes_connections_and_never_answers_is_out_of_reach(silent_address: str) -> None:
    options = ClusterOptions(silent_address, timeout_seconds=0.5)
    with (
        pytest.raises(ConfigurationError, match=r"cannot be reached \(TimeoutError\)") as caught,
        cluster_workers(options, program_likeness, (dict,), alone=False),
    ):
        pass
    assert silent_address in caught.value.message
    assert "--cluster local" in caught.value.advice
    assert caught.value.exit_code is ExitCode.CONFIGURATION
