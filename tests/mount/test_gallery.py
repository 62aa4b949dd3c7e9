"""The scripts that gallery.html reads; the page itself is in test_gallery_page.py."""
import contextlib
import json
import os
import re
import sqlite3
import subprocess
import urllib.parse

import harness
from harness import FLAT, HAILUO_02, TEXT, png

NOW = ".kinofs/gallery.js"
DAY = 86400 * 1000


def told(mount, name=NOW):
    """What a script says; it must be one call with JSON, in ASCII or letters, and as long as its
    file, for a browser reads no further."""
    with open(mount.path(name), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        text = file.read()
    assert size == len(text)
    text = text.decode()
    assert not re.search("[<\u2028\u2029\u202e\x7f]", text)
    return json.loads(re.fullmatch(r"kinofsGallery\((\{.*\})\);\s*", text, re.DOTALL)[1])


def takes(mount, name=NOW):
    return {(take["model"], take.get("job_quoted", take["job"]), take["take"]): take
            for take in told(mount, name)["takes"]}


def this_month(mount):
    return ".kinofs/gallery/" + sorted(os.listdir(mount.path(".kinofs/gallery")))[-1]


def test_a_take_is_told_with_all_that_a_person_wants_to_know(mount, sim):
    mount.drop(HAILUO_02, "summer/cat.png", png())
    mount.drop(HAILUO_02, "summer/cat.json", {"prompt": "a cat </script>\u2028", "duration": 6})
    sim.faults({"on": "poll", "do": "fail", "model": TEXT, "times": 0, "value": "flagged"})
    mount.drop(TEXT, "bad.txt", "a fox")
    mount.done(HAILUO_02, "summer/cat")
    mount.run("retry", mount.path(HAILUO_02, "summer/cat.json"))
    mount.done(HAILUO_02, "summer/cat", take=2)
    mount.wait_state(TEXT, "bad", "failed")
    for script in (NOW, this_month(mount)):
        found = takes(mount, script)
        cat = found[HAILUO_02, "summer/cat", 2]
        assert (cat["state"], cat["dir"], cat["prompt"]) == ("done", "summer", "a cat </script>\u2028")
        assert ["duration", "6"] in cat["parameters"]
        assert cat["spent"] > 0 and cat["finished"] >= cat["accepted"] >= cat["submitted"] > DAY
        assert [file["link"] for file in cat["files"]] == [HAILUO_02 + "/out/summer/cat.2.mp4"]
        assert cat["pictures"] == [HAILUO_02 + "/summer/cat.png"]
        bad = found[TEXT, "bad", 1]
        assert (bad["note"], bad["command"]) == \
            ("error", "kinofs retry %s" % mount.path(TEXT, "jobs/bad.json"))
        assert "flagged" in bad["problem"] and bad["money"]
    assert (HAILUO_02, "summer/cat", 1) in takes(mount, this_month(mount))
    head = told(mount)["head"]
    assert head["month_credits"] == head["today_credits"] > 0 and len(head["months"]) == 1
    os.unlink(mount.path(HAILUO_02, "out/summer/cat.2.mp4"))
    assert takes(mount)[HAILUO_02, "summer/cat", 2]["files"] == []


def test_links_and_commands_hold_whatever_a_name_is_made_of(mount):
    names = [b"a b?c#d%e&f", b"it's <b>\"so\"", b"caf\xc3\xa9:1", b"bad\xff\xfe", b"line\nbreak", b"-n"]
    folder = os.path.join(mount.path(TEXT).encode())
    for name in names:
        with open(os.path.join(folder, name + b".txt"), "wb") as file:
            file.write(b"a prompt of " + name.hex().encode())
    mount.wait(lambda: sum(job["state"] == "done" for job in mount.jobs()) == len(names), "all")
    found = {take["prompt"]: take for take in told(mount)["takes"]}
    for name in names:
        take = found["a prompt of " + name.hex()]
        link = take["files"][0]["link"]
        assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", link)
        assert os.path.exists(os.path.join(mount.root.encode(), urllib.parse.unquote_to_bytes(link)))
        command = take["command"].replace("kinofs", harness.KINOFS).replace(" retry ", " show ")
        shown = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
        assert shown.returncode == 0 and b"done" in shown.stdout, (command, shown.stderr)


def crowd(mount, count, old=0):
    """An unmounted store gets so many more jobs like the one it has, and `old` in earlier months."""
    path = os.path.join(mount.store, "journal.db")
    with contextlib.closing(sqlite3.connect(path)) as journal:
        columns = [row[1] for row in journal.execute("PRAGMA table_info(job)") if row[1] != "id"]
        values = [{"stem": "CAST(printf('crowd-%05d', n) AS BLOB)",
                   "order_key": "'crowd-' || n", "fingerprint": "'crowd-' || n",
                   "submitted": "submitted - shift - n", "changed": "changed - shift - n"}
                  .get(column, column) for column in columns]
        journal.execute(
            "INSERT INTO job (%s) WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM"
            " number WHERE n < %d), numbers AS (SELECT n, CASE WHEN n <= %d THEN 0 ELSE"
            " %d * (n - %d) END AS shift FROM number) SELECT %s FROM numbers,"
            " (SELECT * FROM job WHERE state = 'done' LIMIT 1)" %
            (", ".join(columns), count + old, count, 40 * DAY, count, ", ".join(values)))
        journal.commit()


def test_a_month_has_every_take_once_and_older_ones_have_theirs(mount):
    mount.drop(TEXT, "first.txt", "a prompt")
    mount.drop_bad(FLAT, "empty.txt", " ")
    mount.done(TEXT, "first")
    mount.wait_state(FLAT, "empty", "rejected")
    mount.unmount()
    crowd(mount, 730, old=3)  # more than are read at a time, and than gallery.js has
    mount.start()
    months = sorted(os.listdir(mount.path(".kinofs/gallery")))
    assert len(months) >= 3
    found = [[take["job"] for take in told(mount, ".kinofs/gallery/" + month)["takes"]]
             for month in months]
    names = [name for month in found for name in month]
    assert sorted(names) == sorted({*names}) and len(names) == 735
    assert {"crowd-00731", "first", "empty"} <= {*names}
    assert len([month for month in found if month]) >= 3
    assert told(mount)["head"]["since"] > 0
    assert [name[:-3] for name in months] == told(mount)["head"]["months"]
    assert not os.path.exists(mount.path(".kinofs/gallery/1999-01.js"))


def test_two_looks_with_a_change_between_them_are_each_whole(mount):
    for number in range(8):
        mount.drop(TEXT, "job-%d.txt" % number, "prompt %d" % number)
        assert len(told(mount)["takes"]) <= number + 1
        told(mount, this_month(mount))
    mount.wait(lambda: all(take["state"] == "done" for take in told(mount)["takes"]) and
               len(told(mount)["takes"]) == 8, "all to be told as done")
