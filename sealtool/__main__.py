"""The program: ``sealtool``, or ``python -m sealtool``."""

import os
import signal


def run() -> None:
    """Loads the program and runs it. Whatever ends it before it is there ends it at once, as nothing has begun."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(130))
    from sealtool.cli import run as run_program  # noqa: PLC0415 - with click it takes longer than Python itself

    run_program()


if __name__ == "__main__":
    run()
