/* host.c - who shows the engine's files, and tells it of the user's. */
#include "fs/engine/host.h"

#include "fs/base/clock.h"
#include "fs/engine/engine.h"
#include "fs/engine/intake.h"
#include "tests/sim/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUEUE 64

/* ------------------------------------------------------------------ what the mount tells */

static struct report {
	enum told told;
	char path[96], to[96];
	int64_t at_ms, due_ms;
	int writing;
} report[QUEUE];
static int reports;
static int64_t late_ms;
static bool is_kind;
static int fail_next; /* what becomes of the next video */

void host_be_late(int64_t ms)
{
	late_ms = ms;
}

static void tell(const struct report *told)
{
	struct intake *intake = engine_intake(engine);

	switch (told->told) {
	case TOLD_CHANGED: intake_changed(intake, told->path, told->at_ms); break;
	case TOLD_REMOVED: intake_removed(intake, told->path, told->at_ms); break;
	case TOLD_MOVED: intake_moved(intake, told->path, told->to, told->at_ms); break;
	}
	if (told->writing >= 0)
		intake_written(intake, told->writing);
}

static void tell_first(void)
{
	struct report first = report[0];

	memmove(report, report + 1, (size_t)--reports * sizeof(*report));
	tell(&first);
}

void host_tell(enum told told, const char *path, const char *to, int writing)
{
	struct report *new = &report[reports];

	if (!engine)
		return;
	if (reports == QUEUE) {
		tell_first();
		new = &report[reports];
	}
	*new = (struct report){.told = told,
		.at_ms = clock_wall_ms(),
		.due_ms = clock_steady_ms() + late_ms,
		.writing = writing};
	(void)snprintf(new->path, sizeof(new->path), "%s", path);
	(void)snprintf(new->to, sizeof(new->to), "%s", to ? to : "");
	if (reports && new->due_ms < new[-1].due_ms)
		new->due_ms = new[-1].due_ms;
	reports++;
	if (new->due_ms <= clock_steady_ms())
		while (reports)
			tell_first();
}

/* ------------------------------------------------------------------ publishing */

static struct posted {
	struct publish_order order;
	int64_t due_ms;
} posted[QUEUE];
static int count;

void host_begin(void)
{
	reports = 0;
	late_ms = 0;
	fail_next = 0;
	is_kind = false;
}

void host_be_kind(bool kind)
{
	is_kind = kind;
}

static void make_folder(const char *target)
{
	char folder[128];
	char *slash;

	(void)snprintf(folder, sizeof(folder), "%s", target);
	for (slash = strchr(folder, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdirat(sim.tree_fd, folder, 0755); /* there already, as a rule */
		*slash = '/';
	}
}

static void put(const char *target, const char *text, int flags)
{
	int fd = openat(sim.tree_fd, target, O_WRONLY | O_CREAT | flags, 0644);

	if (fd < 0)
		return;
	(void)!write(fd, text, strlen(text));
	(void)close(fd);
}

void host_fail_next(int error)
{
	fail_next = error;
}

static int carry_out(const struct publish_order *order, bool unlucky)
{
	char source[128];

	make_folder(order->target);
	if (order->kind == PUBLISH_REMOVE)
		return unlinkat(sim.tree_fd, order->target, 0) < 0 && errno != ENOENT ? -errno : 0;
	if (order->kind == PUBLISH_NOTE) {
		put(order->target, order->text, O_TRUNC);
		return 0;
	}
	if (fail_next) {
		int error = fail_next;

		fail_next = 0;
		return error;
	}
	if (unlucky && chance(STREAM_HOST, 2))
		return -EIO;
	if (unlucky) /* the user was faster */
		put(order->target, "another's", O_EXCL);
	(void)snprintf(source, sizeof(source), "incoming/%s", order->source);
	return renameat2(sim.store_fd, source, sim.tree_fd, order->target, RENAME_NOREPLACE) < 0
	               ? -errno
	               : 0;
}

static void clear(struct publish_order *order)
{
	free(order->source);
	free(order->target);
	free(order->text);
}

static int publish(void *context, const struct publish_order *order)
{
	(void)context;
	if (!life_effect() || count == QUEUE)
		return -ESHUTDOWN;
	posted[count].order = *order;
	posted[count].due_ms =
		clock_steady_ms() +
		(is_kind || chance(STREAM_HOST, 2) ? 0 : 1 + chance(STREAM_HOST, 4000));
	if (count && posted[count].due_ms < posted[count - 1].due_ms)
		posted[count].due_ms = posted[count - 1].due_ms;
	count++;
	return 0;
}

static struct publish_order take_first(void)
{
	struct publish_order first = posted[0].order;

	/* not memmove(3), whose checked form valgrind 3.19 takes for memcpy(3) */
	for (size_t i = 0; i + 1 < (size_t)count; i++)
		posted[i] = posted[i + 1];
	count--;
	return first;
}

int64_t host_next_ms(void)
{
	int64_t next = reports ? report[0].due_ms : INT64_MAX;

	return count && posted[0].due_ms < next ? posted[0].due_ms : next;
}

void host_deliver(void)
{
	while (reports && report[0].due_ms <= clock_steady_ms())
		tell_first();
	while (count && posted[0].due_ms <= clock_steady_ms() && !life_is_dead) {
		struct publish_order order = take_first();
		int error = carry_out(&order, !is_kind && chance(STREAM_HOST, 16) == 0);

		if (order.done && life_effect())
			order.done(order.context, order.number, error);
		clear(&order);
	}
}

void host_drop(void)
{
	bool goes_on = true;

	while (count) {
		struct publish_order order = take_first();

		goes_on = goes_on && chance(STREAM_HOST, 2);
		if (goes_on)
			(void)carry_out(&order, false);
		clear(&order);
	}
	reports = 0;
}

/* ------------------------------------------------------------------ the rest of host.h */

static bool is_written(void *context, const char *path)
{
	(void)context;
	for (int i = 0; i < sim.files; i++)
		if (sim.file[i].place >= 0 && sim.file[i].fd >= 0 &&
			!strcmp(place_name(sim.file[i].place, sim.file[i].scratch), path))
			return true;
	return false;
}

static void events_grew(void *context)
{
	(void)context;
}

const struct host sim_host = {
	.is_written = is_written, .publish = publish, .events_grew = events_grew};
