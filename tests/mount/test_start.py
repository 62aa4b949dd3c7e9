"""Starting, stopping, starting again; where keys come from."""
import contextlib
import ctypes
import glob
import json
import os
import resource
import select
import signal
import socket
import subprocess
import time

import pytest

from harness import FLAT, HAILUO_23, KEYS, KINOFS, PATIENCE, ROOT, TEXT, png, probe, prompt_of

pytestmark = pytest.mark.no_asan("about processes")


# ------------------------------------------------------------------ start

def run_in_background(mount, *more):
    """kinofs without -f: the result, and the pid of the daemon (0: none)."""
    result = subprocess.run(mount.command()[:1] + list(more) + mount.command()[1:],
                            env=mount.environment(), stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=60, check=False)
    return result, daemon_of(mount)


def daemon_of(mount):
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if os.path.basename(words[0]) == b"kinofs" and mount.root.encode() in words:
            return int(path.split("/")[2])
    return 0


def end_background(mount):
    pid = daemon_of(mount)
    ended = os.pidfd_open(pid) if pid else -1
    deadline = time.monotonic() + PATIENCE
    while True:  # as a user does; a command of another test may be looking at all mounts
        result = subprocess.run(["fusermount3", "-u", mount.root], capture_output=True, text=True,
                                check=False)
        if "busy" not in result.stderr or time.monotonic() > deadline:
            break
        time.sleep(0.05)  # no event tells of it
    if ended >= 0:
        assert select.select([ended], [], [], PATIENCE)[0], "the daemon did not end"
        os.close(ended)
    assert not mount.is_mounted()


def test_a_start_in_the_background_returns_when_the_mount_is_usable(kinofs):
    mount = kinofs(start=False)
    result, pid = run_in_background(mount)
    try:
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "") and pid
        assert mount.is_mounted() and mount.read("README.txt")
        if os.geteuid() == 0:  # a user may not look into a process that holds keys
            assert os.readlink("/proc/%d/cwd" % pid) == "/", "its folder cannot be unmounted"
            assert {os.readlink("/proc/%d/fd/%d" % (pid, fd)) for fd in (0, 1, 2)} == {
                "/dev/null"}
        mount.drop(TEXT, "cat.txt", "a cat")
        mount.accepted(TEXT, "cat")
    finally:
        end_background(mount)


def test_what_cannot_start_says_why_and_exits_with_1(kinofs, tmp_path):
    mount = kinofs(start=False)
    nowhere = str(tmp_path / "nowhere")
    bad_config = mount.outside("bad.json", '{"caps": {},\n "settle_seconds": 2,\n}')
    plain = mount.outside("plain", "a file")
    cases = [
        ([nowhere], ["nowhere", "No such file"]),
        (["-o", "store=%s/x" % plain, mount.root], ["plain", "Not a directory"]),
        (["-o", "config=" + nowhere, mount.root], ["nowhere", "No such file"]),
        (["-o", "config=" + bad_config, mount.root], ["bad.json", "not JSON: line 3, column 1"]),
        (["-o", "nonsense_option", mount.root], ["nonsense_option"]),
        ([plain], ["plain is a file", "empty folder"]),
        ([str(tmp_path)], ["is not empty", "nonempty"]),
    ]
    for words, wanted in cases:
        for more in ([], ["-f"]):
            result = subprocess.run([KINOFS, *more, *words], env=mount.environment(),
                                    capture_output=True, text=True, timeout=60, check=False)
            assert result.returncode == 1, (words, result.stderr)
            assert all(word in result.stderr for word in wanted), (words, result.stderr)
            assert not mount.is_mounted()


@pytest.mark.parametrize("config, words", [
    ({"settle_secnods": 2}, ["settle_secnods", "settle_seconds"]),
    ({"settle_alone": 2}, ["settle_alone", "settle_alone_seconds"]),
    ({"settle_alone_seconds": "2"}, ["settle_alone_seconds", "number"]),
    ({"caps": {"jobs_per_dya": 2}}, ["jobs_per_dya", "jobs_per_day"]),
    ({"caps": {"jobs_per_day": -1}}, ["jobs_per_day", "0 or more"]),
    ({"caps": {"jobs_per_day": "5"}}, ["jobs_per_day", "number"]),
    ({"providers": {"kai": {}}}, ["kai"]),
    ({"providers": {"kie": {"base_url": 5}}}, ["base_url", "string"]),
    ([], ["object"]),
])
def test_a_wrong_configuration_is_refused_with_its_key(kinofs, config, words):
    mount = kinofs(start=False, config=config)
    result, pid = run_in_background(mount)
    assert result.returncode == 1 and not pid
    assert all(word in result.stderr for word in [*words, "kinofs/config.json"]), result.stderr


def test_a_second_kinofs_on_the_same_store_is_refused(kinofs):
    mount = kinofs()
    second = kinofs(start=False)
    second.store = mount.store
    result, pid = run_in_background(second)
    assert result.returncode == 1 and not pid and not second.is_mounted()
    assert "another kinofs" in result.stderr and mount.store in result.stderr
    second.root, second.store = mount.root, second.tree
    result = subprocess.run(second.command(), env=second.environment(), capture_output=True,
                            text=True, timeout=60, check=False)
    assert result.returncode == 1 and "is mounted on %s already" % mount.root in result.stderr
    second.root = second.directory  # not the other's, when it is cleared away
    mount.drop(TEXT, "cat.txt", "the first one goes on")
    mount.accepted(TEXT, "cat")


def test_words_of_fstab_are_taken(kinofs):
    mount = kinofs(start=False, options=["noauto", "nofail", "_netdev", "x-systemd.automount",
                                         "ro,rw", "nonempty"])
    with open(mount.path("hidden"), "w", encoding="ascii"):
        pass
    assert mount.start().read("README.txt") and not os.path.exists(mount.path("hidden"))


def mount8(mount, *words, fstab=""):
    """mount(8) runs mount.fuse3(8) without PATH; that runs the shell, which then looks where kinofs
    gets installed. Ours is not there: mount(8) is given its path, mount.fuse3 has a PATH."""
    environment = {**mount.environment(), "PATH": "%s:%s:/usr/sbin:/sbin" % (
        os.path.dirname(KINOFS), os.environ["PATH"])}
    environment["LIBMOUNT_FSTAB"] = mount.outside("fstab", fstab + "\n")
    return subprocess.run(words, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="mount(8) with an fstab of one's own is root's")
@pytest.mark.parametrize("how", ["fstab", "mount -t", "mount.fuse3"])
def test_mount8_mounts_it(kinofs, how):
    mount = kinofs(start=False)
    words = "store=%s,settle=%g,allow_other" % (mount.store, mount.settle)
    if how == "fstab":
        result = mount8(mount, "mount", mount.root, fstab="none %s fuse.%s %s 0 0" % (
            mount.root, KINOFS, "user,noauto,_netdev,nofail,x-systemd.automount,"
            "x-systemd.idle-timeout=60,comment=films,noatime," + words))
    elif how == "mount -t":
        result = mount8(mount, "mount", "-t", "fuse." + KINOFS, "-o", words, "kinofs", mount.root)
    else:
        result = mount8(mount, "mount.fuse3", "kinofs", mount.root, "-t", "fuse.kinofs",
                        "-o", "user,noauto,_netdev,x-systemd.automount," + words)
    try:
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
        shown = subprocess.run(["findmnt", "-rno", "SOURCE,FSTYPE,OPTIONS", mount.root],
                               capture_output=True, text=True, check=True).stdout
        source, kind, options = shown.split()
        assert (source, kind) == ("kinofs", "fuse.kinofs")
        assert {"allow_other", "nosuid", "nodev"} <= set(options.split(","))
        mount.drop(TEXT, "cat.txt", "a cat")
        mount.accepted(TEXT, "cat")
        ended = os.pidfd_open(daemon_of(mount))
        subprocess.run(["umount", mount.root], check=True)
        assert select.select([ended], [], [], 10)[0], "the daemon did not end"
        os.close(ended)
    finally:
        if mount.is_mounted():
            end_background(mount)


@pytest.mark.skipif(os.geteuid() != 0, reason="mount(8) with an fstab of one's own is root's")
def test_mount8_says_why_it_cannot(kinofs):
    mount = kinofs(start=False)
    result = mount8(mount, "mount", "-t", "fuse." + KINOFS, "-o",
                    "store=%s,nonsense_option" % mount.store, "none", mount.root)
    assert result.returncode == 1 and "nonsense_option" in result.stderr
    assert not mount.is_mounted()


def test_systemd_is_told_when_the_mount_is_usable_and_when_it_ends(kinofs):
    name = "kinofs-test-%d" % os.getpid()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + name)
        systemd.settimeout(60)
        mount = kinofs(environment={"NOTIFY_SOCKET": "@" + name})
        assert systemd.recv(100) == b"READY=1"
        assert mount.read("README.txt")
        mount.terminate()
        assert systemd.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(mount, signal_number):
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    mount.terminate(signal_number)
    assert not mount.is_mounted()


def test_without_ffmpeg_simulate_does_not_start_and_the_doctor_says_so(kinofs):
    mount = kinofs(start=False)
    environment = {**mount.environment(), "PATH": "/nonexistent"}
    results = [subprocess.run([KINOFS, *words], env=environment, capture_output=True, text=True,
                              timeout=60, check=False)
               for words in (["--simulate", mount.root], ["doctor"])]
    assert results[0].returncode == 1 and "apt-get install ffmpeg" in results[0].stderr
    assert not mount.is_mounted()
    assert "note  ffmpeg: not installed" in results[1].stdout


def test_simulate_needs_no_key_no_network_and_ends_its_simulator(kinofs):
    mount = kinofs(sim=None, keys={})
    mount.close()
    mount.options.append("noauto")
    command = mount.command()
    process = subprocess.Popen(["prlimit", "--nofile=300:3000", command[0], "-f", "--simulate",
                                *command[1:]],
                               env=mount.environment(), stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 60
        while not os.path.exists(mount.path(".kinofs/ctl")):
            assert process.poll() is None and time.monotonic() < deadline, process.stderr.read()
            time.sleep(0.02)
        mount.drop(TEXT, "cat.txt", "a cat")
        mount.accepted(TEXT, "cat")
        with open("/proc/%d/task/%d/children" % (process.pid, process.pid),
                  encoding="ascii") as file:
            children = [int(pid) for pid in file.read().split()]
        assert len(children) == 1
        # what programs have open is open here too
        assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (3000, 3000)
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0
        assert "error" not in process.stderr.read()
        process.stderr.close()
    assert not os.path.exists("/proc/%d" % children[0])


def test_a_simulated_order_survives_the_death_of_kinofs_and_of_its_simulator(kinofs):
    mount = kinofs(start=False, sim=None, keys={})
    mount.command = lambda: [*type(mount).command(mount)[:-1], "--simulate", mount.root]
    models = os.path.join(mount.home, "config", "kinofs", "models")
    os.mkdir(models, 0o700)
    with open(os.path.join(models, "mine.json"), "w", encoding="utf-8") as file:
        json.dump({"$id": "acme/mine", "title": "Mine", "type": "object", "required": ["prompt"],
                   "x-kinofs-provider": "kie", "x-kinofs-prompt": "prompt",
                   "properties": {"prompt": {"type": "string"}}}, file)
    mount.start()
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.drop("acme/mine", "dog.txt", "a dog")
    mount.accepted("acme/mine", "dog")
    task = mount.accepted(TEXT, "cat")["task"]
    with open("/proc/%d/task/%d/children" % (mount.process.pid, mount.process.pid),
              encoding="ascii") as file:
        simulator = int(file.read())
    os.kill(simulator, signal.SIGKILL)
    mount.kill9()
    subprocess.run(["fusermount3", "-u", "-z", mount.root], check=True)
    mount.start()
    assert mount.done(TEXT, "cat")["task"] == task
    assert probe(mount.path(TEXT, "out", "cat.mp4")) == pytest.approx(6, abs=0.1)
    with open(os.path.join(mount.store, "simulator", "events.jsonl"), encoding="utf-8") as file:
        tasks = [json.loads(line)["task"] for line in file if '"task"' in line]
    assert sorted(tasks) == sorted([task, mount.done("acme/mine", "dog")["task"]])


# ------------------------------------------------------------------ start again

def test_a_restart_goes_on_asking_for_its_task_and_submits_nothing(start_sim, kinofs):
    mount = kinofs(sim=start_sim(seconds=3))
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.drop(HAILUO_23, "dog.txt", "a dog waits")
    task = mount.accepted(TEXT, "cat")["task"]
    mount.wait_state(HAILUO_23, "dog", "waiting")
    mount.restart()
    assert mount.record(TEXT, "cat")["task"] == task
    mount.drop(HAILUO_23, "dog.png", png())
    mount.done(TEXT, "cat")
    mount.accepted(HAILUO_23, "dog")
    assert len(mount.sim.creates()) == 2 and len(mount.sim.polls(task)) >= 1
    assert mount.out(TEXT) == ["cat.mp4"]
    mount.restart()
    mount.quiet()
    assert mount.record(TEXT, "cat")["state"] == "done" and len(mount.sim.creates()) == 2


def test_what_was_put_into_the_tree_while_unmounted_is_held_until_released(mount):
    mount.drop(TEXT, "known.txt", "known")
    mount.accepted(TEXT, "known")
    mount.unmount()
    with open(os.path.join(mount.tree, TEXT, "cat.txt"), "w", encoding="utf-8") as file:
        file.write("a cat")
    os.makedirs(os.path.join(mount.tree, TEXT, "summer"))
    with open(os.path.join(mount.tree, TEXT, "summer", "b.txt"), "w", encoding="utf-8") as file:
        file.write("waves")
    mount.start()
    record = mount.wait_state(TEXT, "cat", "held")
    assert "found" in record["held_because"][0] and "kinofs release" in record["advice"]
    assert "No money was spent" in mount.note(TEXT, "cat", "held")
    mount.wait_state(TEXT, "summer/b", "held")
    mount.quiet()
    assert len(mount.sim.creates()) == 1
    assert mount.run("release", mount.path(TEXT, "cat.txt")).returncode == 0
    mount.accepted(TEXT, "cat")
    mount.wait(lambda: "cat.held.txt" not in mount.out(TEXT), "the note to go")
    mount.drop(TEXT, "summer/b.txt", "waves")  # saving it again is as good
    mount.accepted(TEXT, "summer/b")
    assert len(mount.sim.creates()) == 3


@pytest.mark.parametrize("starts", [1, 2])
def test_what_was_found_without_its_picture_is_held_once_that_is_there(mount, starts):
    """That it was found is not forgotten while it waits, over another start either."""
    mount.unmount()
    with open(os.path.join(mount.tree, HAILUO_23, "cat.json"), "w", encoding="utf-8") as file:
        json.dump({"prompt": "a cat", "image_url": "pictures/cat.png"}, file)
    for _ in range(starts):
        mount.restart()
        mount.wait_state(HAILUO_23, "cat", "waiting")
    mount.drop(HAILUO_23, "pictures/cat.png", png())
    mount.wait_state(HAILUO_23, "cat", "held")
    mount.quiet()
    assert mount.sim.creates() == []


def test_a_prompt_that_was_found_by_itself_is_held_after_another_start_too(kinofs):
    mount = kinofs(config={"settle_alone_seconds": 4})
    mount.unmount()
    with open(os.path.join(mount.tree, FLAT, "cat.txt"), "w", encoding="utf-8") as file:
        file.write("a cat")
    mount.start()
    mount.wait(lambda: mount.record(FLAT, "cat"), "the record")
    mount.restart()
    mount.wait_state(FLAT, "cat", "held")
    mount.quiet()
    assert mount.sim.creates() == []


def test_a_drop_that_has_not_settled_when_it_is_unmounted_is_sent_after_the_next_start(kinofs):
    mount = kinofs(settle=4)
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.unmount()
    assert mount.sim.creates() == []
    mount.start()
    mount.accepted(TEXT, "cat")
    assert len(mount.sim.creates()) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="umount(2) is root's")
def test_a_drop_is_complete_though_the_unmount_came_before_its_release(kinofs):
    """RELEASE is not waited for; the kernel takes it back when kinofs has not read it yet."""
    mount = kinofs(settle=4)
    fd = os.open(mount.path(TEXT, "cat.txt"), os.O_WRONLY | os.O_CREAT, 0o644)
    os.write(fd, b"a cat")
    ours, theirs = socket.socketpair()
    socket.send_fds(ours, [b"on its way"], [fd])
    os.close(fd)  # FLUSH, which is waited for; the descriptor on its way is now the last one
    mount.process.send_signal(signal.SIGSTOP)
    os.waitpid(mount.process.pid, os.WUNTRACED)
    ours.close()
    theirs.close()
    assert ctypes.CDLL(None).umount(mount.root.encode()) == 0
    mount.process.send_signal(signal.SIGCONT)
    mount._finish("umount(2)")
    mount.start()
    mount.accepted(TEXT, "cat")
    assert len(mount.sim.creates()) == 1


def test_an_answer_on_its_way_is_awaited_when_it_is_unmounted(mount):
    mount.sim.faults({"on": "create", "do": "delay", "value": 5})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait_state(TEXT, "cat", "submitting")
    mount.restart()
    mount.done(TEXT, "cat")
    assert len(mount.sim.creates()) == 1


@pytest.mark.parametrize("state", ("running", "downloading", "held"))
def test_a_job_whose_model_file_is_gone_goes_on_when_it_is_back(kinofs, state):
    mount = kinofs(start=False, keys={} if state == "held" else None)
    own = os.path.join(mount.home, "config", "kinofs", "models", "my", "own.json")
    with open(os.path.join(ROOT, "spec", "models", FLAT + ".json"), encoding="utf-8") as file:
        model = {**json.load(file), "$id": "my/own"}
    os.makedirs(os.path.dirname(own))
    with open(own, "w", encoding="utf-8") as file:
        json.dump(model, file)
    if state != "held":
        mount.sim.faults({"on": "poll" if state == "running" else "download", "do": "http",
                          "value": 503, "times": 0})
    mount.start()
    mount.drop("my/own", "cat.txt", "a cat")
    mount.wait_state("my/own", "cat", state)
    mount.unmount()
    os.rename(own, own + ".gone")
    mount.start()
    mount.quiet()
    job, = mount.jobs()
    assert job["state"] == state and "model file is gone" in json.dumps(job)
    mount.unmount()
    os.rename(own + ".gone", own)
    mount.sim.faults()
    mount.keys = KEYS
    mount.start()
    if state == "held":
        mount.order("release my/own/cat")
    mount.done("my/own", "cat")
    assert len(mount.sim.creates()) == 1


def test_the_store_is_an_ordinary_folder_with_all_that_is_the_users(mount):
    mount.drop(TEXT, "summer/cat.txt", "a cat")
    mount.drop(TEXT, "notes.md", "mine")
    mount.done(TEXT, "summer/cat")
    mount.unmount()
    found = sorted(os.path.relpath(os.path.join(folder, name), os.path.join(mount.tree, TEXT))
                   for folder, _, names in os.walk(os.path.join(mount.tree, TEXT))
                   for name in names)
    assert found == ["notes.md", "out/summer/cat.mp4", "summer/cat.txt"]
    assert os.listdir(os.path.join(mount.store, "incoming")) == []


# ------------------------------------------------------------------ keys

def test_without_a_key_a_job_is_held_and_goes_on_with_one(kinofs):
    mount = kinofs(keys={"PPINFRA_API_KEY": KEYS["PPINFRA_API_KEY"]})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.drop(FLAT, "cat.txt", "a cat")
    record = mount.wait_state(TEXT, "cat", "held")
    text = mount.note(TEXT, "cat", "held")
    assert "There is no API key for kie.ai" in text and "KIE_API_KEY" in text
    assert "No money was spent" in text and record["held_because"]
    mount.accepted(FLAT, "cat")
    for order in ("release", "retry"):
        result = mount.run(order, mount.path(TEXT, "cat.txt"))
        assert result.returncode == 1 and not result.stdout
        assert "cat stays held: there is no API key for kie.ai" in result.stderr
    assert len(mount.sim.creates()) == 1
    mount.keys = KEYS
    mount.restart()
    mount.accepted(TEXT, "cat")
    mount.wait(lambda: "cat.held.txt" not in mount.out(TEXT), "the note to go")
    assert len(mount.sim.creates()) == 2


@pytest.mark.parametrize("names", [("KIE_AI_API_KEY", "PPIO_API_KEY"),
                                   ("KIEAI_API_KEY", "NOVITA_API_KEY")])
def test_other_names_of_the_keys_are_known(kinofs, names):
    mount = kinofs(keys=dict.fromkeys(names, "some-key"))
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.drop(FLAT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    mount.accepted(FLAT, "cat")


# ------------------------------------------------------------------ one after another

def test_a_start_waits_for_the_one_before_that_still_awaits_an_answer(kinofs, sim):
    mount = kinofs()
    sim.faults({"on": "create", "do": "delay", "value": 8})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait_state(TEXT, "cat", "submitting")
    subprocess.run(["fusermount3", "-u", "-z", mount.root], check=True)
    following = kinofs(start=False)
    following.store, following.tree = mount.store, mount.tree
    following.start()
    mount._finish("fusermount3 -u -z")
    assert following.done(TEXT, "cat")["take"] == 1  # unknown, if the answer was not waited for
    assert len(sim.creates()) == 1


# ------------------------------------------------------------------ a crash in the middle of a write

def crash_while_writing(mount, *names):
    """kill -9 while a writer is at half of each of these; the next run is under way after it."""
    writers = []
    for name in names:
        writers.append(os.open(mount.path(TEXT, name), os.O_CREAT | os.O_TRUNC | os.O_WRONLY))
        os.write(writers[-1], b"half " + name.encode())
    mount.kill9()
    for fd in writers:
        with contextlib.suppress(OSError):
            os.close(fd)
    subprocess.run(["fusermount3", "-u", "-z", mount.root], check=True)
    mount.start()


def test_what_was_being_written_when_kinofs_was_killed_is_held(kinofs):
    mount = kinofs(settle=3)
    mount.drop(TEXT, "old.txt", "an old cat")
    mount.done(TEXT, "old")
    mount.drop(TEXT, "twice.txt", "a whole cat")  # it settles when the writer begins again
    crash_while_writing(mount, "new.txt", "old.txt", "twice.txt")
    for name in ("new", "old", "twice"):
        record = mount.wait_state(TEXT, name, "held")
        assert "being written" in record["held_because"][0], record
    assert len(mount.sim.creates()) == 1
    mount.restart()  # cleanly: it is held still
    mount.quiet(besides=["new", "old", "twice"])
    for name in ("new", "old", "twice"):
        assert mount.record(TEXT, name)["state"] == "held"
    mount.drop(TEXT, "new.txt", "a new cat")
    mount.drop(TEXT, "twice.txt", "a cat again")
    assert mount.run("release", mount.path(TEXT, "old.txt")).returncode == 0
    for name in ("new", "old", "twice"):
        mount.done(TEXT, name)
    assert sorted(prompt_of(body) for body in mount.sim.bodies()) == [
        "a cat again", "a new cat", "an old cat", "half old.txt"]


def test_a_crash_after_the_last_close_holds_nothing(kinofs):
    mount = kinofs(settle=0.5)
    mount.drop(TEXT, "cat.txt", "a cat")
    crash_while_writing(mount)
    mount.done(TEXT, "cat")
    assert len(mount.sim.creates()) == 1
