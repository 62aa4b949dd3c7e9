/* clock.c - the clock of the simulation, and of its files: what the engine reads of a file's times
 * is what they would be if the simulated clock were real. */
#include "fs/base/clock.h"

#include "tests/sim/sim.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN_WALL_MS   INT64_C(1900000000000)
#define BEGIN_STEADY_MS 1000000

static int64_t steady_ms, wall_ahead_ms;

int64_t clock_wall_ms(void)
{
	return steady_ms - BEGIN_STEADY_MS + BEGIN_WALL_MS + wall_ahead_ms;
}

int64_t clock_steady_ms(void)
{
	return steady_ms;
}

void clock_go_to(int64_t ms)
{
	if (ms > steady_ms)
		steady_ms = ms;
}

void clock_set_wall(int64_t by_ms)
{
	wall_ahead_ms += by_ms;
}

/* ------------------------------------------------------------------ chance */

#define SEEDED_APART 6 /* as ever, so that a seed stays the history it was */

static uint64_t state[STREAMS];

void chance_seed(uint64_t seed)
{
	for (int i = 0; i < STREAMS; i++)
		state[i] = (seed * SEEDED_APART + (uint64_t)i) * UINT64_C(0x9e3779b97f4a7c15);
}

/* splitmix64 */
unsigned chance(enum stream stream, unsigned below)
{
	uint64_t z = state[stream] += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return below ? (unsigned)((z ^ (z >> 31)) >> 11) % below : 0;
}

/* The engine's pauses are drawn as well. */
uint32_t arc4random_uniform(uint32_t below)
{
	return chance(STREAM_JITTER, below);
}

/* ------------------------------------------------------------------ the times of files */

#define KNOWN 512

static struct {
	ino_t ino;
	int64_t changed_ns, made_ns;
} known[KNOWN];
static int64_t last_ns;

void clock_begin(void)
{
	steady_ms = BEGIN_STEADY_MS;
	wall_ahead_ms = 0;
	last_ns = 0;
	memset(known, 0, sizeof(known));
}

static int slot_of(ino_t ino)
{
	int slot = (int)(ino * 2654435761u % KNOWN);

	while (known[slot].ino && known[slot].ino != ino)
		slot = (slot + 1) % KNOWN;
	return slot;
}

void times_changed(const struct stat *info, bool made)
{
	int slot = slot_of(info->st_ino);
	int64_t now_ns = clock_wall_ms() * 1000000;

	/* no two changes at the same time, as on a filesystem with fine enough times */
	last_ns = now_ns > last_ns ? now_ns : last_ns + 1;
	known[slot].ino = info->st_ino;
	known[slot].changed_ns = last_ns;
	if (made)
		known[slot].made_ns = last_ns;
}

static struct timespec time_of(int64_t ns)
{
	return (struct timespec){ns / 1000000000, ns % 1000000000};
}

/* Its modification time is set for real where the user writes. */
static void set_times(struct stat *info)
{
	int slot = slot_of(info->st_ino);

	if (known[slot].ino)
		info->st_ctim = time_of(known[slot].changed_ns);
}

int __real_fstat64(int fd, struct stat *info);
int __wrap_fstat64(int fd, struct stat *info);
int __wrap_fstat64(int fd, struct stat *info)
{
	int result = __real_fstat64(fd, info);

	if (!result)
		set_times(info);
	return result;
}

int __real_fstatat64(int at, const char *path, struct stat *info, int flags);
int __wrap_fstatat64(int at, const char *path, struct stat *info, int flags);
int __wrap_fstatat64(int at, const char *path, struct stat *info, int flags)
{
	int result = __real_fstatat64(at, path, info, flags);

	if (!result)
		set_times(info);
	return result;
}

int __real_statx(int at, const char *path, int flags, unsigned mask, struct statx *info);
int __wrap_statx(int at, const char *path, int flags, unsigned mask, struct statx *info);
int __wrap_statx(int at, const char *path, int flags, unsigned mask, struct statx *info)
{
	int result = __real_statx(at, path, flags, mask | STATX_INO, info);
	int slot = result ? 0 : slot_of(info->stx_ino);

	if (!result && known[slot].ino) {
		info->stx_btime.tv_sec = known[slot].made_ns / 1000000000;
		info->stx_btime.tv_nsec = (uint32_t)(known[slot].made_ns % 1000000000);
	}
	return result;
}

/* The heartbeat. */
int __real_futimens(int fd, const struct timespec times[2]);
int __wrap_futimens(int fd, const struct timespec times[2]);
int __wrap_futimens(int fd, const struct timespec times[2])
{
	struct timespec now = time_of(clock_wall_ms() * 1000000);
	const struct timespec both[2] = {now, now};

	return __real_futimens(fd, times ? times : both);
}
