/* host.c - who shows the engine's files, and tells it of the user's. */
#include "fs/engine/host.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/folders.h"
#include "fs/base/path.h"
#include "fs/base/rights.h"
#include "fs/engine/engine.h"
#include "fs/engine/intake.h"
#include "tests/sim/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
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
static bool syncs_fail;
static int64_t sync_ms;         /* a sync takes */
static int fail_next, fail_all; /* what becomes of the next video, or of all */
static int fail_notes;
static bool entries_fail;
static int64_t notes_ms; /* a note takes */

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

/* ------------------------------------------------------------------ what is on the disk */

#define PARTS 256

static struct {
	char name[24];
	int64_t synced;
} part[PARTS];
static enum losses power;
static int64_t free_bytes;

void host_lose_power(enum losses losses)
{
	power = losses;
}

/* Those of incoming/ by their names; the last is for all that there is no room for. */
static int64_t *synced_of(const char *name)
{
	int i = 0;

	while (i < PARTS - 1 && *part[i].name && strcmp(part[i].name, name) != 0)
		i++;
	if (part[i].name != name) /* else it would be copied onto itself */
		(void)snprintf(part[i].name, sizeof(part[i].name), "%s", name);
	return &part[i].synced;
}

static const char *part_of(int fd, char path[256])
{
	char link[32];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, 255);
	path[length > 0 ? length : 0] = '\0';
	return strstr(path, ".part") ? strrchr(path, '/') + 1 : NULL;
}

void host_written(int fd, int64_t from)
{
	char path[256];
	const char *name = part_of(fd, path);

	if (name && *synced_of(name) > from)
		*synced_of(name) = from;
}

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	char path[256];
	const char *name = part_of(fd, path);
	struct stat info;

	if (name && fstat(fd, &info) == 0)
		*synced_of(name) = info.st_size;
	return sim.power ? __real_fdatasync(fd) : 0;
}

void host_set_free(int64_t bytes)
{
	free_bytes = bytes;
}

int __wrap_fstatvfs64(int fd, struct statvfs *info);
int __wrap_fstatvfs64(int fd, struct statvfs *info)
{
	(void)fd;
	*info = (struct statvfs){
		.f_frsize = 1, .f_blocks = 16 << 20, .f_bavail = (fsblkcnt_t)free_bytes};
	return 0;
}

static int sync_part(const char *name)
{
	AUTO_FD int fd = -1;
	char path[64];

	(void)snprintf(path, sizeof(path), "incoming/%.40s", name);
	fd = openat(sim.store_fd, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || fdatasync(fd) < 0)
		return -errno;
	return 0;
}

#define FIRST_BYTES 48 /* that are there, so that it looks like what it was */

/* A length that was on the disk without all its bytes, bytes that were there, or neither. */
static void lose(int fd, const char *name, int64_t size)
{
	int64_t synced = *synced_of(name);
	int64_t there = synced > FIRST_BYTES ? synced : FIRST_BYTES;

	switch (synced >= size ? 3 : power == LEAVES_ZEROS ? 0 : chance(STREAM_HOST, 3)) {
	case 0:
		(void)!ftruncate(fd, there < size ? there : size);
		(void)!ftruncate(fd, size);
		break;
	case 1:
		(void)!ftruncate(fd, synced + chance(STREAM_HOST, (unsigned)(size - synced)));
		break;
	default: break;
	}
}

void host_crash(void)
{
	int folder = openat(sim.store_fd, "incoming", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; power && i < PARTS && *part[i].name; i++) {
		int fd = openat(folder, part[i].name, O_RDWR | O_CLOEXEC);
		struct stat info;

		if (fd < 0)
			continue;
		if (fstat(fd, &info) == 0)
			lose(fd, part[i].name, info.st_size);
		(void)close(fd);
	}
	(void)close(folder);
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
	fail_next = fail_all = fail_notes = 0;
	entries_fail = false;
	host_sync(false, 0);
	host_delay_notes(0);
	is_kind = false;
	memset(part, 0, sizeof(part));
	free_bytes = 16 << 20;
	power = chance(STREAM_HOST, 2) ? LOSES_SOME : LOSES_NOTHING;
}

void host_be_kind(bool kind)
{
	is_kind = kind;
}

/* The folder a target stands in, which is made. */
static int make_folder(const char *target)
{
	AUTO_FREE char *folder = path_folder(target);
	int error = folders_make(sim.tree_fd, folder, 0755, O_NOFOLLOW);

	return error ? error : folders_open(sim.tree_fd, folder);
}

static void put(int folder, const char *name, const char *text, int flags)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | flags, 0644);

	if (fd < 0)
		return;
	(void)!write(fd, text, strlen(text));
	(void)close(fd);
}

void host_sync(bool fails, int64_t after_ms)
{
	syncs_fail = fails;
	sync_ms = after_ms;
}

void host_fail_next(int error)
{
	fail_next = error;
}

void host_fail_all(int error)
{
	fail_all = error;
}

void host_fail_entries(bool fails)
{
	entries_fail = fails;
}

void host_fail_notes(int error)
{
	fail_notes = error;
}

void host_delay_notes(int64_t after_ms)
{
	notes_ms = after_ms;
}

static bool is_of_notes(const struct publish_order *order)
{
	return order->kind == PUBLISH_NOTE || order->kind == PUBLISH_REMOVE;
}

/* As the publisher does. */
static void sync_folder(int folder)
{
	AUTO_FD int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		abort();
}

/* The entry becomes durable, whenever it was made; or not, now. */
static int sync_entry(int folder, const char *name, bool fails)
{
	struct stat info;

	if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (fails || entries_fail)
		return -EIO;
	if (sim.power)
		sync_folder(folder);
	return 0;
}

static int carry_out(const struct publish_order *order, bool unlucky)
{
	AUTO_FD int folder = -1;
	const char *name;
	char source[128];
	bool unsynced;
	struct rights rights;
	struct stat info;

	if (order->kind == PUBLISH_SYNC)
		return unlucky || syncs_fail ? -EIO : sync_part(order->source);
	name = path_last(order->target);
	folder = make_folder(order->target);
	if (folder < 0)
		return folder;
	if (is_of_notes(order) && fail_notes)
		return fail_notes;
	if (order->kind == PUBLISH_REMOVE)
		return unlinkat(folder, name, 0) < 0 && errno != ENOENT ? -errno : 0;
	if (order->kind == PUBLISH_NOTE) {
		put(folder, name, order->text, O_TRUNC);
		if (rights_parse(order->rights, &rights)) /* as give_file() does */
			(void)!fchmodat(folder, name, 0600 | (rights.mode & 0066), 0);
		return 0;
	}
	if (fail_next) {
		int error = fail_next;

		fail_next = 0;
		return error;
	}
	if (fail_all)
		return fail_all;
	if (unlucky && chance(STREAM_HOST, 2))
		return -EIO;
	unsynced = unlucky && chance(STREAM_HOST, 2);
	if (unlucky && !unsynced) /* the user was faster */
		put(folder, name, "another's", O_EXCL);
	(void)snprintf(source, sizeof(source), "incoming/%s", order->source);
	if (fstatat(sim.store_fd, source, &info, 0) == 0 &&
		*synced_of(order->source) < info.st_size)
		failed("result: %s is published before it is durable", order->source);
	if (renameat2(sim.store_fd, source, folder, name, RENAME_NOREPLACE) < 0 && errno != ENOENT)
		return -errno;
	return sync_entry(folder, name, unsynced);
}

static void clear(struct publish_order *order)
{
	free(order->source);
	free(order->target);
	free(order->text);
	free(order->rights);
}

static int publish(void *context, const struct publish_order *order)
{
	(void)context;
	if (!life_effect() || count == QUEUE || (is_of_notes(order) && fail_notes == -ESHUTDOWN))
		return -ESHUTDOWN;
	posted[count].order = *order;
	posted[count].due_ms =
		clock_steady_ms() +
		(is_kind || chance(STREAM_HOST, 2) ? 0 : 1 + chance(STREAM_HOST, 4000));
	if (order->kind == PUBLISH_SYNC)
		posted[count].due_ms += sync_ms;
	if (is_of_notes(order))
		posted[count].due_ms += notes_ms;
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
	bool goes_on = !sim.power; /* the publisher is gone as well */

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

static char shown_name[64], shown_path[128];

void host_shows(const char *name, const char *path)
{
	(void)snprintf(shown_name, sizeof(shown_name), "%s", name);
	(void)snprintf(shown_path, sizeof(shown_path), "%s", path);
}

static int shown(void *context, const char *name, char **path)
{
	(void)context;
	if (!*name || strcmp(name, shown_name) != 0)
		return -ENOENT;
	*path = strdup(shown_path);
	return *path ? 0 : -ENOMEM;
}

char host_warning[1024];

static void warn(void *context, char *text)
{
	(void)context;
	(void)snprintf(host_warning, sizeof(host_warning), "%s", text ? text : "");
	free(text);
}

static void events_grew(void *context)
{
	(void)context;
	oracle_event_came();
}

const struct host sim_host = {
	.is_written = is_written,
	.publish = publish,
	.shown = shown,
	.warn = warn,
	.events_grew = events_grew,
};
