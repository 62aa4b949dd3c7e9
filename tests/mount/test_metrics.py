""".kinofs/metrics, as Prometheus reads it."""
import os
import stat
import time

from prometheus_client.parser import text_string_to_metric_families

from harness import HAILUO_23, OPEN_GATES, SETTLE, TEXT, png


def metrics(mount):
    """What the client library makes of it: (name, labels) to value; and the types."""
    text = mount.read(".kinofs", "metrics")
    families = list(text_string_to_metric_families(text))
    values, types = {}, {}
    for family in families:
        assert family.documentation and family.name not in types, family
        types[family.name] = family.type
        for sample in family.samples:
            key = (sample.name, *sorted(sample.labels.items()))
            assert key not in values, key
            values[key] = sample.value
    assert text.count("\n") == len(values) + 2 * len(families), "a line that was not understood"
    return values, types


def test_metrics_tell_what_runs_what_was_done_and_what_it_cost(kinofs):
    mount = kinofs(config={**OPEN_GATES, "settle_alone_seconds": SETTLE,
                           "caps": {"jobs_per_day": 5, "credits_per_month": 2000}})
    before, types = metrics(mount)
    assert before[("kinofs_build_info", ("version", "1.0"))] == 1
    assert abs(before[("kinofs_start_time_seconds",)] - time.time()) < 600
    assert before[("kinofs_today_orders_limit",)] == 5
    assert before[("kinofs_month_credits_limit",)] == 2000
    assert before[("kinofs_hook_waiting_ends",)] == 0
    assert ("kinofs_job_credits_limit",) not in before, "no such cap is set"
    for name, kind in types.items():  # the library leaves _total out of the names of counters
        assert kind in ("counter", "gauge") and name.startswith("kinofs_"), (name, kind)
        assert all(sample[0] == name + "_total" * (kind == "counter") for sample in before
                   if sample[0] in (name, name + "_total")), name
    mount.drop(HAILUO_23, "cat.txt", "a cat")
    mount.drop(HAILUO_23, "cat.png", png())
    video = os.path.getsize(mount.path(mount.done(HAILUO_23, "cat")["outputs"][0]))
    mount.sim.faults({"on": "create", "do": "code", "value": 422},
                     {"on": "poll", "do": "http", "value": 503, "times": 0})
    mount.drop(TEXT, "refused.txt", "is refused")
    mount.wait_state(TEXT, "refused", "failed")
    mount.drop(TEXT, "runs.txt", "runs")
    mount.accepted(TEXT, "runs")
    error = ("kinofs_polls_total", ("provider", "kie"), ("result", "error"))
    mount.wait(lambda: metrics(mount)[0][error], "a poll that failed")
    after, _ = metrics(mount)
    kie = ("provider", "kie")
    price = mount.record(TEXT, "runs")["estimate"]["credits"]
    for key, value in {
            ("kinofs_jobs", ("model", TEXT), ("state", "running")): 1,
            ("kinofs_jobs_ended_total", ("model", HAILUO_23), ("state", "done")): 1,
            ("kinofs_jobs_ended_total", ("model", TEXT), ("state", "failed")): 1,
            ("kinofs_creates_total", kie, ("result", "accepted")): 2,
            ("kinofs_creates_total", kie, ("result", "refused")): 1,
            ("kinofs_uploads_total", kie, ("result", "ok")): 1,
            ("kinofs_polls_total", kie, ("result", "succeeded")): 1,
            ("kinofs_downloads_total", ("result", "whole")): 1,
            ("kinofs_downloaded_bytes_total",): video,
            ("kinofs_queue_jobs", ("queue", "downloads")): 0,
            ("kinofs_today_orders", kie): 2, ("kinofs_month_orders", kie): 2,
            ("kinofs_ever_orders", kie): 2,
            ("kinofs_today_credits", kie): 45 + price,
            ("kinofs_month_credits", kie): 45 + price,
            ("kinofs_ever_credits", kie): 45 + price,
            ("kinofs_ever_dollars", kie): (45 + price) * 0.005}.items():
        assert abs(after[key] - value) < 1e-9, (key, after[key])
    assert all(after[key] >= value for key, value in before.items() if "_total" in key[0])
    mount.restart()
    again, _ = metrics(mount)
    assert again[("kinofs_ever_credits", kie)] == 45 + price, "the journal's is kept"
    assert again[("kinofs_creates_total", kie, ("result", "accepted"))] == 0, "that of a run not"
    assert stat.S_IMODE(os.stat(mount.path(".kinofs/metrics")).st_mode) == 0o400
