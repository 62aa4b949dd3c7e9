#include "tests/unit/engine.h"

#include "fs/base/clock.h"
#include "fs/engine/core.h"
#include "fs/engine/intake.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct content fox = {0, -1, -1, -1, false}, boat = {1, -1, -1, -1, false};

struct rows rows;

int engine_open(void **state)
{
	(void)state;
	sim_open();
	return 0;
}

int engine_close(void **state)
{
	(void)state;
	sim_close();
	return 0;
}

int engine_set_up(void **state)
{
	(void)state;
	sim_begin(1);
	provider_be_kind(true);
	host_be_kind(true);
	return 0;
}

int engine_tear_down(void **state)
{
	(void)state;
	life_end();
	provider_script("");
	rows_free(&rows);
	return 0;
}

int text(int stem)
{
	return place_at(0, 0, stem, KIND_PROMPT);
}

int spec(int stem)
{
	return place_at(0, 0, stem, KIND_SPEC);
}

void drop(int stem, const struct content *content)
{
	user_write(text(stem), content, false);
	life_run(LONG_MS);
}

const struct job_row *shown_at(int model, const char *stem)
{
	const struct job_key key = {sim.model[model]->id, "", stem};
	const struct job_row *found = NULL;

	rows_free(&rows);
	assert_int_equal(journal_takes(life_journal(), &key, &rows), 0);
	for (size_t i = 0; i < rows.count; i++)
		if (rows.item[i]->shown && !rows.item[i]->forgotten_ms)
			found = rows.item[i];
	return found;
}

const struct job_row *shown(int stem)
{
	static const char *const names[] = {"a", "b", "c"};

	return shown_at(0, names[stem]);
}

const char *state_of(int stem)
{
	const struct job_row *row = shown(stem);

	return row ? job_state_name(row->state) : "none";
}

void assert_sound(void)
{
	life_rest(4 * 3600 * 1000LL);
	oracle_check();
	if (*sim.failure)
		fail_msg("%s", sim.failure);
}

int order(const char *verb, int stem)
{
	int job = job_at(text(stem));

	if (!strcmp(verb, "forget"))
		allowed_forgotten(job);
	else
		allowed_more(job, 2);
	return life_order(verb, job);
}

void run_late(int64_t for_ms)
{
	int64_t end_ms = clock_steady_ms() + for_ms;

	for (int64_t next = clock_steady_ms(); next < end_ms; next = engine_next_ms(engine)) {
		clock_go_to(next + 1);
		while (hashing_work(engine->hashing))
			;
		engine_turn(engine);
		host_deliver();
	}
	clock_go_to(end_ms);
}

void put_file(int model, const char *name, const void *bytes, size_t count)
{
	char path[96];
	struct stat info;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", sim.model[model]->id, name);
	fd = openat(sim.tree_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0 && write(fd, bytes, count) == (ssize_t)count);
	assert_int_equal(fstat(fd, &info), 0);
	(void)close(fd);
	intake_changed(engine_intake(engine), path, clock_wall_ms());
}
