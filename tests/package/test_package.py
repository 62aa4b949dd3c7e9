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
    commands = re.findall(r'^\t\{"(\w+)", cli_', content("fs", "cli", "commands.c"), re.MULTILINE)
    assert len(commands) > 8 and "doctor" in commands
    script = content("contrib", "completions", name)
    assert [command for command in commands if not re.search(r"\b%s\b" % command, script)] == []


@pytest.mark.no_asan("the same files")
@pytest.mark.parametrize("prefix, extensions", [("/usr/local", "usr/share"), ("/usr", "usr/share"),
                                                ("/home/kim/.local", "home/kim/.local/share")])
def test_file_managers_find_their_actions_where_they_look(tmp_path, prefix, extensions):
    """Nautilus, Nemo, Caja and Thunar, PCManFM, Dolphin as in Debian 12; nothing is left behind."""
    make = ["make", "-s", "-C", ROOT, "B=" + os.path.dirname(KINOFS), "DESTDIR=" + str(tmp_path),
            "PREFIX=" + prefix]
    subprocess.run([*make, "install"], check=True, capture_output=True)
    action = prefix + "/share/kinofs/file-manager/kinofs-action"
    assert os.access(str(tmp_path) + action, os.X_OK)
    share = str(tmp_path) + prefix + "/share/"
    named = [os.path.join(str(tmp_path), extensions, host + "-python/extensions/kinofs_files.py")
             for host in ("nautilus", "nemo", "caja", "thunarx")]
    named += [share + "file-manager/actions/kinofs-again.desktop",
              share + "kio/servicemenus/kinofs.desktop",
              share + "kio/servicemenus/kinofs-animate.desktop"]
    for path in named:
        with open(path, encoding="utf-8") as file:
            assert action in file.read(), path
    for folder, _, names in os.walk(tmp_path):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                assert b"@PREFIX@" not in file.read(), name
    subprocess.run([*make, "uninstall"], check=True, capture_output=True)
    assert [names for _, _, names in os.walk(tmp_path) if names] == []


def test_the_unit_for_everyone_is_confined(tmp_path):
    """As far as a service can be that mounts; systemd's own measure, in tenths."""
    unit = tmp_path / "kinofs.service"
    with open(os.path.join(ROOT, "contrib/systemd/kinofs-everyone.service"),
              encoding="utf-8") as file:
        unit.write_text(file.read().replace("@PREFIX@", "/usr"))
    judged = subprocess.run(["systemd-analyze", "security", "--no-pager", "--offline=true",
                             "--threshold=50", str(unit)], capture_output=True, text=True,
                            check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr
