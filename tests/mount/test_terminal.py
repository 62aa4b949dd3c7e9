"""What the subcommands show a person: tables as wide as the terminal, colours, what was spent."""
import csv
import json
import os
import pwd
import re
import time

from harness import HAILUO_23, OPEN_GATES, TEXT
from terminal import COLOURS, Terminal, columns

OK, FAILED, USAGE = 0, 1, 2


def states_in(table):
    return re.findall(r"^([a-z]+) +[0-9]+[smhd] ", table, re.MULTILINE)


def busy(kinofs):
    """A mount with a job of nearly every kind, and a cap that two of them are over."""
    mount = kinofs(config={**OPEN_GATES, "settle_alone_seconds": 0.2,
                           "caps": {"jobs_per_day": 2, "credits_per_month": 20000}})
    mount.sim.faults({"on": "create", "do": "code", "value": 422})
    mount.drop(TEXT, "refused.txt", "a refused cat")
    mount.wait_state(TEXT, "refused", "failed")
    mount.drop(TEXT, "done.txt", "a cat")
    mount.done(TEXT, "done")
    mount.sim.faults({"on": "poll", "do": "http", "value": 500, "times": 0})
    mount.drop(TEXT, "long/a cat and 猫 that run for a long time.txt", "a cat that runs")
    mount.accepted(TEXT, "long/a cat and 猫 that run for a long time")
    mount.drop(TEXT, "over1.txt", "over the cap")
    mount.drop(TEXT, "over2.txt", "over the cap, too")
    mount.drop(HAILUO_23, "evil\x1b[31m.txt", "it waits")
    mount.drop_bad(TEXT, "bad.txt", " ")
    for model, name, state in ((TEXT, "over1", "held"), (TEXT, "over2", "held"),
                               (TEXT, "bad", "rejected"), (HAILUO_23, "evil\x1b[31m", "waiting")):
        mount.wait_state(model, name, state)
    return mount


def check_status(mount):
    result = mount.run("status", mount.root)
    assert (result.returncode, result.stderr) == (OK, "")
    text = result.stdout
    assert "\x1b" not in text and "evil\\x1b[31m" in text
    assert re.match(r"STATE +AGE +LEFT +COST +JOB\n", text)
    assert sorted(states_in(text)) == ["held", "held", "running", "waiting"]
    assert re.search(r"^running +\d+s +\S+ +~\$0\.285 +%s/long/a cat and 猫 that" % TEXT, text, re.M)
    assert text.count("(caps.jobs_per_day)") == 1 and "(the same)" in text and "image_url" in text
    assert text.splitlines()[-1].startswith("warning: 100% of caps.jobs_per_day")
    assert text.splitlines()[-2] == (
        "1 running, 1 waiting, 2 held, 2 failed; today: 2 of 2 orders, 114 credits ($0.57); "
        "this month: 2 orders, 114 of 20000 credits ($0.57)")
    # more of it, less of it
    assert sorted(states_in(mount.run("status", "-a", mount.root).stdout)) == [
        "done", "failed", "held", "held", "rejected", "running", "waiting"]
    for words, wanted in ((["--state", "failed,rejected"], ["failed", "rejected"]),
                          (["--model", HAILUO_23], ["waiting"]),
                          (["--model", "hailuo/", "--state=done"], ["done"])):
        text = mount.run("status", *words, mount.root).stdout
        assert sorted(states_in(text)) == wanted, words
    assert "no such jobs" in mount.run("status", "--state", "unknown", mount.root).stdout
    for words, said in ((["--state", "runing"], "running?"), (["--model", "no/such"], "no model"),
                        (["--watch"], "terminal"), (["--watch", "--json"], "usage"),
                        (["--paths", "--json"], "usage"),
                        (["/", "/"], "usage")):
        result = mount.run("status", *words)
        assert result.returncode == USAGE and said in result.stderr, words
    # for programs, in any order
    for words in ((mount.root, "--json"), ("--json", mount.root)):
        jobs = json.loads(mount.run("status", *words).stdout)["jobs"]
        assert len(jobs) == 7 and {job["mount"] for job in jobs} == {mount.root}
    jobs = json.loads(mount.run("status", mount.root, "--state", "done", "--json").stdout)["jobs"]
    assert [job["job"] for job in jobs] == ["done"]
    # for other commands, as they are
    assert mount.run("status", mount.root, "--paths").stdout.splitlines() == [
        mount.path(TEXT, "long/a cat and 猫 that run for a long time.txt"),
        mount.path(TEXT, "over1.txt"), mount.path(TEXT, "over2.txt"),
        mount.path(HAILUO_23, "evil\x1b[31m.txt")]
    # from within it, and from anywhere: of all of this user, so of other tests too
    assert "%s/done" % TEXT in mount.run("status", "-a", cwd=mount.path(TEXT)).stdout
    anywhere = json.loads(mount.run("status", "--json", cwd="/").stdout)["jobs"]
    assert len([job for job in anywhere if job["mount"] == mount.root]) == 7


def check_terminal(mount):
    for columns_there in (44, 100):
        text, status = Terminal(mount, ["status", "-a", mount.root], columns_there).end()
        assert status == OK and "\x1b[31mrejected" in text and "\x1b[36mrunning" in text
        assert max(map(columns, text.split("\r\n"))) <= columns_there, text
        assert "run for a long time" in text or columns_there == 44
        assert "\x1b[31m.txt" not in text and "evil\\x1b" in text.replace("…", "evil")
    plain = Terminal(mount, ["status", mount.root], NO_COLOR="1").end()[0]
    assert not COLOURS.search(plain) and "running" in plain
    assert not COLOURS.search(Terminal(mount, ["status", mount.root], TERM="dumb").end()[0])


def check_spend(mount):
    month = time.strftime("%Y-%m")
    result = mount.run("spend", mount.root)
    assert (result.returncode, result.stderr) == (OK, "")
    lines = result.stdout.splitlines()
    assert [line.split() for line in lines[:-1]] == [
        ["CREDITS", "ORDERS", "ESTIMATED", "TAKEN"],
        [TEXT, "2", "114", "$", "0.57", "114", "$", "0.57"],
        ["in", month, "2", "114", "$", "0.57", "114", "$", "0.57"]]
    assert lines[-1].startswith("Of 1 the provider did not say") and "57 credits" in lines[-1]
    for words, keys in (("--by=folder", [TEXT, TEXT + "/long"]),
                        ("--by=day", [time.strftime("%Y-%m-%d")]),
                        ("--by=user", [pwd.getpwuid(os.getuid()).pw_name])):
        text = mount.run("spend", words, "--csv", "--month", month, mount.root).stdout
        rows = list(csv.reader(text.splitlines()))
        assert rows[0][:3] == ["month", words[5:], "orders"] and sorted(
            row[1] for row in rows[1:]) == keys
        assert sum(float(row[3]) for row in rows[1:]) == 114
    for other in ("2020-01", "2999-12"):
        assert "nothing was ordered" in mount.run("spend", "--month", other, mount.root).stdout
    for words in (["--month", "2026-13"], ["--month", "26-11"], ["--by", "modle"], ["/", "/"],
                  ["--csv", "/"]):
        result = mount.run("spend", *words)
        assert result.returncode == USAGE and result.stderr and not result.stdout, words
    assert TEXT in mount.run("spend", cwd=mount.path(TEXT)).stdout
    narrow = Terminal(mount, ["spend", mount.root], 70).end()[0]
    assert max(map(columns, narrow.split("\r\n"))) <= 70 and "video-pro" in narrow


def test_status_tells_what_is_under_way_and_what_was_spent_and_fits_a_terminal(kinofs):
    mount = busy(kinofs)
    check_status(mount)
    check_terminal(mount)
    check_spend(mount)


def test_status_watches_until_the_mount_goes_and_does_not_keep_it(mount):
    watching = Terminal(mount, ["status", "--watch", mount.root])
    watching.until(lambda shown: "nothing is under way" in shown)
    mount.drop(HAILUO_23, "cat.txt", "a cat")
    shown = watching.until(lambda shown: re.search(r"waiting.*/cat", shown))
    assert shown.startswith("\x1b[H") and shown.count("\x1b[H") > 1
    assert all(line.endswith("\x1b[K") for line in shown.split("\r\n")[:-1])
    mount.unmount()
    shown, status = watching.end()
    assert status == FAILED and "does not answer" in shown
