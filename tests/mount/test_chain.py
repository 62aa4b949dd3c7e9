"""Shots that follow each other: each begins with the last frame of the one before."""
import contextlib
import json
import os
import random
import re
import shutil
import subprocess
import time

import campaign
from campaign import Control, CrashMount, preload
from harness import HAILUO_23, KINOFS, PATIENCE, ROOT, png, probe

SHOTS = 10
KILLS = 12


def spec(name, before, **fields):
    """A shot that goes on from the one before; "": from a picture."""
    start = "../out/film/%s.mp4#last" % before if before else "start.png"
    return json.dumps({"prompt": "Shot %s of a chain." % name, "image_url": start, **fields})


def creates(sim, name):
    return sim.creates("Shot %s of a chain." % name)


def state(mount, name):
    record = mount.record(HAILUO_23, "film/" + name)
    return record["state"] if record and not record["settling"] else "settling"


def test_a_film_from_a_storyboard(mount):
    """The example: make, in its folder."""
    examples = os.path.join(mount.directory, "my examples")
    shutil.copytree(os.path.join(ROOT, "contrib", "examples"), examples)
    folder = os.path.join(examples, "storyboard")
    path = os.path.dirname(KINOFS) + ":" + os.environ["PATH"]
    for again in ([], ["-B"]):  # a model as zsh leaves it, and results that are all there
        made = subprocess.run(["make", "-C", folder, *again, "MODEL=~/" + HAILUO_23],
                              env={**mount.environment(), "PATH": path, "HOME": mount.root},
                              capture_output=True, text=True, timeout=2 * PATIENCE, check=False)
        assert made.returncode == 0, made.stderr + mount.log_text()
        with open(os.path.join(folder, "list.txt"), encoding="utf-8") as shots:
            assert re.findall(r"\d+(?=\.mp4)", shots.read()) == ["0001", "0002", "0003", "0004"]
    with open(os.path.join(folder, "shots.jsonl"), encoding="utf-8") as board:
        prompts = [json.loads(line)["prompt"] for line in board]
    shot = probe(mount.path(HAILUO_23, "out/storyboard/shots-0001.mp4"))
    assert abs(probe(os.path.join(folder, "film.mp4")) / shot - len(prompts)) < 0.5
    assert [body["input"]["prompt"] for body in mount.sim.bodies()] == prompts, "in order, once"


def test_a_chain_of_ten_is_killed_again_and_again(tmp_path, start_sim):
    """No shot is ordered twice, none is lost; what a kill left unknown goes on by `retry`."""
    sim = start_sim(seconds=0.05)
    libraries = campaign.compile_preloads(str(tmp_path / "preload"))
    control = Control(str(tmp_path / "control"))
    environment = preload(libraries["speed"], libraries["inject"], KINOFS_TEST_SPEED=10,
                          KINOFS_TEST_CONTROL=control.path)
    mount = CrashMount(tmp_path / "mount", sim, config=campaign.OPEN, environment=environment)
    shots = ["s%02d" % number for number in range(SHOTS)]
    dice = random.Random(20261126)
    retried = dict.fromkeys(shots, 0)
    try:
        mount.start()
        os.mkdir(mount.path(HAILUO_23, "film"))
        for name, before in reversed(list(zip(shots, ["", *shots]))):  # all of them wait at first
            mount.drop(HAILUO_23, "film/%s.json" % name, spec(name, before).encode())
        mount.drop(HAILUO_23, "film/start.png", png())
        for _ in range(KILLS):
            # the moment is what this test is about
            mount.live_until(lambda end=time.monotonic() + dice.uniform(0, 0.6):
                             time.monotonic() > end)
            mount.kill9()
            mount.start()
        deadline = time.monotonic() + 3 * PATIENCE
        while any(state(mount, name) != "done" for name in shots):
            assert time.monotonic() < deadline, \
                [(name, state(mount, name)) for name in shots] + [mount.log_text()]
            for name in shots:
                if state(mount, name) == "unknown":
                    mount.order("retry %s/film/%s" % (HAILUO_23, name))
                    retried[name] += 1
            with contextlib.suppress(AssertionError):
                mount.wait(lambda: any(state(mount, name) == "unknown" for name in shots) or
                           all(state(mount, name) == "done" for name in shots), "the next", 1)
        for name in shots:
            assert len(creates(sim, name)) <= 1 + retried[name], (name, mount.log_text())
            assert mount.record(HAILUO_23, "film/" + name)["outputs"] == \
                [HAILUO_23 + "/out/film/%s.mp4" % name]
        assert len([entry for entry in sim.creates() if entry["task"]]) <= \
            SHOTS + sum(retried.values())
        assert os.listdir(os.path.join(mount.store, "incoming")) == []
    finally:
        mount.close()


def test_a_failed_shot_stops_those_behind_it(mount):
    """They say why and cost nothing; when it is ordered again, they go on."""
    mount.sim.faults({"on": "create", "do": "fail", "value": "It was not to be.", "times": 1})
    os.mkdir(mount.path(HAILUO_23, "film"))
    mount.drop(HAILUO_23, "film/start.png", png())
    for name, before in zip("abc", ["", "a", "b"]):
        mount.drop(HAILUO_23, "film/%s.json" % name, spec(name, before).encode())
    mount.wait_state(HAILUO_23, "film/a", "failed")
    for name in "bc":
        mount.wait(lambda shot=name: "failed" in " ".join(
            mount.record(HAILUO_23, "film/" + shot).get("waiting_for", [])), "it says why")
        mount.wait(lambda shot=name: "film/a" in mount.note(
            HAILUO_23, "film/" + shot, "waiting") and "failed" in mount.note(
                HAILUO_23, "film/" + shot, "waiting"), "its note says it, too")
        assert not creates(mount.sim, name)
    mount.order("retry %s/film/a" % HAILUO_23)
    for name in "abc":
        mount.done(HAILUO_23, "film/" + name)
    assert [len(creates(mount.sim, name)) for name in "abc"] == [2, 1, 1]
    assert not [name for name in mount.out(HAILUO_23, "film") if name.endswith(".txt")]
