"""Random histories of what programs do, against the reference model (model.py says what must hold).

A failing seed prints the shortest history that was found for it, to be put into a file for
`tests/mount/model.py --replay FILE`. KINOFS_MODEL_SEEDS, "200" or "1000-1099", runs other seeds
with all habits; KINOFS_MODEL_SECONDS runs new seeds for so long (in `make torture` two hours).
"""
import collections
import json
import os
import time

import pytest

import habits
import model
from harness import TEXT
from reference import World, canonical

pytestmark = pytest.mark.no_asan("its rules run under it in the simulated engine, which is faster")

LONG = float(os.environ.get("KINOFS_MODEL_SECONDS") or
             (7200 if os.environ.get("KINOFS_TORTURE") else 0))
SHRINK_SECONDS = 60


def seeds():
    """(seed, habits): all of them, or some that get more to do in a short history."""
    wanted = os.environ.get("KINOFS_MODEL_SEEDS")
    if wanted:
        first, _, last = wanted.rpartition("-")
        return [(seed, "") for seed in range(int(first or 0), int(last) + bool(first))]
    return [(1, ""), (2, ""), (3, ""), (4, ""),
            (5, "rename,exchange,over,folders"),
            (6, "vim,gio,rsync,again,form,undo,batch,copy"),
            (7, "crash,kill,rename,folders,remove,rewrite"),
            (8, "forget,order,copy,remount,offline,pair")]


@pytest.mark.parametrize("seed, only", seeds())
def test_whatever_programs_do_each_order_is_paid_once_and_what_stays_is_ordered(seed, only, clip):
    found = model.check_seed(seed, clip, tuple(filter(None, only.split(","))), SHRINK_SECONDS)
    if found:
        pytest.fail(found, pytrace=False)


FOX, OWL, DEFAULTS = (TEXT + name for name in ("/fox.json", "/owl.json", "/defaults.json"))
OTHER_DEFAULTS = {"do": "write", "path": DEFAULTS, "text": '{"prompt_optimizer": true}', "pause": 0}


def wish(path, words, pause):
    return {"do": "write", "path": path, "text": json.dumps({"prompt": words}), "pause": pause}


@pytest.mark.parametrize("steps", [
    [wish(FOX, "t0009 a cat", 0.217), wish(OWL, "t0001 dust", 0),
     {"do": "exchange", "a": OWL, "b": FOX, "pause": 0}, OTHER_DEFAULTS],
    [wish(FOX, "t0014 dust", 0.382), {"do": "rename", "a": FOX, "b": OWL, "pause": 0}, OTHER_DEFAULTS],
], ids=["exchanged", "renamed"])
def test_other_defaults_right_after_a_rename_order_nothing_again(steps, clip):
    failure = model.run(steps, clip)
    assert not failure, str(failure)


if LONG:
    def test_histories_nobody_has_seen_before(clip, capsys):
        with capsys.disabled():
            count, found = model.check_long(LONG, int(time.time()), clip)
            print("%d histories" % count)
        if found:
            pytest.fail("\n\n".join(found), pytrace=False)


def test_a_history_is_the_same_whenever_it_is_written():
    assert habits.write(11) == habits.write(11) != habits.write(12)


# ------------------------------------------------------------------ the model itself

class FakeBook:
    """An account book that is written by hand."""

    def __init__(self):
        self.accepted = collections.Counter()
        self.closed, self.late = {}, set()

    def read(self):
        return self.accepted


@pytest.fixture
def ledger():
    return model.Ledger(FakeBook())


def do(ledger, world, **step):
    assert world.may(step)
    world.apply(step)
    ledger.learn(world)


def order(prompt):
    return canonical(TEXT, {"prompt": prompt})


def test_the_model_allows_one_order_for_words_that_move_and_are_copied(ledger):
    world = World()
    do(ledger, world, do="write", path=TEXT + "/cat.txt", text="a cat\n")
    assert ledger.allowed == {order("a cat"): 1}
    ledger.book.accepted[order("a cat")] += 1
    do(ledger, world, do="rename", a=TEXT + "/cat.txt", b=TEXT + "/dog.txt")
    do(ledger, world, do="copy", a=TEXT + "/dog.txt", b=TEXT + "/cat.txt")
    do(ledger, world, do="write", path=TEXT + "/cat.txt", text="\ufeffa cat\r\n")
    assert not list(ledger.problems())
    ledger.book.accepted[order("a cat")] += 1
    assert len(list(ledger.problems())) == 1


def test_the_model_allows_nothing_that_was_withdrawn_or_that_nobody_wrote(ledger):
    world = World()
    do(ledger, world, do="write", path=TEXT + "/cat.txt", text="a cat")
    do(ledger, world, do="unlink", path=TEXT + "/cat.txt")
    ledger.withdraw()
    ledger.book.accepted.update([order("a cat"), order("a dog")])
    assert len(list(ledger.problems())) == 2


def test_the_model_allows_another_order_when_the_record_was_forgotten_and_the_files_saved(ledger):
    world = World()
    do(ledger, world, do="write", path=TEXT + "/cat.txt", text="a cat")
    ledger.book.accepted[order("a cat")] += 1
    ledger.end(order("a cat"), world.number)
    do(ledger, world, do="rename", a=TEXT + "/cat.txt", b=TEXT + "/dog.txt")
    assert ledger.allowed[order("a cat")] == 1
    do(ledger, world, do="write", path=TEXT + "/dog.txt", text="a cat")
    assert ledger.allowed[order("a cat")] == 2
