/* life.c - the engine's lives. A crash is at a commit (before it, or after it and before anything
 * follows from it) or at any effect: from there on nothing reaches the journal, the network, the
 * publisher or events.jsonl, and the engine is dropped at the end of its turn. */
#include "fs/base/boot.h"
#include "fs/base/clock.h"
#include "fs/config/config.h"
#include "fs/engine/core.h"
#include "fs/engine/host.h"
#include "fs/journal/lastrun.h"
#include "fs/journal/statements.h"
#include "fs/journal/view_open.h"
#include "tests/sim/sim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TURNS_MAX          20000
#define CALLS_OF_AN_EFFECT 5 /* about: a commit is four of SQLite's */

struct engine *engine;
bool life_is_dead;
int life_starts, life_crashes;
bool life_cannot_count, life_cannot_commit, life_was_restored, life_looks_late;
int64_t life_sleeps_ms;

static struct journal *journal;
static struct view *view;
static struct last_run last;
static bool fresh_store;
static bool is_deferring, hash_more; /* pictures are hashed later; some are still to be */
static int effects_left;             /* until it is killed; 0: it is not */
static char *empty_journal;
static size_t empty_bytes;

static struct config config = {
	.settle_ms = 2000,
	.settle_alone_ms = 15000,
};

/* ------------------------------------------------------------------ crash points */

void life_crash_after(int effects)
{
	if (!engine)
		return;
	if (sim.power)
		power_cut_after(effects * CALLS_OF_AN_EFFECT);
	else
		effects_left = effects;
}

bool life_effect(void)
{
	if (!life_is_dead && effects_left > 0 && --effects_left == 0)
		life_is_dead = true;
	return !life_is_dead;
}

int __real_journal_commit(struct journal *of);
int __wrap_journal_commit(struct journal *of);
int __wrap_journal_commit(struct journal *of)
{
	int error;

	if (life_cannot_commit || !life_effect()) {
		journal_rollback(of);
		return -EIO;
	}
	error = __real_journal_commit(of);
	(void)life_effect();
	clock_go_to(clock_steady_ms() + life_sleeps_ms);
	life_sleeps_ms = 0;
	return error;
}

int __real_journal_forget(struct journal *of, const struct job_key *key, int64_t at_ms);
int __wrap_journal_forget(struct journal *of, const struct job_key *key, int64_t at_ms);
int __wrap_journal_forget(struct journal *of, const struct job_key *key, int64_t at_ms)
{
	return life_effect() ? __real_journal_forget(of, key, at_ms) : -EIO;
}

int __real_journal_put_upload(
	struct journal *of, const char *host, const char *sha256, const char *url, int64_t at_ms);
int __wrap_journal_put_upload(
	struct journal *of, const char *host, const char *sha256, const char *url, int64_t at_ms);
int __wrap_journal_put_upload(
	struct journal *of, const char *host, const char *sha256, const char *url, int64_t at_ms)
{
	return life_effect() ? __real_journal_put_upload(of, host, sha256, url, at_ms) : -EIO;
}

void __real_announce(struct engine *of, struct job *job);
void __wrap_announce(struct engine *of, struct job *job);
void __wrap_announce(struct engine *of, struct job *job)
{
	if (life_effect())
		__real_announce(of, job);
}

int __real_journal_spending(struct journal *of, int64_t since_ms, int64_t *jobs, double *credits);
int __wrap_journal_spending(struct journal *of, int64_t since_ms, int64_t *jobs, double *credits);
int __wrap_journal_spending(struct journal *of, int64_t since_ms, int64_t *jobs, double *credits)
{
	return life_cannot_count ? -EIO : __real_journal_spending(of, since_ms, jobs, credits);
}

int life_looks_at_all, life_hashed, life_cannot_hash;

int __real_digest_fd(int fd, char hex[DIGEST_HEX_BYTES]);
int __wrap_digest_fd(int fd, char hex[DIGEST_HEX_BYTES]);
int __wrap_digest_fd(int fd, char hex[DIGEST_HEX_BYTES])
{
	life_hashed++;
	return life_cannot_hash ? life_cannot_hash : __real_digest_fd(fd, hex);
}

void __real_jobs_list(struct jobs *jobs, enum job_state state, struct takes *takes);
void __wrap_jobs_list(struct jobs *jobs, enum job_state state, struct takes *takes);
void __wrap_jobs_list(struct jobs *jobs, enum job_state state, struct takes *takes)
{
	life_looks_at_all++;
	__real_jobs_list(jobs, state, takes);
}

/* ------------------------------------------------------------------ the machine */

static unsigned boots;

void life_reboot(void)
{
	boots++;
}

bool __wrap_boot_id(char id[BOOT_ID_BYTES]);
bool __wrap_boot_id(char id[BOOT_ID_BYTES])
{
	(void)snprintf(id, BOOT_ID_BYTES, "boot-%u", boots); /* fits */
	return true;
}

/* ------------------------------------------------------------------ the table of states */

static bool made[JOB_STATES][JOB_STATES];

void __real_job_set_state(
	struct job *job, enum job_state state, const char *problem, const char *advice);
void __wrap_job_set_state(
	struct job *job, enum job_state state, const char *problem, const char *advice);
void __wrap_job_set_state(
	struct job *job, enum job_state state, const char *problem, const char *advice)
{
	made[job->row.state][state] = true;
	__real_job_set_state(job, state, problem, advice);
}

void __real_job_hold(struct job *job, enum job_hold hold, const char *problem, const char *advice);
void __wrap_job_hold(struct job *job, enum job_hold hold, const char *problem, const char *advice);
void __wrap_job_hold(struct job *job, enum job_hold hold, const char *problem, const char *advice)
{
	made[job->row.state][JOB_HELD] = true;
	__real_job_hold(job, hold, problem, advice);
}

int life_missing(FILE *file)
{
	int missing = 0;

	for (int from = 0; from < JOB_STATES; from++)
		for (int to = 0; to < JOB_STATES; to++)
			if (!made[from][to] &&
				job_may_become((enum job_state)from, (enum job_state)to)) {
				(void)fprintf(file, "# never made: %s to %s\n",
					job_state_name((enum job_state)from),
					job_state_name((enum job_state)to));
				missing++;
			}
	return missing;
}

/* ------------------------------------------------------------------ a store for each history */

static void put_file(const char *name, const char *bytes, size_t count)
{
	int fd = openat(sim.store_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, bytes, count) != (ssize_t)count)
		abort();
	(void)close(fd);
}

static void remove_below(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(fd, entry->d_name, 0) < 0) {
			remove_below(fd, entry->d_name);
			(void)unlinkat(fd, entry->d_name, AT_REMOVEDIR);
		}
	}
	if (folder)
		(void)closedir(folder);
}

static void make_empty_journal(void)
{
	bool fresh;
	struct stat info;
	int fd;

	journal_close(journal_open(sim.store, sim.models, &fresh));
	fd = openat(sim.store_fd, JOURNAL_FILE, O_RDONLY);
	if (fd < 0 || fstat(fd, &info) < 0 || !(empty_journal = malloc((size_t)info.st_size)) ||
		read(fd, empty_journal, (size_t)info.st_size) != info.st_size)
		abort();
	empty_bytes = (size_t)info.st_size;
	(void)close(fd);
}

static void make_folders(void)
{
	char path[128];

	(void)mkdirat(sim.store_fd, "tree", 0755);
	(void)mkdirat(sim.store_fd, "incoming", 0700);
	sim.tree_fd = openat(sim.store_fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)mkdirat(sim.tree_fd, "hailuo", 0755);
	for (int i = 0; i < MODELS; i++) {
		(void)mkdirat(sim.tree_fd, sim.model[i]->id, 0755);
		(void)snprintf(path, sizeof(path), "%s/s", sim.model[i]->id);
		(void)mkdirat(sim.tree_fd, path, 0755);
		(void)snprintf(path, sizeof(path), "%s/t", sim.model[i]->id);
		(void)mkdirat(sim.tree_fd, path, 0755);
	}
}

void life_begin(void)
{
	char kie[] = "https://kie.example", files[] = "https://upload.example", key[] = "k",
	     ppinfra[] = "https://ppinfra.example";

	if (!empty_journal)
		make_empty_journal();
	remove_below(sim.store_fd, ".");
	make_folders();
	power_begin();
	life_starts = life_crashes = 0;
	life_is_dead = life_cannot_count = life_cannot_commit = false;
	life_was_restored = life_looks_late = false;
	life_cannot_hash = 0;
	effects_left = 0;
	fresh_store = true;
	config.caps = (struct caps){0};
	config.provenance = PROVENANCE_OFF;
	if (!config.account[0].key) {
		config.account[0] =
			(struct account){strdup(kie), strdup(files), strdup(key), false, 20, 10000};
		config.account[1] =
			(struct account){strdup(ppinfra), NULL, strdup(key), false, 20, 60000};
	}
}

/* ------------------------------------------------------------------ start and end */

void life_start(void)
{
	const struct run_folders folders = {sim.store_fd, sim.store_fd, sim.store};
	bool fresh;
	struct engine_setup setup = {.store_fd = sim.store_fd,
		.journal_fd = sim.store_fd,
		.models = sim.models,
		.config = &config,
		.last = &last};

	if (engine)
		return;
	if (sim.marks)
		config.provenance =
			chance(STREAM_MARKS, 4)
				? chance(STREAM_MARKS, 2) ? PROVENANCE_MARK : PROVENANCE_FULL
				: PROVENANCE_OFF;
	last_run_look(sim.store_fd, &last);
	if (fresh_store)
		put_file(JOURNAL_FILE, empty_journal, empty_bytes);
	power_engine_works(true);
	journal = journal_open(sim.store, sim.models, &fresh);
	view = view_open(sim.store, sim.models);
	if (!journal || !view || last_run_begin(&folders, journal, fresh_store, &last) < 0)
		abort();
	/* a killed process does not tidy the log away */
	(void)sqlite3_db_config(journal->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	fresh_store = false;
	life_was_restored = life_was_restored || last.restored;
	setup.view = view;
	setup.journal = journal;
	engine = engine_new(&setup);
	if (!engine)
		abort();
	if (chance(STREAM_SLICE, 2))
		engine->loop.slice = 1 + chance(STREAM_SLICE, 3);
	is_deferring = chance(STREAM_SLICE, 2);
	if (is_deferring)
		hashing_defer(engine->hashing);
	if (engine_load(engine, &sim_host) < 0)
		abort();
	life_starts++;
	if (!life_looks_late)
		recover_look_through(engine);
	power_engine_works(false);
}

static void drop(void)
{
	engine_free(engine);
	engine = NULL;
	host_drop();
	view_close(view);
	journal_close(journal);
	journal = NULL;
	life_is_dead = false;
	effects_left = 0;
}

void life_crash(void)
{
	if (!engine)
		return;
	life_is_dead = true;
	life_crashes++;
	power_cut();
	user_cut_off();
	drop();
	if (sim.power)
		power_lose();
	else
		host_crash();
}

/* When the run ended, by our clock. */
static void stamp_run(void)
{
	const int64_t now = clock_wall_ms();
	const struct timespec time = {now / 1000, now % 1000 * 1000000};
	const struct timespec both[2] = {time, time};

	if (utimensat(sim.store_fd, "run", both, 0) < 0)
		abort();
}

void life_stop(void)
{
	if (!engine)
		return;
	for (int i = 0; i < sim.files; i++) /* else the mount is busy */
		if (sim.file[i].place >= 0)
			user_close(&sim.file[i]);
	/* the mount ends when all of it was told */
	while (host_next_ms() != INT64_MAX && !life_is_dead) {
		clock_go_to(host_next_ms());
		host_deliver();
	}
	engine->loop.stopping = true;
	power_engine_works(true);
	if (!life_is_dead)
		engine_turn(engine);
	if (!life_is_dead)
		engine_finish(engine);
	if (life_is_dead) {
		life_crash();
		return;
	}
	life_is_dead = true;
	power_cut_after(0);
	last_run_end(sim.store_fd, journal);
	stamp_run();
	drop();
	power_engine_works(false);
}

void life_end(void)
{
	if (engine) {
		life_is_dead = true;
		drop();
	}
	power_end();
	user_end();
	(void)close(sim.tree_fd);
}

struct config *life_config(void)
{
	return &config;
}

struct journal *life_journal(void)
{
	return journal;
}

/* ------------------------------------------------------------------ time */

/* Some of the pictures that are waited for. False: there was none, so nobody is to be told. */
static bool hash_some(void)
{
	bool any = false;

	while (chance(STREAM_SLICE, 4)) {
		if (!hashing_work(engine->hashing))
			return any;
		any = true;
	}
	return true;
}

static void turn(void)
{
	power_engine_works(true);
	host_deliver();
	provider_deliver();
	if (!life_is_dead)
		engine_turn(engine);
	if (is_deferring)
		hash_more = hash_some();
	power_engine_works(false);
	if (life_is_dead)
		life_crash();
}

static int64_t next_ms(void)
{
	int64_t next = engine_next_ms(engine), other = provider_next_ms();

	if (is_deferring && hash_more)
		return clock_steady_ms();
	next = other < next ? other : next;
	other = host_next_ms();
	return other < next ? other : next;
}

/* Until this time, or (idle) until nothing is to come. */
static void run_until(int64_t end_ms, bool idle)
{
	for (int turns = 0; engine && !*sim.failure; turns++) {
		int64_t next;

		turn();
		if (!engine)
			break;
		if (turns > TURNS_MAX)
			failed("life: it never comes to rest");
		next = next_ms();
		if (!idle)
			next = warning_ends_ms(engine, next);
		if (next > end_ms || (idle && next == INT64_MAX))
			break;
		clock_go_to(next);
	}
	if (!idle)
		clock_go_to(end_ms);
}

void life_run(int64_t for_ms)
{
	run_until(clock_steady_ms() + for_ms, false);
}

void life_rest(int64_t at_most_ms)
{
	run_until(clock_steady_ms() + at_most_ms, true);
}

/* ------------------------------------------------------------------ orders */

int life_order(const char *line, int job)
{
	struct answer answer = {
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0, NULL};
	char model[64], text[128];
	const char *stem = strrchr(job_name_at(job, false), '/') + 1;
	struct message message = {.kind = MESSAGE_COMMAND, .answer = &answer, .first = text};

	if (!engine)
		return -ENOTCONN;
	(void)snprintf(text, sizeof(text), "%s %s", line, job_name_at(job, false));
	if (!strcmp(line, "forget")) {
		message.kind = MESSAGE_FORGET;
		(void)snprintf(model, sizeof(model), "%s", sim.model[job / STEMS / DIRS]->id);
		message.first = model;
		(void)snprintf(text, sizeof(text), "%s",
			job / STEMS % DIRS == 0   ? ""
			: job / STEMS % DIRS == 1 ? "s"
						  : "t");
		message.second = text;
		message.third = (char *)(uintptr_t)stem;
	}
	if (inbox_post(&engine->inbox, &message) < 0)
		abort();
	power_engine_works(true);
	do
		engine_turn(engine);
	while (!answer.done && !life_is_dead);
	power_engine_works(false);
	free(answer.text);
	if (life_is_dead)
		life_crash();
	return answer.done ? answer.error : -EIO;
}
