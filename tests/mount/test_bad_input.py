"""Bad input: EINVAL where POSIX can say it, the reason beside the results, nothing sent."""
import contextlib
import errno
import glob
import json
import os
import shutil
import subprocess

import pytest

from harness import (FLAT, HAILUO_02, HAILUO_23, PICTURE_MODELS, SEEDANCE, SPECS, TEXT, png)

BAD = os.path.join(SPECS, "bad")
with open(os.path.join(BAD, "manifest.json"), encoding="utf-8") as manifest:
    BAD_SPECS = json.load(manifest)

# One more byte than ten megabytes, a PNG by its head.
BIG_PNG = png() + b"\0" * (11 << 20)
PROBLEMS = [
    # (model, name, content, words of the note)
    (HAILUO_23, "text-as.png", "just words", ["text-as.png", "JPEG, PNG, WebP"]),
    (HAILUO_23, "gif-as.png", b"GIF89a" + b"\0" * 100, ["gif-as.png", "JPEG, PNG, WebP"]),
    (HAILUO_23, "big.png", BIG_PNG, ["big.png", "10 MB"]),
    (SEEDANCE, "big.png", BIG_PNG, ["big.png", "10 MB"]),
    (TEXT, "blank.txt", " \n\t ", ["prompt", "empty"]),
    (TEXT, "no-use.png", png(), ["no-use.png", "takes no"]),
    (HAILUO_23, "no-use.end.png", png(), ["no-use.end.png", "takes no"]),
    (SEEDANCE, "no-use_last.png", png(), ["no-use_last.png", "takes no"]),
    (TEXT, "latin1.txt", "caf\xe9 au lait".encode("latin1"), ["UTF-8", "byte 3", "0xe9"]),
    (TEXT, "utf16.txt", "a cat".encode("utf-16"), ["UTF-16"]),
    (TEXT, "nul.txt", b"a\0cat", ["NUL"]),
    (TEXT, "long.txt", "漢" * 1501, ["prompt", "1501", "1500"]),
    (HAILUO_02, "long.txt", "x" * 1501, ["prompt", "1501", "1500"]),
    (FLAT, "long.txt", "x" * 2001, ["prompt", "2001", "2000"]),
    (TEXT, "huge.json", '{"prompt": "%s"}' % ("x" * (2 << 20)), ["1048576"]),
    (TEXT, "vast.txt", "x" * (2 << 20), ["1048576", "2097152"]),
    (HAILUO_23, "out-of.json", {"prompt": "x", "image_url": "../../../../etc/passwd"},
     ["image_url", "out of the mounted folder"]),
]


def missing_words(text, words):
    return [word for word in words if word not in text]


def close_by_shell(source, target):
    return subprocess.run(["cp", source, target], capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C"})


def test_every_invalid_spec_is_refused_with_its_own_message_kept_and_never_sent(mount):
    for entry in BAD_SPECS:
        source = os.path.join(BAD, entry["file"])
        target = mount.path(entry["model"], entry["file"])
        with pytest.raises(OSError) as refused, open(source, "rb") as file:
            mount.drop(entry["model"], entry["file"], file.read())
        assert refused.value.errno == errno.EINVAL, entry
        with open(source, "rb") as kept, open(target, "rb") as stored:
            assert kept.read() == stored.read(), "the dropped file is not kept"
    mount.quiet()
    wrong = []
    for entry in BAD_SPECS:
        stem = entry["file"][:-len(".json")]
        record = mount.wait_state(entry["model"], stem, "rejected")
        text = mount.note(entry["model"], stem)
        wrong += [(entry["file"], word) for word in missing_words(text, entry["words"])]
        assert "No money was spent" in text and "README.txt" in text
        for line in record["error"]:
            assert line in text, entry
    assert wrong == [] and len(BAD_SPECS) >= 40
    assert len({mount.note(e["model"], e["file"][:-5]) for e in BAD_SPECS}) == len(BAD_SPECS)
    assert mount.sim.creates() == [] and mount.sim.log() == []


def test_every_other_bad_file_is_refused_with_its_own_message_kept_and_never_sent(mount):
    accepted = []
    for model, name, content, _ in PROBLEMS:
        try:
            mount.drop(model, name, content)
            accepted.append((model, name))
        except OSError as error:
            assert error.errno == errno.EINVAL
    mount.quiet()
    wrong = []
    for model, name, content, words in PROBLEMS:
        stem = name.split(".")[0].replace("_last", "")
        mount.wait_state(model, stem, "rejected")
        missing = missing_words(mount.note(model, stem), words)
        if missing:
            wrong.append((name, missing, mount.note(model, stem)))
        with open(mount.path(model, name), "rb") as file:
            stored = file.read()
        assert len(stored) == os.path.getsize(mount.path(model, name)) and (
            not isinstance(content, bytes) or stored == content)
    assert wrong == [] and accepted == []
    assert mount.sim.log() == []


def test_cp_says_invalid_argument_and_exits_with_1(mount):
    for entry in BAD_SPECS[:5]:
        result = close_by_shell(os.path.join(BAD, entry["file"]), mount.path(entry["model"]) + "/")
        assert result.returncode == 1 and "Invalid argument" in result.stderr
    source = mount.outside("bad.txt", " ")
    result = close_by_shell(source, mount.path(TEXT, "bad.txt"))
    assert result.returncode == 1 and "Invalid argument" in result.stderr
    result = subprocess.run(["sh", "-c", "echo '{\"promt\":1}' > bad.json"], check=False,
                            cwd=mount.path(TEXT), capture_output=True)
    assert os.path.getsize(mount.path(TEXT, "bad.json")) == 12


def test_all_problems_of_a_job_are_told_at_once(mount):
    mount.drop_bad(HAILUO_02, "cat.json", {"duration": 7, "resolution": "4K", "colour": "red"})
    mount.drop_bad(HAILUO_02, "cat.txt", "x" * 1501)
    mount.drop_bad(HAILUO_02, "cat.png", "no picture")
    mount.drop_bad(HAILUO_02, "cat.end.png", "none either")
    mount.wait_state(HAILUO_02, "cat", "rejected")
    text = mount.note(HAILUO_02, "cat")
    assert not missing_words(text, ["duration", '"6", "10"', "resolution", '"512P", "768P"',
                                    "colour", "1501", "cat.png", "cat.end.png"]), text


def test_a_corrected_spec_goes_on_and_its_note_goes(mount):
    mount.drop_bad(TEXT, "cat.json", {"promt": "a cat"})
    assert 'did you mean "prompt"' in mount.note(TEXT, "cat")
    mount.drop(TEXT, "cat.json", {"prompt": "a cat"})
    record = mount.accepted(TEXT, "cat")
    mount.wait(lambda: mount.out(TEXT) == [], "the note to go")
    assert "error" not in record and record["take"] == 1
    assert len(mount.sim.creates()) == 1


def test_a_spec_that_becomes_bad_replaces_the_note_and_deleting_it_takes_the_note_away(mount):
    mount.drop(HAILUO_23, "cat.txt", "a cat")
    assert mount.note(HAILUO_23, "cat", "waiting")
    mount.drop_bad(HAILUO_23, "cat.png", "no picture")
    assert "cat.png" in mount.note(HAILUO_23, "cat", "error")
    mount.wait(lambda: mount.out(HAILUO_23) == ["cat.error.txt"], "one note at a time")
    os.unlink(mount.path(HAILUO_23, "cat.png"))
    mount.wait(lambda: mount.out(HAILUO_23) == ["cat.waiting.txt"], "one note at a time")
    os.unlink(mount.path(HAILUO_23, "cat.txt"))
    mount.wait(lambda: mount.out(HAILUO_23) == [], "the note to go")
    assert mount.record(HAILUO_23, "cat") is None


def test_incomplete_is_not_invalid(mount):
    """What other files can still complete is never EINVAL."""
    for model in PICTURE_MODELS:
        mount.drop(model, "a.json", {"duration": 10})
        mount.drop(model, "b.txt", "no picture yet")
        mount.drop(model, "c.png", png())
        mount.drop(model, "d.json", {"prompt": "x", "image" if model == FLAT else "image_url":
                                     "not-here-yet.png"})
    mount.drop(TEXT, "e.json", {})
    mount.accepted(FLAT, "b")
    mount.quiet()
    sent = [body["prompt"] for body in mount.sim.bodies()]
    assert sent == ["no picture yet"], "PPInfra needs none"
    assert {job["state"] for job in mount.jobs() if job["model"] != FLAT} == {"waiting"}


def test_lenient_never_says_einval_but_tells_all_the_same(kinofs):
    mount = kinofs(options=["lenient"])
    for entry in BAD_SPECS[:10]:
        shutil.copyfile(os.path.join(BAD, entry["file"]),
                        mount.path(entry["model"], entry["file"]))
    mount.drop(HAILUO_23, "text-as.png", "just words")
    mount.quiet()
    for entry in BAD_SPECS[:10]:
        assert not missing_words(mount.note(entry["model"], entry["file"][:-5]), entry["words"])
    assert mount.note(HAILUO_23, "text-as") and mount.sim.log() == []


def test_a_rename_never_fails_because_of_content(mount):
    for number, entry in enumerate(BAD_SPECS[:10]):
        target = mount.path(entry["model"], entry["file"])
        shutil.copyfile(os.path.join(BAD, entry["file"]), target + ".part")
        os.rename(target + ".part", target)
        if number % 2:
            os.rename(target, mount.path(entry["model"], "again-" + entry["file"]))
    mount.quiet()
    for number, entry in enumerate(BAD_SPECS[:10]):
        stem = ("again-" if number % 2 else "") + entry["file"][:-5]
        assert not missing_words(mount.note(entry["model"], stem), entry["words"])
    assert mount.sim.log() == []


def test_a_close_by_another_process_says_nothing(mount):
    """A child that inherited the descriptor and ends must not look as if it had failed."""
    fd = os.open(mount.path(TEXT, "bad.json"), os.O_WRONLY | os.O_CREAT, 0o644)
    os.write(fd, b"{")
    os.set_inheritable(fd, True)
    child = subprocess.run(
        ["/usr/bin/python3", "-c", "import os, sys; os.close(int(sys.argv[1]))", str(fd)],
        pass_fds=[fd], check=False, capture_output=True, text=True)
    assert child.returncode == 0, child.stderr
    with pytest.raises(OSError) as refused:
        os.close(fd)
    assert refused.value.errno == errno.EINVAL


def test_a_duplicate_closed_while_the_file_is_still_written_may_complain_but_spoils_nothing(mount):
    fd = os.open(mount.path(TEXT, "cat.json"), os.O_WRONLY | os.O_CREAT, 0o644)
    os.write(fd, b'{"prompt": ')
    try:
        os.close(os.dup(fd))
    except OSError as error:
        assert error.errno == errno.EINVAL
    os.write(fd, b'"a cat"}')
    os.close(fd)
    mount.accepted(TEXT, "cat")
    assert mount.sim.bodies() == [{"model": TEXT, "input": {"prompt": "a cat"}}]


def test_reading_a_bad_file_and_appending_to_a_good_one_close_as_they_should(mount):
    mount.drop_bad(TEXT, "bad.txt", " ")
    assert mount.read(TEXT, "bad.txt") == " "
    with open(mount.path(TEXT, "bad.txt"), "a", encoding="utf-8") as file:
        file.write("now a cat")
    mount.accepted(TEXT, "bad")
    assert mount.sim.bodies() == [{"model": TEXT, "input": {"prompt": " now a cat"}}]


def test_two_files_for_one_purpose_are_refused(mount):
    mount.drop(HAILUO_02, "cat.txt", "a cat")
    mount.drop(HAILUO_02, "cat.png", png())
    mount.drop(HAILUO_02, "cat.jpg", png(colour=(1, 1, 1)))
    mount.wait_state(HAILUO_02, "cat", "rejected")
    text = mount.note(HAILUO_02, "cat")
    assert "cat.png" in text and "cat.jpg" in text
    os.unlink(mount.path(HAILUO_02, "cat.jpg"))
    mount.accepted(HAILUO_02, "cat")
    assert len(mount.sim.creates()) == 1


def test_pictures_through_symbolic_links_and_folders_never_leave_the_mount(mount):
    secret = mount.outside("secret.png", png(colour=(9, 9, 9)))
    os.symlink(secret, mount.path(HAILUO_23, "link.png"))
    os.symlink(os.path.dirname(secret), mount.path(HAILUO_23, "folder"))
    mount.drop(HAILUO_23, "a.json", {"prompt": "a", "image_url": "link.png"})
    mount.drop(HAILUO_23, "b.json", {"prompt": "b", "image_url": "folder/secret.png"})
    mount.drop(HAILUO_23, "link.txt", "a prompt with a linked picture")
    mount.quiet()
    assert mount.sim.log() == [], "a file from outside was sent"


# ------------------------------------------------------------------ mended elsewhere

def drop_anyhow(mount, folder, name, content):
    with contextlib.suppress(OSError):  # close(2) may say that it is bad
        mount.drop(folder, name, content)


@pytest.mark.parametrize("picture", [HAILUO_02 + "/pictures/cat.png", "pictures/cat.png"])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_picture_mended_in_another_folder_lets_the_job_go(mount, picture, restarted):
    drop_anyhow(mount, ".", picture, "this is no picture")
    drop_anyhow(mount, HAILUO_02, "cat.json", {
        "prompt": "a cat", "image_url": os.path.relpath(picture, HAILUO_02)})
    mount.wait_state(HAILUO_02, "cat", "rejected")
    if restarted:
        mount.restart()
    mount.drop(".", picture, png())
    assert mount.done(HAILUO_02, "cat")["take"] == 1
    mount.quiet()
    assert len(mount.sim.creates()) == 1
    mount.wait(lambda: not glob.glob(mount.path(HAILUO_02, "out", "**", "*.txt"), recursive=True),
               "the notes to go")


def test_defaults_mended_let_the_jobs_below_go(mount):
    drop_anyhow(mount, TEXT, "defaults.json", {"prompt_optimizer": "what?"})
    for name in ("cat", "summer/dog"):
        drop_anyhow(mount, TEXT, name + ".txt", name)
        mount.wait_state(TEXT, name, "rejected")
    mount.drop(TEXT, "defaults.json", {"prompt_optimizer": True})
    for name in ("cat", "summer/dog"):
        mount.done(TEXT, name)
    assert len(mount.sim.creates()) == 2
