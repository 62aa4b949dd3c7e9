/*
 * fuzz_ctl.c - any line as an order in .kinofs/ctl, to an engine that knows a job in each state.
 * What must hold: there is an answer, fit to be read; nothing of a job that is under way or was
 * paid for changes, and nothing is ordered by an order that was refused.
 */
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/engine/core.h"
#include "fs/engine/host.h"
#include "fs/engine/orders.h"
#include "fs/journal/lastrun.h"
#include "fs/journal/view_open.h"
#include "tests/fuzz/fuzz_folder.h"

#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MODEL "hailuo/02-text-to-video-pro"

static struct model_set models;
static struct config config = {.settle_ms = 2000, .settle_alone_ms = 15000};
static struct journal *journal;
static struct view *view;

void log_line(int priority, const char *format, ...);
void log_line(int priority, const char *format, ...)
{
	(void)priority;
	demand(!strstr(format, "BUG"));
}

void log_to_syslog(void);
void log_to_syslog(void)
{
}

void log_set_debug(bool enabled);
void log_set_debug(bool enabled)
{
	(void)enabled;
}

static bool is_written(void *context, const char *path)
{
	(void)context, (void)path;
	return false;
}

static int publish(void *context, const struct publish_order *order)
{
	(void)context, (void)order;
	return -ESHUTDOWN;
}

static int shown(void *context, const char *name, char **path)
{
	(void)context;
	*path = format("%s/out/%s", MODEL, name);
	return *path ? 0 : -ENOMEM;
}

static void events_grew(void *context)
{
	(void)context;
}

static void put_job(enum job_state state)
{
	const struct job_key key = {MODEL, "", job_state_name(state)};
	struct job_row *row = job_row_new(&key);

	demand(row != NULL);
	row->state = state;
	row->shown = true;
	row->hold = state == JOB_HELD ? HOLD_UNTIL_RELEASED : HOLD_NONE;
	row->order = strdup(job_state_name(state));
	row->fingerprint = strdup("f");
	row->seen = strdup("");
	row->request = strdup("{}");
	if (!job_state_is_open(state)) {
		row->submitted_ms = 1;
		row->task = strdup("t");
	}
	demand(journal_put(journal, row) == 0);
	job_row_free(row);
}

static void start(void)
{
	char url[] = "https://kie.example", key[] = "k";
	bool fresh;

	demand(models_builtin(&models) == 0);
	(void)mkdirat(fuzz_folder(), "tree", 0700);
	for (int i = 0; i < PROVIDERS; i++)
		config.account[i] =
			(struct account){strdup(url), strdup(url), strdup(key), false, 20, 10000};
	journal = journal_open(fuzz_root, &models, &fresh);
	view = view_open(fuzz_root, &models);
	demand(journal && view && journal_begin(journal) == 0);
	for (int state = 0; state < JOB_STATES; state++)
		put_job((enum job_state)state);
	demand(journal_commit(journal) == 0);
}

static void check(struct engine *engine, int result)
{
	struct takes all;

	jobs_list(&engine->jobs, JOB_STATES, &all);
	for (size_t i = 0; i < all.count; i++) {
		const struct job_row *row = &all.item[i]->row;
		int was = job_state_parse(row->stem);

		demand(was >= 0);
		if (row->id && (!job_state_is_open((enum job_state)was)) && was != JOB_SUBMITTING)
			demand(row->state == (enum job_state)was);
		if (result < 0)
			demand(row->id != 0);
	}
	takes_clear(&all);
}

/* Nothing is committed: the next engine finds the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct host host = {.is_written = is_written,
		.publish = publish,
		.shown = shown,
		.events_grew = events_grew};
	struct last_run last = {.known = true, .ended = true, .heartbeat = "heartbeat"};
	AUTO_FREE char *line = strndup((const char *)data, size), *answer = NULL;
	struct engine *engine;
	int result;

	if (!journal)
		start();
	engine = engine_new(&(struct engine_setup){.store_fd = fuzz_folder(),
		.journal_fd = fuzz_folder(),
		.models = &models,
		.config = &config,
		.view = view,
		.journal = journal,
		.last = &last});
	demand(engine && line && engine_load(engine, &host) == 0);
	result = orders_run(engine, line, NULL, &answer);
	demand(answer && *answer && result <= 0);
	check(engine, result);
	engine_free(engine);
	return 0;
}
