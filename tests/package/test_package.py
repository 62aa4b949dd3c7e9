"""What is built and installed, as it lies there: the binaries' defences, the completions."""
import os
import re
import subprocess

import pytest

from harness import KINOFS, KINOFS_SIM, ROOT

COMPLETIONS = os.path.join(ROOT, "contrib", "completions")


def content(*parts):
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as file:
        return file.read()


@pytest.mark.no_asan("the sanitizers are built with other flags")
@pytest.mark.parametrize("program", [KINOFS, KINOFS_SIM], ids=os.path.basename)
def test_a_program_is_hardened(program):
    said = subprocess.run(["readelf", "-W", "-h", "-l", "-d", "--dyn-syms", program], check=True,
                          capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout
    assert re.search(r"Type: +DYN", said) and re.search(r"\(FLAGS_1\).*\bPIE\b", said), "no PIE"
    assert re.search(r"\(FLAGS\).*\bBIND_NOW\b", said) and "GNU_RELRO" in said, "no full relro"
    assert re.search(r"GNU_STACK( +0x\w+){5} RW ", said), "the stack can be executed"
    assert "__stack_chk_fail" in said, "no stack protector"
    assert re.search(r"__\w*printf_chk", said), "not fortified"


@pytest.mark.parametrize("name", sorted(os.listdir(COMPLETIONS)))
def test_a_completion_names_every_command(name):
    commands = re.findall(r'^\t\{"(\w+)", cli_', content("fs", "main.c"), re.MULTILINE)
    assert len(commands) > 8 and "doctor" in commands
    script = content("contrib", "completions", name)
    assert [command for command in commands if not re.search(r"\b%s\b" % command, script)] == []
