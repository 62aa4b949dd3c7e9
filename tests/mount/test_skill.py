"""contrib/skill/SKILL.md: what it tells an agent to run does what it says."""
import os
import re
import subprocess

import pytest

from harness import BUILD, KINOFS, PATIENCE, ROOT, TEXT

SKILL = os.path.join(ROOT, "contrib", "skill", "SKILL.md")


@pytest.mark.no_asan("what it runs is run under it by other tests")
def test_the_skill_for_agents_is_true(mount):
    with open(SKILL, encoding="utf-8") as file:
        text = file.read()
    front, body = re.fullmatch(r"---\n(.*?)\n---\n(.*)", text, re.DOTALL).groups()
    name, description = re.fullmatch(r"name: (.*)\ndescription: (.*)", front).groups()
    assert name == "kinofs" and len(description) <= 1024 and ": " not in description, \
        "what agents read of it is plain YAML of its specification's length"
    for command in set(re.findall(r"`kinofs ([a-z]+)", body)):
        assert subprocess.run([KINOFS, command, "--help"], capture_output=True,
                              check=False).returncode == 0, command
    os.symlink(mount.root, os.path.join(mount.home, "Kino"))
    blocks = re.findall(r"```sh\n(.*?)```", body, re.DOTALL)
    said = []
    for block in blocks:
        ran = subprocess.run(["bash", "-euc", block], capture_output=True, text=True,
                             cwd=mount.home, timeout=PATIENCE, check=False,
                             env={**mount.environment(),
                                  "PATH": BUILD + ":" + os.environ["PATH"]})
        assert ran.returncode == 0, block + ran.stdout + ran.stderr
        said.append(ran.stdout)
    look, check, order, after = said
    assert TEXT in look and "PRICE" in look and '"$schema"' in look
    assert "A fox runs" in check and "credits" in check
    assert [os.path.realpath(path) for path in order.splitlines()] == [
        mount.path(TEXT, "out/fox.mp4")]
    assert '"spent_credits"' in after and "fox.mp4" in after and '{"seq":' in after
    assert len(mount.sim.creates()) == 1, "it is paid for once"
    states = body[body.index("`state` in the record"):body.index("`rejected` costs")]
    with open(os.path.join(ROOT, "fs", "journal", "job.c"), encoding="utf-8") as file:
        known = set(re.findall(r'^\t\[JOB_\w+\] = \{"(\w+)"', file.read(), re.MULTILINE))
    assert known == set(re.findall(r"`(\w+)`", states)) - {"state"} and len(known) == 12
