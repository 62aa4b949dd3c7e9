"""What is built and installed, as it lies there: the binaries' defences, the completions."""
import os
import re
import shutil
import socket
import subprocess
import tempfile

import pytest

from harness import KINOFS, KINOFS_SIM, PATIENCE, ROOT

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
@pytest.mark.parametrize("said, prefix, extensions", [
    ("/usr/local", "/usr/local", "usr/share"), ("/usr/", "/usr", "usr/share"),
    ("~/.local", "/home/kim/.local", "home/kim/.local/share")])  # as some shells leave it
def test_file_managers_find_their_actions_where_they_look(tmp_path, said, prefix, extensions):
    """Nautilus, Nemo, Caja and Thunar, PCManFM, Dolphin as in Debian 12; nothing is left behind."""
    make = ["make", "-s", "-C", ROOT, "B=" + os.path.dirname(KINOFS), "DESTDIR=" + str(tmp_path),
            "PREFIX=" + said]
    home = {**os.environ, "HOME": "/home/kim"}
    subprocess.run([*make, "install"], env=home, check=True, capture_output=True)
    action = prefix + "/share/kinofs/file-manager/kinofs-action"
    assert os.access(str(tmp_path) + action, os.X_OK)
    share = str(tmp_path) + prefix + "/share/"
    assert os.access(share + "kinofs/hooks/notify", os.X_OK)
    assert os.access(share + "kinofs/skills/kinofs/SKILL.md", os.R_OK)
    named = [os.path.join(str(tmp_path), extensions, host + "-python/extensions/kinofs_files.py")
             for host in ("nautilus", "nemo", "caja", "thunarx")]
    named += [share + "file-manager/actions/kinofs-again.desktop",
              share + "kio/servicemenus/kinofs.desktop",
              share + "kio/servicemenus/kinofs-animate.desktop"]
    for name in ("bash-completion/completions/kinofs", "zsh/site-functions/_kinofs",
                 "fish/vendor_completions.d/kinofs.fish", "man/man1/kinofs-sim.1"):
        assert os.path.exists(share + name)
    for path in named:
        with open(path, encoding="utf-8") as file:
            assert action in file.read(), path
    for folder, _, names in os.walk(tmp_path):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                assert b"@PREFIX@" not in file.read(), name
    subprocess.run([*make, "uninstall"], env=home, check=True, capture_output=True)
    assert [names for _, _, names in os.walk(tmp_path) if names] == []


UNITS = [("kinofs.service", "kinofs.service", "--user", None),
         ("kinofs-everyone.service", "kinofs.service", "--system", 50),
         ("kinofs@.service", "kinofs@kim.service", "--system", 73)]


@pytest.mark.no_asan("the same files")
@pytest.mark.parametrize("unit, name, whose, most", UNITS, ids=[unit[0] for unit in UNITS])
def test_systemd_understands_a_unit_and_finds_it_confined(tmp_path, unit, name, whose, most):
    """As far as a service can be that mounts; by systemd's own measure, in tenths."""
    path = tmp_path / name
    path.write_text(content("contrib", "systemd", unit).replace("@PREFIX@/bin/kinofs", KINOFS))
    analyze = ["systemd-analyze", "--no-pager"]
    for words in ([whose, "--man=no", "verify"],
                  ["--offline=true", "--threshold=%d" % (most or 100), "security"]):
        judged = subprocess.run([*analyze, *words, str(path)], capture_output=True, text=True,
                                env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}, check=False)
        assert (judged.returncode, judged.stderr) == (0, ""), judged


@pytest.fixture
def foreign_home():
    """Of nobody, who alone may enter it."""
    folder = tempfile.mkdtemp(prefix="kinofs-home-")
    home = os.path.join(folder, "home")
    os.chmod(folder, 0o755)
    os.makedirs(home + "/Kino")
    os.chmod(home, 0o700)
    for path in (home, home + "/Kino"):
        shutil.chown(path, 65534, 65534)
    yield home
    subprocess.run(["umount", "-l", home + "/Kino"], capture_output=True, check=False)
    shutil.rmtree(folder)


@pytest.mark.no_asan("its memory is looked into, which takes more capabilities")
@pytest.mark.skipif(os.geteuid() != 0, reason="another user's mount")
def test_a_mount_comes_and_goes_with_what_the_unit_for_a_user_leaves_it(foreign_home):
    kept = re.search(r"^CapabilityBoundingSet=(.*)$",
                     content("contrib", "systemd", "kinofs@.service"), re.MULTILINE)[1]
    bounds = ",".join(["-all", *("+" + word[len("CAP_"):].lower() for word in kept.split())])
    program = shutil.copy(KINOFS, os.path.dirname(foreign_home))

    def is_mounted():
        return " %s/Kino " % foreign_home in content("/proc/self/mounts")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0kinofs-unit-%d" % os.getpid())
        systemd.settimeout(PATIENCE)
        with subprocess.Popen(
                ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                 "--bounding-set=" + bounds, "--", program, "-f", "Kino"], cwd=foreign_home,
                env={"HOME": foreign_home, "PATH": os.environ["PATH"],
                     "NOTIFY_SOCKET": systemd.getsockname().decode().replace("\0", "@")}) as kinofs:
            try:
                assert systemd.recv(100) == b"READY=1" and is_mounted()
            finally:
                kinofs.terminate()
        assert kinofs.returncode == 0 and not is_mounted()


@pytest.mark.no_asan("the same files")
def test_installed_files_name_whole_paths():
    said = subprocess.run(["make", "-s", "-n", "-C", ROOT, "B=" + os.path.dirname(KINOFS),
                           "PREFIX=stage/usr", "install"],
                          check=True, capture_output=True, text=True).stdout
    assert set(re.findall(r"@PREFIX@\|([^|]*)\|", said)) == {ROOT + "/stage/usr"}
