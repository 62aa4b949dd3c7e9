"""A .jsonl is a batch: each line a job. Renamed files and folders keep their takes."""
import errno
import json
import os
import shutil
import subprocess

import pytest

from harness import TEXT


@pytest.fixture
def mount(kinofs):
    return kinofs()


def lines(*prompts):
    return "".join(json.dumps({"prompt": prompt}) + "\n" if prompt else "\n" for prompt in prompts)


def test_each_line_of_a_batch_is_a_job_and_a_blank_line_none(mount):
    mount.drop(TEXT, "list.jsonl", lines("one", "two", "", "four"))
    for name in ("list-0001", "list-0002", "list-0004"):
        mount.done(TEXT, name)
    mount.quiet()
    assert mount.job_names() == ["list-0001", "list-0002", "list-0004"]
    assert mount.out(TEXT) == ["list-0001.mp4", "list-0002.mp4", "list-0004.mp4"]
    assert len(mount.sim.creates()) == 3


def test_a_line_put_in_above_costs_one_video_not_all_of_them(mount):
    mount.drop(TEXT, "list.jsonl", lines("one", "two", "three"))
    for name in ("list-0001", "list-0002", "list-0003"):
        mount.done(TEXT, name)
    mount.drop(TEXT, "list.jsonl", lines("new", "one", "two", "three"))
    mount.wait(lambda: mount.sim.creates("new"), "the new line")
    mount.quiet()
    assert len(mount.sim.creates()) == 4 and len(mount.sim.creates("new")) == 1
    for number, prompt in enumerate(("new", "one", "two", "three"), 1):
        record = mount.done(TEXT, "list-%04d" % number)
        assert record["request"]["input"]["prompt"] == prompt


def test_a_bad_line_is_refused_at_close_and_the_others_go(mount):
    text = lines("one") + '{"promt": "x"}\n' + lines("three")
    with pytest.raises(OSError) as refused:
        mount.drop(TEXT, "list.jsonl", text)
    assert refused.value.errno == errno.EINVAL
    mount.done(TEXT, "list-0001")
    mount.done(TEXT, "list-0003")
    mount.wait_state(TEXT, "list-0002", "rejected")
    assert "did you mean" in mount.note(TEXT, "list-0002")
    assert len(mount.sim.creates()) == 2


def test_a_batch_in_the_tree_at_start_is_held_line_by_line(kinofs):
    mount = kinofs(start=False)
    folder = os.path.join(mount.store, "tree", TEXT)
    os.makedirs(folder)
    with open(os.path.join(folder, "list.jsonl"), "w", encoding="utf-8") as file:
        file.write(lines("one", "two"))
    mount.start()
    for name in ("list-0001", "list-0002"):
        mount.wait_state(TEXT, name, "held")
    assert mount.sim.creates() == []
    mount.order("release %s/list-0002" % TEXT)
    mount.done(TEXT, "list-0002")
    assert len(mount.sim.creates()) == 1


def test_a_renamed_spec_keeps_its_take(mount):
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")
    os.rename(mount.path(TEXT, "cat.txt"), mount.path(TEXT, "kitty.txt"))
    mount.quiet()
    assert mount.job_names() == ["kitty"]
    assert mount.record(TEXT, "kitty")["state"] == "done"
    assert len(mount.sim.creates()) == 1


def test_a_copied_spec_is_a_job_of_its_own_once_it_says_something_else(mount):
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")
    shutil.copyfile(mount.path(TEXT, "cat.txt"), mount.path(TEXT, "kitty.txt"))
    mount.wait_state(TEXT, "kitty", "held")
    mount.drop(TEXT, "kitty.txt", "a kitten")
    mount.done(TEXT, "kitty")
    assert len(mount.sim.creates()) == 2


def test_a_renamed_folder_keeps_every_take_below_it(mount):
    os.makedirs(mount.path(TEXT, "summer/sea"))
    for name in ("summer/a", "summer/b", "summer/sea/c"):
        mount.drop(TEXT, name + ".txt", name)
    for name in ("summer/a", "summer/b", "summer/sea/c"):
        mount.done(TEXT, name)
    os.rename(mount.path(TEXT, "summer"), mount.path(TEXT, "winter"))
    mount.quiet()
    assert mount.job_names() == ["winter/a", "winter/b", "winter/sea/c"]
    assert len(mount.sim.creates()) == 3


def rename_twice(mount):
    os.makedirs(mount.path(TEXT, "summer"))
    mount.drop(TEXT, "summer/a.txt", "a cat")
    mount.drop(TEXT, "list.jsonl", '{"prompt": "a dog"}\n')
    mount.done(TEXT, "summer/a")
    mount.done(TEXT, "list-0001")
    os.rename(mount.path(TEXT, "summer"), mount.path(TEXT, "winter"))
    os.mkdir(mount.path(TEXT, "new"))
    os.rename(mount.path(TEXT, "winter/a.txt"), mount.path(TEXT, "new/b.txt"))
    for name in ("other", "third"):
        os.rename(mount.path(TEXT, "list.jsonl"), mount.path(TEXT, name + ".jsonl"))
        os.rename(mount.path(TEXT, name + ".jsonl"), mount.path(TEXT, "list.jsonl"))
    os.rename(mount.path(TEXT, "list.jsonl"), mount.path(TEXT, "last.jsonl"))


def test_renamed_again_before_it_is_quiet_keeps_its_takes(mount):
    rename_twice(mount)
    mount.quiet()
    assert mount.job_names() == ["last-0001", "new/b"]
    assert len(mount.sim.creates()) == 2


def test_renamed_just_before_a_crash_keeps_its_takes(kinofs):
    mount = kinofs(settle=3)  # so that the crash comes first
    rename_twice(mount)
    mount.wait(lambda: {"new/b", "last-0001"} <= set(mount.job_names()), "the new names")
    mount.kill9()
    subprocess.run(["fusermount3", "-u", "-z", mount.root], check=True)
    mount.start()
    mount.quiet()
    assert mount.job_names() == ["last-0001", "new/b"]
    assert len(mount.sim.creates()) == 2


def test_renamed_by_way_of_a_scratch_name_keeps_its_takes(mount):
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.drop(TEXT, "list.jsonl", lines("a dog"))
    mount.done(TEXT, "cat")
    mount.done(TEXT, "list-0001")
    for old, scratch, new in (("cat.txt", "cat.bak", "kitty.txt"),
                              ("list.jsonl", "list.tmp", "dogs.jsonl")):
        os.rename(mount.path(TEXT, old), mount.path(TEXT, scratch))
        mount.quiet()
        os.rename(mount.path(TEXT, scratch), mount.path(TEXT, new))
    mount.quiet()
    assert mount.job_names() == ["dogs-0001", "kitty"]
    assert len(mount.sim.creates()) == 2


def test_a_removed_batch_withdraws_the_lines_behind_a_blank_one_too(kinofs):
    mount = kinofs(keys={})
    mount.drop(TEXT, "list.jsonl", lines("one", "", "three", "four"))
    for name in ("list-0001", "list-0003", "list-0004"):
        mount.wait_state(TEXT, name, "held")
    os.unlink(mount.path(TEXT, "list.jsonl"))
    mount.wait_state(TEXT, "list-0001", "cancelled")
    for name in ("list-0003", "list-0004"):
        mount.wait(lambda name=name: mount.record(TEXT, name)["state"] == "cancelled", name)


@pytest.mark.parametrize("what", ("file", "folder"))
def test_a_renamed_batch_keeps_its_takes(mount, what):
    mount.drop(TEXT, "a/list.jsonl", lines("one", "", "two"))
    for name in ("a/list-0001", "a/list-0003"):
        mount.done(TEXT, name)
    if what == "file":
        os.rename(mount.path(TEXT, "a/list.jsonl"), mount.path(TEXT, "a/other.jsonl"))
    else:
        os.rename(mount.path(TEXT, "a"), mount.path(TEXT, "b"))
    mount.quiet()
    mount.quiet()
    assert len(mount.sim.creates()) == 2
    assert mount.job_names() == (["a/other-0001", "a/other-0003"] if what == "file" else
                                 ["b/list-0001", "b/list-0003"])
