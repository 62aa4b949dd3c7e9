"""Crashes: at every step of a job, at random moments, and with journals that are not what they were.

The process is killed by SIGKILL from inside (tests/preload/inject.c) before a chosen write, fsync, rename,
connect or send, or in the middle of a write, and started again on the same store. What must hold
then is judged from the simulator's log and the tree: campaign.account_for().
"""
import collections
import concurrent.futures
import errno
import os
import random
import shutil
import signal
import time

import pytest

import campaign
import harness
from campaign import Control, CrashMount, Drop, account_for, preload, three_kinds
from harness import FLAT, HAILUO_23, TEXT, Simulator

SPEED = 30  # timers; a poll comes after 80 ms
WORKERS = 3
LONG = os.environ.get("KINOFS_TORTURE")


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    return campaign.compile_preloads(str(tmp_path_factory.mktemp("preload")))


@pytest.fixture(scope="module")
def shared_sim(tmp_path_factory, clip):
    """One simulator for many stores: its log is the account book."""
    sim = Simulator(str(tmp_path_factory.mktemp("sim")), clip=clip, seconds=0)
    yield sim
    assert sim.stop() == 0


@pytest.fixture
def stores(tmp_path, libraries, shared_sim):
    """stores(name): a mount that can be killed from inside, and its control page."""
    made = []

    def run(name, sim=shared_sim, speed=SPEED, **options):
        directory = tmp_path / name
        os.makedirs(directory)
        control = Control(str(directory / "control"))
        control.reset()
        environment = preload(libraries["speed"], libraries["inject"],
                              KINOFS_TEST_SPEED=speed, KINOFS_TEST_CONTROL=control.path)
        mount = CrashMount(directory, **{"sim": sim, "config": campaign.OPEN,
                                         "environment": environment, **options})
        made.append(mount)
        return mount, control
    yield run
    problems = []
    for mount in made:
        try:
            mount.close()
        except AssertionError as error:
            problems.append(str(error))
        mount.unstack()
    assert not problems, "\n".join(problems)


def in_parallel(function, items):
    """function(item) for all, a few at a time; the first failure counts."""
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()


def clip_bytes(sim):
    return campaign.clip_content(sim.options["clip"])


# ------------------------------------------------------------------ every step

def crash_once(mount, control, drop, kill_at, torn):
    """One crash at a step of one job. Whether there was such a step."""
    control.reset(kill_at, torn)
    if mount.try_start():
        drop.put(mount)
        if mount.live_until(mount.is_quiet_with(drop)):
            mount.unmount()
            return False
        mount.bury()
    mount.unstack()
    control.reset()
    mount.start()
    if not drop.complete:
        drop.put(mount)  # as a user would, whose copy was cut off
    mount.wait(mount.is_quiet_with(drop), "quiet after a crash", 30)
    return True


STEPS = {"upload": 215, "inline": 185, "text": 180}  # seen; the last are never reached


@pytest.mark.parametrize("kind", ["upload", "inline", "text"])
@pytest.mark.parametrize("torn", [False, True], ids=["before", "torn"])
def test_a_crash_at_every_step_of_a_job(stores, shared_sim, kind, torn):
    """In `make test` every step but two of three plain writes; in torture all of them."""
    index = ("upload", "inline", "text").index(kind)
    plan, control = stores("plan-%s-%d" % (kind, torn))
    first = three_kinds("plan-%s-%d" % (kind, torn))[index]
    plan.start()
    first.put(plan)
    plan.wait(plan.is_quiet_with(first), "the job whose steps are counted")
    steps = control.steps()
    plan.unmount()

    chosen = [number for number, letter in enumerate(steps, 1)
              if (letter == "w" if torn else True) and
              (LONG or letter != "w" or number % (6 if torn else 3) == 0)]

    def crash(number):
        name = "%s-%d-%d" % (kind, torn, number)
        mount, page = stores(name)
        drop = three_kinds(name)[index]
        reached = crash_once(mount, page, drop, number, torn)
        counted = account_for(mount, shared_sim, [drop], clip_bytes(shared_sim)) \
            if reached else None
        mount.close()
        return counted

    results = [result for result in in_parallel(crash, chosen) if result is not None]
    assert len(results) >= len(chosen) * 3 // 4, "too few crashes happened"
    total = sum(results, collections.Counter())
    assert total["done"] > total["unknown"] > -1 and total["other"] == 0, total
    print("%s%s: %d crashes, %s" % (kind, " torn" * torn, len(results), dict(total)))
