"""What the providers refuse, fail or do not say: their own words, the right state, the money."""
import os

import pytest

from harness import FLAT, HAILUO_23, TEXT, png

LOST = "so it is not sent again by itself"


def rule(do, value=None, on="create", **more):
    return {"on": on, "do": do, **({} if value is None else {"value": value}), **more}


# (model, rules, state, note, words of the note, creates). Codes of kie.ai: api.md 1 and 5; reasons
# of PPInfra: api.md 7. "words" holds the provider's own and the advice.
REFUSALS = {
    "kie 401, no access": (TEXT, rule("code", 401), "held", ["KIE_API_KEY", "kinofs retry"]),
    "kie 402, no credits": (TEXT, rule("code", 402), "held", ["redit", "Top it up"]),
    "kie 433, sub-key at its limit": (TEXT, rule("code", 433), "held", ["limit"]),
    "kie 422, a field": (TEXT, rule("code", 422), "failed", ["422", "kinofs retry"]),
    "kie 400": (TEXT, rule("code", 400), "failed", ["400", "kinofs retry"]),
    "kie 404": (TEXT, rule("code", 404), "failed", ["404", "another model"]),
    "kie 500, explained": (TEXT, rule("code", 500), "failed", ["500", "kinofs retry"]),
    "kie 501": (TEXT, rule("code", 501), "failed", ["501"]),
    "kie 505, switched off": (TEXT, rule("code", 505), "failed", ["505", "another model"]),
    "kie http 401": (TEXT, rule("http", 401), "held", ["KIE_API_KEY"]),
    "kie http 402": (TEXT, rule("http", 402), "held", ["Top it up"]),
    "kie http 404, not the API": (TEXT, rule("http", 404), "failed", ["KINOFS_KIE_URL"]),
    "ppinfra no balance": (FLAT, rule("code", "NOT_ENOUGH_BALANCE"), "held",
                           ["NOT_ENOUGH_BALANCE", "kinofs retry"]),
    "ppinfra key": (FLAT, rule("code", "INVALID_API_KEY"), "held",
                    ["INVALID_API_KEY", "PPINFRA_API_KEY"]),
    "ppinfra bad body": (FLAT, rule("code", "INVALID_REQUEST_BODY"), "failed",
                         ["INVALID_REQUEST_BODY", "kinofs retry"]),
    "ppinfra prompt": (FLAT, rule("code", "ILLEGAL_PROMPT"), "failed", ["ILLEGAL_PROMPT"]),
    "ppinfra picture": (FLAT, rule("code", "INVALID_IMAGE_FORMAT"), "failed",
                        ["INVALID_IMAGE_FORMAT"]),
    "ppinfra http 403": (FLAT, rule("http", 403), "held", ["PPINFRA_API_KEY"]),
}


def test_a_refusal_is_told_in_the_providers_words_with_advice_and_the_money(mount):
    creates = 0
    for number, (case, (model, fault, state, words)) in enumerate(REFUSALS.items()):
        mount.sim.faults(fault)
        name = "cat%d" % number
        mount.drop(model, name + ".txt", case)
        record = mount.wait_state(model, name, state)
        text = mount.note(model, name, "held" if state == "held" else "error")
        reasons = record["held_because" if state == "held" else "error"]
        assert all(line in text for line in reasons), case
        missing = [word for word in words if word not in text]
        assert not missing, "%s: %s is missing in:\n%s" % (case, missing, text)
        assert record["advice"] in text and "No money was spent." in text, case
        assert record["money"] == "No money was spent." and "task" not in record, case
        creates += 1
        assert len(mount.sim.creates()) == creates, case
        answered = mount.sim.creates()[-1]
        assert answered["http"] == 200 if fault["do"] == "code" and model != FLAT else \
            answered["http"] >= 400, "the simulator did something else"
    mount.sim.faults()
    mount.quiet()
    assert len(mount.sim.creates()) == creates, "a refused request was sent again"


@pytest.mark.parametrize("model, fault", [
    (TEXT, rule("code", 429)), (TEXT, rule("code", 455)), (TEXT, rule("http", 429)),
    (FLAT, rule("http", 429)), (FLAT, rule("code", "RATE_LIMIT_EXCEEDED"))])
def test_not_now_is_tried_again_by_itself_after_a_pause(mount, model, fault):
    mount.sim.faults(fault)
    mount.drop(model, "cat.txt", "a cat")
    record = mount.wait(lambda: (mount.record(model, "cat") or {}).get("warning") and
                        mount.record(model, "cat"), "the warning")
    assert record["state"] == "queued" and mount.out(model) == []
    record = mount.accepted(model, "cat", timeout=20)
    assert "warning" not in record
    first, second = mount.sim.creates()
    assert second["t"] - first["t"] > 4, "too soon"
    assert first["body"] == second["body"]


UNCLEAR = {
    "kie, reset after acting": (TEXT, rule("reset_after")),
    "kie, half an answer": (TEXT, rule("truncate")),
    "kie, garbage": (TEXT, rule("garbage")),
    "kie, a page": (TEXT, rule("html")),
    "kie, 408": (TEXT, rule("code", 408)),
    "kie, http 500": (TEXT, rule("http", 500)),
    "kie, http 502": (TEXT, rule("http", 502)),
    "kie, a redirect": (TEXT, rule("redirect", "http://127.0.0.1:1/")),
    "ppinfra, reset after acting": (FLAT, rule("reset_after")),
    "ppinfra, http 500": (FLAT, rule("http", 500)),
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
    record = mount.wait(lambda: (mount.record(TEXT, "cat") or {}).get("warning") and
                        mount.record(TEXT, "cat"), "the warning")
    assert record["state"] == "queued"
    mount.sim.start()
    mount.accepted(TEXT, "cat", timeout=25)
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
        mount.done(TEXT, "cat%d" % number, timeout=20)
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
    mount.accepted(HAILUO_23, "cat", timeout=20)
    assert len(mount.sim.creates()) == 1


def test_retry_is_the_way_out_of_each(mount):
    """failed and unknown: another take; held by the provider: the same."""
    for name, fault in (("failed", rule("code", 422)), ("unknown", rule("reset_after")),
                        ("held", rule("code", 402))):
        mount.sim.faults(fault)
        mount.drop(TEXT, name + ".txt", name)
        mount.wait_state(TEXT, name, name)
    mount.sim.faults()
    for name, take in (("failed", 2), ("unknown", 2), ("held", 1)):
        result = mount.run("retry", mount.path(TEXT, name + ".txt"))
        assert result.returncode == 0, result.stderr
        mount.accepted(TEXT, name, take=take)
    mount.wait(lambda: mount.out(TEXT) == [], "all notes to go")
    assert len(mount.sim.creates()) == 6
    assert os.listdir(mount.path(TEXT, "jobs"))
