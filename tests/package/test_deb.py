"""The Debian package: built, looked at by lintian, installed where nothing else is, and removed."""
import fnmatch
import glob
import os
import re
import shutil
import subprocess

import pytest

from desk import PATH, require
from harness import BUILD, KINOFS, ROOT, TEXT, Simulator, probe

MAKE_DEB = os.path.join(ROOT, "contrib/packaging/make-deb")
LONG = 1800  # seconds; a base system is fetched


def content(*parts):
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as file:
        return file.read()


@pytest.mark.no_asan("the same files")
def test_packages_are_of_this_version_and_build_with_what_the_project_says():
    version = re.search(r'^#define VERSION "(.*)"', content("fs", "base", "version.h"), re.MULTILINE)[1]
    for file, line in (("debian/changelog", r"^kinofs \((.*)\)"), ("PKGBUILD", r"^pkgver=(.*)"),
                       ("kinofs.spec", r"^Version: *(.*)"), ("flake.nix", r'version = "(.*)";')):
        said = re.search(line, content("contrib", "packaging", file), re.MULTILINE)
        assert said and said[1] == version, file
    listed = subprocess.run([os.path.join(ROOT, "contrib/install-dependencies"), "--list", "build"],
                            check=True, capture_output=True, text=True).stdout.split()
    control = content("contrib", "packaging", "debian", "control")
    wanted = re.findall(r"^ ([a-z0-9-]+)", control.split("Build-Depends:")[1].split("\nStandards")[0],
                        re.MULTILINE)
    assert set(wanted) - {"debhelper-compat"} == set(listed) - {"gcc", "make", "libc6-dev"}


@pytest.mark.no_asan("the same files")
def test_a_package_has_every_file_that_is_installed(tmp_path):
    """By the list in the spec; debhelper takes what there is."""
    run("make", "-s", "-C", ROOT, "B=" + BUILD, "DESTDIR=" + str(tmp_path), "PREFIX=/usr", "install")
    installed = {"/" + os.path.relpath(os.path.join(folder, name), tmp_path)
                 for folder, _, names in os.walk(tmp_path) for name in names}
    macros = {"_prefix": "/usr", "_bindir": "/usr/bin", "_datadir": "/usr/share",
              "_mandir": "/usr/share/man", "_docdir": "/usr/share/doc"}
    patterns = [re.sub(r"%{(\w+)}", lambda macro: macros[macro[1]], line.split()[-1])
                for line in content("contrib", "packaging", "kinofs.spec").split("%files\n")[1]
                .split("%changelog")[0].splitlines() if "/" in line]
    found = {pattern: {path for path in installed if fnmatch.fnmatch(path, pattern) or
                       path.startswith(pattern + "/")} for pattern in patterns}
    assert [pattern for pattern, paths in found.items() if not paths] == []
    assert installed - set().union(*found.values()) == set()


def run(*words, **options):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", env={**os.environ, "PATH": PATH, "LC_ALL": "C.UTF-8"},
                          timeout=LONG, check=False, **options)
    assert done.returncode == 0, "%s:\n%s" % (words, done.stdout[-4000:])
    return done.stdout


@pytest.fixture
def base(tmp_path):
    """The smallest Debian of this release, from where this one has its packages."""
    require("debootstrap debhelper lintian", "debootstrap", "dh", "lintian")
    if os.geteuid() != 0:
        pytest.skip("another root folder is entered as root only")
    sources = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)",
                  "Created-By: Packages", "Component: main", "Origin: Debian")
    mirror, release = min(sources.splitlines(), key=len).split()  # not its updates
    root = str(tmp_path / "root")
    run("debootstrap", "--variant=minbase", release, root, mirror)
    return root


@pytest.fixture
def sim(tmp_path):
    simulator = Simulator(str(tmp_path / "sim"))
    yield simulator
    assert simulator.stop() == 0


# What it mounts and starts ends with it.
ALONE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "chroot"]
INSIDE = """
set -e
mount -t proc proc /proc
mknod /dev/fuse c 10 229
find /etc /lib/systemd /usr -xdev | sort > /before
apt-get -qq install --yes --no-install-recommends ./kinofs.deb
kinofs --version
mkdir /Kino
kinofs -o settle=0.2 /Kino > /dev/null 2>&1
echo '{"prompt": "a cat"}' > /Kino/$MODEL/cat.json
kinofs wait --timeout 60 /Kino/$MODEL/cat.json
cp /Kino/$MODEL/out/cat.mp4 /cat.mp4
fusermount3 -u /Kino
apt-get -qq purge --yes kinofs
find /etc /lib/systemd /usr -xdev | sort | comm -13 /before - | grep kinofs || echo nothing is left
"""


@pytest.mark.by_name("minutes: a base system is fetched")
@pytest.mark.no_asan("the same package")
def test_a_package_is_clean_and_works_on_a_fresh_debian(base, sim):
    run(MAKE_DEB, BUILD, "--compiled")
    package, = glob.glob(os.path.join(BUILD, "deb", "kinofs_*.deb"))
    shutil.copy(package, base + "/kinofs.deb")
    said = run(*ALONE, base, "env", "DEBIAN_FRONTEND=noninteractive", "HOME=/root", "MODEL=" + TEXT,
               "KIE_API_KEY=any", "KINOFS_KIE_URL=" + sim.url, "KINOFS_KIE_UPLOAD_URL=" + sim.url,
               "sh", "-c", INSIDE, stdin=subprocess.DEVNULL)
    assert run(KINOFS, "--version") in said and said.endswith("nothing is left\n"), said
    assert probe(base + "/cat.mp4") > 0
