/* oracle.c - what must hold once everything has come to rest. What an order may cost is judged
 * when it is sent (allowed.c). */
#include "fs/base/cleanup.h"
#include "fs/base/digest.h"
#include "fs/base/json.h"
#include "fs/engine/core.h"
#include "fs/engine/lastlook.h"
#include "tests/sim/sim.h"

#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------ videos */

struct videos {
	int task[TASKS][RESULTS_MAX];
};

#define MOOV_TYPE_AT 28 /* in what results_bytes() gives of a film */
#define MARKED_BYTES 8192

/* How long the box of this type is that begins there; 0: none does. */
static size_t box_bytes(const char *bytes, size_t count, const char *type)
{
	uint32_t size;

	if (count < 8 || memcmp(bytes + 4, type, 4) != 0)
		return 0;
	memcpy(&size, bytes, sizeof(size));
	size = be32toh(size);
	return size <= count ? size : 0;
}

/* Whether this is that film, marked: its moov is free, and another and XMP follow, and no more. */
static bool is_marked(
	const char *bytes, size_t count, const char *film, size_t size, const char *task_id)
{
	size_t rest = count > size ? count - size : 0;
	size_t moov = box_bytes(bytes + size, rest, "moov");
	size_t xmp = moov ? box_bytes(bytes + size + moov, rest - moov, "uuid") : 0;

	return xmp && moov + xmp == rest && !memcmp(bytes, film, MOOV_TYPE_AT) &&
	       !memcmp(bytes + MOOV_TYPE_AT, "free", 4) &&
	       !memcmp(bytes + MOOV_TYPE_AT + 4, film + MOOV_TYPE_AT + 4,
		       size - MOOV_TYPE_AT - 4) &&
	       memmem(bytes + size, moov, task_id, strlen(task_id)) &&
	       memmem(bytes + size + moov, xmp, task_id, strlen(task_id));
}

/* Whether this is the whole of any version of a result, as it came or marked. */
static bool is_of(int of, int number, const char *bytes, size_t count)
{
	char id[24], wanted[RESULT_BYTES];

	(void)snprintf(id, sizeof(id), "%s-%d", task[of].id, number);
	for (int version = 0; version <= task[of].version[number]; version++) {
		size_t size = results_bytes(task[of].results[number], id, version, wanted);

		if (size == count && !memcmp(bytes, wanted, count))
			return true;
		if (task[of].results[number] == 'g' &&
			is_marked(bytes, count, wanted, size, task[of].id))
			return true;
	}
	return false;
}

static void note_video(struct videos *videos, int at, const char *name)
{
	char bytes[MARKED_BYTES + 1];
	int fd = openat(at, name, O_RDONLY | O_CLOEXEC);
	ssize_t count = fd < 0 ? 0 : read(fd, bytes, sizeof(bytes));
	int found = 0;

	if (fd >= 0)
		(void)close(fd);
	for (int i = 0; i < tasks && count > 0; i++)
		for (int number = 0; task[i].results[number]; number++)
			if (is_of(i, number, bytes, (size_t)count)) {
				videos->task[i][number]++;
				found++;
			}
	if (!found && count > 0 && memcmp(bytes, "another's", 9) != 0)
		failed("result: %s is no whole version of any", name);
}

static bool is_result(const char *name, bool in_out)
{
	const char *suffix = strrchr(name, '.');

	return suffix && (!strcmp(suffix, ".mp4") || !strcmp(suffix, ".webm") ||
				 (in_out && (!strcmp(suffix, ".png") || !strcmp(suffix, ".bin"))));
}

static void note_videos(struct videos *videos, int at, const char *path, bool in_out)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		if (*entry->d_name == '.')
			continue;
		if (entry->d_type == DT_DIR)
			note_videos(
				videos, fd, entry->d_name, in_out || !strcmp(entry->d_name, "out"));
		else if (is_result(entry->d_name, in_out))
			note_video(videos, fd, entry->d_name);
	}
	if (folder)
		(void)closedir(folder);
}

/* ------------------------------------------------------------------ the journal's rows */

#define IDS 400 /* more than a history has */

struct all {
	struct job_row **row;
	size_t count;
};

static void read_rows(struct all *all)
{
	int error;

	*all = (struct all){0};
	if (journal_begin(life_journal()) < 0) /* one lock for all of them */
		failed("rows: they cannot be read");
	for (int64_t id = 1; id < IDS; id++) {
		struct job_row *row = journal_row(life_journal(), id, &error);

		if (!row)
			continue;
		all->row = realloc(all->row, (all->count + 1) * sizeof(*all->row));
		all->row[all->count++] = row;
	}
	journal_rollback(life_journal());
}

static void free_rows(struct all *all)
{
	for (size_t i = 0; i < all->count; i++)
		job_row_free(all->row[i]);
	free(all->row);
}

static const struct job_row *row_of_task(const struct all *all, const char *id)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->row[i]->task && !strcmp(all->row[i]->task, id))
			return all->row[i];
	return NULL;
}

/* What the row says of a film that is marked, or could have been, is so. */
static void check_digests(const struct job_row *row)
{
	for (size_t i = 0; i < row->noutputs; i++) {
		const struct output *output = &row->output[i];
		char bytes[MARKED_BYTES], hex[DIGEST_HEX_BYTES];
		AUTO_FD int fd = -1;
		ssize_t count;

		if (output->state != OUTPUT_PUBLISHED || !output->is)
			continue;
		fd = openat(sim.tree_fd, output->file, O_RDONLY | O_CLOEXEC);
		count = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
		if (count < 0 || digest_bytes(bytes, (size_t)count, hex) < 0 ||
			strcmp(hex, output->is) != 0 || output->unmarked ||
			!strcmp(output->is, output->came) || output->moov)
			failed("result: %s is not what its row says", output->file);
	}
}

/* What can arrive has arrived, once; what cannot is lost, and nothing else is. */
static void check_task(const struct job_row *row, int of, const struct videos *videos)
{
	int count = 0, arrived = 0, published = 0, lost = 0;
	bool comes = false;

	for (int i = 0; task[of].results[i]; i++)
		comes = comes || results_arrives(task[of].results[i]);
	comes = comes && !task[of].fails && !task[of].names_nothing;
	if (row->state != (comes ? JOB_DONE : JOB_FAILED))
		failed("task: %s (%s, %s) is %s", task[of].id, order_text(task[of].order),
			task[of].results, job_state_name(row->state));
	for (int i = 0; comes && task[of].results[i]; i++) {
		const bool arrives = results_arrives(task[of].results[i]);

		if (videos->task[of][i] != arrives)
			failed("task: result %d of %s is there %d times", i, task[of].id,
				videos->task[of][i]);
		count++;
		arrived += arrives;
	}
	for (size_t i = 0; comes && i < row->noutputs; i++) {
		published += row->output[i].state == OUTPUT_PUBLISHED;
		lost += row->output[i].state == OUTPUT_LOST;
	}
	/* which is which depends on the answer that was noted down */
	if (!row->forgotten_ms && (published != arrived || lost != count - arrived))
		failed("task: of %d results of %s, %d that come, %d are published and %d lost",
			count, task[of].id, arrived, published, lost);
}

/* Every task the provider has told us of is in the journal, and its results are where they belong.
 */
static void check_tasks(const struct all *all)
{
	struct videos videos = {0};
	int unknown = 0, lost = 0;

	note_videos(&videos, sim.tree_fd, ".", false);
	for (size_t i = 0; i < all->count; i++)
		unknown += all->row[i]->state == JOB_UNKNOWN;
	for (int i = 0; i < tasks && !*sim.failure; i++) {
		const struct job_row *row = row_of_task(all, task[i].id);

		if (!row) {
			lost++; /* its answer never came into the journal */
			continue;
		}
		check_task(row, i, &videos);
		check_digests(row);
	}
	if (lost > unknown)
		failed("task: %d tasks without an answer, %d jobs that say so", lost, unknown);
}

static void check_shape(const struct all *all)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct job_row *a = all->row[i];
		const struct job_key one = job_key_of(a);
		int shown = 0;

		if (a->forgotten_ms)
			continue;
		if (a->settling)
			failed("rest: job %s still settles", a->stem);
		for (size_t j = 0; j < all->count; j++) {
			const struct job_row *b = all->row[j];
			const struct job_key other = job_key_of(b);

			if (b->forgotten_ms || job_key_compare(&one, &other) != 0)
				continue;
			shown += b->shown;
			if (i != j && a->take == b->take)
				failed("rows: two takes %d of %s", a->take, a->stem);
			if (job_state_is_open(a->state) && b->take > a->take)
				failed("rows: %s take %d is %s behind take %d", a->stem, a->take,
					job_state_name(a->state), b->take);
		}
		if (shown != 1)
			failed("rows: %d takes of %s are shown", shown, a->stem);
	}
}

/* ------------------------------------------------------------------ drops */

static struct job_key key_of(int at)
{
	static const char *const dirs[DIRS] = {"", "s", "t"};

	return (struct job_key){sim.model[at / STEMS / DIRS]->id, dirs[at / STEMS % DIRS],
		strrchr(job_name_at(at, false), '/') + 1};
}

/* Cancelled by the user after this was saved: the same order counts as cancelled with it. */
static bool was_cancelled_since(const struct job_row *other, const struct job_row *row)
{
	return other->hold == HOLD_NONE && other->finished_ms >= row->saved_ms;
}

static int job_of_row(const struct job_row *row)
{
	for (int at = 0; at < JOBS; at++) {
		const struct job_key key = key_of(at), other = job_key_of(row);

		if (job_key_compare(&key, &other) == 0)
			return at;
	}
	return -1;
}

/* A copy is held for the sake of a job that has the order, and whose files say so (it may have
 * failed since: then a save orders it, or a release), or are left half by a program that died with
 * the mount, of which nobody hears. */
static bool is_copy_of_one(const struct all *all, const struct job_row *row)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct job_row *other = all->row[i];
		const struct job_key a = job_key_of(row), b = job_key_of(other);
		struct job *job;
		struct takes takes;
		bool at_place = false;

		if (!other->order || strcmp(other->order, row->order) != 0)
			continue;
		if (other->forgotten_ms)
			return true;
		if (job_key_compare(&a, &b) == 0 ||
			(other->state == JOB_HELD && other->hold == HOLD_COPY) ||
			(other->state == JOB_CANCELLED && !was_cancelled_since(other, row)))
			continue;
		if (job_of_row(other) >= 0 && user_left_half(job_of_row(other)))
			return true;
		if (jobs_takes(&engine->jobs, &b, &takes) == 0 && takes.count) {
			job = takes.item[0];
			for (size_t j = 0; j < takes.count; j++)
				if (takes.item[j]->row.id == other->id)
					job = takes.item[j];
			at_place = is_at_place(engine, job) != 0;
		}
		takes_clear(&takes);
		if (at_place)
			return true;
	}
	return false;
}

/* The job it was a copy of may have changed unseen. */
static bool was_any_underneath(void)
{
	for (int at = 0; at < JOBS; at++)
		if (allowed_was_underneath(at))
			return true;
	return false;
}

static bool is_held_rightly(const struct all *all, const struct job_row *row)
{
	switch (row->hold) {
	case HOLD_COPY: return is_copy_of_one(all, row) || was_any_underneath();
	case HOLD_UNTIL_RELEASED:
		return life_starts > 1 || strstr(row->problem ?: "", "record was removed");
	default: return false;
	}
}

static const struct job_row *shown_row(const struct all *all, const struct job_key *key)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct job_key other = job_key_of(all->row[i]);

		if (!all->row[i]->forgotten_ms && all->row[i]->shown &&
			job_key_compare(&other, key) == 0)
			return all->row[i];
	}
	return NULL;
}

static void check_drop(const struct all *all, int at, int order)
{
	const char *name = job_name_at(at, false);
	const struct job_key key = key_of(at);
	const struct job_row *row = shown_row(all, &key);
	bool right;

	if (row && allowed_was_underneath(at)) /* what it had was ordered as it was */
		return;
	if (!row) {
		if (!allowed_was_forgotten(at) && !allowed_was_underneath(at))
			failed("drop: %s (%s) has no record", name, order_text(order));
		return;
	}
	switch (row->state) {
	case JOB_DONE: right = true; break;
	case JOB_FAILED: /* or all its results are lost: check_task() */
		right = allowed_has_failed(at) || row->output;
		break;
	case JOB_UNKNOWN: right = true; break; /* counted by check_tasks() */
	case JOB_CANCELLED: right = row->hold == HOLD_NONE && allowed_was_cancelled(at); break;
	case JOB_HELD: right = is_held_rightly(all, row); break;
	case JOB_WAITING: right = sim.open[at]; break;
	default: right = false; break;
	}
	if (!right)
		failed("drop: %s (%s) is %s %d: %s", name, order_text(order),
			job_state_name(row->state), row->hold, row->problem ?: "");
}

static void print_rows(const struct all *all)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct job_row *row = all->row[i];

		(void)printf("           job %lld %s/%s/%s take %d%s: %s %d%s%s\n",
			(long long)row->id, row->model_id, row->dir, row->stem, row->take,
			row->shown ? " shown" : "", job_state_name(row->state), row->hold,
			row->settling ? " settling" : "", row->forgotten_ms ? " forgotten" : "");
	}
}

void oracle_check(void)
{
	struct all all;

	read_rows(&all);
	check_shape(&all);
	check_tasks(&all);
	notes_check(all.row, all.count);
	for (int at = 0; at < JOBS && !*sim.failure; at++) {
		bool busy;
		int takes, order = user_says(at, &busy, &takes);

		if (order >= 0 && !busy)
			check_drop(&all, at, order);
	}
	if (*sim.failure && sim.verbose)
		print_rows(&all);
	free_rows(&all);
	if (life_was_restored)
		failed("start: the journal is taken for another");
	if (sim.bug)
		failed("log: the engine speaks of a bug");
}

/* ------------------------------------------------------------------ events.jsonl */

/* From one state to another, by way of others that a crash kept from being told. */
static bool may_come_to(int from, int to, unsigned seen)
{
	if (from == to)
		return true;
	for (int next = 0; next < JOB_STATES; next++)
		if (!(seen & 1u << next) &&
			job_may_become((enum job_state)from, (enum job_state)next) &&
			may_come_to(next, to, seen | 1u << next))
			return true;
	return false;
}

/* Numbers grow, also after a crash, a power cut, another journal. */
static void check_number(const char *line, int64_t *last)
{
	long long number = 0;

	if (sscanf(line, "{\"seq\":%lld,", &number) != 1 || number <= *last)
		failed("events: %lld comes before: %.80s", (long long)*last, line);
	*last = number;
}

void oracle_event_came(void)
{
	static const char begin[] = "{\"seq\":";
	static char end[1 << 18]; /* longer than any line */
	int fd = life_is_dead ? -1 : openat(sim.store_fd, "events.jsonl", O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END), most = sizeof(end) - 1;
	char *line = NULL, *at = end;
	ssize_t got = -1;

	if (fd >= 0) {
		got = pread(fd, end, (size_t)most, size > most ? size - most : 0);
		(void)close(fd);
	}
	if (got <= 0)
		return;
	end[got] = '\0';
	/* what a power cut has left before the last one may be anything */
	while ((at = memmem(at, (size_t)(end + got - at), begin, strlen(begin))))
		line = at++;
	check_number(line ? line : end, &sim.event);
}

static void check_event(const char *line, int state[IDS], int64_t crashes, int64_t *last)
{
	AUTO_JSON cJSON *event = cJSON_Parse(line);
	const char *name = json_text(event, "state");
	int id = (int)json_count(event, "id", IDS - 1), next = name ? job_state_parse(name) : -1;

	if (id < 0 || next < 0) {
		failed("events: no event: %.80s", line);
		return;
	}
	if (state[id] >= 0 && state[id] != next &&
		!job_may_become((enum job_state)state[id], (enum job_state)next) &&
		(!crashes || !may_come_to(state[id], next, 0)))
		failed("events: job %d: %s cannot become %s", id,
			job_state_name((enum job_state)state[id]), name);
	state[id] = next;
	check_number(line, last);
}

void oracle_events(void)
{
	int fd = openat(sim.store_fd, "events.jsonl", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	int state[IDS];
	int64_t last = 0;
	char *line = NULL;
	size_t room = 0;

	for (int i = 0; i < IDS; i++)
		state[i] = -1;
	while (file && getline(&line, &room, file) > 0 && !*sim.failure)
		check_event(line, state, life_starts - 1, &last);
	free(line);
	if (file)
		(void)fclose(file);
}
