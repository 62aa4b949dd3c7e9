"""The subcommands against a real mount: what they print and how they exit."""
import json
import os
import pty
import re
import select
import subprocess

import pytest

from harness import (FLAT, HAILUO_23, KINOFS, MODELS, ROOT, SPECS, TEXT, good_spec, png)

DONE, FAILED, USAGE, TIMEOUT = 0, 1, 2, 3


# ------------------------------------------------------------------ check

def test_check_prints_the_request_and_the_price_and_sends_nothing(mount):
    path = mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    before = len(mount.sim.log())
    result = mount.run("check", path)
    assert result.returncode == DONE, result.stderr
    request = "".join(line for line in result.stdout.splitlines() if not line.startswith("#"))
    assert json.loads(request) == {"model": TEXT, "input": {"prompt": "a cat"}}
    assert "57 credits ($0.285)" in result.stdout and "20" in result.stdout.split("list of")[1]
    assert len(mount.sim.log()) == before


def test_check_counts_the_takes_and_prices_them_all(kinofs, tmp_path):
    spec = tmp_path / "cat.json"
    spec.write_text(json.dumps({"prompt": "a cat", "takes": 3}))
    result = kinofs(start=False).run("check", "--model", TEXT, str(spec))
    assert result.returncode == DONE, result.stderr
    assert "3 takes, about 171 credits ($0.855) in all" in result.stdout
    assert "\"takes\"" not in result.stdout


@pytest.mark.parametrize("model", MODELS)
def test_check_works_without_a_mount(kinofs, model):
    mount = kinofs(start=False)
    result = mount.run("check", "--model", model, good_spec(model))
    assert result.returncode == DONE, result.stderr
    with open(good_spec(model), encoding="utf-8") as file:
        assert json.loads("".join(line for line in result.stdout.splitlines()
                                  if not line.startswith("#"))) == json.load(file)


def test_check_tells_all_problems_of_all_files_and_exits_with_1(kinofs):
    mount = kinofs(start=False)
    bad = [os.path.join(SPECS, "bad", name) for name in (
        "duration-not-in-enum.json", "resolution-unknown.json", "unknown-field-near.json")]
    result = mount.run("check", "--model", HAILUO_23, *bad)
    assert result.returncode == FAILED and result.stdout == ""
    for path, word in zip(bad, ('"6", "10"', '"768P", "1080P"', "did you mean")):
        assert any(path in line and word in line for line in result.stderr.splitlines()), path


def test_check_says_what_a_job_would_wait_for_and_knows_its_pictures(kinofs):
    mount = kinofs(start=False)
    prompt = mount.outside("cat.txt", "a cat")
    result = mount.run("check", "--model", HAILUO_23, prompt)
    assert result.returncode == FAILED and "image_url" in result.stderr
    mount.outside("cat.png", png())
    result = mount.run("check", "--model", HAILUO_23, prompt)
    assert result.returncode == DONE and "image/png" in result.stdout


@pytest.mark.parametrize("words", [
    ["check"], ["check", "--model", "no/such", "x.json"], ["check", "x.json"], ["wait"],
    ["wait", "--timeout", "soon", "/"], ["wait", "/"], ["retry"], ["retry", "/"],
    ["retry", "-n", "0", "/"], ["retry", "-n", "3x", "/"], ["cancel", "-n", "2", "/"],
    ["status", "--nonsense"], ["models", "extra"], [], ["--nonsense"], ["a", "b", "c"],
    ["-o", "settle=x", "/tmp"]])
def test_a_wrong_call_exits_with_2_and_says_why(kinofs, words):
    result = kinofs(start=False).run(*words, cwd="/")
    assert result.returncode == USAGE and result.stderr.strip() and not result.stdout


@pytest.mark.parametrize("shell", ["kinofs.bash", "_kinofs", "kinofs.fish"])
def test_the_completions_know_every_command(kinofs, shell):
    usage = kinofs(start=False).run("--help").stdout
    names = re.findall(r"^ +kinofs ([a-z|]+) ", usage.replace("usage:", "      "), re.MULTILINE)
    names = {name for alternatives in names for name in alternatives.split("|")}
    path = os.path.join(ROOT, "contrib/completions", shell)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert len(names) == 9 and [name for name in names if name not in text] == []


# ------------------------------------------------------------------ wait

def test_wait_prints_the_videos_of_its_jobs_and_exits_with_0(mount):
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.drop(HAILUO_23, "dog.txt", "a dog")
    mount.drop(HAILUO_23, "dog.png", png())
    mount.drop(TEXT, "summer/beach.txt", "waves")
    result = mount.run("wait", mount.path(TEXT, "cat.txt"), mount.path(HAILUO_23, "dog.png"))
    assert (result.returncode, result.stderr) == (DONE, "")
    videos = [mount.path(TEXT, "out/cat.mp4"), mount.path(HAILUO_23, "out/dog.mp4")]
    assert result.stdout.splitlines() == videos
    assert all(os.path.getsize(path) for path in videos)
    for folder, names in ((TEXT + "/summer", ["out/summer/beach.mp4"]),
                          (TEXT, ["out/cat.mp4", "out/summer/beach.mp4"])):
        result = mount.run("wait", mount.path(folder))
        assert sorted(result.stdout.splitlines()) == [mount.path(TEXT, name) for name in names]
    assert len(mount.run("wait", mount.root).stdout.splitlines()) == 3
    # a removed input, a record, a relative path
    os.unlink(mount.path(TEXT, "cat.txt"))
    for path in ("cat.txt", "jobs/cat.json", "./cat.txt"):
        result = mount.run("wait", path, cwd=mount.path(TEXT))
        assert (result.returncode, result.stdout) == (DONE, videos[0] + "\n"), result.stderr


def test_wait_exits_with_1_and_the_reason_when_a_job_failed(mount):
    mount.sim.faults({"on": "create", "do": "code", "value": 422})
    failed = mount.drop(TEXT, "failed.txt", "failed")
    mount.wait_state(TEXT, "failed", "failed")
    good = mount.drop(TEXT, "good.txt", "good")
    bad = mount.drop_bad(TEXT, "bad.txt", " ")
    result = mount.run("wait", failed, good, bad)
    assert result.returncode == FAILED
    assert result.stdout == mount.path(TEXT, "out/good.mp4") + "\n"
    assert "failed: failed" in result.stderr and "Validation Error" in result.stderr
    assert "bad: rejected" in result.stderr and "empty" in result.stderr


def test_wait_exits_with_3_when_the_time_is_up(start_sim, kinofs):
    mount = kinofs(sim=start_sim(seconds=30))
    path = mount.drop(TEXT, "cat.txt", "a cat")
    result = mount.run("wait", "--timeout", "0.5", path)
    assert result.returncode == TIMEOUT and "timed out" in result.stderr and not result.stdout
    assert mount.run("wait", "--timeout", "0", path).returncode == TIMEOUT


def test_wait_keeps_a_progress_line_on_a_terminal_and_exits_with_2_where_there_is_no_job(mount):
    """Both at once, because the second gives a job five seconds to appear."""
    nothing = subprocess.Popen([KINOFS, "wait", mount.path(TEXT, "nothing.txt")],
                               env=mount.environment(), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    path = mount.drop(TEXT, "cat.txt", "a cat")
    ours, theirs = pty.openpty()
    process = subprocess.Popen([KINOFS, "wait", path], env=mount.environment(),
                               stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 20)[0]:
        try:
            shown += os.read(ours, 4096)
        except OSError:  # EIO: the other end is closed
            break
    os.close(ours)
    assert process.communicate()[0] == mount.path(TEXT, "out/cat.mp4") + "\n"
    assert process.returncode == DONE
    lines = shown.decode().split("\r")
    assert any("0 of 1 ended" in line and "cat: running" in line for line in lines), lines
    assert lines[-1] == "\x1b[K", "the line is not cleared"
    printed, message = nothing.communicate(timeout=60)
    assert nothing.returncode == USAGE and "no job" in message and not printed


# ------------------------------------------------------------------ the others

def test_status_lists_the_jobs_with_their_reasons(mount):
    mount.drop(HAILUO_23, "cat.txt", "a cat")
    mount.wait_state(HAILUO_23, "cat", "waiting")
    for words, options in ((["status", mount.root], {}), (["status"], {"cwd": mount.path(TEXT)})):
        result = mount.run(*words, **options)
        assert result.returncode == 0, result.stderr
        assert "waiting" in result.stdout and HAILUO_23 + "/cat" in result.stdout
        assert "cat.png" in result.stdout
    jobs = json.loads(mount.run("status", "--json", mount.root).stdout)["jobs"]
    assert [job["job"] for job in jobs] == ["cat"]


def test_models_lists_all_with_and_without_a_mount(kinofs):
    mount = kinofs(start=False)
    text = mount.run("models").stdout
    assert [line.split()[0] for line in text.splitlines()] == sorted(MODELS)
    assert [model["$id"] for model in json.loads(mount.run("models", "--json").stdout)] == \
        sorted(MODELS)


def test_a_model_file_of_the_user_becomes_a_directory(kinofs):
    mount = kinofs(start=False)
    with open(os.path.join(os.path.dirname(SPECS), "..", "spec", "models", FLAT + ".json"),
              encoding="utf-8") as file:
        model = json.load(file)
    model["$id"] = "my/own-model"
    folder = os.path.join(mount.home, "config", "kinofs", "models", "my")
    os.makedirs(folder)
    with open(os.path.join(folder, "own-model.json"), "w", encoding="utf-8") as file:
        json.dump(model, file)
    mount.start()
    mount.drop("my/own-model", "cat.txt", "a cat")
    mount.accepted("my/own-model", "cat")
    sent, = mount.sim.creates()
    assert sent["path"].endswith("/" + FLAT) and sent["body"] == {"prompt": "a cat"}


def test_cancel_release_and_orders_to_ctl(mount):
    waiting = mount.drop(HAILUO_23, "cat.txt", "a cat")
    mount.wait_state(HAILUO_23, "cat", "waiting")
    result = mount.run("cancel", waiting)
    assert result.returncode == 0 and "no money was spent" in result.stdout
    mount.wait_state(HAILUO_23, "cat", "cancelled")
    assert mount.run("cancel", waiting).returncode == FAILED
    running = mount.drop(TEXT, "runs.txt", "runs")
    mount.accepted(TEXT, "runs")
    result = mount.run("cancel", running)
    assert result.returncode == FAILED and "no cancel" in result.stderr
    assert mount.run("release", running).returncode == FAILED
    for line in ("explode now\n", "retry\n", "retry no/such/job\n"):
        with pytest.raises(OSError):
            mount.order(line)


def test_output_that_is_lost_is_a_failure(mount):
    path = mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    for words in (["models"], ["models", "--json"], ["status", mount.root], ["check", path],
                  ["--help"]):
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run([KINOFS, *words], env=mount.environment(), stdout=full,
                                    stderr=subprocess.PIPE, check=False)
        assert result.returncode > 0 and result.stderr, words


def test_help_and_version_go_to_standard_output(kinofs):
    mount = kinofs(start=False)
    result = mount.run("--help")
    assert result.returncode == 0 and "usage" in result.stdout and not result.stderr
    assert mount.run("--version").stdout.startswith("kinofs ")
