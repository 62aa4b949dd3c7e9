"""The hook of the configuration: a program that is run for each end of a job."""
import glob
import json
import os
import subprocess

import campaign
from harness import HAILUO_23, OPEN_GATES, ROOT, SETTLE, TEXT

CONFIG = {**OPEN_GATES, "settle_alone_seconds": SETTLE}


def script(folder, text):
    """A program for /bin/sh, which has the folder as $1; the configuration that names it."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "hook")
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o700)
    return {**CONFIG, "hook": [path, folder]}


def told(folder):
    """What was written there, by the job's name."""
    records = []
    for path in glob.glob(os.path.join(folder, "*.json")):
        with open(path, encoding="utf-8") as file:
            records.append(json.load(file))
    return {record["job"]: record for record in records}


def lines(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def test_a_hook_gets_the_record_of_each_end_and_no_key(kinofs, tmp_path):
    """Here one that keeps what it gets, and passes it on to the one that comes with kinofs."""
    folder = str(tmp_path / "hook")
    config = script(folder, """
cat >"$1/$$"; env >"$1/env"; pwd >"$1/pwd"
PATH=$1:$PATH %s <"$1/$$" 2>"$1/errors"
mv "$1/$$" "$1/$$.json"
""" % os.path.join(ROOT, "contrib/hooks/notify"))
    with open(os.path.join(folder, "notify-send"), "w", encoding="utf-8") as file:
        file.write('#!/bin/sh\nprintf "%%s\\n" "$@" end >>%s/sent\n' % folder)
    os.chmod(os.path.join(folder, "notify-send"), 0o700)
    mount = kinofs(config=config)
    mount.drop(TEXT, "cat & dog.txt", "a cat & a dog")
    mount.wait(lambda: told(folder), "the hook")
    assert told(folder) == {"cat & dog": mount.done(TEXT, "cat & dog")}
    sent = lines(os.path.join(folder, "sent"))
    assert sent[4:] == ["--", "cat & dog is done", mount.path(TEXT, "out/cat &amp; dog.mp4"), "end"]
    environment = lines(os.path.join(folder, "env"))
    assert {"KINOFS_MOUNTPOINT=" + mount.root, "HOME=" + mount.home} < set(environment)
    assert not [line for line in environment if "KEY" in line or "test-key" in line]
    assert lines(os.path.join(folder, "pwd")) == ["/"]
    mount.sim.faults({"on": "create", "do": "code", "value": 422})
    mount.drop(TEXT, "refused.txt", "is refused")
    mount.drop_bad(TEXT, "bad.txt", " ")
    mount.drop(HAILUO_23, "gone.txt", "is withdrawn")  # its picture never comes
    mount.wait_state(HAILUO_23, "gone", "waiting")
    assert "gone is cancelled" in mount.order("cancel %s/gone.txt\n" % HAILUO_23)
    mount.wait(lambda: len(told(folder)) == 4, "four ends")
    assert {name: record["state"] for name, record in told(folder).items()} == {
        "cat & dog": "done", "refused": "failed", "bad": "rejected", "gone": "cancelled"}
    sent = lines(os.path.join(folder, "sent"))
    assert sent.count("end") == 3 and "bad was not sent" in sent and "refused failed" in sent
    assert "No money was spent." in sent and lines(os.path.join(folder, "errors")) == []


def test_hooks_run_a_few_at_a_time_and_those_that_fail_or_hang_hold_nothing_up(kinofs, tmp_path):
    folder = str(tmp_path / "hook")
    config = script(folder, """
read -r text <<END
$(grep -o '"job":.*')
END
case $text in
*fails*) echo "there is no desk" >&2; exit 3 ;;
esac
echo "$text" >>"$1/begun"
exec sleep 1000
""")
    libraries = campaign.compile_preloads(str(tmp_path / "preload"))
    mount = kinofs(config=config, settle=8, environment=campaign.preload(
        libraries["speed"], KINOFS_TEST_SPEED=40))
    begun = os.path.join(folder, "begun")

    def ends(name):
        mount.drop_bad(TEXT, name + ".txt", " ")
        mount.wait_state(TEXT, name, "rejected")
    ends("fails")
    mount.wait_log("hook failed, at %s/fails (rejected): there is no desk" % TEXT)
    for number in range(6):
        ends("hangs-%d" % number)
    mount.wait(lambda: len(lines(begun)) >= 4, "four that hang")
    assert sorted(lines(begun)[:4]) == ['"job":\t"hangs-%d",' % number for number in range(4)]
    mount.wait_log("was ended after 60 seconds, at %s/hangs-" % TEXT)
    mount.wait(lambda: len(lines(begun)) == 6, "the other two")
    for number in range(6, 10):
        ends("hangs-%d" % number)
    mount.terminate()
    assert "was ended with kinofs, at" in mount.log_text()
    assert subprocess.run(["pgrep", "-f", folder], capture_output=True, check=False).stdout == b""
