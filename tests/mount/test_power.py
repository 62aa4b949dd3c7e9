"""The power goes: what is left of a store, whatever the disk had not written yet (power.py says how).

A fsync that is left out anywhere between a drop and its video makes these tests fail, as
tests/mutation/run proves.
"""
import contextlib
import os

import pytest

import campaign
import power
from harness import Simulator

pytestmark = pytest.mark.no_asan("what is killed leaks; the campaign is about disks")

LONG = os.environ.get("KINOFS_TORTURE")
SEEDS = 300 if LONG else 8
WORKERS = 3


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    return power.compile_tools(str(tmp_path_factory.mktemp("power")))


@pytest.fixture
def shared_sim(tmp_path, clip):
    sim = Simulator(str(tmp_path / "sim"), clip=clip, seconds=0)
    yield sim
    assert sim.stop() == 0


def test_after_each_step_what_is_left_is_sound(tmp_path, tools, shared_sim, clip):
    """Nothing but what was synced, at each step; other losses at some."""
    content = campaign.clip_content(clip)
    steps = states = 0
    lives = power.record_lives(tmp_path / "w", shared_sim, tools, content)
    with contextlib.closing(lives):
        for mount, work, first in lives:
            judge, count, problems = power.judge_all(mount, work, content, 1, 1 if LONG else 12,
                                                     earlier=first)
            assert not problems, "\n".join(problems)
            steps, states = steps + judge.steps, states + count
    assert steps > 500
    print("%d states at %d steps, 0 violations" % (states, steps))


def test_a_mount_goes_on_after_power_cuts_and_pays_nothing_twice(tmp_path, tools, shared_sim, clip):
    """At any step, and up to three times more while it recovers."""
    total, problems = power.campaign_of(range(1, 1 + SEEDS), 3600, str(tmp_path), shared_sim, tools,
                                        campaign.clip_content(clip), WORKERS)
    assert not problems, "\n\n".join(problems)
    assert total["cuts"] >= SEEDS and total["orders"] > SEEDS
    print("%d losses, %d orders (%d unknown), 0 violations" % (
        total["cuts"], total["orders"], total["unknown"]))
