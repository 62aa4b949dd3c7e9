"""kinofs-sim as a program: its log, its figures, its limits, its end."""
import concurrent.futures
import contextlib
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from harness import ROOT
from simulation import (
    CREATE, KEY, PATIENCE, PROGRAM, TEXT_MODEL, task_of, text_job, wait_for)


def test_log_has_a_line_for_each_request_before_its_answer(quick):
    before = time.time()
    quick.create(text_job("猫"))
    entry = quick.log()[-1]
    assert list(entry) == ["t", "method", "path", "query", "auth", "body", "http", "code", "task"]
    assert entry["body"] == text_job("猫") and entry["auth"] is True
    assert (entry["method"], entry["path"], entry["http"], entry["code"]) == (
        "POST", CREATE, 200, 200)
    assert before - 0.01 <= entry["t"] <= time.time() + 0.01
    quick.poll(entry["task"])
    poll = quick.log()[-1]
    assert poll["query"] == "taskId=" + entry["task"] and poll["task"] == entry["task"]
    quick.call("POST", CREATE, b"{broken", headers={"Content-Type": "application/json"})
    entry = quick.log()[-1]
    assert (entry["body"], entry["auth"], entry["code"]) == (None, False, 401)


def test_a_request_cut_off_by_its_client_is_logged_as_dropped(quick):
    """libmicrohttpd may overlook an end that comes together with the bytes before it."""
    for pause in (0.2, 0.4, 1, 2, 4, 8):
        with socket.create_connection(("127.0.0.1", quick.port)) as connection:
            connection.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
                               % CREATE.encode())
            time.sleep(pause)
        time.sleep(pause)
        if quick.log():
            break
    assert {(e["path"], e["http"], e["task"]) for e in quick.log()} == {(CREATE, 0, None)}
    assert quick.stats()["tasks"]["total"] == 0


def test_tasks_are_listed_in_their_order(quick):
    made = [task_of(quick.create(text_job(prompt))) for prompt in ("one", "two")]
    listed = quick.get("/sim/tasks").json
    assert [t["id"] for t in listed] == made
    assert listed[1]["prompt_sha256"] == hashlib.sha256(b"two").hexdigest()
    assert listed[1]["model"] == TEXT_MODEL and listed[1]["state"] == "success"
    assert listed[0]["created"] <= listed[1]["created"]


def test_ten_thousand_tasks_run_at_once(start, clip):
    simulator = start("--rate", "0", "--seconds", "600", "--clip", clip, "--credits", "570000")

    def make(count):
        connection = http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=PATIENCE)
        body = json.dumps(text_job())
        for _ in range(count):
            connection.request("POST", CREATE, body,
                               dict(KEY, **{"Content-Type": "application/json"}))
            assert json.loads(connection.getresponse().read())["code"] == 200
        connection.close()
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(make, [2500] * 4))
    assert simulator.create().json["code"] == 402, "running tasks hold their price"
    stats = simulator.stats()
    assert stats["requests"]["create"] == 10001
    assert stats["tasks"]["waiting"] == stats["creates"]["accepted"] == 10000
    assert stats["creates"]["max_in_10s"] >= 10000 // (1 + (time.monotonic() - begun) // 10)


def test_the_end_kills_what_is_being_rendered(start):
    simulator = start()
    for _ in range(8):
        simulator.create({"model": "hailuo/02-image-to-video-standard",
                          "input": {"prompt": "x", "image_url": "https://a/b.png"}})
    renderers = wait_for(simulator.renderers, "ffmpeg")
    assert len(renderers) <= 2, "at most two ffmpeg at a time"
    for pid in renderers:
        with contextlib.suppress(ProcessLookupError):  # one that is done has made place for another
            os.kill(pid, signal.SIGSTOP)  # these will not end by themselves
    assert simulator.stop() == 0
    assert not any(os.path.exists("/proc/%d" % pid) for pid in renderers)


@pytest.mark.parametrize("arguments", [
    ["--nonsense"], ["extra"], ["--seconds", "x"], ["--port", "70000"], ["--rate", "1.5"],
    ["--faults", "/nonexistent"], ["--clip", "/nonexistent"],
    ["--models", "/nonexistent"], ["--catalogue", "/nonexistent"]])
def test_a_wrong_call_exits_with_2_and_says_why(arguments):
    result = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=PATIENCE,
                            check=False)
    assert result.returncode == 2 and result.stderr and not result.stdout


def test_a_state_that_cannot_be_kept_is_said_at_once():
    result = subprocess.run([PROGRAM, "--state", "/nonexistent/state"], capture_output=True,
                            text=True, timeout=PATIENCE, check=False)
    assert result.returncode == 1 and not result.stdout
    assert result.stderr == "kinofs-sim: /nonexistent/state: No such file or directory\n"


def test_help_and_manual_name_every_option_and_fault():
    said = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
    with open(os.path.join(ROOT, "man", "kinofs-sim.1"), encoding="utf-8") as file:
        manual = file.read()
    for option in named("main.c", r'^\t\{"(\w+)", required_argument'):
        assert "--" + option in said and ".It Fl \\-" + option in manual, option
    for deed in named("faults.c", r'^\t\[DO_\w+\] = \{"(\w+)"'):
        assert re.search(r"\b%s\b" % deed, said) and ".It Cm %s\n" % deed in manual, deed


def named(source, pattern):
    with open(os.path.join(ROOT, "contrib", "simulator", source), encoding="utf-8") as file:
        found = re.findall(pattern, file.read(), re.MULTILINE)
    assert len(found) > 9, found
    return found
