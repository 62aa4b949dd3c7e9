"""What is switched off, one at a time, and which tests should notice, cheapest first.

A rule is (file, what stands there once, what stands there instead, tests). A test is `sim` (some
histories of the simulated engine), `sim+` (more), `cuts` (some with power cuts), `power`, `unit:PROGRAM`, where
PROGRAM may end in *, or `mount:FILE::NAME`. A text that is not there, or there twice, makes the run fail: whoever changes the line
changes its rule. Rules that follow from a pattern (each fsync, each transition) are made of the pattern.
"""
import os
import re

UNIT = "unit:test_engine_*"
ENGINE = UNIT + " sim sim+"
NOTES = "unit:test_engine_notes sim"
LINKS = "unit:test_way unit:test_input unit:test_engine_symlinks"

RULES = [
    # ---------------------------------------------------------------- 1: never sent again by itself
    ("fs/net/answer.c", "if (reply->result != CURLE_OK && !reply->sent) {",
     "if (reply->result != CURLE_OK) {", "unit:test_kie"),
    ("fs/net/answer.c", "(enum create_verdict)rule->verdict : CREATE_UNKNOWN;",
     "(enum create_verdict)rule->verdict : CREATE_LATER;", "unit:test_kie"),
    ("fs/net/answer.c", "rule = reply->result == CURLE_OK ? rule_find(rules, count, reply, opened) : "
     "NULL;\n\tanswer->verdict = rule ? (enum create",
     "rule = rule_find(rules, count, reply, opened);\n\tanswer->verdict = rule ? (enum create",
     "unit:test_kie unit:test_ppinfra"),
    ("fs/net/answer.c", "if (task && task[0]) {", "if (false) {", "unit:test_kie"),
    ("fs/net/kie.c", "{.code = 501, .verdict = CREATE_UNKNOWN},",
     "{.code = 501, .verdict = CREATE_LATER},", "unit:test_kie"),
    ("fs/net/kie.c", "{.code = 408, .verdict = CREATE_UNKNOWN},",
     "{.code = 408, .verdict = CREATE_LATER},", "unit:test_kie"),
    ("fs/net/kie.c", "{STATUS(408), .verdict = CREATE_UNKNOWN},",
     "{STATUS(408), .verdict = CREATE_LATER},", "unit:test_kie"),
    ("fs/net/ppinfra.c", '{REASON("TASK_FAILED"), .verdict = CREATE_UNKNOWN},',
     '{REASON("TASK_FAILED"), .verdict = CREATE_LATER},', "unit:test_ppinfra"),
    ("fs/net/ppinfra.c", '{REASON("GET_RESULT_FAILED"), .verdict = CREATE_UNKNOWN},',
     '{REASON("GET_RESULT_FAILED"), .verdict = CREATE_LATER},', "unit:test_ppinfra"),
    ("fs/net/ppinfra.c", "{STATUS(408), .verdict = CREATE_UNKNOWN},",
     "{STATUS(408), .verdict = CREATE_LATER},", "unit:test_ppinfra"),
    ("fs/net/request.c", "if (transfer->once && transfer->sent)", "if (false)",
     "unit:test_http_once"),
    ("fs/net/request.c", "if (error == 0 && request->once)", "if (false)", "unit:test_http_once"),
    ("fs/net/request.c", "if (request->follow && (request->bearer || request->once))", "if (false)",
     "unit:test_http unit:test_http_once"),
    ("fs/engine/submit.c", ".once = true,", ".once = false,", ENGINE),
    # ---------------------------------------------------------------- 2: durable first, then done
    ("fs/journal/write.c", "PRAGMA synchronous = FULL;", "PRAGMA synchronous = NORMAL;", "power"),
    ("fs/engine/commit.c", "\telse\n\t\terror = journal_commit(jobs->journal);",
     "\telse\n\t\tjournal_rollback(jobs->journal);", ENGINE),
    ("fs/engine/commit.c", "error = write_changed(jobs);\n\t\tif (error)\n\t\t\treturn error;",
     "(void)write_changed(jobs);\n\t\terror = 0;", UNIT + " sim mount:test_disk"),
    ("fs/engine/submit.c", "job_set_state(job, JOB_SUBMITTING, NULL, NULL); /* keeps its turn */",
     "job_set_state(job, JOB_SUBMITTING, NULL, NULL);\n\tjob->set.next = NULL;\n\tenter_submitting"
     "(engine, job);", UNIT + " sim power"),
    ("fs/engine/submit.c", "job->row.submitted_ms = clock_wall_ms();", "", ENGINE),
    ("fs/journal/write.c", "PRAGMA journal_mode = WAL;", "PRAGMA journal_mode = MEMORY;", "power"),
    # marks of films: whatever a crash leaves of them can be taken back, and is
    ("fs/engine/deliver.c", "if (output->moov)\n\t\t\tfetch_next(job);",
     "if (output->moov)\n\t\t\tdeliver_whole(engine, job);", "unit:test_engine_marking"),
    ("fs/engine/marking.c", "if (!error)\n\t\terror = provenance_undo(marking->fd, marking->bytes, "
     "marking->moov);\n\tif (!error && marking->wanted)", "if (!error && marking->wanted)",
     "unit:test_engine_marking"),
    ("fs/engine/part.c", "!output->bytes && /*", "/*", "unit:test_engine_marking unit:test_engine_guards"),
    # ---------------------------------------------------------------- 3: a lost answer is unknown
    ("fs/engine/submit.c", "case CREATE_UNKNOWN: job_set_state(job, JOB_UNKNOWN,",
     "case CREATE_UNKNOWN: job_set_state(job, JOB_QUEUED,", ENGINE),
    ("fs/engine/orders.c", "\tcase JOB_UNKNOWN:\n", "", ENGINE + " mount:test_providers"),
    # ---------------------------------------------------------------- 4: a start sends nothing again
    ("fs/engine/recover.c", "job_set_state(job, JOB_UNKNOWN, lost, look);",
     "job_set_state(job, JOB_QUEUED, lost, look);", ENGINE),
    ("fs/engine/recover.c", "if (job->row.state == JOB_SUBMITTING)", "if (false)", ENGINE),
    # ---------------------------------------------------------------- 5: asked for to the end
    ("fs/engine/poll.c", "\tcase POLL_ERROR: ask_again(engine, job, &answer); break;",
     "\tcase POLL_ERROR: job_set_state(job, JOB_FAILED, NULL, NULL); break;", ENGINE),
    ("fs/engine/poll.c", "if (++job->nothing < NOTHING_TIMES || fetch", "if (fetch", ENGINE),
    ("fs/engine/poll.c", "case POLL_NOT_KNOWN: not_known(engine, job, &answer); break;",
     "case POLL_NOT_KNOWN: job_set_state(job, JOB_FAILED, NULL, NULL); break;", ENGINE),
    ("fs/engine/poll.c", "clock_steady_ms() - job->not_known_since_ms >= LOST_AFTER_MS);", "true);",
     ENGINE),
    ("fs/engine/poll.c", "\t\tsay_stuck(job, answer);\n\telse\n\t\tjob_say(job, answer->words, "
     "answer->advice);\n\tpoll_after(engine, job, pause);", "\t\tsay_stuck(job, answer);\n\telse\n"
     "\t\tjob_say(job, answer->words, answer->advice);\n\tif (!stuck)\n\t\tpoll_after(engine, job, "
     "pause);", ENGINE),
    ("fs/engine/schedule.c", "{INFINITY, 15 * 60},", "{INFINITY, INFINITY},",
     "unit:test_schedule " + ENGINE),
    ("fs/net/answer.c", "(enum poll_verdict)rule->verdict : POLL_ERROR;",
     "(enum poll_verdict)rule->verdict : POLL_FAILED;", "unit:test_kie"),
    ("fs/net/kie.c", "if (reply->result == CURLE_OK && reply->status == 200)\n\t\tstate",
     "if (true)\n\t\tstate", "unit:test_kie"),
    ("fs/net/ppinfra.c", "if (reply->result == CURLE_OK && reply->status == 200)\n\t\tstatus",
     "if (true)\n\t\tstatus", "unit:test_ppinfra"),
    # ---------------------------------------------------------------- 6: the same order is paid once
    ("fs/engine/identity.c", "if (job_state_is_paid(row->state)) {\n\t\t\tid->sent", "if (false) {"
     "\n\t\t\tid->sent", ENGINE),
    ("fs/engine/identity.c", "id->sent += 1 + row->more;", "id->sent += 1;", ENGINE),
    ("fs/engine/identity.c", "} else if (is_over(row, saved_ms)) {", "} else if (false) {", ENGINE),
    ("fs/engine/identity.c", "row->finished_ms >= saved_ms;\n}\n\n/* Cancelled",
     "row->finished_ms >= 0;\n}\n\n/* Cancelled", ENGINE),
    ("fs/engine/identity.c", "} else if (was_held(row, saved_ms)) {", "} else if (false) {", ENGINE),
    ("fs/engine/identity.c", "if (open && is_under_way(&open->row, assembly)) {", "if (false) {",
     ENGINE),
    ("fs/engine/identity.c", "return at_place ? IDENTITY_COPY : IDENTITY_MOVED;",
     "return at_place ? IDENTITY_NEW : IDENTITY_MOVED;", ENGINE),
    ("fs/engine/identity.c", "return at_place ? IDENTITY_COPY : IDENTITY_MOVED;",
     "return at_place ? IDENTITY_COPY : IDENTITY_NEW;", ENGINE),
    ("fs/engine/identity.c", "if (at_place < 0)\n\t\t\treturn at_place;",
     "if (at_place < 0)\n\t\t\tat_place = 0;", ENGINE + " mount:test_last_look"),
    ("fs/engine/identity.c", "if (id->is == IDENTITY_ENDED) /* it goes", "if (false) /* it goes",
     ENGINE),
    ("fs/engine/identity.c", "if (is_held_copy(row) && at_place)", "if (false)", ENGINE),
    ("fs/engine/identity.c", "\t\t\t!is_held_copy(row) && (!has_ended", "\t\t\t(!has_ended", ENGINE),
    ("fs/engine/identity.c", "return row->state == JOB_FAILED ? IDENTITY_COPY : IDENTITY_NEW;",
     "return IDENTITY_NEW;", ENGINE),
    ("fs/engine/identity.c", "if (resting_copy(own, assembly) && is_known_elsewhere(own, same, "
     "open->row.order)) {", "if (false) {", ENGINE),
    ("fs/engine/apply.c", "} else if (id->is == IDENTITY_COPY && !asked) {", "} else if (false) {",
     ENGINE),
    ("fs/engine/follow.c", "if (!job_state_is_open(take->row.state) && all)\n\t\treturn true;", "",
     ENGINE),
    ("fs/engine/follow.c", "row->hold = HOLD_UNTIL_RELEASED; /* another name lets nothing go */", ";",
     ENGINE),
    ("fs/engine/follow.c", "take->row.saved_ms = saved_ms;", "", ENGINE),
    ("fs/engine/submit.c", "next->row.more = more - 1;", "next->row.more = more;", ENGINE),
    ("fs/engine/submit.c", "\tjob->row.more = 0;\n", "", ENGINE),
    ("fs/engine/copies.c", "copy->row.hold == HOLD_COPY && !copy->row.settling)",
     "false)", ENGINE),
    ("spec/order.c", "error = name_by_digest(model, sent, &pictures[i]);", "error = 0;",
     "unit:test_order sim"),
    ("spec/order.c", "qsort(member, count, sizeof(*member), compare);", "", "unit:test_order"),
    ("spec/order.c", 'cJSON_DeleteItemFromObjectCaseSensitive(sent, "callBackUrl");', ";",
     "unit:test_order"),
    # ---------------------------------------------------------------- 8: whole, checked, never over
    ("fs/engine/download.c", "int error = result_check(job->part_fd, output->now.have, &result, "
     "&why);", "int error = ((void)result_check(job->part_fd, output->now.have, &result, &why), 0);",
     ENGINE + " mount:test_faults mount:test_results"),
    ("fs/engine/download.c", "++output->now.unknown < UNKNOWN_TIMES) {", "false) {", ENGINE),
    ("fs/engine/download.c", "result.kinds & fetch_promised(job, (size_t)job->at) ? NULL", "true ? NULL",
     ENGINE),
    ("fs/engine/fetch.c", "output[i].is_still = i >= answer->nurl - answer->stills;", "", ENGINE),
    ("fs/net/kie_results.c", "if (before == 0) /* without it they are no result */", "if (false)",
     "unit:test_kie"),
    ("fs/net/result_picture.c", 'return be32toh(said) == ~crc ? 0', "return true ? 0",
     "unit:test_result"),
    ("fs/engine/download.c", "if (output->promised && output->now.have != output->promised) {",
     "if (false) {", ENGINE + " mount:test_results"),
    ("fs/engine/download.c", "if (!reply->end_marked && before != output->now.have)", "if (false)",
     ENGINE),
    ("fs/engine/download.c", "return file->validator && output->validator && file->length == "
     "output->promised &&\n\t       strcmp(file->validator, output->validator) == 0;", "return true;",
     ENGINE),
    ("fs/engine/download.c", "file->length == output->promised &&\n\t       strcmp(file->validator, "
     "output->validator) == 0;", "file->length == output->promised;", ENGINE),
    ("fs/engine/download.c", "output->validator && file->length == output->promised &&",
     "output->validator &&", ENGINE),
    ("fs/engine/download.c", "file->start == 0 || !is_same_file(output, file) : file->start)",
     "!is_same_file(output, file) : file->start)", ENGINE),
    ("fs/engine/download.c", "\trequest.validator = output->validator;\n", "",
     ENGINE + " mount:test_results"),
    ("fs/net/request.c", "\tif (request->resume_at > 0 && request->validator &&\n\t\tadd_header",
     "\tif (false &&\n\t\tadd_header", "unit:test_http_files mount:test_results"),
    ("fs/engine/download.c", "(reply->status == 416 && output->now.have > 0))", "false)", ENGINE),
    ("fs/engine/download.c", "if (more > 0 &&\n\t\t!space_take(", "if (false &&\n\t\t!space_take(",
     ENGINE + " mount:test_disk"),
    ("fs/engine/space.c", "*there = (int64_t)(info.f_bavail * info.f_frsize) - reserve;",
     "*there = (int64_t)(info.f_bavail * info.f_frsize);", ENGINE + " mount:test_disk"),
    ("fs/engine/part.c", "if (!output->now.opened)\n\t\toutput->now.have = output->kept;",
     "if (!output->now.opened)\n\t\toutput->now.have = info.st_size;", ENGINE + " power"),
    ("fs/engine/part.c", "output->now.have <= info.st_size)", "true)", ENGINE + " power"),
    ("fs/engine/part.c", "\tif (output->kept)\n\t\treturn -ESTALE;\n", "", ENGINE + " power"),
    ("fs/engine/part.c", "\tif (ftruncate(fd, output->now.have) < 0)\n\t\treturn -errno;\n", "",
     ENGINE + " power"),
    ("fs/net/receive.c", "if (status == 206 && (start != transfer->resume_at || (total >= 0 && start > total)))", "if (false)",
     "unit:test_http_files"),
    ("fs/net/receive.c", 'if (tag && *tag == \'"\' && is_plain(tag))', "if (tag && is_plain(tag))",
     "unit:test_http_files"),
    ("fs/net/receive.c", "return is_old(modified, header(transfer, \"Date\")) && is_plain",
     "return modified && is_plain", "unit:test_http_files"),
    ("fs/engine/deliver.c", "\tif (!output->bytes) {\n\t\tif (!make_durable",
     "\tif (!output->bytes && output->type) {\n\t\toutput->bytes = output->now.have;\n\t\t"
     "name(engine, job, job->at);\n\t\treturn;\n\t}\n\tif (!output->bytes) {\n\t\tif "
     "(!make_durable", "power " + ENGINE),
    ("fs/engine/deliver.c", "else if (output->type && part_bytes(engine, job, job->at) == output->bytes)",
     "else if (output->type)", ENGINE + " power"),
    ("fs/engine/deliver.c", "} else if (bytes < output->now.have) {", "} else if (false) {", ENGINE),
    ("fs/engine/deliver.c", "if (error && is_awaited) {", "if (false) {", ENGINE),
    ("fs/engine/deliver.c", "} else if (!error && output->now.sync_at) {",
     "} else if (output->now.sync_at) {", ENGINE + " mount:test_disk"),
    ("fs/engine/deliver.c", "output->state = OUTPUT_NAMED;\n\tfetch_next(job);",
     "output->state = OUTPUT_NAMED;\n\tdeliver_named(engine, job);\n\tjob_commit_then(job, NULL);",
     ENGINE + " power"),
    ("fs/engine/deliver.c", "(error == -ENOENT && output->now.shown)", "error == -ENOENT", ENGINE),
    ("fs/engine/deliver.c", "(error == -ENOENT && output->now.shown)", "false", ENGINE),
    ("fs/engine/deliver.c", "} else if (has_left) {", "} else if (false) {", ENGINE),
    ("fs/engine/relink.c", "\tmatch(&with, is_same_path);\n", "", ENGINE),
    ("fs/engine/outname.c", "\t\tif (outname_is_free(engine, path))\n\t\t\treturn", "\t\treturn",
     ENGINE + " mount:test_results"),
    ("fs/engine/outname.c", "return tree_stat(&engine->tree, path, &info) == -ENOENT;",
     "return tree_stat(&engine->tree, path, &info) < 0;", ENGINE + " mount:test_results"),
    ("fs/mount/publish.c", "error = move_to(publisher, root, source, order, RENAME_NOREPLACE);",
     "error = move_to(publisher, root, source, order, 0);", "mount:test_crash::name_that_was_taken"),
    ("fs/mount/noreplace.c", "O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW", "O_WRONLY | O_CREAT | "
     "O_NOFOLLOW", "unit:test_noreplace"),
    ("fs/mount/noreplace.c", "location_stat(to, &new) < 0 || !is_same(&old, &new))",
     "location_stat(to, &new) < 0)", "unit:test_noreplace"),
    ("fs/engine/fetch.c", "if (is_of_link && is_given_up(job, output)) {",
     "if (is_of_link) {", ENGINE),
    ("fs/engine/fetch.c", "if (is_of_link && is_given_up(job, output)) {",
     "if (is_given_up(job, output)) {", ENGINE),
    ("fs/engine/fetch.c", "(output->dead_ms >= SEEN_DEAD_AT_LEAST_MS && age", "(age", ENGINE),
    ("fs/engine/fetch.c", "output->dead_ms += since < 2 * LATE_MS ? since : 2 * LATE_MS;",
     "output->dead_ms += since;", ENGINE),
    ("fs/engine/fetch.c", "\toutput->tries = 0;\n\toutput->dead_ms = output->now.asked_ms = 0;",
     "\toutput->tries = 0;", ENGINE),
    ("fs/engine/fetch.c", "job_set_state(job, published ? JOB_DONE : JOB_FAILED,", "job_set_state(job, "
     "JOB_FAILED,", ENGINE),
    # ---------------------------------------------------------------- 9, 10: caps
    ("fs/engine/budget.c", "return (caps->jobs_per_day > 0 && budget->jobs_today >= caps->jobs_per_day)"
     " ||", "return", "unit:test_engine_caps mount:test_limits"),
    ("fs/engine/budget.c", "budget->credits_today + more > caps->credits_per_day) ||\n\t       (caps->"
     "credits_per_month", "false) ||\n\t       (caps->credits_per_month",
     "unit:test_engine_caps mount:test_limits"),
    ("fs/engine/budget.c", "budget->credits_this_month + more > caps->credits_per_month);",
     "false);", "unit:test_engine_caps mount:test_limits"),
    ("fs/engine/budget.c", "if (caps->credits_per_job > 0 && cost(row) > caps->credits_per_job) {",
     "if (false) {", "unit:test_engine_caps mount:test_limits"),
    ("fs/engine/budget.c", "if (isnan(row->estimate) && credit_cap(caps)) {", "if (false) {",
     "unit:test_engine_caps mount:test_limits"),
    ("fs/engine/budget.c", "if (!budget_count(budget, journal, caps)) {",
     "(void)budget_count(budget, journal, caps);\n\tif (false) {", "unit:test_engine_caps"),
    ("fs/config/config.c", "if (!is_same_place(account, other)) {", "if (false) {",
     "unit:test_config"),
    ("fs/engine/budget.c", "if (budget->day_ends_ms && clock_steady_ms() < budget->day_ends_ms)",
     "if (budget->day_ends_ms)", "unit:test_engine_caps mount:test_limits"),
    ("fs/engine/budget.c", "budget->jobs_today++;", "", "unit:test_engine_caps mount:test_limits"),
    ("fs/engine/budget.c", "budget->credits_today += cost(row);", "",
     "unit:test_engine_guards mount:test_limits"),
    ("fs/engine/submit.c", "if (!job->row.released)\n\t\thold = over_budget(engine, job, &problem, "
     "&advice);", "", UNIT + " mount:test_limits"),
    ("fs/journal/statements.c", "(task IS NOT NULL OR state NOT IN", "(task IS NOT NULL OR 0 "
     "AND state NOT IN", "unit:test_journal " + UNIT),
    # ---------------------------------------------------------------- 11: another journal, found files
    ("fs/journal/lastrun.c", "last->restored = !last->known;", "", "unit:test_lastrun"),
    ("fs/journal/lastrun.c", "journal->st_ino != inode ||", "false ||", "unit:test_lastrun"),
    ("fs/journal/lastrun.c", "return stat_ms(&journal->st_ctim) > stat_ms(&log.st_mtim) + "
     "CHECKPOINT_MS;", "return false;", "unit:test_lastrun"),
    ("fs/journal/lastrun.c", "(last->known && !fresh && journal_generation(journal) != "
     "last->generation))", "false)", "unit:test_lastrun"),
    ("fs/journal/lastrun.c", "if (journal_was_damaged(journal) || !itself ||", "if "
     "(journal_was_damaged(journal) ||", "mount:test_store_identity"),
    ("fs/journal/lastrun.c", "if (journal_was_damaged(journal) || !itself ||", "if (!itself ||",
     "unit:test_lastrun"),
    ("fs/journal/lastrun.c", "if (fresh || last->restored)\n\t\tlast->seen_until_ms = last->crash_ms "
     "= 0;", "", "unit:test_lastrun mount:test_store_identity"),
    ("fs/journal/lastrun.c", "now = id && itself ? id : fresh_id;", "now = id ? id : fresh_id;",
     "mount:test_store_identity"),
    ("fs/journal/lastrun.c", "return -EXDEV;", "return 0;", "mount:test_store_elsewhere"),
    ("fs/journal/lastrun.c", "if (!is_apart(folders) || !id || registry_has(folders->store_fd, id))",
     "if (true)", "mount:test_store_elsewhere"),
    ("fs/journal/lastrun.c", "\tif (count > 1) {\n\t\tlast->crash_ms = 0;", "\tif (count > 1) {",
     "unit:test_lastrun"),
    ("fs/serve/store.c", "count = registry_count(store->fd, &where);\n\tif (count > 0) {",
     "count = registry_count(store->fd, &where);\n\tif (false) {", "mount:test_store_elsewhere"),
    ("fs/serve/store.c", "faccessat(store->fd, JOURNAL_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0)",
     "true)", "mount:test_store_elsewhere"),
    ("fs/journal/salvage.c", "iif(model IS NULL, 'unknown', '\" JOURNAL_UNREAD\n\t\"'), 0,",
     "iif(model IS NULL, 'cancelled', '\" JOURNAL_UNREAD\n\t\"'), 0,", "unit:test_salvage"),
    ("fs/journal/salvage.c", "(SELECT max(coalesce(spent, estimate)) FROM job)", "0",
     "unit:test_salvage"),
    ("fs/journal/salvage.c", "if (!transfer->tail_known) {", "if (false) {", "unit:test_salvage"),
    ("fs/journal/salvage.c", "WHERE submitted IS NULL\", all_sent ? 0 : now);",
     "WHERE submitted IS NULL\", 0);", "unit:test_salvage"),
    ("fs/journal/salvage.c", "\tif (all_keys) /* then", "\tif (true) /* then", "unit:test_salvage"),
    ("fs/journal/salvage.c", "\"UPDATE lost SET order_key = ?2 WHERE id = ?1\");",
     "\"SELECT ?1, ?2\");", "unit:test_salvage"),
    ("fs/journal/salvage.c", "run(transfer, \"UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'job' "
     "AND seq < ?1\",\n\t\ttransfer->last_id);", "", "unit:test_salvage"),
    ("fs/journal/salvage.c", "\t\t\terror = lock_new(new_path);", "\t\t\terror = 0;",
     "unit:test_salvage"),
    ("fs/journal/read.c", "row->state = JOB_WAITING;\n\t\trow->hold = HOLD_UNTIL_RELEASED;",
     "row->state = JOB_WAITING;", "unit:test_salvage " + UNIT),
    ("fs/journal/read.c", "} else if (row->task && !row->finished_ms) {", "} else if (false) {",
     "unit:test_salvage " + UNIT),
    ("fs/journal/read.c", "} else if (is_state || !job_state_is_end(row->state)) {", "} else if "
     "(false) {", "unit:test_salvage " + UNIT),
    ("fs/journal/witness.c", "return then->inode == now->inode && then->born_ns == now->born_ns &&",
     "return then->born_ns == now->born_ns &&", "unit:test_witness"),
    ("fs/journal/witness.c", "return then->inode == now->inode && then->born_ns == now->born_ns &&",
     "return then->inode == now->inode &&", "unit:test_witness"),
    ("fs/journal/witness.c", "then->generation <= now->generation;", "true;", "unit:test_witness"),
    ("fs/engine/recover.c", "if (engine->setup.last->restored)\n\t\thold_restored(job);\n\telse if",
     "if", UNIT + " mount:test_crash"),
    ("fs/journal/lastrun.c", "last->rebooted = !last->ended && !is_of_this_boot(boot);", "",
     "unit:test_lastrun"),
    ("fs/journal/lastrun.c", "last->rebooted = !last->ended && !is", "last->rebooted = !is",
     "unit:test_lastrun"),
    ("fs/journal/lastrun.c", "return boot_id(now) && !strcmp(now, boot);", "return !strcmp(now, boot) || "
     "!*boot;", "unit:test_lastrun"),
    ("fs/engine/recover.c", "if (engine->setup.last->rebooted)\n\t\tsettle_found(engine, &key);\n"
     "\telse if", "if", "unit:test_engine_guards cuts"),
    ("fs/engine/recover.c", "if (is_last_moment(last, changed) && !last->rebooted)",
     "if (is_last_moment(last, changed))", "unit:test_engine_guards cuts"),
    ("fs/engine/recover.c", "if (last->restored || is_last_moment(last, changed) ||",
     "if (last->restored ||", "unit:test_engine_guards cuts"),
    ("fs/engine/apply.c", "found && (!asked || judging->engine->setup.last->rebooted);",
     "found && !asked;", "unit:test_engine_guards cuts"),
    ("fs/engine/changes.c", " && row->state != JOB_REJECTED;", ";", "unit:test_engine_guards cuts"),
    ("fs/engine/recover.c", "(last->seen_until_ms && changed > last->seen_until_ms))", "false)",
     UNIT + " sim mount:test_start"),
    ("fs/engine/recover.c", "if (last->restored || is_last_moment(last, changed) ||",
     "if (is_last_moment(last, changed) ||", UNIT + " mount:test_store_identity mount:test_crash"),
    ("fs/engine/recover.c", "if (is_last_moment(last, changed) && !last->rebooted)\n\t\treturn true;",
     "", UNIT + " sim mount:test_start mount:test_crash"),
    ("fs/engine/changes.c", "\tif (found)\n\t\tsettle_found(engine, key);",
     "\tif (found)\n\t\tsettle_now(engine, key);", UNIT + " sim mount:test_start"),
    ("fs/engine/apply.c", "bool found = id->held || job->row.hold == HOLD_UNTIL_RELEASED;",
     "bool found = false;", ENGINE + " mount:test_start"),
    ("fs/engine/apply.c", "if (files_are_cut_off(judging->engine, &judging->assembly))", "if (false)",
     UNIT + " mount:test_start"),
    ("fs/engine/recover.c", "if (job->row.settling && job->model && engine->setup.last->restored)",
     "if (false)", UNIT + " sim mount:test_store_identity mount:test_crash"),
    # ---------------------------------------------------------------- 12: what is sent is what is there
    ("fs/engine/submit.c", "if (!may_be_sent(engine, job)) {", "if (false) {", ENGINE),
    ("fs/engine/submit.c", "if (engine_awake_ms(engine) >= engine->setup.config->settle_ms &&\n\t\t"
     "is_as_judged(engine, job) > 0)", "if (is_as_judged(engine, job) > 0)",
     UNIT + " mount:test_last_look"),
    ("fs/engine/submit.c", "is_as_judged(engine, job) > 0)\n\t\treturn true;", "is_as_judged(engine, "
     "job) != 0)\n\t\treturn true;", UNIT + " mount:test_last_look"),
    ("fs/engine/submit.c", "bool overtaken =\n\t\tjobs_takes(&engine->jobs, &key, &takes) == 0 && "
     "takes.count && takes.item[0] != job;", "bool overtaken = false;", ENGINE),
    ("fs/engine/lastlook.c", "may_be_half(engine, &info)", "false", "unit:test_engine_starts"),
    ("fs/engine/lastlook.c", "if (!files_are_busy(engine, &files) &&\n\t\t!pictures_are_busy(engine, "
     "row->picture, row->npictures)) {", "if (!pictures_are_busy(engine, row->picture, "
     "row->npictures)) {", ENGINE),
    ("fs/engine/lastlook.c", "if (!files_are_busy(engine, &files) &&\n\t\t!pictures_are_busy(engine, "
     "row->picture, row->npictures)) {", "if (!files_are_busy(engine, &files)) {",
     ENGINE + " mount:test_last_look"),
    ("fs/engine/lastlook.c", "result = row->seen && !strcmp(row->seen, seen);", "result = 1;", ENGINE),
    ("fs/engine/lastlook.c", "if (is_under_way(engine, files->under_way.item[i]))\n\t\t\treturn true;", "",
     ENGINE + " mount:test_last_look"),
    ("fs/engine/apply.c", "} else if (!asked && !held && !released &&\n\t\t   editors_wait(",
     "} else if (false &&\n\t\t   editors_wait(", ENGINE),
    ("fs/engine/judge.c", "if (waits && is_on_its_way(job))", "if (false)", ENGINE),
    ("fs/engine/judge.c", "if (!waits && (job->row.state != JOB_HELD || job->row.hold != HOLD_COPY)) {",
     "if (job->row.state != JOB_HELD || job->row.hold != HOLD_COPY) {", ENGINE),
    ("fs/engine/follow.c", "is_same && !assembly->files.locks.count)",
     "is_same)", ENGINE),
    ("fs/input/assemble.c", "note_locks(files, notes);", "", ENGINE),
    ("fs/engine/judge.c", "if (left_ms > 0)\n\t\treturn left_ms;", "", "unit:test_engine_editors"),
    ("fs/net/request.c", "return !strcmp(hex, transfer->form_sha256);", "return true;",
     "unit:test_http_files"),
    ("fs/engine/upload.c", ".form_sha256 = bytes,",
     "", UNIT + " mount:test_last_look"),
    ("fs/engine/frames.c", "return !error && strcmp(hex, making->sha256) != 0 ? -ESTALE : error;",
     "return 0;", "unit:test_engine_frames"),
    ("fs/engine/body.c", "if (!picture->still)\n\t\treturn -ESTALE;\n\t*bytes",
     "if (!picture->still)\n\t\treturn tree_open(filling->tree, picture->path, bytes);\n\t*bytes",
     "unit:test_body"),
    ("fs/input/film.c", "if (!error && strcmp(result.type, attempt->type) != 0)", "if (false)",
     "unit:test_engine_frames"),
    ("fs/input/film.c", 'format("%s#%s", film, film_frame_name(frame))', 'format("%s", film)',
     "mount:test_frames::meant"),
    ("fs/net/parts.c", "if (strcmp(hex, part->sha256) != 0)", "if (false)",
     "unit:test_body mount:test_last_look"),
    ("fs/engine/submit.c", "if (reply->unfinished && !reply->status) {", "if (reply->unfinished) {",
     ENGINE),
    ("fs/engine/submit.c", "if (reply->unfinished && !reply->status) {", "if (false) {",
     ENGINE + " mount:test_last_look"),
    ("fs/engine/upload.c", "if (reply->unfinished) {", "if (false) {",
     ENGINE + " mount:test_last_look"),
    ("fs/engine/submit.c", "\tif (is_of_another(engine, job, answer->task))\n\t\treturn;\n", "",
     ENGINE),
    ("fs/engine/lastlook.c", "if (result == 1)\n\t\t\tresult = owner_may_read(engine, job, &files);",
     "", UNIT + " mount:test_users"),
    ("fs/engine/orders.c", "if (order->job && !owner_allows(engine, order->job, order->asker, 4))",
     "if (false)", "unit:test_engine_looks"),
    ("fs/engine/orders.c",
     "else if (order->job && !owner_allows(engine, order->job, order->asker, verbs[verb].wants))",
     "else if (false)", "unit:test_engine_looks"),
    ("fs/engine/orders.c", "\tif (!owner_allows(engine, order.job, asker, 2)) {", "\tif (false) {",
     "unit:test_engine_looks"),
    ("fs/engine/owner.c", "return may == 1 || may == -ENOENT;", "return true;", "unit:test_engine_looks"),
    ("fs/input/access.c", "looking->refused = true;", "", UNIT + " mount:test_users"),
    ("fs/input/access.c", "for (size_t i = 0; i < npictures && !error; i++)\n\t\terror = look(",
     "for (size_t i = 0; i < 0 && !error; i++)\n\t\terror = look(", UNIT + " mount:test_users"),
    # what a link leads to is in the mount, and is looked at with it
    ("fs/input/way.c", "\telse if (!walk->tree->seen_at)\n\t\treturn -EXDEV;", "", LINKS),
    ("fs/input/way.c", "strncmp(name, root, strlen(name)) != 0)\n\t\treturn -EXDEV;",
     "strncmp(name, root, strlen(name)) != 0)\n\t\twalk->above = 1;", LINKS),
    ("fs/input/way.c", "if (!error && walk->above)\n\t\terror = -EXDEV;\n\telse if", "if", LINKS),
    ("fs/input/way.c", "(path[bytes] && path[bytes] != '/')", "false", LINKS),
    ("fs/input/tree.c", "flags | O_NOFOLLOW | O_CLOEXEC", "flags | O_CLOEXEC", LINKS),
    ("fs/input/look.c", "error = note(tree, way.end, notes);", "error = 0;", LINKS),
    ("fs/engine/lastlook.c", "(way.end && host->is_written(host->context, way.end))", "false", LINKS),
    ("fs/engine/recover.c", "(S_ISREG(info.st_mode) || S_ISLNK(info.st_mode))",
     "S_ISREG(info.st_mode)", LINKS),
    ("fs/input/files.c", "\tif (astray && (listed->as.role == ROLE_SPEC", "\tif (false && "
     "(listed->as.role == ROLE_SPEC", LINKS),
    ("fs/input/access.c", "\t\tmay = may_reach(looking, path);", "\t\tmay = 1;", LINKS),
    ("fs/input/access.c", "may = may_reach(looking, way.link[i]);", "may = 1;", LINKS),
    ("fs/input/access.c", "rights_reach(looking->tree->fd, way.end ? way.end : path,",
     "rights_reach(looking->tree->fd, path,", LINKS),
    ("fs/input/access.c", "error = tree_stat(tree, looking.named, &info);",
     "error = tree_stat_end(tree, looking.named, &info);", LINKS),
    ("fs/engine/messages.c", "\tif (changes_go_on(engine))\n\t\treturn true;\n", "", ENGINE),
    ("fs/engine/messages.c", "STAILQ_INSERT_TAIL(&engine->loop.pending", "STAILQ_INSERT_HEAD("
     "&engine->loop.pending", ENGINE),
    ("fs/engine/messages.c", "if (message->answer && !error)\n\t\terror = engine_commit(engine);", "",
     ENGINE + " power"),
    ("fs/engine/judge.c", "if (files_are_busy(engine, &judging->assembly.files) ||\n\t\t"
     "pictures_are_busy(engine, judging->assembly.picture, judging->assembly.npictures))",
     "if (false)", ENGINE),
    # ---------------------------------------------------------------- 13: withdrawn stays withdrawn
    ("fs/engine/orders.c", "\tnote_files(order);\n\tsettle_stop", "\tsettle_stop", ENGINE),
    ("fs/engine/orders.c", "settle_stop(order->engine, &key);\n\tfor", "for", ENGINE),
    ("fs/engine/orders.c", 'job_set_state(job, JOB_CANCELLED, "Cancelled before', 'if (false)\n\t\t'
     'job_set_state(job, JOB_CANCELLED, "Cancelled before', ENGINE),
    ("fs/engine/orders.c", "error = jobs_forget(&engine->jobs, key, clock_wall_ms());", "error = 0;",
     ENGINE),
    ("fs/engine/judge.c", "if (error || !judging->own.count)", "if (error)", ENGINE),
    ("fs/engine/apply.c", "} else if (id->is == IDENTITY_FORGOTTEN && !asked) {",
     "} else if (false) {", ENGINE),
    ("fs/engine/identity.c", "row->forgotten_ms >= saved_ms && is_ended(row))", "is_ended(row))",
     ENGINE),
    ("fs/engine/orders.c", "\telse if (busy)\n\t\terror", "\telse if (false)\n\t\terror",
     ENGINE + " mount:test_records"),
    # ---------------------------------------------------------------- what moved, by other defaults
    ("fs/engine/identity.c", "if (!error && *assembly->order)\n\t\terror = add_departed",
     "if (false)\n\t\terror = add_departed", "unit:test_engine_starts"),
    ("fs/engine/identity.c", "if (is_at_place(engine, job) <= 0)", "if (true)", ENGINE),
    ("fs/engine/identity.c", "if (job_state_is_open(job->row.state) ||\n\t\t\tis_equal", "if (is_equal",
     "unit:test_engine_starts sim"),
    # ---------------------------------------------------------------- what out/ says, after all
    ("fs/engine/jobs.c", "job->set.left_note = job->row.note != NOTE_NONE || job->set.note_unsure;", "", NOTES),
    ("fs/engine/commit.c", "note != job->set.shown_note || ", "", NOTES),
    ("fs/engine/commit.c", "job->set.note_unsure ||\n\t\t\t      (note", "(note", NOTES),
    ("fs/engine/commit.c", "(note != NOTE_NONE && job->set.note_stale)", "false", NOTES),
    ("fs/engine/commit.c", "return row ? jobs_add(jobs, row) : job;", "job_row_free(row);\n\treturn "
     "job;", NOTES),
    ("fs/engine/commit.c", "return journal_owe(jobs->journal, key, clock_wall_ms());", "return 0;",
     NOTES),
    ("fs/engine/commit.c", "\tif (job->set.shown_again) { /*", "\tif (false) { /*", NOTES),
    ("fs/engine/announce.c", "if (error < 0)\n\t\tatomic_store(&announcer->has_failed, true);", "",
     NOTES),
    ("fs/engine/announce.c", "note_arrived(announcer, 0, -ECANCELED);",
     "note_arrived(announcer, 0, 0);", NOTES),
    ("fs/engine/announce.c", "if (atomic_load(&announcer->has_failed))", "if (false)", NOTES),
    ("fs/engine/announce.c", "if (atomic_load(&announcer->under_way) ||\n", "if (\n", NOTES),
    ("fs/engine/announce.c", "then = clock_wall_ms() - ON_DISK_MS;", "then = clock_wall_ms();", NOTES),
    ("fs/engine/announce.c", "else if (announcer->posted_ms > now - ON_DISK_MS)", "else if (false)",
     NOTES),
    ("fs/engine/announce.c", "if (job->set.note_unsure)\n\t\tremove_notes_but(engine, job, note);\n\t"
     "else if", "if", NOTES),
    ("fs/engine/announce.c", "&& !job->set.note_unsure))", "))", NOTES),
    ("fs/engine/announce.c", "\t} else {\n\t\tremove_notes_of(engine, key);\n", "\t} else {\n", NOTES),
    ("fs/engine/recover.c", "return error ? error : announce_owed(engine);", "return error;", NOTES),
    ("fs/engine/made.c", "!strcmp(row->output[j].file, search->path)", "true",
     "unit:test_engine_names"),
    ("fs/cli/order.c", "if (!terminal) {", "if (false) {", "mount:test_commands"),
    ("fs/cli/order.c", "if (answer == 'y' || answer == 'Y')", "if (true)", "mount:test_commands"),
    ("fs/cli/several.c", 'return !strcmp(state, "failed") &&', "return", "mount:test_commands"),
    ("fs/cli/several.c", "several->failed_only && !is_wanted(several, record)", "false",
     "mount:test_commands"),
    ("fs/cli/several.c", "if (path && is_chosen(several, mount, path)) {", "if (false) {",
     "mount:test_commands"),
    ("fs/mount/sharing.c", "error = sharing_sees_all(&person) ? 0 : may_change(mount, &person, path);",
     "error = 0;", "mount:test_users::out_of_the_root"),
    ("fs/mount/sharing.c", "return is_kept_by_sticky_bit(tree, folder, path, person) ? -EPERM : 0;",
     "return 0;", "mount:test_users::out_of_the_root"),
    ("fs/mount/ops_change.c", "int error = out->was_shown ? sharing_changes(req, moving->path) : 0;",
     "int error = 0;", "mount:test_users::out_of_the_root"),
    ("fs/cli/outcome.c", "return json_get(take, \"error\") ? OUTCOME_BAD : OUTCOME_DONE;",
     "return OUTCOME_DONE;", "mount:test_faults::whole_but_no_video"),
    # ---------------------------------------------------------------- finer rules
    ("fs/engine/submit.c", "if (engine->setup.read_only) {", "if (false) {",
     UNIT + " mount:test_store_identity"),
    ("fs/engine/orders.c", "\tcase HOLD_UNTIL_RELEASED:\n\tcase HOLD_CAP:", "\tcase HOLD_CAP:",
     ENGINE + " mount:test_same_order"),
    ("fs/engine/orders.c", "if (order->job->row.state != JOB_WAITING) {", "if (true) {",
     "unit:test_engine_editors"),
    ("fs/engine/settle.c", "if (!known && saved_ms)", "if (false)", "unit:test_engine_symlinks"),
    ("fs/engine/apply.c",
     "} else if (!asked && !released && (alone_ms = wait_for_picture(judging)) > 0) {",
     "} else if (false) {", UNIT + " mount:test_last_look"),
    ("fs/engine/judge.c", "id.held = id.held || is_marked_as_found(judging->own.item[i]);", ";",
     ENGINE + " mount:test_start"),
    ("fs/engine/settle.c", "return cause == CAUSE_CHANGE || saved_ms > row->changed_ms;",
     "return true;", ENGINE),
    ("fs/engine/settle.c", "if (!saved_ms || row->hold != HOLD_UNTIL_RELEASED)\n\t\treturn false;",
     "if (row->hold != HOLD_UNTIL_RELEASED)\n\t\treturn false;", ENGINE),
    ("fs/engine/jobs.c", "if (state != row->state && !job_may_become(row->state, state)) {",
     "if (false) {", UNIT + " sim+"),
    ("fs/engine/upload.c", "if (!url)\n\t\t\tfree(TAKE(picture->url));", "",
     UNIT + " mount:test_start mount:test_paid_once"),
    ("fs/engine/recover.c", "ratelimit_remember(&engine->ratelimits, &job, row->submitted_ms);", "",
     UNIT + " mount:test_limits"),
    ("fs/serve/store.c", "while (flock(lock, LOCK_EX | LOCK_NB) < 0) {", "while (false) {",
     "mount:test_store_identity"),
]

TRANSITIONS = "fs/journal/job.c"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def end_of_call(text, at):
    """Behind the bracket that closes the first one from here."""
    depth = 0
    for end in range(text.index("(", at), len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if not depth:
            return end + 1
    raise ValueError("a call without an end")


# What no mount in the tests of power cuts comes to do.
SYNCED_BY = {"fs/journal/registry.c": "unit:test_registry", "fs/journal/salvage.c": "unit:test_salvage",
             "fs/engine/part.c": "unit:test_engine_guards",
             "fs/engine/marking.c": "unit:test_engine_marking", "fs/cli/replace.c": "unit:test_replace"}


def syncs(root):
    """Every call of fsync(2) and fdatasync(2)."""
    for folder, _, names in sorted(os.walk(os.path.join(root, "fs"))):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), root)
            text = read(os.path.join(root, path)) if name.endswith(".c") else ""
            for match in re.finditer(r"\bf(data)?sync\((?!2\))", text):  # not "fsync(2)"
                end = end_of_call(text, match.start())
                line = text.count("\n", 0, match.start()) + 1
                yield ("%s:%d %s" % (path, line, text[match.start():end]), path, match.start(), end,
                       "0", SYNCED_BY.get(path, "power"))


def transitions(root):
    """Every one of the table."""
    text = read(os.path.join(root, TRANSITIONS))
    begin = text.index("states[JOB_STATES] = {")
    for match in re.finditer(r"\bBIT\(JOB_(\w+)\)", text[begin:text.index("\n};", begin)]):
        start = begin + match.start()
        state = re.findall(r"\[JOB_(\w+)\] =", text[:start])[-1]
        yield ("%s: %s to %s" % (TRANSITIONS, state.lower(), match[1].lower()), TRANSITIONS, start,
               begin + match.end(), "0u", "unit:test_job")


def written(root):
    for path, old, new, tests in RULES:
        text = read(os.path.join(root, path))
        if text.count(old) != 1:
            raise ValueError("%s: there %d times:\n%s" % (path, text.count(old), old))
        start = text.index(old)
        first = " ".join(old.split())
        yield ("%s:%d %s -> %s" % (path, text.count("\n", 0, start) + 1, first[:70],
                                   " ".join(new.split())[:40] or "nothing"),
               path, start, start + len(old), new, tests)


def all_mutants(root):
    """(name, file, start, end, text instead, tests) of each."""
    return [*syncs(root), *transitions(root), *written(root)]
