"""Symbolic links under the names of jobs, and in what specs name: one counts as the file it leads to."""
import os
import random
import subprocess

import pytest

from harness import HAILUO_02, HAILUO_23, TEXT, png, prompt_of

ROUNDS = 100


@pytest.fixture
def linked(kinofs):
    """A mount that was given by a path with a link in it, `alias`, and folders with a picture."""
    mount = kinofs(start=False)
    mount.alias = os.path.join(mount.directory, "alias")
    os.symlink("mnt", mount.alias)
    words = mount.command()
    mount.command = lambda: [*words[:-1], mount.alias]
    mount.start()
    mount.drop(HAILUO_02, "shots/a.png", png(colour=(1, 2, 3)))
    return mount


def link(mount, target, *path):
    """As people do it."""
    subprocess.run(["ln", "-sfT", target, mount.path(*path)], check=True)


def prompts(mount):
    return {prompt_of(body) for body in mount.sim.bodies()}


def test_links_in_the_mount_are_drops_and_those_that_lead_out_say_so(linked):
    mount = linked
    mount.drop(TEXT, "out/still.png", png(colour=(4, 5, 6)))
    link(mount, "../../" + HAILUO_02 + "/shots", HAILUO_23, "folder")
    for name, target in {
            "relative": "../02-image-to-video-standard/shots/a.png",
            "by-mount": mount.path(HAILUO_02, "shots/a.png"),
            "by-alias": os.path.join(mount.alias, HAILUO_02, "shots", "a.png"),
            "through-folder": "folder/a.png", "chain": "relative.png",
            "overview": mount.path("out/still.png")}.items():
        mount.drop(HAILUO_23, name + ".txt", name)
        link(mount, target, HAILUO_23, name + ".png")
    mount.drop(HAILUO_23, "spec.json", {"prompt": "spec", "image_url": "folder/a.png"})
    mount.drop(TEXT, "words/w", {"prompt": "by a linked spec"})
    link(mount, "words/w", TEXT, "linked.json")
    wanted = ["relative", "by-mount", "by-alias", "through-folder", "chain", "overview", "spec"]
    out = {"far.json": mount.outside("far.json", '{"prompt": "far"}'),
           "up.txt": "../../../outside/far.json", "away.png": mount.outside("a.png", png()),
           "list.jsonl": "/nowhere"}
    for name, target in out.items():
        link(mount, target, HAILUO_23, name)
    for name in wanted:
        mount.accepted(HAILUO_23, name)
    mount.accepted(TEXT, "linked")
    for name in ("far", "up", "away", "list-0001"):
        assert "leads out of the mount through a symbolic link" in mount.note(HAILUO_23, name)
    check = mount.run("check", mount.path(HAILUO_23, "chain.txt"), mount.path(HAILUO_23, "chain.png"))
    assert check.returncode == 0 and check.stdout.count('"chain"') == 2, check
    bad = mount.run("check", mount.path(HAILUO_23, "away.png"))
    assert "leads out of the mount" in bad.stderr and bad.returncode != 0
    mount.quiet()
    assert prompts(mount) == {*wanted, "by a linked spec"}
    assert len(mount.sim.creates()) == len(wanted) + 1
    # the job of a link is told by the link's name, not by what it leads to
    mount.done(TEXT, "linked")
    retry = mount.run("retry", mount.path(TEXT, "linked.json"))
    assert retry.returncode == 0, retry
    assert mount.accepted(TEXT, "linked", take=2)


def test_a_link_counts_just_when_it_leads_to_a_file_of_the_mount(linked):
    mount, dice = linked, random.Random(1)
    link(mount, "shots", HAILUO_02, "to-shots")
    link(mount, mount.directory, HAILUO_02, "to-outside")
    link(mount, "loop", HAILUO_02, "loop")
    mount.drop(HAILUO_02, "shots/b.png", png(colour=(7, 8, 9)))
    mount.outside("a.png", png())
    base = os.path.basename(HAILUO_02)
    heads = ["../" + base, "../../" + HAILUO_02, mount.path(HAILUO_02), "../../../mnt/" + HAILUO_02,
             os.path.join(mount.alias, HAILUO_02), "../../../outside"]
    folders = ["shots", "to-shots", "./shots//", "shots/..//to-shots", "none/../shots", "loop",
               "to-outside", "to-outside/outside", "shots/a.png/.."]
    files = ["a.png", "b.png", "a.png", "b.png", "b.png/", "none.png"]
    expected = set()
    for number in range(ROUNDS):
        target = "/".join(dice.choice(part) for part in (heads, folders, files))
        if number % 4 == 3:  # a link to another, made before or about to be
            target = "r%d.png" % dice.randrange(number + 2)
        mount.drop(HAILUO_23, "r%d.txt" % number, "random %d" % number)
        link(mount, target, HAILUO_23, "r%d.png" % number)
    for number in range(ROUNDS):
        path = mount.path(HAILUO_23, "r%d.png" % number)
        if os.path.isfile(path) and os.path.realpath(path).startswith(mount.root + "/"):
            expected.add("random %d" % number)
    mount.quiet()
    assert prompts(mount) == expected
    assert len(expected) > 10, "the dice show too little"
