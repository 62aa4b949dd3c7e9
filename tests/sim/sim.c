/* sim.c - what all parts share, and what the engine says. */
#include "tests/sim/sim.h"
#include "fs/base/clock.h"
#include "fs/base/log.h"
#include "spec/model.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sim sim;

void failed(const char *format, ...)
{
	va_list arguments;

	if (*sim.failure)
		return;
	va_start(arguments, format);
	(void)vsnprintf(sim.failure, sizeof(sim.failure), format, arguments);
	va_end(arguments);
	if (sim.verbose)
		(void)printf("%10lld !! %s\n", (long long)clock_steady_ms(), sim.failure);
}

/* ------------------------------------------------------------------ what the engine says */

void log_line(int priority, const char *format, ...)
{
	char line[1024];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	sim.bug = sim.bug || strstr(line, "BUG") != NULL;
	(void)priority;
	if (sim.verbose)
		(void)printf("%10lld    %s\n", (long long)clock_steady_ms(), line);
}

void log_to_syslog(void)
{
}

void log_set_debug(bool enabled)
{
	(void)enabled;
}

/* ------------------------------------------------------------------ begin and end */

void sim_open(void)
{
	static const char *const models[MODELS] = {"hailuo/02-text-to-video-pro",
		"minimax-hailuo-02", "hailuo/2-3-image-to-video-pro"};
	static struct model_set set;

	(void)snprintf(sim.root, sizeof(sim.root), "%s/kinofs-sim-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(sim.root) || models_builtin(&set) < 0)
		abort();
	(void)snprintf(sim.store, sizeof(sim.store), "%s/store", sim.root);
	(void)mkdir(sim.store, 0700);
	(void)setenv("XDG_STATE_HOME", sim.root, 1);
	(void)setenv("TZ", "UTC", 1);
	sim.store_fd = open(sim.store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sim.models = &set;
	for (int i = 0; i < MODELS; i++)
		sim.model[i] = models_find(&set, models[i]);
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *where)
{
	(void)info;
	(void)flag;
	(void)where;
	return remove(path);
}

void sim_close(void)
{
	(void)close(sim.store_fd);
	(void)nftw(sim.root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	models_free(sim.models);
}

void sim_begin(uint64_t seed)
{
	*sim.failure = '\0';
	sim.bug = false;
	sim.event = 0;
	chance_seed(seed);
	clock_begin();
	user_begin();
	allowed_begin();
	provider_begin();
	host_begin();
	life_begin();
	life_start();
}
