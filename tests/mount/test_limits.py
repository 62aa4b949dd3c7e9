"""Rate limits, caps and prices: never a 429 by our own doing, never a credit over a cap."""
import email.utils
import http.server
import os
import subprocess
import threading
import time

import pytest

import campaign
from campaign import Drop
from harness import FLAT, HAILUO_02, HAILUO_23, PATIENCE, TEXT, png

pytestmark = pytest.mark.no_asan("about the clock")

LONG = os.environ.get("KINOFS_TORTURE")


def rate(kie=20, minute=20, **caps):
    return {"providers": {"kie": {"creates_per_10s": kie},
                          "ppinfra": {"creates_per_minute": minute}},
            "caps": {"jobs_per_day": None, **caps}}


def times(sim, mark="intent"):
    return [entry["t"] for entry in sim.creates(mark) if entry["task"]]


def most_in(seconds, moments):
    return max(sum(start <= moment < start + seconds for moment in moments) for start in moments)


def drop_many(mount, model, count, first=0):
    drops = [Drop(model, "cat%d" % number) for number in range(first, first + count)]
    for drop in drops:
        drop.put(mount)
    return drops


def all_accepted(mount, sim, count, periods=0):
    mount.wait(lambda: sim.stats()["creates"]["accepted"] >= count, "all to be accepted",
               periods * 12 + PATIENCE)


def test_many_drops_at_once_go_at_the_full_allowed_rate_without_a_429(kinofs, start_sim):
    """50 drops against 20 in 10 s take two whole periods and no more; in torture 1,000."""
    count = 1000 if LONG else 50
    sim = start_sim(rate=20, seconds=0.1)
    mount = kinofs(sim=sim, config=rate())
    drop_many(mount, TEXT, count)
    periods = (count - 1) // 20
    all_accepted(mount, sim, count, periods)
    moments = times(sim)
    stats = sim.stats()["creates"]
    assert stats["rate_limited"] == 0 and stats["max_in_10s"] <= 20, stats
    assert len(moments) == count == len(sim.creates())
    spent = moments[-1] - moments[0]
    assert spent < (periods + 1) * 10, "%.1f s for %d periods" % (spent, periods)


@pytest.mark.parametrize("restart", ["kill9", *(["unmount"] if LONG else [])])
def test_a_restart_does_not_forget_what_was_just_sent(kinofs, start_sim, restart):
    """Also of tasks that have ended since."""
    sim = start_sim(rate=20, seconds=0)
    mount = kinofs(sim=sim, config=rate())
    drops = drop_many(mount, TEXT, 20)
    for drop in drops:
        mount.done(drop.model, drop.name)
    getattr(mount, restart)()
    if mount.is_mounted():  # a dead one; test_crash.py has the test that kinofs clears it
        subprocess.run(["fusermount3", "-u", "-z", mount.root], check=True)
    mount.start()
    drop_many(mount, TEXT, 10, first=20)
    all_accepted(mount, sim, 30)
    stats = sim.stats()["creates"]
    assert stats["rate_limited"] == 0 and stats["max_in_10s"] <= 20, stats


def test_another_rate_may_be_configured(kinofs, start_sim):
    sim = start_sim(rate=5)
    mount = kinofs(sim=sim, config=rate(kie=5))
    drop_many(mount, TEXT, 8)
    all_accepted(mount, sim, 8)
    moments = times(sim)
    assert sim.stats()["creates"]["rate_limited"] == 0
    assert most_in(10, moments) == 5 and moments[-1] - moments[0] < 20


def test_a_provider_without_a_place_is_asked_again_later_and_loses_nothing(kinofs, start_sim):
    """The account is used by somebody else too: 429s come although we keep to our own limit."""
    sim = start_sim(rate=4)
    mount = kinofs(sim=sim, config=rate(kie=8))
    drops = drop_many(mount, TEXT, 8)
    for drop in drops:
        mount.accepted(drop.model, drop.name)
    accepted = times(sim)
    assert len(accepted) == 8 and sim.stats()["creates"]["rate_limited"] > 0
    refused = [entry for entry in sim.creates() if not entry["task"]]
    assert len(refused) < 24, "it hammered: %d refusals" % len(refused)


@pytest.mark.parametrize("form", ["seconds", *(["date"] if LONG else [])])
def test_retry_after_is_honoured(kinofs, sim, form):
    """The first answer says 429 and when to come back; nothing of the account goes before."""
    class Busy(http.server.BaseHTTPRequestHandler):
        seen = []

        def do_POST(self):  # noqa: N802, the name is the library's
            self.rfile.read(int(self.headers["Content-Length"]))
            self.seen.append(time.time())
            body = b'{"code":429,"msg":"Rate limit exceeded"}'
            value = "9" if form == "seconds" else email.utils.formatdate(
                time.time() + 10, usegmt=True)
            self.send_response(429)
            self.send_header("Retry-After", value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        mount = kinofs(config=rate(), environment={
            "KINOFS_KIE_URL": "http://127.0.0.1:%d" % server.server_address[1]})
        drop_many(mount, TEXT, 1)
        mount.wait(lambda: len(Busy.seen) >= 1, "the first create")
        drop_many(mount, TEXT, 1, first=1)
        mount.wait(lambda: len(Busy.seen) >= 2, "the create after the pause")
        assert Busy.seen[1] - Busy.seen[0] >= 8.5
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_pause_before_a_create_that_is_never_taken_grows(mount):
    mount.sim.faults({"on": "create", "do": "http", "value": 429, "times": 2})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.accepted(TEXT, "cat")
    first, second, third = [entry["t"] for entry in mount.sim.creates()]
    assert third - second > 1.2 * (second - first)


def test_the_flat_api_is_limited_a_minute_and_a_model(kinofs, start_sim):
    """Three at once, the fourth a minute later (not awaited here; in torture it is)."""
    sim = start_sim()
    mount = kinofs(sim=sim, config=rate(minute=3))
    drops = [Drop(FLAT, "cat%d" % number, pictures=True) for number in range(5)]
    for drop in drops:
        drop.put(mount)
    mount.wait(lambda: len(times(sim)) == 3, "the first three")
    other = Drop(TEXT, "other")  # another account has a limit of its own
    other.put(mount)
    mount.accepted(TEXT, "other")
    assert len(times(sim, FLAT)) == 3
    mount.wait(lambda: [job["state"] for job in mount.jobs()
                        if job["model"] == FLAT].count("queued") == 2, "the others to queue")
    if LONG:
        mount.wait(lambda: len(times(sim, FLAT)) == 5, "the next minute", 120)
        moments = times(sim, FLAT)
        assert 60 <= moments[3] - moments[2] < 120


def test_four_pictures_are_uploaded_at_once(mount):
    mount.sim.faults({"on": "upload", "do": "delay", "value": 1, "times": 0})
    for number in range(12):
        mount.drop(HAILUO_23, "cat%d.png" % number, png(colour=(number, 1, 2)))
        mount.drop(HAILUO_23, "cat%d.txt" % number, "a cat")
    for number in range(12):
        mount.accepted(HAILUO_23, "cat%d" % number)
    times = sorted(entry["t"] for entry in mount.sim.uploads())
    assert len(times) == 12
    assert all(later - first > 0.8 for first, later in zip(times, times[4:])), times


def test_the_same_picture_of_many_jobs_is_uploaded_a_few_times_at_most(mount):
    mount.sim.faults({"on": "upload", "do": "delay", "value": 0.5, "times": 0})
    mount.drop(HAILUO_02, "pics/cat.png", png())
    for number in range(20):
        mount.drop(HAILUO_02, "cat%d.json" % number,
                   {"prompt": "cat %d" % number, "image_url": "pics/cat.png"})
    for number in range(20):
        mount.accepted(HAILUO_02, "cat%d" % number)
    assert len(mount.sim.uploads()) <= 4


# ------------------------------------------------------------------ caps

def test_jobs_over_the_daily_cap_are_held_and_can_be_released(kinofs, sim):
    mount = kinofs(config={**rate(1000), "caps": {"jobs_per_day": 2}})
    drops = drop_many(mount, TEXT, 4)
    mount.wait(lambda: sorted(job["state"] for job in mount.jobs()) ==
               ["done", "done", "held", "held"], "two of four")
    held = [drop for drop in drops if mount.record(TEXT, drop.name)["state"] == "held"]
    note = mount.note(TEXT, held[0].name, "held")
    assert mount.run("retry", mount.path(TEXT, held[0].name + ".txt")).returncode == 1
    assert "jobs_per_day" in note and "release" in note and "No money was spent" in note
    mount.order("release %s/%s" % (TEXT, held[0].name))
    mount.done(TEXT, held[0].name)
    mount.restart()
    mount.quiet()
    assert mount.record(TEXT, held[1].name)["state"] == "held", "a restart is no new day"
    assert len(sim.creates("intent")) == 3
    mount.unmount()
    mount.configure({**rate(1000), "caps": {"jobs_per_day": 10}})
    mount.start()
    mount.order("release %s/%s" % (TEXT, held[1].name))
    mount.done(TEXT, held[1].name)


def test_a_cap_of_credits_a_day_and_a_month(kinofs, sim):
    """hailuo/02-text-to-video-pro costs 57 credits (fs/net/API.md 8.1)."""
    for name in ("credits_per_day", "credits_per_month"):
        mount = kinofs(config={**rate(1000), "caps": {name: 120}})
        drop_many(mount, TEXT, 4)
        mount.wait(lambda mount=mount: sorted(job["state"] for job in mount.jobs()) ==
                   ["done", "done", "held", "held"], "two of four: 114 of 120 credits")
        held = next(job for job in mount.jobs() if job["state"] == "held")
        assert name in mount.note(TEXT, held["job"], "held")
    assert len(sim.creates()) == 4


def test_a_cap_for_one_job_holds_the_dear_ones_only(kinofs, sim):
    """hailuo 2.3 pro, 10 s 768P: 90 credits; 6 s: 45; 02 standard 512P 6 s: 12
    (fs/net/API.md 8.1)."""
    mount = kinofs(config={**rate(1000), "caps": {"credits_per_job": 50}})
    mount.drop(HAILUO_23, "dear.png", png())
    mount.drop(HAILUO_23, "dear.json", {"prompt": "dear", "image_url": "dear.png",
                                        "duration": "10"})
    mount.drop(HAILUO_23, "fair.png", png())
    mount.drop(HAILUO_23, "fair.json", {"prompt": "fair", "image_url": "fair.png"})
    mount.drop(HAILUO_02, "low.png", png())
    mount.drop(HAILUO_02, "low.json", {"prompt": "low", "image_url": "low.png",
                                       "duration": "6", "resolution": "512P"})
    dear = mount.wait_state(HAILUO_23, "dear", "held")
    fair, low = mount.done(HAILUO_23, "fair"), mount.done(HAILUO_02, "low")
    assert [record["estimate"]["credits"] for record in (dear, fair, low)] == [90, 45, 12]
    assert "90" in " ".join(dear["held_because"]) and sim.creates("dear") == []
    mount.order("release %s/dear" % HAILUO_23)
    assert mount.done(HAILUO_23, "dear")["spent_credits"] == 90
    assert (fair["spent_credits"], low["spent_credits"]) == (45, 12)


def test_what_was_not_accepted_does_not_count_against_a_cap(kinofs, sim):
    sim.faults({"on": "create", "do": "code", "value": 422, "times": 2})
    mount = kinofs(config={**rate(1000), "caps": {"jobs_per_day": 1}})
    for name in ("a", "b"):
        mount.drop(TEXT, name + ".txt", name)
        mount.wait_state(TEXT, name, "failed")
    mount.restart()
    mount.drop(TEXT, "c.txt", "c")
    mount.done(TEXT, "c")
    mount.drop(TEXT, "d.txt", "d")
    mount.wait_state(TEXT, "d", "held")


def test_an_unknown_create_counts_against_a_cap(kinofs, sim):
    sim.faults({"on": "create", "do": "reset_after"})
    mount = kinofs(config={**rate(1000), "caps": {"jobs_per_day": 1}})
    mount.drop(TEXT, "a.txt", "a")
    mount.wait_state(TEXT, "a", "unknown")
    mount.restart()
    mount.drop(TEXT, "b.txt", "b")
    mount.wait_state(TEXT, "b", "held")
    assert len(sim.creates()) == 1


def test_the_default_cap_is_a_hundred_jobs_a_day(kinofs, sim):
    mount = kinofs(config={"providers": campaign.harness.OPEN_GATES["providers"]})
    drop_many(mount, TEXT, 103)
    mount.wait(lambda: len(sim.creates()) >= 100 and sum(
        job["state"] == "held" for job in mount.jobs()) == 3, "a hundred")
    mount.quiet()
    assert len(sim.creates()) == 100


def test_a_retry_without_files_keeps_to_the_cap(kinofs):
    mount = kinofs(config={**rate(1000), "caps": {"jobs_per_day": 1}})
    cat = mount.drop(TEXT, "cat.txt", "a cat")
    mount.done(TEXT, "cat")
    os.unlink(cat)
    mount.quiet()
    mount.order("retry %s/cat" % TEXT)
    mount.wait_state(TEXT, "cat", "held", take=2)
    assert len(mount.sim.creates()) == 1


def test_a_raised_cap_lets_go_at_the_next_start(kinofs):
    mount = kinofs(config={**rate(1000), "caps": {"credits_per_job": 1}})
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.wait_state(TEXT, "cat", "held")
    mount.unmount()
    mount.configure(rate(1000))
    mount.start()
    mount.done(TEXT, "cat")
