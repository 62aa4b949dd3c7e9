"""The subcommands against a real mount: what they print and how they exit."""
import json
import os
import pty
import re
import subprocess

import pytest

from harness import (FLAT, HAILUO_23, KINOFS, MODELS, PATIENCE, ROOT, SPECS, TEXT, good_spec, png)
from terminal import COLOURS, Terminal, columns

DONE, FAILED, USAGE, TIMEOUT = 0, 1, 2, 3


# ------------------------------------------------------------------ check

def test_check_prints_the_request_and_the_price_and_sends_nothing(mount):
    path = mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")  # nobody asks after it any more
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
    ["wait", "--timeout", "soon", "/"], ["wait", "/"], ["retry"], ["retry", "/"], ["show"],
    ["show", "/\x1b[31m"],
    ["retry", "-n", "0", "/"], ["retry", "-n", "3x", "/"], ["cancel", "-n", "2", "/"],
    ["cancel", "--failed", "/"], ["retry", "--failed"],
    ["status", "--nonsense"], ["models", "extra"], [], ["--nonsense"], ["a", "b", "c"],
    ["-o", "settle=x", "/tmp"], ["/bin", "/usr"], ["help"]])
def test_a_wrong_call_exits_with_2_and_says_why(kinofs, words):
    result = kinofs(start=False).run(*words, cwd="/")
    assert result.returncode == USAGE and result.stderr.strip() and not result.stdout
    assert "\x1b" not in result.stderr


def test_each_command_says_how_it_is_used_and_a_slip_which_is_meant(kinofs):
    mount = kinofs(start=False)
    summary = mount.run("--help").stdout
    commands = set(re.findall(r"^ +kinofs ([a-z]+)", summary, re.MULTILINE)) | {"release"}
    for command in commands:
        for words in ([command, "--help"], [command, "x", "--help"]):
            result = mount.run(*words)
            assert result.returncode == DONE and not result.stderr
            assert result.stdout.startswith("usage: kinofs %s" % command), words
        assert max(map(len, result.stdout.splitlines())) <= 85
    for words, meant in ((["stauts"], "kinofs status?"), (["cancle", "/"], "kinofs cancel?"),
                         (["-o", "ro,sttle=1", mount.root], '"settle="?'),
                         (["-o", "lenientt", mount.root], '"lenient"?')):
        result = mount.run(*words)
        assert result.returncode == USAGE and "did you mean" in result.stderr
        assert meant in result.stderr


@pytest.mark.parametrize("shell", ["kinofs.bash", "_kinofs", "kinofs.fish"])
def test_the_completions_know_every_command(kinofs, shell):
    usage = kinofs(start=False).run("--help").stdout
    names = re.findall(r"^ +kinofs ([a-z|]+) ", usage.replace("usage:", "      "), re.MULTILINE)
    names = {name for alternatives in names for name in alternatives.split("|")}
    path = os.path.join(ROOT, "contrib/completions", shell)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert len(names) == 12 and [name for name in names if name not in text] == []


# ------------------------------------------------------------------ wait

def test_wait_prints_the_videos_of_its_jobs_and_exits_with_0(mount):
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.drop(HAILUO_23, "dog.txt", "a dog")
    mount.drop(HAILUO_23, "dog.png", png())
    mount.drop(TEXT, "summer/beach.txt", "waves")
    result = mount.run("wait", mount.path(TEXT, "cat.txt"), mount.path(HAILUO_23, "dog.png"))
    assert (result.returncode, result.stderr) == (DONE, "")
    videos = [mount.path(TEXT, "out/cat.mp4"), mount.path(HAILUO_23, "out/dog.mp4")]
    assert sorted(result.stdout.splitlines()) == sorted(videos)
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


def test_wait_is_for_earlier_takes_that_are_under_way_too(mount):
    old = mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")
    mount.sim.faults({"on": "poll", "do": "http", "value": 500, "times": 0})
    assert mount.run("retry", "-n", "2", "-y", old).returncode == DONE
    mount.accepted(TEXT, "cat", take=3)
    waiting = [Terminal(mount, ["wait", path], stdout=subprocess.PIPE)
               for path in (old, mount.path(TEXT))]
    for terminal in waiting:
        terminal.until(lambda shown: "0 of 2 ended" in shown)
    mount.sim.faults()
    for terminal in waiting:
        assert terminal.end()[1] == DONE
        assert sorted(os.fsdecode(line).strip() for line in terminal.process.stdout) == [
            mount.path(TEXT, "out/cat.%d.mp4" % take) for take in (2, 3)]
    newest = mount.record(TEXT, "cat")["outputs"]
    assert mount.run("wait", old).stdout.splitlines() == [mount.path(*newest)]


def test_a_link_to_the_newest_take_stands_for_its_job(mount):
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")
    latest = mount.path(TEXT, "out/.latest/cat.mp4")
    assert mount.run("retry", latest).returncode == DONE
    mount.done(TEXT, "cat", take=2)
    assert mount.run("wait", latest).stdout == mount.path(TEXT, "out/cat.2.mp4") + "\n"


def test_wait_exits_with_1_and_the_reason_when_a_job_failed(mount):
    mount.sim.faults({"on": "create", "do": "code", "value": 422})
    failed = mount.drop(TEXT, "failed.txt", "failed")
    mount.wait_state(TEXT, "failed", "failed")
    good = mount.drop(TEXT, "good.txt", "good")
    bad = mount.drop_bad(TEXT, "bad.txt", " ")
    waits = mount.drop(HAILUO_23, "waits.txt", "a dog")
    said = os.path.join(mount.directory, "said")
    with open(said, "w+", encoding="utf-8") as errors:
        process = subprocess.Popen([KINOFS, "wait", failed, good, bad, waits], text=True,
                                   env=mount.environment(), stdout=subprocess.PIPE, stderr=errors)
        words = ("failed: failed", "Validation Error", "bad: rejected", "empty")
        mount.wait(lambda: all(word in open(said, encoding="utf-8").read() for word in words),
                   "the reasons, while it still waits for another")
        mount.drop(HAILUO_23, "waits.png", png())
        printed, _ = process.communicate(timeout=PATIENCE)
        errors.seek(0)
        assert errors.read().count("bad: rejected") == 1
    assert process.returncode == FAILED
    assert sorted(printed.splitlines()) == [mount.path(TEXT, "out/good.mp4"),
                                            mount.path(HAILUO_23, "out/waits.mp4")]


def test_wait_exits_with_3_when_the_time_is_up(start_sim, kinofs):
    mount = kinofs(sim=start_sim(seconds=30))
    path = mount.drop(TEXT, "cat.txt", "a cat")
    result = mount.run("wait", "--timeout", "0.5", path)
    assert result.returncode == TIMEOUT and "timed out" in result.stderr and not result.stdout
    assert mount.run("wait", "--timeout", "0", path).returncode == TIMEOUT


def test_wait_exits_with_2_where_there_is_no_job_and_else_shows_each_on_a_terminal(mount):
    """All at once, because a job is given five seconds to appear."""
    fast = mount.drop(TEXT, "fast.txt", "a cat")
    mount.done(TEXT, "fast")
    nothing, slip = (subprocess.Popen([KINOFS, "wait", *paths], env=mount.environment(),
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                     for paths in ([mount.path(TEXT, "README.txt")],
                                   [fast, mount.path(TEXT, "fsat.txt")]))
    mount.sim.faults({"on": "poll", "do": "http", "value": 500, "times": 0})
    slow = mount.drop(TEXT, "a film/with scenes/and shots of some length/slow.txt", "a snail")
    waits = mount.drop(HAILUO_23, "waits.txt", "a dog")
    terminal = Terminal(mount, ["wait", fast, slow, waits], 44, stdout=subprocess.PIPE)
    # what has arrived is told at once
    assert terminal.process.stdout.readline() == mount.path(TEXT, "out/fast.mp4").encode() + b"\n"
    shown = terminal.until(lambda shown: re.search(r"waiting .*\n\d+:\d\d  1 of 3 ended", shown) and
                           "waits waits for image_url" in shown and
                           re.search(r"running.* \[[#.]{10}\] .* …\S*slow", shown))
    lines = COLOURS.sub("", shown).split("\r\n")
    drawn = [line for line in lines if not line.startswith(("waits waits for", "\x1b[")) and line]
    assert max(map(columns, drawn)) <= 44, drawn
    mount.sim.faults()
    mount.drop(HAILUO_23, "waits.png", png())
    shown, status = terminal.end()
    assert status == DONE and re.search(r"\x1b\[\d+A\r\x1b\[J$", shown), "it is not cleared"
    assert sorted(os.path.basename(path) for path in terminal.process.stdout) == [
        b"slow.mp4\n", b"waits.mp4\n"]
    printed, message = nothing.communicate(timeout=PATIENCE)
    assert nothing.returncode == USAGE and "no job" in message and not printed
    printed, message = slip.communicate(timeout=PATIENCE)
    assert slip.returncode == USAGE and "%s: there is no job" % mount.path(TEXT, "fsat.txt") in message
    assert printed == mount.path(TEXT, "out/fast.mp4") + "\n"


def test_a_path_may_be_that_of_a_video_a_note_or_a_batch(mount):
    mount.sim.faults({"on": "create", "do": "code", "value": 422})
    mount.drop(TEXT, "bad.txt", "bad")
    mount.wait_state(TEXT, "bad", "failed")
    batch = mount.drop(TEXT, "list.jsonl", '{"prompt": "one"}\n\n{"prompt": "three"}\n')
    videos = [mount.path(TEXT, "out", name) for name in ("list-0001.mp4", "list-0003.mp4")]
    result = mount.run("wait", batch)
    assert (result.returncode, sorted(result.stdout.splitlines())) == (DONE, videos), result.stderr
    shown = mount.path("out/list-0003.mp4")  # in the folder of all models
    assert os.path.exists(shown)
    for path in (videos[1], shown, mount.path(TEXT, "jobs/list-0003.json")):
        result = mount.run("wait", path)
        assert (result.returncode, result.stdout) == (DONE, videos[1] + "\n"), result.stderr
    assert mount.order("find out/list-0003.mp4\n") == TEXT + "/jobs/list-0003.json"
    mount.note(TEXT, "bad")
    result = mount.run("show", mount.path(TEXT, "out/bad.error.txt"), shown, videos[1])
    assert result.returncode == DONE, result.stderr
    for words in ("/bad: failed (take 1)", "Validation Error", "No money was spent", "kinofs retry",
                  "/list-0003: done (take 1)", "out/list-0003.mp4",
                  "Another take costs about 57 credits ($0.285)", "All 2 together: about 114"):
        assert words in result.stdout, words
    for path, job, take in ((mount.path(TEXT, "out/bad.error.txt"), "bad", 2),
                            (shown, "list-0003", 2)):
        result = mount.run("retry", path)
        assert result.returncode == DONE and "again" in result.stdout, result.stderr
        mount.done(TEXT, job, take=take)
    assert mount.run("retry", mount.path(TEXT, "out/list-0003.2.mp4")).returncode == DONE
    mount.done(TEXT, "list-0003", take=3)
    os.rename(videos[0], mount.path(TEXT, "out/mine.mp4"))
    for command, status in (("retry", FAILED), ("wait", USAGE)):
        result = mount.run(command, mount.path(TEXT, "out/mine.mp4"))
        assert result.returncode == status and "no result" in result.stderr, command


def answer_to(mount, answer, *words):
    """What is said on a terminal to who types this, and the exit status."""
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    result = mount.run(*words, stdin=theirs)
    os.close(theirs)
    os.close(ours)
    return result.returncode, result.stderr


def test_more_than_one_of_a_folder_is_paid_for_only_once_that_is_agreed(mount):
    mount.sim.faults({"on": "create", "do": "code", "value": 422, "times": 3})
    for name in ("a", "b", "s/c"):
        mount.drop(TEXT, name + ".txt", name)
    for name in ("a", "b", "s/c"):
        mount.wait_state(TEXT, name, "failed")
    first = mount.drop(TEXT, "done.txt", "done")
    mount.done(TEXT, "done")
    folder = mount.path(TEXT)
    sent = len(mount.sim.creates())
    result = mount.run("retry", "--failed", folder, stdin=subprocess.DEVNULL)
    assert result.returncode == USAGE and not result.stdout
    assert "3 are to be paid for, about 171 credits ($0.855)" in result.stderr
    assert "nothing was ordered" in result.stderr and "-y" in result.stderr
    result = mount.run("retry", folder, "-y")
    assert result.returncode == USAGE and "--failed" in result.stderr
    status, said = answer_to(mount, b"n\n", "retry", "-n", "2", "--failed", folder)
    assert status == FAILED and "6 are" in said and "Nothing was ordered" in said
    status, said = answer_to(mount, b"n\n", "retry", first, mount.path(TEXT, "a.txt"),
                             mount.path(TEXT, "out/done.mp4"))
    assert status == FAILED and "2 are" in said  # named one by one, but where it can be asked
    result = mount.run("retry", "--failed", first, stdin=subprocess.DEVNULL)
    assert result.returncode == DONE and "nothing to retry" in result.stderr, result.stdout
    assert len(mount.sim.creates()) == sent
    mount.note(TEXT, "s/c")  # one alone needs no question; its results' folder stands for it
    result = mount.run("retry", "--failed", mount.path(TEXT, "out/s"), stdin=subprocess.DEVNULL)
    assert result.returncode == DONE, result.stderr
    mount.done(TEXT, "s/c", take=2)
    assert answer_to(mount, b"y\n", "retry", "--failed", mount.root)[0] == DONE
    for name in ("a", "b"):
        mount.done(TEXT, name, take=2)
    result = mount.run("retry", "--failed", folder)
    assert result.returncode == DONE and "nothing to retry" in result.stderr
    assert len(mount.sim.creates()) == sent + 3


def test_a_folder_is_released_and_cancelled_and_so_is_a_batch(mount):
    batch = mount.drop(TEXT, "list.jsonl", '{"prompt": "one"}\n{"prompt": "two"}\n')
    for name in ("list-0001", "list-0002"):
        mount.done(TEXT, name)
    for name in ("one", "two"):
        mount.drop(TEXT, "copies/%s.txt" % name, name)
        mount.wait_state(TEXT, "copies/" + name, "held")
    copies = mount.path(TEXT, "copies")
    result = mount.run("release", copies, stdin=subprocess.DEVNULL)
    assert result.returncode == USAGE and "2 are to be paid for" in result.stderr
    assert mount.run("cancel", mount.path(TEXT)).returncode == DONE  # the batch has ended
    for name in ("one", "two"):
        mount.wait_state(TEXT, "copies/" + name, "cancelled")
    assert mount.run("retry", batch, stdin=subprocess.DEVNULL).returncode == USAGE
    assert len(mount.sim.creates()) == 2
    result = mount.run("retry", "-y", batch)
    assert result.returncode == DONE and result.stdout.count("again") == 2, result.stderr
    for name in ("list-0001", "list-0002"):
        mount.done(TEXT, name, take=2)
    assert len(mount.sim.creates()) == 4


# ------------------------------------------------------------------ the others

@pytest.mark.parametrize("below", ["", TEXT + "/cat.txt"])
def test_a_mount_whose_kinofs_was_killed_is_said_to_be_one(mount, below):
    mount.kill9()
    result = mount.run("status", mount.path(below))
    assert result.returncode == USAGE
    assert "mount it again" in result.stderr


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
    mount.drop(TEXT, "dog.json", {"prompt": "a dog", "takes": 3})
    mount.wait(lambda: len(mount.out(TEXT)) == 3, "three videos")
    mount.sim.faults({"on": "poll", "do": "http", "value": 500, "times": 0})
    mount.drop(TEXT, "fox.json", {"prompt": "a fox"})
    job = mount.wait_state(TEXT, "fox", "running")
    assert job["expected_finish"] >= job["accepted"]
    assert "Such tasks usually take" in mount.note(TEXT, "fox", "running")
    shown = mount.run("status", mount.root).stdout
    assert re.search(r"^running +\d+s +(~\d+s|late) .*/fox$", shown, re.MULTILINE), shown


def test_models_lists_all_with_and_without_a_mount(kinofs):
    mount = kinofs(start=False)
    text = mount.run("models").stdout
    listed = [model["$id"] for model in json.loads(mount.run("models", "--json").stdout)]
    assert [line.split()[0] for line in text.splitlines()] == listed == sorted(listed)
    assert set(MODELS) <= set(listed)


def test_a_model_file_of_the_user_becomes_a_directory(kinofs):
    mount = kinofs(start=False)
    with open(os.path.join(os.path.dirname(SPECS), "..", "spec", "models", FLAT + ".json"),
              encoding="utf-8") as file:
        model = json.load(file)
    model["$id"] = "my/own-model"
    model["x-kinofs-prices"] = [{"when": {}, "credits": 12345.67, "date": "2026-11-01",
                                 "source": "mine"}]
    folder = os.path.join(mount.home, "config", "kinofs", "models", "my")
    os.makedirs(folder)
    with open(os.path.join(folder, "own-model.json"), "w", encoding="utf-8") as file:
        json.dump(model, file)
    mount.start()
    path = mount.drop("my/own-model", "cat.txt", "a cat")
    mount.accepted("my/own-model", "cat")
    sent, = mount.sim.creates()
    assert sent["path"].endswith("/" + FLAT) and sent["body"] == {"prompt": "a cat"}
    for words in (["models"], ["check", path], ["show", path]):
        assert "12345.67 credits" in mount.run(*words).stdout, words


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
