"""What real tools do to save a file: their scratch files start nothing, each save is one job."""
import os
import shutil
import subprocess
import tempfile

import pytest

from harness import TEXT, copy_tool

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


def test_cp_mv_tee_dd_and_redirections_are_one_job_each(mount):
    for tool in ("cp", "mv", "rename"):
        source = mount.outside(tool + ".txt", tool)
        assert copy_tool(source, mount.path(TEXT, tool + ".txt"), tool) == 0
    subprocess.run(["tee", mount.path(TEXT, "tee.txt")], input=b"tee", check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["dd", "of=" + mount.path(TEXT, "dd.txt"), "bs=1", "status=none"],
                   input=b"dd", check=True)
    subprocess.run(["sh", "-c", "echo shell > shell.txt; printf x > part; cat part >> add.txt;"
                    " echo y >> add.txt; rm part"], cwd=mount.path(TEXT), check=True)
    assert sent(mount, "cp", "mv", "rename", "tee", "dd", "shell", "add") == [
        "cp", "dd", "mv", "rename", "shell", "tee", "xy"]


def test_install_ln_and_cp_with_attributes_are_one_job_each(mount):
    source = mount.outside("a.txt", "archive")
    subprocess.run(["cp", "-a", source, mount.path(TEXT, "archive.txt")], check=True)
    subprocess.run(["install", "-m", "600", mount.outside("b.txt", "install"),
                    mount.path(TEXT, "install.txt")], check=True)
    shutil.copytree(os.path.dirname(source), mount.path(TEXT, "whole"))
    assert sent(mount, "archive", "install", "whole/a", "whole/b") == [
        "archive", "archive", "install", "install"]


def test_rsync_is_one_job_a_file_and_none_the_second_time(mount):
    folder = os.path.dirname(mount.outside("sync/a.txt", "rsync a"))
    mount.outside("sync/deep/b.json", '{"prompt": "rsync b"}')
    for _ in range(2):
        subprocess.run(["rsync", "-a", folder + "/", mount.path(TEXT) + "/"], check=True)
        assert sent(mount, "a", "deep/b") == ["rsync a", "rsync b"]
    mount.outside("sync/a.txt", "rsync a, changed")
    subprocess.run(["rsync", "-a", "--inplace", folder + "/", mount.path(TEXT) + "/"], check=True)
    mount.accepted(TEXT, "a", take=2)
    assert sent(mount) == ["rsync a", "rsync a, changed", "rsync b"]


def test_sed_in_place_is_a_second_take(mount):
    cat = mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    subprocess.run(["sed", "-i", "s/cat/dog/", cat], check=True)
    mount.accepted(TEXT, "cat", take=2)
    subprocess.run(["sed", "-i.bak", "s/dog/fox/", cat], check=True)
    mount.accepted(TEXT, "cat", take=3)
    assert sent(mount) == ["a cat", "a dog", "a fox"]
    assert mount.job_names() == ["cat"]


@pytest.mark.skipif(not shutil.which("vim.tiny"), reason="needs vim.tiny")
@pytest.mark.parametrize("backup", ["yes", "no", "auto"])
def test_vim_saves_one_job_each_time(mount, backup):
    def save(command):
        subprocess.run(["vim.tiny", "-u", "NONE", "-N", "-es", "-c",
                        "set nocompatible backup writebackup backupcopy=" + backup,
                        "-c", command, "-c", "wq", mount.path(TEXT, "cat.txt")],
                       check=True, stdin=subprocess.DEVNULL, timeout=20)
    save("normal ia cat")
    mount.accepted(TEXT, "cat")
    save("s/cat/dog/")
    mount.accepted(TEXT, "cat", take=2)
    save("s/dog/dog/")
    assert sent(mount) == ["a cat", "a dog"]
    assert mount.job_names() == ["cat"]


def test_emacs_saves_one_job_each_time(mount):
    """A lock as a symbolic link, an auto-save file, the old version renamed to a back-up."""
    cat = mount.path(TEXT, "cat.txt")
    for take, prompt in enumerate(("a cat", "a dog"), 1):
        os.symlink("someone@somewhere.1:2", mount.path(TEXT, ".#cat.txt"))
        mount.drop(TEXT, "#cat.txt#", prompt + " unfinished")
        if take > 1:
            os.rename(cat, cat + "~")
        mount.drop(TEXT, "cat.txt", prompt)
        os.unlink(mount.path(TEXT, "#cat.txt#"))
        os.unlink(mount.path(TEXT, ".#cat.txt"))
        mount.accepted(TEXT, "cat", take=take)
    assert sent(mount) == ["a cat", "a dog"]


def test_gio_kate_and_python_save_by_a_rename_from_a_scratch_name(mount):
    def replace(scratch, name, prompt):
        mount.drop(TEXT, scratch, prompt)
        os.rename(mount.path(TEXT, scratch), mount.path(TEXT, name))
    replace(".goutputstream-A1B2C3", "gio.txt", "gio")
    replace("kate.txt.Ab12Cd", "kate.txt", "kate")
    fd, scratch = tempfile.mkstemp(dir=mount.path(TEXT))
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write("python")
    os.rename(scratch, mount.path(TEXT, "python.txt"))
    assert sent(mount, "gio", "kate", "python") == ["gio", "kate", "python"]
    replace(".goutputstream-D4E5F6", "gio.txt", "gio, changed")
    mount.accepted(TEXT, "gio", take=2)
    assert sent(mount) == ["gio", "gio, changed", "kate", "python"]


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
        subprocess.run(command, capture_output=True, check=False, timeout=20)
    assert sent(mount) == ["a cat"]
