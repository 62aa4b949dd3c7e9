"""Fixtures of the tests of kinofs-sim. KINOFS_BUILD names the directory with it (build)."""
import os

import pytest

from simulation import Simulator


@pytest.fixture
def start(tmp_path):
    running = []

    def run(*options):
        simulator = Simulator(str(tmp_path), *options)
        running.append(simulator)
        return simulator
    yield run
    for simulator in running:  # all of them, before anything is asked
        if simulator.process.poll() is None:
            simulator.stop()
    for simulator in running:
        assert simulator.process.returncode == 0 or simulator.is_killed
        assert os.listdir(simulator.temporary) == [], "the temporary directory is left behind"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    path.write_bytes(os.urandom(50000))
    return str(path)


@pytest.fixture
def quick(start, clip):
    """Tasks end at once, with a clip, without a limit."""
    return start("--seconds", "0", "--rate", "0", "--clip", clip)
