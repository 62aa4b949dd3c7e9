"""An order is paid once, whatever its files are called, however they are written, whatever dies.

Renames, exchanges, saves that change nothing that would be sent, undo, batches, and crashes
beside all of them. Copies: test_same_order.py. What is looked at right before an order is sent:
test_last_look.py. Whole stores: test_store_identity.py.
"""
import ctypes
import json
import os
import random
import select
import shutil
import subprocess

import pytest

import ledger
from desk import require
from harness import FLAT, HAILUO_23, OPEN_GATES, TEXT, png
from ledger import crash, ordered, orders, passed, prompt

pytestmark = pytest.mark.no_asan("its rules run under it in the simulated engine, which is faster")

AT_FDCWD, RENAME_EXCHANGE = -100, 2
LIBC = ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def mortal(tmp_path, sim):
    with ledger.mounts(tmp_path, sim) as make:
        yield make


def move(mount, old, new, model=TEXT):
    os.makedirs(os.path.dirname(mount.path(model, new)), exist_ok=True)
    os.rename(mount.path(model, old), mount.path(model, new))


def exchange(mount, one, other):
    result = LIBC.renameat2(AT_FDCWD, os.fsencode(mount.path(TEXT, one)),
                            AT_FDCWD, os.fsencode(mount.path(TEXT, other)), RENAME_EXCHANGE)
    assert result == 0, os.strerror(ctypes.get_errno())


def paid(mount, model=TEXT, **contents):
    """Drops NAME="prompt" … and awaits their videos; with a picture where one is needed."""
    for name, text in contents.items():
        if model != TEXT:
            mount.drop(model, name + ".png", png())
        mount.drop(model, name + ".txt", text)
    for name in contents:
        mount.done(model, name, timeout=ledger.LATE)


def shows(mount, name, text, model=TEXT):
    """jobs/NAME.json is the record of the take that was made of this prompt; when it is done."""
    assert prompt(ledger.rested(mount, model, name)) == text
    return mount.done(model, name, timeout=ledger.LATE)


# ------------------------------------------------------------------ renames

def test_a_new_file_takes_the_name_of_a_paid_one_at_once(mount):
    """The smallest: cat.txt goes to summer/, and before that is judged there is a new cat.txt."""
    paid(mount, cat="a cat")
    move(mount, "cat.txt", "summer/cat.txt")
    mount.drop(TEXT, "cat.txt", "another cat")
    ordered(mount, "a cat", "another cat")
    assert shows(mount, "summer/cat", "a cat")["outputs"] == [TEXT + "/out/cat.mp4"]
    shows(mount, "cat", "another cat")
    mount.drop(TEXT, "summer/cat.txt", "a cat")
    ordered(mount, "a cat", "another cat")


def test_many_new_files_take_the_name_one_after_the_other(mount):
    texts = ["cat number %d" % number for number in range(6)]
    paid(mount, cat=texts[0])
    for number, text in enumerate(texts[1:]):
        move(mount, "cat.txt", "cat%d.txt" % number)
        mount.drop(TEXT, "cat.txt", text)
        if number % 2:
            mount.quiet(timeout=ledger.LATE)
    # those that were moved before they were judged are ordered under their new names
    ordered(mount, *texts)
    for number, text in enumerate(texts[:-1]):
        shows(mount, "cat%d" % number, text)


def test_a_paid_prompt_renamed_over_another(mount):
    paid(mount, one="one", two="two")
    move(mount, "one.txt", "two.txt")
    ordered(mount, "one", "two")
    record = shows(mount, "two", "one")
    assert [take["take"] for take in record["earlier_takes"]] and mount.record(TEXT, "one") is None
    mount.drop(TEXT, "two.txt", "two")  # and that was paid too
    ordered(mount, "one", "two")
    shows(mount, "two", "two")


@pytest.mark.parametrize("spare", [None, "spare.txt", "spare.tmp", ".spare", "summer/one.txt"])
def test_two_paid_prompts_change_places(mount, spare):
    """By RENAME_EXCHANGE, or by three renames."""
    paid(mount, one="one", two="two")
    for wanted in (("two", "one"), ("one", "two")):
        if spare is None:
            exchange(mount, "one.txt", "two.txt")
        else:
            move(mount, "one.txt", spare)
            move(mount, "two.txt", "one.txt")
            move(mount, spare, "two.txt")
        ordered(mount, "one", "two")
        shows(mount, "one", wanted[0])
        shows(mount, "two", wanted[1])


@pytest.mark.parametrize("pause", [False, True], ids=["at once", "later"])
def test_a_folder_renamed_away_and_back(mount, pause):
    texts = ["wave %d" % number for number in range(4)]
    for number, text in enumerate(texts):
        mount.drop(TEXT, "summer/w%d.txt" % number, text)
    ordered(mount, *texts)
    for _ in range(3):
        os.rename(mount.path(TEXT, "summer"), mount.path(TEXT, "winter"))
        if pause:
            ordered(mount, *texts)
            shows(mount, "winter/w1", texts[1])
        os.rename(mount.path(TEXT, "winter"), mount.path(TEXT, "summer"))
        if pause:
            ordered(mount, *texts)
    ordered(mount, *texts)
    for number, text in enumerate(texts):
        shows(mount, "summer/w%d" % number, text)


def test_written_renamed_before_it_settled_and_removed(kinofs):
    mount = kinofs(settle=3)
    mount.drop(TEXT, "kept.txt", "kept")
    move(mount, "kept.txt", "new name.txt")
    mount.drop(TEXT, "gone.txt", "gone")
    move(mount, "gone.txt", "gone too.txt")
    os.unlink(mount.path(TEXT, "gone too.txt"))
    ordered(mount, "kept")
    os.unlink(mount.path(TEXT, "new name.txt"))
    ordered(mount, "kept")
    mount.drop(TEXT, "back.txt", "kept")  # returned under another name
    mount.quiet(timeout=ledger.LATE)
    assert orders(mount.sim) == ledger.once("kept")


def test_away_to_a_dotfile_and_back_saved_again_and_touched(mount):
    paid(mount, cat="a cat")
    for steps in range(3):
        move(mount, "cat.txt", ".cat.txt")
        if steps:
            ordered(mount, "a cat")
        move(mount, ".cat.txt", "cat.txt")
        mount.drop(TEXT, "cat.txt", "a cat")
        os.utime(mount.path(TEXT, "cat.txt"))
        ordered(mount, "a cat")
    assert shows(mount, "cat", "a cat")["take"] == 1


@pytest.mark.parametrize("model", [HAILUO_23, FLAT])
@pytest.mark.parametrize("first", ["png", "txt"])
@pytest.mark.parametrize("to", ["dog", "summer/cat"])
def test_a_pair_is_renamed_one_by_one(kinofs, model, first, to):
    """Long enough apart that the half of it was judged."""
    mount = kinofs(config={**OPEN_GATES, "settle_alone_seconds": 3600})
    paid(mount, model=model, cat="a cat")
    for ending in (first, {"png": "txt", "txt": "png"}[first]):
        move(mount, "cat." + ending, "%s.%s" % (to, ending), model)
        passed(mount)
    ordered(mount, "a cat")
    assert shows(mount, to, "a cat", model)["outputs"] == [model + "/out/cat.mp4"]
    assert mount.record(model, "cat") is None


# ------------------------------------------------------------------ how it is written down

def test_saves_that_change_nothing_of_a_prompt(mount):
    text = "a cat\nwith a hat"
    paid(mount, cat=text)
    for content in (text + "\n", text.replace("\n", "\r\n"), "\ufeff" + text, text + " \t\n\n",
                    "\ufeff" + text.replace("\n", "\r\n") + "\r\n", text):
        mount.drop(TEXT, "cat.txt", content)
        ordered(mount, text)
    assert shows(mount, "cat", text)["take"] == 1


def test_saves_that_change_nothing_of_a_spec(mount):
    spec = {"prompt": "a cat", "duration": "6", "resolution": "768P", "prompt_optimizer": True,
            "image_url": "https://example.com/cat.png"}
    model = "hailuo/02-image-to-video-standard"
    mount.drop(model, "cat.json", spec)
    mount.done(model, "cat")
    for content in (json.dumps(spec, indent=4) + "\n",
                    json.dumps(dict(reversed(spec.items())), separators=(",", ":")),
                    "\ufeff" + json.dumps(spec).replace("cat.png", "c\\u0061t.png"),
                    json.dumps(spec, indent=1).replace("\n", "\r\n"),
                    {"$schema": "./schema.json", **spec}, {**spec, "duration": 6},
                    {"model": model, "input": spec},
                    {"model": model, "callBackUrl": "https://example.com/", "input": spec},
                    {"model": model, "callBackUrl": "https://example.org/", "input": spec}):
        mount.drop(model, "cat.json", content)
        ordered(mount, "a cat")
    assert shows(mount, "cat", "a cat", model)["take"] == 1


def test_words_moved_from_a_prompt_file_into_a_spec(mount):
    paid(mount, cat="a cat")
    os.unlink(mount.path(TEXT, "cat.txt"))
    mount.drop(TEXT, "cat.json", {"prompt": "a cat"})
    ordered(mount, "a cat")
    assert shows(mount, "cat", "a cat")["take"] == 1


def test_an_undo_leads_back_to_the_take_it_was(mount):
    paid(mount, cat="text A")
    mount.drop(TEXT, "cat.txt", "text B")
    ordered(mount, "text A", "text B")
    assert shows(mount, "cat", "text B")["take"] == 2
    for text, take, others in (("text A", 1, [2]), ("text B", 2, [1]), ("text A", 1, [2])):
        mount.drop(TEXT, "cat.txt", text)
        ordered(mount, "text A", "text B")
        record = shows(mount, "cat", text)
        assert record["take"] == take
        assert [earlier["take"] for earlier in record["earlier_takes"]] == others
        assert record["outputs"] == [TEXT + "/out/cat%s.mp4" % (".2" if take == 2 else "")]
    mount.drop(TEXT, "cat.txt", "text C")
    ordered(mount, "text A", "text B", "text C")
    assert shows(mount, "cat", "text C")["take"] == 3
    mount.restart()
    ordered(mount, "text A", "text B", "text C")


def test_git_checks_out_to_and_fro(mount):
    require("git", "git")
    folder = mount.path(TEXT, "work")
    os.makedirs(folder)

    def git(*words):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c",
                        "init.defaultBranch=main", *words], cwd=folder, check=True,
                       capture_output=True, env={**os.environ, "HOME": mount.home})
    git("init")
    for branch, text in (("one", "the first words"), ("two", "the second words")):
        git("checkout", "-b", branch)
        mount.drop(TEXT, "work/cat.txt", text)
        git("add", "cat.txt")
        git("commit", "-m", branch)
        mount.quiet(timeout=ledger.LATE)
    for branch in ("one", "two") * 2:
        git("checkout", branch)
        ordered(mount, "the first words", "the second words")
    assert shows(mount, "work/cat", "the second words")["take"] == 2


# ------------------------------------------------------------------ batches

def lines(*prompts):
    return "".join(json.dumps({"prompt": text}) + "\n" for text in prompts)


def test_the_first_line_of_a_batch_is_removed_and_put_back(mount):
    texts = ["line %d" % number for number in range(8)]
    mount.drop(TEXT, "list.jsonl", lines(*texts))
    ordered(mount, *texts)
    for _ in range(2):
        mount.drop(TEXT, "list.jsonl", lines(*texts[1:]))
        ordered(mount, *texts)
        mount.drop(TEXT, "list.jsonl", lines(*texts))
        ordered(mount, *texts)


def test_a_batch_is_shuffled_and_cut(mount):
    texts = ["line %d" % number for number in range(8)]
    mount.drop(TEXT, "list.jsonl", lines(*texts))
    ordered(mount, *texts)
    dice = random.Random(8)
    for turn in range(6):
        mount.drop(TEXT, "list.jsonl", lines(*dice.sample(texts, dice.randint(3, 8))))
        if turn % 2:
            ordered(mount, *texts)
    mount.drop(TEXT, "list.jsonl", lines(*texts))
    ordered(mount, *texts)


def test_a_line_of_a_batch_becomes_a_spec_of_its_own(mount):
    mount.drop(TEXT, "list.jsonl", lines("one", "two"))
    ordered(mount, "one", "two")
    mount.drop(TEXT, "list.jsonl", lines("one"))
    mount.drop(TEXT, "two.txt", "two")
    ordered(mount, "one", "two")
    shows(mount, "two", "two")


# ------------------------------------------------------------------ crashes beside it

@pytest.mark.parametrize("count", [25, 1])
def test_a_folder_of_paid_prompts_is_renamed_right_before_a_crash(mortal, count):
    mount = mortal()
    texts = ["wave %d" % number for number in range(count)]
    for number, text in enumerate(texts):
        mount.drop(TEXT, "f0/w%d.txt" % number, text)
    ordered(mount, *texts)
    pauses = (0, 0.02, 0.1, 0.3)
    for turn, pause in enumerate(pauses, 1):
        os.rename(mount.path(TEXT, "f%d" % (turn - 1)), mount.path(TEXT, "f%d" % turn))
        select.select([], [], [], pause)  # the moment of the crash is what is tried here
        crash(mount)
        ordered(mount, *texts)
    for number, text in enumerate(texts):
        shows(mount, "f%d/w%d" % (len(pauses), number), text)


def test_one_paid_prompt_is_renamed_again_and_again_right_before_a_crash(mortal):
    mount = mortal()
    paid(mount, cat0="a cat")
    for turn in range(1, 5):
        move(mount, "cat%d.txt" % (turn - 1), "cat%d.txt" % turn)
        if turn == 3:  # its old name is used at once
            mount.drop(TEXT, "cat2.txt", "another cat")
        crash(mount)
        mount.quiet(timeout=ledger.LATE)
        assert orders(mount.sim)["a cat"] == 1
    shows(mount, "cat4", "a cat")
    ordered(mount, "a cat", "another cat")


@pytest.mark.parametrize("how", ["crashed", "ended"])
def test_forgotten_jobs_are_not_ordered_by_a_start(mortal, how):
    """Only by the user who saves them again."""
    mount = mortal()
    texts = {"w%d" % number: "wave %d" % number for number in range(8)}
    paid(mount, **texts)
    for name in texts:
        os.unlink(mount.path(TEXT, "jobs", name + ".json"))
    if how == "crashed":
        crash(mount)
    else:
        mount.restart()
    ordered(mount, *texts.values())
    crash(mount)
    ordered(mount, *texts.values())
    mount.drop(TEXT, "w3.txt", texts["w3"])
    ordered(mount, *texts.values(), texts["w3"])
    shows(mount, "w3", texts["w3"])


@pytest.mark.parametrize("how", ["renamed", "linked"])
def test_a_forgotten_prompt_that_only_gets_a_name_is_held(mortal, how):
    mount = mortal()
    paid(mount, cat="a cat")
    os.unlink(mount.path(TEXT, "jobs", "cat.json"))
    if how == "renamed":
        move(mount, "cat.txt", "dog.txt")
    else:
        os.link(mount.path(TEXT, "cat.txt"), mount.path(TEXT, "dog.txt"))
    ledger.held(mount, TEXT, "dog", "release")
    ordered(mount, "a cat")
    mount.drop(TEXT, "dog.txt", "a cat")  # saved after it was forgotten
    ordered(mount, "a cat", "a cat")


@pytest.mark.parametrize("file, job, content", [
    ("cat.txt", "cat", "a cat"), ("list.jsonl", "list-0001", '{"prompt": "a cat"}\n')])
def test_a_touch_right_before_a_crash_is_no_save(mortal, file, job, content):
    """Which only the mount can tell from one: afterwards the file says when, not what."""
    mount = mortal()
    path = mount.drop(TEXT, file, content)
    mount.done(TEXT, job)
    os.unlink(mount.path(TEXT, "jobs", job + ".json"))
    os.utime(path)
    crash(mount)
    mount.wait_state(TEXT, job, "held")
    ordered(mount, "a cat")


@pytest.mark.parametrize("crashed", [False, True], ids=["while mounted", "while not"])
def test_a_forgotten_prompt_that_replaces_one_just_saved_is_held(mortal, crashed):
    """The save of that one makes no order of this one."""
    mount = mortal()
    paid(mount, cat="a cat", dog="a dog")
    os.unlink(mount.path(TEXT, "jobs", "cat.json"))
    mount.settle = 3600  # what is saved now is not judged before the rename
    mount.restart()
    mount.drop(TEXT, "dog.txt", "a dog in the rain")
    mount.wait(lambda: mount.record(TEXT, "dog")["settling"], "the save to be known")
    if crashed:
        mount.kill9()
        os.rename(os.path.join(mount.tree, TEXT, "cat.txt"), os.path.join(mount.tree, TEXT, "dog.txt"))
    else:
        move(mount, "cat.txt", "dog.txt")
        mount.kill9()
    mount.settle = 0.2
    mount.start()
    mount.wait_state(TEXT, "dog", "held", take=2)
    ordered(mount, "a cat", "a dog")


@pytest.mark.parametrize("how", ["cancelled", "record removed", "files removed"])
def test_what_was_withdrawn_while_it_settled_is_not_ordered_after_a_crash(mortal, how):
    mount = mortal(settle=3600)
    path = mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait(lambda: mount.record(TEXT, "cat"), "the record")
    if how == "cancelled":
        answer = mount.order("cancel %s/cat" % TEXT)
        assert "cancelled" in answer, answer
    elif how == "record removed":
        os.unlink(mount.path(TEXT, "jobs", "cat.json"))
    else:
        os.unlink(path)
    mount.settle = 0.2
    for _ in range(2):
        crash(mount)
        ordered(mount)
    mount.drop(TEXT, "cat.txt", "a cat")  # the user has changed his mind
    ordered(mount, "a cat")


def test_a_removed_prompt_comes_back_after_a_crash(mortal):
    mount = mortal()
    paid(mount, cat="a cat")
    kept = mount.outside("cat.txt", "a cat")
    os.unlink(mount.path(TEXT, "cat.txt"))
    crash(mount)
    shutil.copyfile(kept, mount.path(TEXT, "cat.txt"))
    crash(mount)
    ordered(mount, "a cat")
    assert shows(mount, "cat", "a cat")["take"] == 1
