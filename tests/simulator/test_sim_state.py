"""What kinofs-sim --state keeps: a run is killed or ended, and the next goes on."""
import contextlib
import glob
import json
import os
import select
import signal
import subprocess

import pytest

from harness import png
from simulation import (
    HAILUO_PP, PATIENCE, PROGRAM, TEXT_MODEL, frame, link_of, probe, task_of, wait_for)
from test_sim_ppinfra import data_uri

TWO_PICTURES = "hailuo/02-image-to-video-standard"


@pytest.fixture
def state(tmp_path):
    return str(tmp_path / "state")


def files(state):
    return sorted(os.listdir(os.path.join(state, "files")))


def events(state):
    return os.path.join(state, "events.jsonl")


def video_of(simulator, task, path):
    answer = simulator.get(link_of(simulator.finish(task)), headers={})
    assert answer.status == 200
    path.write_bytes(answer.body)
    return str(path)


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_what_ran_goes_on_and_its_videos_show_its_own_pictures(start, state, tmp_path, end):
    simulator = start("--state", state, "--seconds", "1", "--credits", "1000")
    red, blue = (simulator.upload(png(64, 48, colour), name=name).json["data"]["downloadUrl"]
                 for name, colour in (("red.png", (200, 20, 20)), ("blue.png", (20, 20, 200))))
    both = task_of(simulator.create({"model": TWO_PICTURES, "input": {
        "prompt": "red, then blue", "duration": "6", "image_url": red, "end_image_url": blue}}))
    inline = task_of(simulator.create(
        {"prompt": "green", "image": data_uri(png(48, 64, (20, 160, 20)))}, HAILUO_PP))
    doomed = task_of(simulator.create())
    simulator.faults({"on": "poll", "do": "fail", "value": "too bad"})
    assert simulator.poll(doomed).json["data"]["state"] == "fail"
    port = simulator.port
    if end == "kill":
        simulator.crash()
    else:
        assert simulator.stop() == 0

    simulator = start("--state", state, "--seconds", "600", "--credits", "5")
    assert simulator.port == port, "links of the run before lead nowhere"
    assert simulator.get(red, headers={}).body == png(64, 48, (200, 20, 20))
    path = video_of(simulator, both, tmp_path / "both.mp4")
    assert probe(path)[0] == pytest.approx(6, abs=0.1)
    first, last = frame(path, 1), frame(path, 5.8)
    assert first[0] > 150 and last[2] > 150, (first, last)
    assert frame(video_of(simulator, inline, tmp_path / "inline.mp4"), 1)[1] > 120
    assert simulator.poll(doomed).json["data"]["failMsg"] == "too bad"
    assert [t["id"] for t in simulator.get("/sim/tasks").json] == [both, inline, doomed]
    assert simulator.stats()["credits"] == 1000 - 30
    assert simulator.create({"model": TWO_PICTURES, "input": {
        "prompt": "red again", "image_url": red}}).json["code"] == 200


def children_of(pid):
    found = []
    for path in glob.glob("/proc/%d/task/*/children" % pid):
        with contextlib.suppress(OSError), open(path, encoding="ascii") as children:
            found += [int(child) for child in children.read().split()]
    return found


def is_ffmpeg(pid):
    """Whether it is past its execve(2): stopped before, it may not yet end with its parent."""
    try:
        with open("/proc/%d/comm" % pid, encoding="ascii") as name:
            return name.read() == "ffmpeg\n"
    except FileNotFoundError:
        return False


def ffmpegs_of(pid):
    return list(filter(is_ffmpeg, children_of(pid)))


def has_ended(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def test_a_killed_simulator_leaves_no_ffmpeg_behind(start, state):
    simulator = start("--state", state)
    for _ in range(8):
        simulator.create({"model": TWO_PICTURES,
                          "input": {"prompt": "x", "image_url": "https://a/b.png"}})
    children = wait_for(lambda: ffmpegs_of(simulator.process.pid), "ffmpeg")
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)  # it will not end by itself
    simulator.crash()
    try:
        wait_for(lambda: all(map(has_ended, children)), "the end of ffmpeg")
    finally:
        for pid in children:
            if not has_ended(pid):
                os.kill(pid, signal.SIGKILL)


def test_what_has_ended_stays_as_it_was(start, state):
    simulator = start("--state", state, "--seconds", "0", "--credits", "100")
    task = task_of(simulator.create())
    record, link = simulator.finish(task), None
    signed = link_of(simulator.finish(task_of(simulator.create({"prompt": "x"}, HAILUO_PP))))
    link = link_of(record)
    bytes_before = [simulator.get(url, headers={}).body for url in (link, signed)]
    kept = files(state)
    for _ in range(2):
        simulator.crash()
        simulator = start("--state", state, "--credits", "100")
        assert simulator.finish(task) == record
        assert [simulator.get(url, headers={}).body for url in (link, signed)] == bytes_before
        assert simulator.get("/api/v1/chat/credit").json["data"] == 100 - 57
        assert files(state) == kept


def test_a_torn_line_and_stray_files_are_no_harm(start, state):
    simulator = start("--state", state, "--seconds", "0")
    task = task_of(simulator.create())
    record = simulator.finish(task)
    simulator.crash()
    with open(events(state), "a", encoding="utf-8") as file:
        file.write('garbage\n[1]\n{}\n{"task": 7}\n{"task":"0123456789abcdef0123456789abcdef","t":1')
    stray = ["p0123456789abcdef", "0" * 32 + ".mp4"]
    for name in stray:
        with open(os.path.join(state, "files", name), "w", encoding="utf-8"):
            pass
    os.makedirs(os.path.join(state, "files", "1" * 32, "deeper"))
    simulator = start("--state", state, "--seconds", "0")
    assert simulator.finish(task) == record
    assert files(state) == [task + ".mp4"]
    second = task_of(simulator.create())
    simulator.crash()
    simulator = start("--state", state)
    assert [t["id"] for t in simulator.get("/sim/tasks").json] == [task, second]


def test_results_and_uploads_of_last_month_are_gone(start, state):
    simulator = start("--state", state, "--seconds", "0", "--credits", "1000")
    link = simulator.upload(png()).json["data"]["downloadUrl"]
    task = task_of(simulator.create())
    simulator.finish(task)
    assert simulator.stop() == 0
    with open(events(state), encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    for line in lines:
        for key in ("t", "due"):
            if key in line:
                line[key] -= 15 * 86400
    with open(events(state), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    for _ in range(2):  # the second finds neither the lines nor the files
        simulator = start("--state", state)
        assert simulator.poll(task).json["code"] == 422
        assert simulator.stats()["credits"] == 1000 - 57
        assert simulator.stop() == 0
    assert files(state) == []
    simulator = start("--state", state)
    assert simulator.get(link, headers={}).status == 404


def test_the_next_run_waits_for_one_that_ends_and_takes_another_port_if_it_must(start, state):
    simulator = start("--state", state)
    second = subprocess.Popen([PROGRAM, "--state", state], stdout=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: os.path.exists("/proc/%d/fd/3" % second.pid), "the second to begin")
        assert not select.select([second.stdout], [], [], 0.2)[0], "it did not wait"
        assert simulator.stop() == 0
        assert second.stdout.readline().strip().endswith(":%d" % simulator.port)
    finally:
        second.terminate()
        assert second.wait(PATIENCE) == 0
        second.stdout.close()
    other = start("--port", str(simulator.port))
    third = start("--state", state)
    assert third.port != other.port
    assert third.create().json["code"] == 200
    assert third.stats()["tasks"]["total"] == 1 and third.log()[-1]["path"] == "/sim/stats"
    assert TEXT_MODEL in [t["model"] for t in third.get("/sim/tasks").json]
