"""Worker processes take up work at once: whatever they import beside it is whole when the work asks for it."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

SLOWLY = """
    import importlib.abc, sys, time

    class Slowly(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path, target=None):
            if name.startswith("sealtool.verification"):
                time.sleep(0.02)

    sys.meta_path.insert(0, Slowly())
"""


def run_slowly(program: str) -> str:
    """What a program prints in a process where each module of the verifier takes a while to load."""
    command = [sys.executable, "-c", dedent(SLOWLY) + dedent(program)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return outcome.stdout.strip() or outcome.stderr


@pytest.mark.long
def test_work_that_follows_right_after_getting_ready_finds_the_verifier_whole() -> None:
    said = run_slowly("""
        from sealtool.rendering import RenderingOptions
        from sealtool.rendering.facts import specimen
        from sealtool.workspace.tasks import get_ready

        get_ready(RenderingOptions(), specimen())
        time.sleep(0.15)  # whatever goes on beside is in the midst of it
        from sealtool.verification.trust import Trust
        print(Trust.__name__)
    """)
    assert said == "Trust"


@pytest.mark.long
def test_errands_that_reach_a_worker_of_a_cluster_side_by_side_find_the_verifier_whole() -> None:
    said = run_slowly("""
        import pickle
        from concurrent.futures import ThreadPoolExecutor
        from sealtool.cluster.labour import Errand, Parcel, answer_to, digest_of, perform
        from sealtool.cluster.letters import open_letter

        question = pickle.dumps(dict)
        likeness = digest_of(answer_to(question))
        # Pickles that name what this process has not imported yet.
        arguments = [b"(c%b\\nt}\\x86." % place for place in (
            b"sealtool.verification\\nverify_certificate", b"sealtool.verification.trust\\nTrust")]
        errands = [Errand(question, likeness, Parcel.of(repr), one, alone=False) for one in arguments]
        with ThreadPoolExecutor(2) as threads:
            answers = []
            for errand in errands:
                answers.append(threads.submit(perform, errand))
                time.sleep(0.3)
            print(*(open_letter(one.result(), (str,))[0].name for one in answers))
    """)
    assert said == "DONE DONE"
