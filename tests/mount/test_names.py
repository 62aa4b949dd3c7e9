"""Names: at the limits of a filesystem, behind links, and on filesystems that cannot do all."""
import json
import os
import random
import re
import subprocess
import unicodedata

import pytest

import campaign
import harness
from harness import TEXT


def folders_at(mount, *names):
    """A descriptor of a folder of any depth below the mount, which is made."""
    fd = os.open(mount.path(TEXT), os.O_RDONLY | os.O_DIRECTORY)
    for name in names:
        try:
            os.mkdir(name, dir_fd=fd)
        except FileExistsError:
            pass
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
        os.close(fd)
        fd = inner
    return fd


def put_at(folder, name, text):
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=folder)
    os.write(fd, text.encode())
    os.close(fd)


def job_of(mount, text, *states):
    """The job whose name begins so, once it has such a state."""
    return mount.wait(lambda: next((job for job in mount.jobs() if job["state"] in states and
                                    not job["settling"] and job["job"].startswith(text)), None),
                      "%s %s" % (text[:8], states))


def test_names_and_folders_at_the_limit_get_their_videos(mount):
    longest = "n" * 250 + "n"  # with ".txt": 255 bytes
    batch = "b" * 249
    mount.drop(TEXT, longest + ".txt", "a fox at the limit")
    mount.drop(TEXT, batch + ".jsonl", '{"prompt": "a line at the limit"}\n')
    with open(os.fsencode(mount.path(TEXT)) + b"/caf\xe9.txt", "w", encoding="utf-8") as file:
        file.write("a name of another time")
    path = ["f" * 20] * 220
    deep = folders_at(mount, *path)
    put_at(deep, "deep.txt", "a fox far below")
    os.close(deep)
    assert len("/".join(path)) > os.pathconf("/", "PC_PATH_MAX")
    for text in ("nnn", "bbb", "fff"):
        job = job_of(mount, text, "done", *harness.BAD_ENDS)
        assert job["state"] == "done", job
        folder = folders_at(mount, *job["outputs"][0][len(TEXT) + 1:].split("/")[:-1])
        video = os.path.basename(job["outputs"][0])
        assert os.stat(video, dir_fd=folder).st_size > 1000
        assert len(os.fsencode(video)) <= 255
        os.close(folder)
    order = subprocess.run([harness.KINOFS, "wait", os.fsencode(mount.path(TEXT)) + b"/caf\xe9.txt"],
                           env=mount.environment(), capture_output=True, check=True)
    assert os.path.getsize(order.stdout.rstrip(b"\n")) > 1000  # for a program: the bytes themselves
    # the record has a name that fits too, and is found and removed by it
    records = [name for name in os.listdir(mount.path(TEXT, "jobs")) if len(name) > 200]
    assert len(records) == 2 and all(len(name) <= 255 for name in records)
    for name in records:
        assert mount.record(TEXT, name[:-len(".json")])["state"] == "done"
        assert mount.run("wait", mount.path(TEXT, "jobs", name)).returncode == 0
    taken = mount.run("retry", mount.path(TEXT, longest + ".txt"))
    assert taken.returncode == 0, taken.stderr
    mount.wait(lambda: len([name for name in mount.out(TEXT) if name.startswith("nnn")]) == 2,
               "the second take")
    for name in records:
        os.unlink(mount.path(TEXT, "jobs", name))
    assert not [name for name in os.listdir(mount.path(TEXT, "jobs")) if len(name) > 200]


NASTY = [b"esc\x1b[31mred", b"bell\a", b"two\nlines", "csi\u009b1m".encode(),
         "right\u202eto left".encode(), b"bad \xff\xfe utf", b"back\\slash", b'"quotes"', b"caf\xe9"]


def names_of_any_bytes(count):
    seed = random.Random(9)
    for length in [1, 2, 251] + [seed.randint(1, 251) for _ in range(count)]:
        name = bytes(seed.choice([seed.randint(1, 255), seed.randint(1, 31)])
                     for _ in range(length))
        yield b"n" + name.replace(b"/", b"_").replace(b".", b"_")[1:]


def unquoted(text):
    """What quote_name() of fs/base/quote.h was given."""
    parts = re.split(r"(\\\\|\\x[0-9a-f]{2})", text)
    return b"".join(b"\\" if part == "\\\\" else bytes([int(part[2:], 16)])
                    if part.startswith("\\x") else part.encode() for part in parts)


def true_name(job):
    return unquoted(job["job_quoted"]) if "job_quoted" in job else job["job"].encode()


def assert_printable(text):
    # Cf: what reorders text; Cc: what a terminal obeys
    assert not [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs") and
                c not in "\u00ad\u200b\u200c\u200d\u2060\ufeff"], repr(text)


def test_a_name_of_any_bytes_is_shown_and_ordered_about(kinofs):
    mount = kinofs(keys={})
    folder = os.fsencode(mount.path(TEXT))
    names = NASTY + list(names_of_any_bytes(12))
    for number, name in enumerate(names):
        with open(os.path.join(folder, name + b".txt"), "w", encoding="utf-8") as file:
            file.write("prompt number %d" % number)
    mount.wait(lambda: sum(job["state"] == "held" for job in mount.jobs()) == len(names), "the holds")
    assert {true_name(job) for job in mount.jobs()} == set(names)
    with open(mount.path(".kinofs/events.jsonl"), "rb") as file:
        told = [json.loads(line.decode()) for line in file]
    assert {true_name(event) for event in told} == set(names)
    status = mount.run("status", mount.root)
    assert_printable(status.stdout)
    lines = [line for line in status.stdout.splitlines() if line.startswith("held ")]
    assert {unquoted(line.split(TEXT + "/", 1)[1]) for line in lines} == set(names)
    notes = mount.wait(lambda: (lambda found: len(found) == len(names) and found)(
        {name for name in os.listdir(os.path.join(folder, b"out")) if name.endswith(b".held.txt")}),
        "the notes")
    for name in notes:
        with open(os.path.join(folder, b"out", name), "rb") as file:
            assert_printable(file.read().decode())
    records = os.listdir(os.path.join(folder, b"jobs"))
    for name in names:
        if len(name) <= 250:
            assert name + b".json" in records
    for number, record in enumerate(records):
        path = os.path.join(folder, b"jobs", record)
        with open(path, "rb") as file:
            job = json.loads(file.read().decode())
        name = true_name(job)
        if number % 3 == 0:  # by what the record says, as a program would
            answer = mount.order('cancel "%s/%s"' % (TEXT, job.get("job_quoted") or
                                                     job["job"].replace("\\", "\\\\")
                                                     .replace("\n", "\\x0a")))
        else:  # by its file, or its record, as a person would
            place = os.path.join(folder, name + b".txt") if number % 3 == 1 else path
            order = subprocess.run([harness.KINOFS, b"cancel", place], capture_output=True, check=False,
                                   env=mount.environment())
            assert order.returncode == 0, order
            answer = order.stdout.decode()
        assert "is cancelled; no money was spent" in answer, answer
        assert_printable(answer)
        os.unlink(path)
    assert not mount.jobs()
    assert_printable(mount.log_text())


def test_no_link_in_out_leads_kinofs_out_of_the_mount(mount, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "cat.error.txt").write_text("not kinofs's")
    os.symlink(elsewhere, mount.path(TEXT, "out", "summer"))
    mount.drop_bad(TEXT, "summer/cat.txt", " ")
    record = mount.wait_state(TEXT, "summer/cat", "rejected")
    mount.wait(lambda: "summer~cat.error.txt" in mount.out(TEXT), "the note")
    mount.drop(TEXT, "summer/cat.txt", "a cat in summer")
    record = mount.done(TEXT, "summer/cat")
    assert record["outputs"] == [TEXT + "/out/summer~cat.mp4"]
    assert "out/summer" in record["warning"]
    mount.wait(lambda: mount.out(TEXT) == ["summer", "summer~cat.mp4"], "the note's end")
    assert sorted(os.listdir(elsewhere)) == ["cat.error.txt"]
    assert (elsewhere / "cat.error.txt").read_text() == "not kinofs's"


@pytest.mark.no_asan("what is preloaded stands before the sanitizer's own calls")
@pytest.mark.parametrize("links", ["links", "no links"])
def test_a_store_that_cannot_rename_without_replacing(kinofs, tmp_path, links):
    library = str(tmp_path / "noreplace.so")
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", library,
                    os.path.join(campaign.PRELOAD, "noreplace.c"), "-ldl"], check=True)
    variables = {} if links == "links" else {"KINOFS_TEST_NO_LINKS": "1"}
    mount = kinofs(environment=campaign.preload(library, **variables))
    os.mkdir(mount.path(TEXT, "out/mine"))
    with open(mount.path(TEXT, "out/cat.mp4"), "w", encoding="utf-8") as file:
        file.write("mine")
    mount.drop(TEXT, "cat.txt", "a cat on a network")
    assert mount.done(TEXT, "cat")["outputs"] == [TEXT + "/out/cat.2.mp4"]
    assert mount.read(TEXT, "out/cat.mp4") == "mine"
    harness.probe(mount.path(TEXT, "out/cat.2.mp4"))
    assert not os.listdir(os.path.join(mount.store, "incoming"))
    # and so it is for everybody: mv -n moves, and replaces nothing
    subprocess.run(["mv", "-n", mount.path(TEXT, "out/cat.2.mp4"), mount.path(TEXT, "out/new.mp4")],
                   check=True)
    subprocess.run(["mv", "-n", mount.path(TEXT, "out/cat.mp4"), mount.path(TEXT, "out/new.mp4")],
                   check=False)
    subprocess.run(["mv", "-n", "-T", mount.path(TEXT, "out/mine"), mount.path(TEXT, "out/yours")],
                   check=True)
    assert mount.out(TEXT) == ["cat.mp4", "new.mp4", "yours"]
    harness.probe(mount.path(TEXT, "out/new.mp4"))
