"""What programs do to files in a mount ends as in a plain folder: results, errors, contents and
attributes of random sequences of system calls (hands.py). A difference prints the shortest sequence
found. KINOFS_HANDS_SECONDS runs seeds nobody has tried for so long (in `make torture` ten minutes).
"""
import os
import subprocess
import sys
import time

import pytest

import hands
from harness import PATIENCE, TEXT

LONG = float(os.environ.get("KINOFS_HANDS_SECONDS") or
             (600 if os.environ.get("KINOFS_TORTURE") else 0))
FOLDERS = ("", TEXT, TEXT + "/out")  # where they are nobody's business, judged, passed through


def make_places(kinofs, tmp_path, options):
    """The folders of the mount, and a plain one on the file system of its store."""
    os.mkdir(tmp_path / "plain")
    mount = kinofs(options=options)
    return [mount.path(folder) for folder in FOLDERS], str(tmp_path / "plain")


@pytest.fixture
def places(kinofs, tmp_path):
    return make_places(kinofs, tmp_path, ["allow_other"] if os.geteuid() == 0 else [])


def compare(places):
    for seed, mounted in enumerate(places[0]):
        found = hands.check(hands.write(seed, 1200), mounted, places[1], seed)
        assert not found, found


def test_what_programs_do_ends_as_in_a_plain_folder(places):
    compare(places)


@pytest.mark.skipif(os.geteuid() != 0, reason="root's own mount")
def test_so_it_does_where_only_root_may_enter(kinofs, tmp_path, monkeypatch):
    monkeypatch.setattr(hands, "OTHERS", False)
    compare(make_places(kinofs, tmp_path, []))


if LONG:
    def test_so_do_sequences_nobody_has_tried(places, capsys):
        until, first = time.monotonic() + LONG, int(time.time())
        seed = first
        while time.monotonic() < until:
            found = hands.check(hands.write(seed, 2000), places[0][seed % 3], places[1], seed)
            assert not found, found
            seed += 1
        with capsys.disabled():
            print("%d sequences" % (seed - first))


def test_a_sequence_is_the_same_whenever_it_is_written():
    assert hands.write(11, 100) == hands.write(11, 100) != hands.write(12, 100)


def test_who_dies_of_a_signal_is_followed_by_another(tmp_path):
    """And the new one keeps none of the others from ending."""
    program = "import os, sys, hands; hands.Hands.do_abort = staticmethod(os.abort); " \
        "print([*hands.run(sys.argv[1], [[n, step] for step in ('abort', 'tree') for n in (2, 1, 0)])])"
    told = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True,
                          cwd=os.path.dirname(hands.__file__), timeout=PATIENCE, check=True)
    assert told.stdout == "['died', 'died', 'died', [], [], []]\n"
