"""kinofs setup: a key is asked for, tried, and written where kinofs looks for it."""
import json
import os
import stat
import subprocess

from harness import KINOFS, PATIENCE, TEXT
from terminal import Terminal

OK, FAILED, USAGE = 0, 1, 2
KEY = "sk-kie-0123456789-typed"
WHICH, SECRET = "Number or name: ", "you paste it): "


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_a_key_is_asked_for_tried_and_written_for_its_owner_only(kinofs):
    mount = kinofs(start=False, keys={})
    folder = os.path.join(mount.home, "config", "kinofs")
    config, key = os.path.join(folder, "config.json"), os.path.join(folder, "kie.key")
    os.unlink(config)
    # one that is refused
    mount.sim.faults({"on": "credit", "do": "code", "value": 401})
    terminal = Terminal(mount, ["setup"])
    terminal.answer(WHICH, "kie.ai")
    terminal.answer(SECRET, KEY)
    terminal.answer("all the same? [y/N] ", "n")
    shown, status = terminal.end()
    assert status == FAILED and KEY not in shown and os.listdir(folder) == []
    # one with a character that no key has, and none
    for text in ("sk kie", ""):
        terminal = Terminal(mount, ["setup"])
        terminal.answer(WHICH, "1")
        terminal.answer(SECRET, text)
        assert terminal.end()[1] == FAILED and os.listdir(folder) == []
    # a good one
    terminal = Terminal(mount, ["setup"])
    terminal.answer(WHICH, "3")
    terminal.answer(WHICH, "1")
    terminal.answer(SECRET, KEY)
    shown, status = terminal.end()
    assert status == OK and "100000 credits" in shown and KEY not in shown
    assert sorted(os.listdir(folder)) == ["config.json", "kie.key"]
    assert (mode(config), mode(key)) == (0o600, 0o600)
    with open(config, encoding="utf-8") as file:
        assert json.load(file) == {"providers": {"kie": {"key_file": "kie.key"}}}
    # it is not overwritten unasked
    terminal = Terminal(mount, ["setup"], KIE_API_KEY="another")
    terminal.answer(WHICH, "kie")
    terminal.answer(SECRET, "another")
    terminal.answer("Overwrite it? [y/N] ", "")
    assert terminal.end()[1] == FAILED and open(key, encoding="ascii").read() == KEY + "\n"
    # nor is a configuration
    with open(config, "w", encoding="utf-8") as file:
        json.dump({"caps": {"jobs_per_day": 5}}, file)
    os.chmod(config, 0o640)
    for answers, wanted in ((("y", "n"), {"caps": {"jobs_per_day": 5}}),
                            (("y", "y"), {"caps": {"jobs_per_day": 5},
                                          "providers": {"kie": {"key_file": "kie.key"}}})):
        terminal = Terminal(mount, ["setup"])
        terminal.answer(WHICH, "kie")
        terminal.answer(SECRET, KEY)
        terminal.answer("Overwrite it? [y/N] ", answers[0])
        terminal.answer("Add the key's file to it? [y/N] ", answers[1])
        assert terminal.end()[1] == (OK if answers[1] == "y" else FAILED)
        with open(config, encoding="utf-8") as file:
            assert json.load(file) == wanted
        assert mode(config) == 0o640
    mount.start()
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")


def test_it_asks_nothing_where_nobody_answers(kinofs):
    mount = kinofs(start=False)
    result = subprocess.run([KINOFS, "setup"], env=mount.environment(), stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert result.returncode == USAGE and "terminal" in result.stderr and not result.stdout
