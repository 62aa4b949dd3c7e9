"""Several users on one mount of root's: nobody sees, uses or changes what the files do not allow him."""
import contextlib
import ctypes
import errno
import grp
import itertools
import json
import multiprocessing
import os
import random
import shutil
import subprocess
import tempfile
import traceback

import pytest

import desk
import harness
from test_start import end_background
from harness import TEXT, HAILUO_23 as PICTURE, png

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")

ALICE, BOB = "daemon", "games"  # users that every Debian has, with groups of their own
SECRET = "a secret meeting at noon"


def ids(name):
    import pwd
    entry = pwd.getpwnam(name)
    return entry.pw_uid, entry.pw_gid


def run_as(name, work, groups, pipe):
    uid, gid = ids(name)
    try:
        os.initgroups(name, gid)
        os.setgroups(os.getgroups() + groups)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
        os.umask(0o022)
        pipe.send((True, work()))
    except BaseException:  # pylint: disable=broad-except  # whatever it is, the test says it
        pipe.send((False, traceback.format_exc()))


def as_user(name, work, groups=()):
    """What work() returns in a process of that user, who is in these groups, too."""
    ours, theirs = multiprocessing.Pipe(False)
    process = multiprocessing.get_context("fork").Process(target=run_as, args=(name, work, list(groups), theirs))
    process.start()
    theirs.close()
    try:
        good, result = ours.recv()
    finally:
        process.join()
    assert good, result
    return result


def error_of(work):
    """The errno that it fails with, or None."""
    try:
        work()
    except OSError as error:
        return error.errno
    return None


def write(path, content, mode=0o644):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    os.write(fd, content.encode() if isinstance(content, str) else content)
    os.close(fd)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def order(mount, line):
    fd = os.open(mount.path(".kinofs/ctl"), os.O_RDWR)
    try:
        os.write(fd, line.encode())
        return os.read(fd, 4096).decode()
    except OSError as error:
        return error.errno
    finally:
        os.close(fd)


def answer(mount, line):
    """What a refused order is answered with."""
    fd = os.open(mount.path(".kinofs/ctl"), os.O_RDWR)
    with pytest.raises(OSError):
        os.write(fd, line.encode())
    said = os.read(fd, 4096).decode()
    os.close(fd)
    return said


def names_seen(mount):
    """The jobs that a user sees in jobs.json and in events.jsonl."""
    jobs = [job["job"] for job in json.loads(read(mount.path(".kinofs/jobs.json")))["jobs"]]
    events = [json.loads(line) for line in read(mount.path(".kinofs/events.jsonl")).splitlines()]
    return set(jobs), {event["job"] for event in events if event}


@pytest.fixture
def shared(sim):
    """A mount for everyone, with model folders that everyone may drop into; pytest's own folders are
    for nobody else, and stay so."""
    with tempfile.TemporaryDirectory(prefix="kinofs-users-") as directory:
        os.chmod(directory, 0o755)
        mount = harness.Mount(directory, sim, options=["allow_other"])
        mount.start()
        try:
            os.chmod(mount.root, 0o755)
            for model in (TEXT, PICTURE):
                os.chmod(mount.path(model), 0o1777)
            yield mount
        finally:
            mount.close()


def test_the_doctor_tells_another_users_mount_from_one_that_ended(sim):
    with tempfile.TemporaryDirectory(prefix="kinofs-users-") as directory:
        os.chmod(directory, 0o755)
        mount = harness.Mount(directory, sim)
        for below in (mount.home, mount.root):
            os.chmod(below, 0o755)
        try:
            mount.start()
            program = shutil.copy(harness.KINOFS, directory)  # where everyone may go
            told = [subprocess.run([program, "doctor"], user=user, capture_output=True,
                                   env={**mount.environment(), "HOME": "/nonexistent",
                                        "XDG_CONFIG_HOME": "/nonexistent"},
                                   text=True, check=False).stdout for user in (ALICE, None)]
            mount.kill9()
            told.append(mount.run("doctor").stdout)
        finally:
            mount.close()
        assert "note  %s: another user's" % mount.root in told[0]
        assert "ok    %s\n" % mount.root in told[1]
        assert "WRONG %s: its kinofs has ended" % mount.root in told[2]


def test_another_users_jobs_are_out_of_reach_by_every_door(shared):
    mount = shared

    os.makedirs(mount.path(TEXT, "out/theirs/video"))
    roots = mount.outside("root/diary.mp4", "")
    os.chmod(os.path.dirname(roots), 0o700)

    def alice_drops():
        os.makedirs(mount.path(TEXT, "alice", "deep"))
        os.chmod(mount.path(TEXT, "alice"), 0o700)
        write(mount.path(TEXT, "alice", "deep", "diary.txt"), SECRET)
        write(mount.path(TEXT, "note.txt"), SECRET + " too", 0o600)
        write(mount.path(TEXT, "open.txt"), "a fox for all")
        os.mkdir(mount.path(TEXT, "theirs"))
        write(mount.path(TEXT, "theirs", "fox.txt"), "a fox for them")
        write(mount.path(TEXT, "later.txt"), "another fox for all")
    as_user(ALICE, alice_drops)
    for name in ("alice/deep/diary", "note", "open", "later", "theirs/fox"):
        mount.done(TEXT, name)
    alice, _ = ids(ALICE)
    note, diary = mount.path(TEXT, "out/note.mp4"), mount.path(TEXT, "out/alice/deep/diary.mp4")
    assert (os.stat(note).st_uid, os.stat(note).st_mode & 0o777) == (alice, 0o600)
    assert os.stat(diary).st_uid == alice
    assert os.stat(mount.path(TEXT, "out/alice")).st_mode & 0o777 == 0o700
    assert os.stat(os.path.dirname(diary)).st_uid == alice
    assert os.stat(mount.path(TEXT, "out/theirs")).st_uid == 0  # it was there
    os.chmod(mount.path(TEXT, "out/theirs"), 0o700)
    assert "diary.mp4" in os.listdir(mount.path("out"))

    def bob_looks():
        records, months = mount.path(TEXT, "jobs"), mount.path(".kinofs/spending")
        found = {}
        for folder, folders, files in os.walk(mount.root, onerror=lambda error: None):
            for name in folders + files:
                path = os.path.join(folder, name)
                try:
                    found[os.path.relpath(path, mount.root)] = read(path)
                except (OSError, UnicodeDecodeError):
                    pass
        assert SECRET not in json.dumps(found), [p for p, t in found.items() if SECRET in t]
        assert "open" in read(os.path.join(records, "open.json"))
        assert "diary.mp4" not in os.listdir(mount.path("out"))
        assert error_of(lambda: os.lstat(mount.path("out/diary.mp4"))) == errno.ENOENT
        gallery = read(mount.path(".kinofs/gallery.js"))
        assert "open.mp4" in gallery and len(gallery.encode()) == os.path.getsize(mount.path(".kinofs/gallery.js"))
        latest = mount.path(TEXT, "out/.latest")
        assert "open.mp4" in os.listdir(latest) and os.listdir(latest + "/alice") == []
        assert not os.path.lexists(latest + "/alice/deep")
        assert os.listdir(latest + "/theirs") == []  # the results are for nobody else
        assert not os.path.lexists(latest + "/theirs/fox.mp4")
        assert "alice" not in answer(mount, "retry out/diary.mp4")
        seen = names_seen(mount)
        assert seen == ({"open", "later", "theirs/fox"}, {"open", "later", "theirs/fox"}), seen
        doors = [lambda: read(os.path.join(records, "note.json")),
                 lambda: read(os.path.join(records, "alice", "deep", "diary.json")),
                 lambda: os.listdir(os.path.join(records, "alice")),
                 lambda: read(note), lambda: read(diary),
                 lambda: os.unlink(note),
                 lambda: os.unlink(os.path.join(records, "note.json")),
                 lambda: os.unlink(os.path.join(records, "open.json")),
                 lambda: os.unlink(os.path.join(records, "alice", "deep", "diary.json")),
                 lambda: write(os.path.join(records, "mine.json"), "{}"),
                 lambda: os.mkdir(os.path.join(records, "mine")),
                 lambda: read(os.path.join(months, os.listdir(months)[0]))]
        errors = [error_of(door) for door in doors]
        assert all(error in (errno.EACCES, errno.EPERM) for error in errors), errors
        for verb, name in itertools.product(("retry", "cancel", "release"), ("note", "alice/deep/diary")):
            assert order(mount, "%s %s/%s" % (verb, TEXT, name)) == errno.ENOENT
        for verb in ("retry", "cancel", "release"):
            assert order(mount, "%s %s/open.txt" % (verb, TEXT)) == errno.EACCES
        write(mount.path(TEXT, "guess.txt"), SECRET)  # what was ordered is not ordered twice
    as_user(BOB, bob_looks)
    held = mount.wait_state(TEXT, "guess", "held")["held_because"]
    assert held == ["The same was ordered already, by another user."]
    assert len(mount.sim.creates()) == 5

    def alice_manages():
        assert names_seen(mount)[0] == {"alice/deep/diary", "note", "open", "later", "guess", "theirs/fox"}
        assert json.loads(read(mount.path(TEXT, "jobs/alice/deep/diary.json")))["request"]
        deep, newest = os.path.dirname(diary), mount.path(TEXT, "out/.latest/alice/deep")
        assert os.listdir(newest) == ["diary.mp4"]
        os.rename(deep, deep + "er")
        os.symlink(os.path.dirname(roots), deep)  # what is there is not for her to know
        assert os.listdir(newest) == []
        os.unlink(deep)
        os.rename(deep + "er", deep)
        assert "submitted again" in order(mount, "retry %s/note.txt" % TEXT)
    as_user(ALICE, alice_manages)
    # a mode that changes later counts from then on, without a word to the providers
    as_user(ALICE, lambda: os.chmod(mount.path(TEXT, "later.txt"), 0o600))
    mount.wait(lambda: as_user(BOB, lambda: error_of(
        lambda: read(mount.path(TEXT, "jobs/later.json")))) == errno.EACCES, "the mode")
    assert as_user(BOB, lambda: names_seen(mount)[0]) == {"open", "guess", "theirs/fox"}
    mount.done(TEXT, "note", take=2)

    def alice_clears():
        for name in ("note", "open", "alice/deep/diary"):
            os.unlink(mount.path(TEXT, "jobs", name + ".json"))
        for path in (note, diary, mount.path(TEXT, "out/note.2.mp4")):
            os.unlink(path)
    as_user(ALICE, alice_clears)
    assert len(mount.sim.creates()) == 6
    spent = mount.run("spend", "--by", "user", "--csv", mount.root).stdout.splitlines()
    assert [line.split(",")[1:3] for line in spent] == [["user", "orders"], [ALICE, "6"]]


def test_a_picture_is_used_only_if_who_names_it_may_read_it(shared):
    mount = shared

    def alice_drops():
        os.mkdir(mount.path(PICTURE, "alice"), 0o700)
        write(mount.path(PICTURE, "alice", "face.png"), png(300, 300), 0o644)
        write(mount.path(PICTURE, "hers.png"), png(300, 301), 0o600)
        write(mount.path(PICTURE, "lent.png"), png(300, 302), 0o644)
    as_user(ALICE, alice_drops)

    def bob_asks():
        for name, picture in (("deputy", "alice/face.png"), ("guess", "alice/none.png"),
                              ("second", "hers.png"), ("fair", "lent.png")):
            write(mount.path(PICTURE, name + ".json"),
                  json.dumps({"prompt": "she waves at " + name, "image_url": picture}))
        write(mount.path(PICTURE, "hers.txt"), "paired with hers")
    as_user(BOB, bob_asks)
    told = {mount.wait_state(PICTURE, name, "rejected", "waiting")["error"][0].split(" may not")[1]
            for name in ("deputy", "guess", "second", "hers")}
    assert len(told) == 4 and all("be read by who saved" in text for text in told), told
    mount.done(PICTURE, "fair")
    assert len(mount.sim.creates()) == 1 and len(mount.sim.uploads()) == 1
    as_user(ALICE, lambda: os.chmod(mount.path(PICTURE, "hers.png"), 0o644))
    as_user(BOB, lambda: order(mount, "retry %s/second" % PICTURE))
    mount.done(PICTURE, "second")


def test_who_sees_a_record_is_who_may_read_the_file(shared):
    """Random owners and modes, of files and their folders, against access(2) of each user."""
    mount = shared
    luck = random.Random(5)
    owners = [ids(ALICE), ids(BOB), (ids(ALICE)[0], ids(BOB)[1]), (0, ids(BOB)[1]), (0, 0)]
    files = []
    for number in range(24):
        folder = mount.path(TEXT, "f%d" % (number % 8))
        if number < 8:
            os.mkdir(folder)
        path = os.path.join(folder, "p%d.txt" % number)
        write(path, "prompt %d of many" % number)
        os.chown(path, *luck.choice(owners))
        os.chmod(path, luck.choice([0o600, 0o644, 0o640, 0o604, 0o400, 0o444, 0o660, 0o200,
                                    luck.randrange(0o1000)]))
        files.append(path)
    for number in range(8):
        folder = mount.path(TEXT, "f%d" % number)
        os.chown(folder, *luck.choice(owners))
        os.chmod(folder, luck.choice([0o755, 0o755, 0o711, 0o700, 0o750, luck.randrange(0o1000)]))
    for path in files:
        mount.done(TEXT, os.path.relpath(path, mount.path(TEXT))[:-len(".txt")])

    def looks():
        jobs, events = names_seen(mount)
        seen = []
        for path in files:
            name = os.path.relpath(path, mount.path(TEXT))[:-len(".txt")]
            may = os.access(path, os.R_OK)
            record = error_of(lambda n=name: read(mount.path(TEXT, "jobs", n + ".json"))) is None
            seen.append((name, may, record, name in jobs, name in events))
        wrong = [entry for entry in seen if len(set(entry[1:])) > 1]
        assert not wrong, wrong
        return sum(entry[1] for entry in seen)
    counts = [as_user(name, looks) for name in (ALICE, BOB)]
    assert all(0 < count < len(files) for count in counts), counts

    def sees(name):
        jobs, events = names_seen(mount)
        record = error_of(lambda: read(mount.path(TEXT, "jobs", name + ".json"))) is None
        return name in jobs, name in events, record
    write(mount.path(TEXT, "plain.txt"), "plain to see")
    mount.done(TEXT, "plain")
    assert as_user(BOB, lambda: sees("plain")) == (True, True, True)
    os.chmod(os.path.join(mount.tree, TEXT, "plain.txt"), 0o600)  # not through the mount
    assert as_user(BOB, lambda: sees("plain")) == (False, False, False)


# ------------------------------------------------------------------ root's own mount

# ------------------------------------------------------------------ the recipe of kinofs(1)

KINO = "users"  # its group; every Debian has this one, and nobody is in it by itself


def errors_of(folder, files):
    """Of a rename, and of the removal of another, as whoever this is."""
    one, other, fresh = (os.path.join(folder, name) for name in files)
    return [error_of(lambda: os.rename(one, fresh)), error_of(lambda: os.unlink(other))]


@pytest.mark.parametrize("seed", range(2))
def test_out_of_the_root_lets_others_do_what_the_real_folder_does(shared, seed):
    """At random, the same with twins of the files at both places."""
    mount, draw = shared, random.Random(seed)
    out, root = mount.path(TEXT, "out"), mount.path("out")
    seen = set()
    for number in range(40):
        twins = [["%s%d-%d.mp4" % (place, number, name) for name in range(3)] for place in "ab"]
        owner = draw.choice((ALICE, BOB, "root"))
        for name in [name for names in twins for name in names[:2]]:
            write(os.path.join(out, name), "a film", 0o666)
            os.chown(os.path.join(out, name), *ids(owner))
        os.chown(out, *ids(draw.choice((ALICE, BOB, "root"))))
        os.chmod(out, draw.choice((0o755, 0o775, 0o777, 0o1777, 0o1775, 0o711, 0o700, 0o722)))
        who = draw.choice((ALICE, BOB))
        here = as_user(who, lambda: errors_of(out, twins[0]))
        there = as_user(who, lambda: errors_of(root, twins[1]))
        can_enter = as_user(who, lambda: os.access(out, os.X_OK))
        assert there == (here if can_enter else [errno.ENOENT] * 2), (oct(os.stat(out).st_mode), who)
        seen.update(there)
    assert seen == {None, errno.EACCES, errno.EPERM, errno.ENOENT}


def recipe():
    """The shell's commands and Samba's section, as SHARING in kinofs(1) has them."""
    with open(os.path.join(harness.ROOT, "man", "kinofs.1"), encoding="utf-8") as file:
        sharing = file.read().split(".Sh SHARING")[1].split(".Sh ")[0]
    blocks = [block.split(".Ed")[0] for block in sharing.split(".Bd -literal -offset indent\n")[1:]]
    assert len(blocks) == 2
    return [block.replace("\\e", "\\") for block in blocks]


def together(name, umask, work):
    """As that user, who is in the group, with this umask."""
    def run():
        os.umask(umask)
        return work()
    return as_user(name, run, [grp.getgrnam(KINO).gr_gid])


@contextlib.contextmanager
def by_the_recipe(sim):
    """A mount, made by the recipe's commands: other places, and users that are there."""
    commands = recipe()[0]
    with tempfile.TemporaryDirectory(prefix="kinofs-users-") as directory:
        os.chmod(directory, 0o755)
        mount = harness.Mount(directory, sim)
        config = os.path.join(mount.home, "config", "kinofs", "config.json")
        for of_recipe, here in (
                ("groupadd kino\n", ""), ("usermod -aG kino alice\nusermod -aG kino bob\n", ""),
                ("\nkinofs -o ", "\n%s -o settle=%g," % (harness.KINOFS, mount.settle)),
                ("chgrp kino", "chgrp " + KINO), ("/var/lib/kinofs", mount.store),
                ("/etc/kinofs.json", config), ("/srv/kino", mount.root)):
            assert of_recipe in commands, of_recipe
            commands = commands.replace(of_recipe, here)
        try:
            made = subprocess.run(["sh", "-ec", commands], env=mount.environment(),
                                  capture_output=True, text=True, check=False)
            assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
            yield mount
        finally:
            end_background(mount)


def samba(mount, stack):
    """smbd with the recipe's section, and Bob, who has a password there; returns what smbclient does
    for him."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    section = recipe()[1].replace("/srv/kino", mount.root).replace("= kino", "= " + KINO)
    places = "".join("%s = %s\n" % (key, folder) for key in (
        "private dir", "pid directory", "lock directory", "state directory", "cache directory",
        "ncalrpc dir"))
    conf, port = os.path.join(folder, "smb.conf"), desk.free_port()
    write(conf, "[global]\nserver role = standalone\ninterfaces = 127.0.0.1\n"
          "bind interfaces only = yes\nload printers = no\nprinting = bsd\ndisable spoolss = yes\n"
          "passdb backend = smbpasswd:%s/passwd\nlog file = %s/log\n%s%s"
          % (folder, folder, places, section))
    subprocess.run(["smbpasswd", "-c", conf, "-s", "-a", BOB], input="secret\nsecret\n", text=True,
                   check=True, capture_output=True)
    server = subprocess.Popen(["smbd", "-F", "-p", str(port), "-s", conf], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(server.wait)
    stack.callback(server.terminate)
    desk.wait_for(lambda: desk.listens(port, server), "smbd")
    return lambda orders: subprocess.run(
        ["smbclient", "-U", BOB + "%secret", "-p", str(port), "-s", conf, "-c", orders,
         "//127.0.0.1/kino"], capture_output=True, text=True, timeout=harness.PATIENCE, check=True)


@pytest.mark.no_asan("about other programs")
def test_the_recipe_of_the_manual_lets_two_people_and_samba_work_together(sim):
    desk.require("samba smbclient", "smbd", "smbclient", "smbpasswd")
    with contextlib.ExitStack() as stack:
        mount = stack.enter_context(by_the_recipe(sim))

        def drop(name):
            write(mount.path(TEXT, name), name, 0o666)
        together(ALICE, 0o002, lambda: drop("cat.txt"))
        together(ALICE, 0o022, lambda: drop("dog.txt"))
        together(ALICE, 0o077, lambda: drop("fox.txt"))
        mount.done(TEXT, "cat")
        mount.accepted(TEXT, "dog")
        mount.accepted(TEXT, "fox")
        assert together(BOB, 0o002, lambda: names_seen(mount))[0] == {"cat", "dog"}
        assert together(BOB, 0o002, lambda: order(mount, "retry %s/cat.txt" % TEXT)).endswith(
            "as a new take")
        assert together(BOB, 0o002, lambda: order(mount, "retry %s/dog.txt" % TEXT)) == errno.EACCES
        out = mount.path(TEXT, "out")
        together(BOB, 0o002, lambda: os.rename(out + "/cat.mp4", out + "/best.mp4"))
        together(BOB, 0o002, lambda: os.rename(mount.path("out/best.mp4"), mount.path("out/one.mp4")))
        assert os.path.exists(out + "/one.mp4")
        assert as_user("nobody", lambda: error_of(lambda: drop("elk.txt"))) == errno.EACCES

        smbclient = samba(mount, stack)
        smbclient("cd %s; put %s owl.txt" % (TEXT.replace("/", "\\"), mount.outside("owl", "an owl")))
        mount.done(TEXT, "owl")
        info = os.stat(mount.path(TEXT, "owl.txt"))
        assert (info.st_uid, info.st_gid, info.st_mode & 0o777) == (
            ids(BOB)[0], grp.getgrnam(KINO).gr_gid, 0o664)
        assert together(ALICE, 0o002, lambda: order(mount, "retry %s/owl.txt" % TEXT)).endswith(
            "as a new take")
        assert mount.run("-o", "umask=002", mount.outside("mnt/x", "")).stderr.count("SHARING") == 1


@contextlib.contextmanager
def acting_for(name):
    """As a file server does that is root."""
    libc = ctypes.CDLL(None)
    libc.setfsuid(ids(name)[0])
    try:
        yield
    finally:
        libc.setfsuid(0)


def test_root_passes_all_modes_of_its_own_mount_and_acts_for_nobody_else(kinofs):
    mount = kinofs()
    with open("/proc/mounts", encoding="utf-8") as file:
        options = next(line.split()[3] for line in file if line.split()[1] == mount.root)
    assert "default_permissions" not in options, "each change costs a look at the folder"
    folder, script, plain = (mount.path(name) for name in ("folder", "folder/script", "plain"))
    os.mkdir(folder, 0)
    for path, mode in ((script, 0o001), (plain, 0o644)):
        write(path, "#!/bin/sh\n", 0o644)
        os.chmod(path, mode)
    assert os.access(folder, os.R_OK | os.W_OK | os.X_OK)
    assert os.access(script, os.R_OK | os.W_OK | os.X_OK)
    assert os.access(plain, os.R_OK | os.W_OK) and not os.access(plain, os.X_OK)
    readme = mount.path(TEXT, "README.txt")
    assert os.access(readme, os.W_OK) and error_of(lambda: write(readme, "")) == errno.EPERM
    assert not os.access(readme, os.X_OK)
    subprocess.run([script], cwd=folder, check=True)
    assert error_of(lambda: subprocess.run([plain], check=True)) == errno.EACCES
    other = mount.path("other")
    doors = [lambda: read(plain), lambda: write(plain, "x"), lambda: write(other, "x"),
             lambda: os.listdir(mount.root), lambda: os.mkdir(other), lambda: os.unlink(plain),
             lambda: os.rename(plain, other), lambda: os.symlink("plain", other),
             lambda: os.chmod(plain, 0o777), lambda: os.truncate(plain, 0),
             lambda: os.chdir(mount.root), lambda: order(mount, "retry %s/x" % TEXT)]
    with acting_for(ALICE):
        errors = [error_of(door) for door in doors]
    assert errors == [errno.EACCES] * len(doors)
    assert read(plain) == "#!/bin/sh\n" and not os.path.exists(other)
