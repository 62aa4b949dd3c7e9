"""Fixtures of the tests on a real mount. Each test has a simulator and mounts of its own."""
import contextlib
import os

import pytest

import harness
from desk import Desk


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("clip") / "clip.mp4")
    harness.small_clip(path)
    return path


@pytest.fixture
def start_sim(tmp_path, clip):
    """start_sim(**options): a simulator; it serves the clip unless clip=None."""
    running = []

    def run(**options):
        directory = str(tmp_path / ("sim-%d" % len(running)))
        sim = harness.Simulator(directory, **{"clip": clip, **options})
        running.append(sim)
        return sim
    yield run
    for sim in running:
        assert sim.process.returncode == 0 or sim.stop() == 0, "kinofs-sim failed"


@pytest.fixture
def sim(start_sim):
    """A simulator whose tasks take a moment and end with the clip."""
    return start_sim()


@pytest.fixture
def kinofs(tmp_path, sim):
    """kinofs(**options): a started mount (harness.Mount); start=False: not started yet."""
    mounts = []

    def run(start=True, **options):
        directory = tmp_path / ("kino-%d" % len(mounts))
        os.makedirs(directory)
        mount = harness.Mount(directory, **{"sim": sim, **options})
        mounts.append(mount)
        return mount.start() if start else mount
    yield run
    problems = []
    for mount in mounts:
        try:
            mount.close()
        except AssertionError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)


@pytest.fixture
def mount(kinofs):
    """A mount with keys for both providers, the gates open, quick to settle."""
    return kinofs()


@pytest.fixture
def desk(mount):
    """Where real programs work on the mount."""
    with contextlib.ExitStack() as stack:
        yield Desk(mount, stack)
