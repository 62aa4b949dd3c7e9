"""What tools leave lying about or do step by step starts nothing; what saves is in test_programs."""
import os
import subprocess

import pytest

from harness import TEXT

pytestmark = pytest.mark.no_asan("about other programs")

SCRATCH = (".cat.txt.swp", ".cat.txt.swx", "cat.txt~", "4913", "#cat.txt#", ".#cat.txt",
           "cat.txt.swp", "cat.json.tmp", "cat.json.part", "cat.json.partial", "cat.txt.bak",
           "cat.txt.crdownload", "cat.txt.filepart", "cat.txt.lock", "cat.txt.save",
           ".goutputstream-ABC123", ".cat.json.Xy12Zw", ".cat.txt", ".hidden.json",
           "README.txt.bak", "summer/README.txt", "summer/readme.json", "summer/LICENSE.txt",
           ".Trash-1000/files/cat.txt", ".git/cat.json", "out/cat.txt", "out/mine.json",
           "cat.mp4", "cat.md", "cat", "cat.json.orig", "sedAbCdEf", "tmpa1b2c3d4")


def sent(mount, *names):
    """The prompts sent, once all these jobs are under way and nothing else is."""
    mount.quiet()
    for name in names:
        mount.accepted(TEXT, name)
    return sorted(body["input"]["prompt"] for body in mount.sim.bodies())


def test_scratch_names_and_other_files_are_stored_and_start_nothing(mount):
    for name in SCRATCH:
        mount.drop(TEXT, name, '{"prompt": "never"}')
    mount.quiet()
    assert mount.sim.creates() == [] and mount.jobs() == []
    assert os.listdir(mount.path(TEXT, "jobs")) == []
    for name in SCRATCH:
        assert mount.read(TEXT, name) == '{"prompt": "never"}'
        os.unlink(mount.path(TEXT, name))


def test_empty_files_start_nothing_until_they_have_content(mount):
    for name in ("a.txt", "b.json", "c.png", "d.txt"):
        mount.drop(TEXT, name, b"")
    mount.quiet()
    assert mount.sim.creates() == [] and mount.out(TEXT) == []
    mount.drop(TEXT, "a.txt", "no longer empty")
    assert sent(mount, "a") == ["no longer empty"]


def test_a_file_written_slowly_is_sent_once_when_it_is_closed(mount):
    with open(mount.path(TEXT, "cat.txt"), "w", encoding="utf-8") as file:
        for word in ("a ", "slow ", "cat"):
            file.write(word)
            file.flush()
            os.fsync(file.fileno())
            mount.quiet(besides=["cat"])  # longer than the settle time each
        assert mount.sim.creates() == []
    assert sent(mount, "cat") == ["a slow cat"]


def test_a_second_open_handle_holds_the_job_back(mount):
    handle = open(mount.path(TEXT, "cat.txt"), "a", encoding="utf-8")
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.quiet(besides=["cat"])
    assert mount.sim.creates() == []
    handle.close()
    assert sent(mount, "cat") == ["a cat"]


def test_a_browser_download_starts_when_it_gets_its_real_name(mount):
    part = mount.drop(TEXT, "cat.json.crdownload", '{"prompt": ')
    mount.drop(TEXT, "fox.txt", b"")  # firefox: the empty real name, and .part beside it
    mount.drop(TEXT, "fox.txt.part", "a fox")
    mount.quiet()
    assert mount.sim.creates() == []
    with open(part, "a", encoding="utf-8") as file:
        file.write('"a cat"}')
    os.rename(part, mount.path(TEXT, "cat.json"))
    os.rename(mount.path(TEXT, "fox.txt.part"), mount.path(TEXT, "fox.txt"))
    assert sent(mount, "cat", "fox") == ["a cat", "a fox"]


def test_looking_starts_nothing(mount):
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    for command in (["find", mount.root, "-type", "f", "-exec", "cat", "{}", ";"],
                    ["grep", "-r", "--exclude=events.jsonl", "cat", mount.root],
                    ["ls", "-laR", mount.root], ["du", "-a", mount.root],
                    ["tar", "cf", "/dev/zero", mount.root]):
        subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert sent(mount) == ["a cat"]
