#include "fs/base/child.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/format.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define GIVEN_MAX  4
#define FIRST_FD   3
#define AWAY_FD    16  /* given descriptors are moved up to here, out of each other's way */
#define LAST_WORDS 256 /* pieces; a pipe holds no more */

/* A child under way. */
struct run {
	const struct child *child;
	pid_t pid;
	int pid_fd, errors_fd, input_fd;
	int away[GIVEN_MAX];
	char *words;
	size_t have;
};

/* ------------------------------------------------------------------ its beginning */

static void free_environment(char **variable)
{
	for (size_t i = 0; variable && variable[i]; i++)
		free(variable[i]);
	free(variable);
}

/* The variables that it gets; free_environment() them. NULL: no memory. */
static char **make_environment(const struct child *child)
{
	static const char *const names[] = {"PATH", "LD_LIBRARY_PATH"};
	size_t given = 0, count = 0;
	char **variable;

	while (child->variable && child->variable[given])
		given++;
	variable = calloc(COUNT(names) + 1 + given + 1, sizeof(*variable));
	for (size_t i = 0; variable && i < COUNT(names); i++) {
		const char *value = getenv(names[i]); /* no thread changes it */

		if (value && !(variable[count++] = format("%s=%s", names[i], value)))
			goto no_memory;
	}
	if (!variable || !(variable[count++] = strdup("LC_ALL=C.UTF-8")))
		goto no_memory;
	for (size_t i = 0; i < given; i++)
		if (!(variable[count++] = strdup(child->variable[i])))
			goto no_memory;
	return variable;
no_memory:
	free_environment(variable);
	return NULL;
}

/* In memory, so that nobody need wait for it to be read. */
static int make_input(struct run *run)
{
	const char *text = run->child->input;
	const size_t bytes = text ? strlen(text) : 0;

	if (!text)
		return 0;
	run->input_fd = memfd_create("input", MFD_CLOEXEC);
	if (run->input_fd < 0)
		return -errno;
	if (write(run->input_fd, text, bytes) != (ssize_t)bytes)
		return -ENOMEM;
	return lseek(run->input_fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

static int set_files(const struct run *run, int errors, posix_spawn_file_actions_t *files)
{
	int error = run->input_fd < 0
	                    ? posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0)
	                    : posix_spawn_file_actions_adddup2(files, run->input_fd, 0);

	if (!error)
		error = posix_spawn_file_actions_addchdir_np(files, "/");
	if (!error)
		error = posix_spawn_file_actions_addopen(files, 1, "/dev/null", O_WRONLY, 0);
	if (!error)
		error = posix_spawn_file_actions_adddup2(files, errors, 2);
	for (size_t i = 0; i < run->child->ngiven && !error; i++)
		error = posix_spawn_file_actions_adddup2(files, run->away[i], FIRST_FD + (int)i);
	/* the one of the mount too, which would outlive kinofs */
	if (!error)
		error = posix_spawn_file_actions_addclosefrom_np(
			files, FIRST_FD + (int)run->child->ngiven);
	return error;
}

static int set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	int error = posix_spawnattr_setflags(
		attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

	sigemptyset(&none);
	sigfillset(&all);
	if (!error)
		error = posix_spawnattr_setpgroup(attributes, 0);
	if (!error)
		error = posix_spawnattr_setsigmask(attributes, &none);
	return error ? error : posix_spawnattr_setsigdefault(attributes, &all);
}

static int spawn(struct run *run, int errors)
{
	char **variable;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	union { /* it writes to neither */
		const char *const *in;
		char *const *out;
	} words = {run->child->words};
	int error = posix_spawn_file_actions_init(&files);

	if (error)
		return -error;
	error = posix_spawnattr_init(&attributes);
	if (error) {
		(void)posix_spawn_file_actions_destroy(&files);
		return -error;
	}
	variable = make_environment(run->child);
	error = variable ? 0 : ENOMEM;
	if (!error)
		error = set_files(run, errors, &files);
	if (!error)
		error = set_attributes(&attributes);
	if (!error)
		error = posix_spawnp(
			&run->pid, words.in[0], &files, &attributes, words.out, variable);
	free_environment(variable);
	(void)posix_spawnattr_destroy(&attributes); /* as they were made */
	(void)posix_spawn_file_actions_destroy(&files);
	return -error;
}

static int move_away(struct run *run)
{
	for (size_t i = 0; i < run->child->ngiven; i++) {
		run->away[i] = fcntl(run->child->given[i], F_DUPFD_CLOEXEC, AWAY_FD);
		if (run->away[i] < 0)
			return -errno;
	}
	return 0;
}

static int begin(struct run *run)
{
	struct rlimit most = {(rlim_t)run->child->file_limit, (rlim_t)run->child->file_limit};
	int pipes[2], error;
	AUTO_FD int errors = -1;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	run->errors_fd = pipes[0];
	errors = pipes[1];
	if (fcntl(run->errors_fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	error = move_away(run);
	if (!error)
		error = make_input(run);
	if (!error)
		error = spawn(run, errors);
	if (error)
		return error;
	run->pid_fd = pidfd_open(run->pid, 0);
	if (run->pid_fd < 0)
		return -errno;
	/* it has not come to write anything yet, and if it had, it would be judged all the same */
	if (run->child->file_limit && prlimit(run->pid, RLIMIT_FSIZE, &most, NULL) < 0)
		return -errno;
	return 0;
}

/* ------------------------------------------------------------------ its end */

/* Keeps the end of what it says: what read(2) returned, or -errno. */
static ssize_t read_words(struct run *run)
{
	char piece[CHILD_WORDS / 2];
	ssize_t got = read(run->errors_fd, piece, sizeof(piece));
	size_t keep, count = got > 0 ? (size_t)got : 0;

	if (got <= 0)
		return got < 0 ? -errno : 0;
	keep = CHILD_WORDS - 1 - count;
	if (run->have > keep) {
		memmove(run->words, run->words + run->have - keep, keep);
		run->have = keep;
	}
	memcpy(run->words + run->have, piece, count);
	run->have += count;
	return got;
}

/* Until it ends. 0, -ETIMEDOUT, -ECANCELED or -errno: it still runs then. */
static int await(struct run *run)
{
	const int64_t end_ms = clock_steady_ms() + run->child->limit_ms;
	struct pollfd on[] = {{run->pid_fd, POLLIN, 0}, {run->errors_fd, POLLIN, 0},
		{run->child->stop_fd, POLLIN, 0}};

	while (!on[0].revents) {
		const int64_t left_ms = end_ms - clock_steady_ms();

		if (left_ms <= 0)
			return -ETIMEDOUT;
		if (poll(on, COUNT(on), (int)left_ms) < 0 && errno != EINTR)
			return -errno;
		if (on[2].revents)
			return -ECANCELED;
		if (on[1].revents && read_words(run) == 0)
			on[1].fd = -1; /* it says no more, and poll(2) leaves this out */
	}
	return 0;
}

/* What it started goes as well. */
static int end(struct run *run)
{
	int status = 0;

	(void)kill(-run->pid, SIGKILL); /* its group may be empty by now, which is as well */
	(void)kill(run->pid, SIGKILL);
	while (waitpid(run->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	for (int i = 0; i < LAST_WORDS && read_words(run) > 0; i++)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBADMSG;
}

int child_run(const struct child *child, char words[CHILD_WORDS])
{
	struct run run = {.child = child,
		.pid_fd = -1,
		.errors_fd = -1,
		.input_fd = -1,
		.away = {-1, -1, -1, -1},
		.words = words};
	int error = begin(&run), ending = 0;

	if (!error)
		error = await(&run);
	if (run.pid > 0)
		ending = end(&run);
	words[run.have] = '\0';
	cleanup_fd(&run.pid_fd);
	cleanup_fd(&run.errors_fd);
	cleanup_fd(&run.input_fd);
	for (size_t i = 0; i < GIVEN_MAX; i++)
		cleanup_fd(&run.away[i]);
	return error ? error : ending;
}
