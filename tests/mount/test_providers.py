"""What the providers refuse, fail or do not say: their own words, the right state, the money."""
import pytest

from harness import FLAT, HAILUO_23, TEXT, png

LOST = "so it is not sent again by itself"


def rule(do, value=None, on="create", **more):
    return {"on": on, "do": do, **({} if value is None else {"value": value}), **more}


# (model, fault, the provider's own words and what the advice must name). Codes of kie.ai:
# fs/net/API.md 1 and 5; reasons of PPInfra: fs/net/API.md 7.
REFUSED = {
    "kie 422, a field": (TEXT, rule("code", 422), ["Validation Error", "kinofs retry"]),
    "kie 400": (TEXT, rule("code", 400), ["Server Error", "kinofs retry"]),
    "kie 404": (TEXT, rule("code", 404), ["is not supported", "another model", "README.txt"]),
    "kie http 404": (TEXT, rule("http", 404), ["is not supported", "another model"]),
    "kie 500, a field": (TEXT, rule("code", "prompt is required"),
                         ["prompt is required", "kinofs retry"]),
    "kie 505, switched off": (TEXT, rule("code", 505), ["Feature Disabled", "another model"]),
    "ppinfra body": (FLAT, rule("code", "INVALID_REQUEST_BODY"),
                     ["INVALID_REQUEST_BODY", "kinofs retry"]),
    "ppinfra prompt": (FLAT, rule("code", "ILLEGAL_PROMPT"), ["ILLEGAL_PROMPT"]),
    "ppinfra picture": (FLAT, rule("code", "INVALID_IMAGE_FORMAT"), ["INVALID_IMAGE_FORMAT"]),
    "ppinfra address": (FLAT, rule("code", "API_NOT_FOUND"),
                        ["API_NOT_FOUND", "another model", "README.txt", "KINOFS_PPINFRA_URL"]),
}
BLOCKED = {
    "kie 401": (TEXT, rule("code", 401), ["Authentication failed", "KIE_API_KEY"]),
    "kie 402": (TEXT, rule("code", 402), ["Credits insufficient", "Top it up"]),
    "kie 433": (TEXT, rule("code", 433), ["Sub-key usage exceeds its limit", "kie.ai/api-key"]),
    "kie http 401": (TEXT, rule("http", 401), ["Authentication failed", "KIE_API_KEY"]),
    "kie http 402": (TEXT, rule("http", 402), ["Credits insufficient", "Top it up"]),
    "ppinfra balance": (FLAT, rule("code", "NOT_ENOUGH_BALANCE"),
                        ["NOT_ENOUGH_BALANCE", "Top it up"]),
    "ppinfra key": (FLAT, rule("code", "INVALID_API_KEY"),
                    ["INVALID_API_KEY", "PPINFRA_API_KEY"]),
    "ppinfra name": (FLAT, rule("code", "NEED_REAL_NAME_VERIFY"),
                     ["NEED_REAL_NAME_VERIFY", "real-name"]),
    "ppinfra http 403": (FLAT, rule("http", 403), ["INVALID_API_KEY", "PPINFRA_API_KEY"]),
}


def assert_told(mount, model, name, state, words):
    """The reason, the advice and the money, in the note and in the record."""
    kind, key = ("held", "held_because") if state == "held" else ("error", "error")
    record = mount.wait_state(model, name, state)
    text = mount.note(model, name, kind)
    missing = [word for word in words if word not in text]
    assert not missing, "%s is missing in:\n%s" % (missing, text)
    assert record[key] and all(line in text for line in record[key])
    assert record["advice"] in text and record["money"] in text
    return record


def test_a_refusal_is_told_in_the_providers_words_and_costs_nothing(mount):
    for number, (case, (model, fault, words)) in enumerate(REFUSED.items()):
        mount.sim.faults(fault)
        name = "cat%d" % number
        mount.drop(model, name + ".txt", case)
        record = assert_told(mount, model, name, "failed", words)
        assert record["money"] == "No money was spent." and "task" not in record, case
        assert len(mount.sim.creates()) == number + 1, case
    mount.quiet()
    assert len(mount.sim.creates()) == len(REFUSED), "a refused request was sent again"


@pytest.mark.parametrize("model, fault", [(TEXT, rule("code", 404)),
                                          (FLAT, rule("code", "API_NOT_FOUND"))])
def test_a_model_that_is_gone_ends_the_job_without_a_charge(mount, model, fault):
    mount.sim.faults(fault)
    mount.drop(model, "cat.txt", "a cat")
    record = mount.wait_state(model, "cat", "failed")
    note = mount.note(model, "cat", "error")
    assert record["money"] == "No money was spent." and "No money was spent." in note
    assert "any more" in note and "README.txt" in note
    mount.quiet()
    assert len(mount.sim.creates()) == 1, "a model that is gone was asked again"
    mount.sim.faults()
    assert mount.run("retry", mount.path(model, "cat.txt")).returncode == 0
    mount.wait_state(model, "cat", "done")


@pytest.mark.parametrize("case", BLOCKED)
def test_an_account_that_cannot_go_on_holds_the_job(mount, case):
    model, fault, words = BLOCKED[case]
    mount.sim.faults(fault)
    mount.drop(model, "cat.txt", "a cat")
    record = assert_told(mount, model, "cat", "held", words)
    assert record["money"] == "No money was spent." and "task" not in record
    mount.drop(model, "cat.txt", "a cat")
    mount.quiet()
    assert len(mount.sim.creates()) == 1


def test_not_now_is_tried_again_by_itself_after_a_pause(mount):
    faults = [rule("code", 429, model=TEXT), rule("code", 455, model=TEXT),
              rule("http", 429, model=TEXT), rule("http", 429, model=FLAT),
              rule("code", "RATE_LIMIT_EXCEEDED", model=FLAT)]
    mount.sim.faults(*faults)
    for number, fault in enumerate(faults):
        mount.drop(fault["model"], "cat%d.json" % number, {"prompt": "cat %d" % number})
    jobs = mount.wait(lambda: [job for job in mount.jobs() if "warning" in job], "a warning")
    assert {job["state"] for job in jobs} == {"queued"}
    assert mount.out(TEXT) == mount.out(FLAT) == []
    tries = []
    for number, fault in enumerate(faults):
        assert "warning" not in mount.accepted(fault["model"], "cat%d" % number)
        tries.append(mount.sim.creates("cat %d" % number))
    # whose turn it is decides who meets which fault, and one job may meet two
    assert sum(len(creates) for creates in tries) == 2 * len(faults)
    for first, second in (pair for creates in tries for pair in zip(creates, creates[1:])):
        assert second["t"] - first["t"] > 4, "too soon"
        assert first["body"] == second["body"]


UNCLEAR = {
    "kie, reset after acting": (TEXT, rule("reset_after")),
    "kie, half an answer": (TEXT, rule("truncate")),
    "kie, garbage": (TEXT, rule("garbage")),
    "kie, a page": (TEXT, rule("html")),
    "kie, 408": (TEXT, rule("code", 408)),
    "kie, 500 in words that are no check of a field": (TEXT, rule("code", 500)),
    "kie, 501": (TEXT, rule("code", 501)),
    "kie, http 502": (TEXT, rule("http", 502)),
    "kie, a redirect": (TEXT, rule("redirect", "http://127.0.0.1:1/")),
    "ppinfra, reset after acting": (FLAT, rule("reset_after")),
    "ppinfra, http 502": (FLAT, rule("http", 502)),
    "ppinfra, an endless answer": (FLAT, rule("huge")),
}


def test_a_lost_answer_is_unknown_and_never_sent_again(mount):
    for number, (case, (model, fault)) in enumerate(UNCLEAR.items()):
        mount.sim.faults(fault)
        name = "cat%d" % number
        mount.drop(model, name + ".txt", case)
        record = mount.wait_state(model, name, "unknown")
        text = mount.note(model, name)
        assert LOST in text and "Money MAY have been spent" in text, case
        assert record["error"] and "kinofs retry" in record["advice"], case
        assert len(mount.sim.creates()) == number + 1, case
    mount.sim.faults()
    mount.drop(TEXT, "cat0.txt", "kie, reset after acting")  # the same bytes again
    mount.quiet()
    assert mount.record(TEXT, "cat0")["take"] == 1
    assert len(mount.sim.creates()) == len(UNCLEAR)


def test_no_connection_at_all_is_tried_again(mount):
    mount.sim.stop()
    mount.drop(TEXT, "cat.txt", "a cat")
    record = mount.wait(lambda: (lambda record: record and record.get("warning") and record)(
        mount.record(TEXT, "cat")), "the warning")
    assert record["state"] == "queued"
    mount.sim.start()
    mount.accepted(TEXT, "cat")
    assert len(mount.sim.creates()) == 1


def test_a_task_that_fails_says_why_and_what_it_cost(mount):
    mount.sim.faults(rule("fail", "the picture shows a celebrity", times=2))
    mount.drop(TEXT, "cat.txt", "a cat")
    mount.drop(FLAT, "cat.txt", "a cat")
    for model in (TEXT, FLAT):
        record = mount.wait_state(model, "cat", "failed")
        text = mount.note(model, "cat")
        assert "the picture shows a celebrity" in text
        assert "the picture shows a celebrity" in record["error"][0] and record["task"]
        assert record["provider_state"] in ("fail", "TASK_STATUS_FAILED")
    assert "charged 0 credits" in mount.note(TEXT, "cat")
    assert "normally free" in mount.note(FLAT, "cat")
    assert len(mount.sim.creates()) == 2


def test_a_query_that_fails_says_nothing_about_the_task(mount):
    """Each job's first query goes wrong in another way; every one ends well."""
    faults = [rule("http", 500, on="poll"), rule("code", 500, on="poll"),
              rule("garbage", on="poll"), rule("reset_after", on="poll"),
              rule("code", 422, on="poll")]
    mount.sim.faults(*faults)
    for number in range(len(faults)):
        mount.drop(TEXT, "cat%d.txt" % number, "cat %d" % number)
    mount.wait(lambda: any("warning" in job for job in mount.jobs()), "a warning")
    for number in range(len(faults)):
        mount.done(TEXT, "cat%d" % number)
    assert mount.sim.stats()["requests"]["create"] == len(faults)


def test_an_upload_that_fails_for_now_is_done_again_and_a_refused_one_is_told(mount):
    mount.sim.faults(rule("http", 401, on="upload"))
    mount.drop(HAILUO_23, "held.txt", "held")
    mount.drop(HAILUO_23, "held.png", png(colour=(1, 0, 0)))
    mount.wait_state(HAILUO_23, "held", "held")
    assert "KIE_API_KEY" in mount.note(HAILUO_23, "held", "held")
    mount.sim.faults(rule("code", 400, on="upload"))
    mount.drop(HAILUO_23, "refused.txt", "refused")
    mount.drop(HAILUO_23, "refused.png", png(colour=(2, 0, 0)))
    mount.wait_state(HAILUO_23, "refused", "failed")
    assert "No money was spent" in mount.note(HAILUO_23, "refused")
    mount.sim.faults(rule("http", 500, on="upload"))
    mount.drop(HAILUO_23, "cat.txt", "a cat")
    mount.drop(HAILUO_23, "cat.png", png(colour=(3, 0, 0)))
    assert mount.run("retry", mount.path(HAILUO_23, "held.txt")).returncode == 0
    assert mount.accepted(HAILUO_23, "held")["take"] == 1
    mount.accepted(HAILUO_23, "cat")
    assert len(mount.sim.creates()) == 2


def test_retry_is_the_way_out_and_makes_another_take(mount):
    for name, fault in (("failed", rule("code", 422)), ("unknown", rule("reset_after"))):
        mount.sim.faults(fault)
        mount.drop(TEXT, name + ".txt", name)
        mount.wait_state(TEXT, name, name)
    mount.sim.faults()
    for name in ("failed", "unknown"):
        result = mount.run("retry", mount.path(TEXT, name + ".txt"))
        assert result.returncode == 0, result.stderr
        mount.accepted(TEXT, name, take=2)
    mount.wait(lambda: mount.out(TEXT) == [], "all notes to go")
    assert len(mount.sim.creates()) == 4
