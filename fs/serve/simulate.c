#include "fs/serve/simulate.h"

#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/log.h"
#include "fs/base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define ANNOUNCEMENT "kinofs-sim listening on "

static char *simulator_path(void)
{
	char self[4096];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 5);
	char *slash;

	if (length > 0) {
		self[length] = '\0';
		slash = strrchr(self, '/');
		(void)snprintf(slash + 1, sizeof(self) - (size_t)(slash + 1 - self), "kinofs-sim");
		if (access(self, X_OK) == 0)
			return strdup(self);
	}
	return strdup("kinofs-sim");
}

/* models: a folder, or NULL. */
static _Noreturn void run_simulator(
	const char *path, const char *state, const char *models, int output)
{
	/* ends with kinofs, however that ends */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)dup2(output, STDOUT_FILENO); /* fails only for a bad descriptor */
	(void)execlp(path, path, "--rate", "20", "--state", state, models ? "--models" : NULL,
		models, (char *)NULL);
	log_error("cannot run %s: %s", path, strerror(errno));
	_exit(EXIT_FAILURE);
}

/* The base URL from the first line it prints; the caller frees. NULL: it said something else. */
static char *read_url(int fd)
{
	AUTO_FILE FILE *output = fdopen(fd, "r");
	char line[256];

	if (!output || !fgets(line, sizeof(line), output) ||
		strncmp(line, ANNOUNCEMENT, strlen(ANNOUNCEMENT)) != 0)
		return NULL;
	line[strcspn(line, "\r\n")] = '\0';
	return strdup(line + strlen(ANNOUNCEMENT));
}

static int point_account(struct account *account, const char *url)
{
	free(account->base_url);
	account->base_url = strdup(url);
	if (account->upload_url) {
		free(account->upload_url);
		account->upload_url = strdup(url);
	}
	if (account->key)
		explicit_bzero(account->key, strlen(account->key));
	free(account->key);
	account->key = strdup("simulated");
	return account->base_url && account->key ? 0 : -ENOMEM;
}

pid_t simulate_start(struct config *config, const char *folder)
{
	AUTO_FREE char *path = simulator_path(), *url = NULL;
	AUTO_FREE char *state = format("%s/simulator", folder);
	AUTO_FREE char *models = xdg_path(XDG_CONFIG, "kinofs/models");
	int ends[2];
	pid_t child;

	if (!path || !state || !models)
		return -ENOMEM;
	if (!program_exists("ffmpeg")) {
		log_error(
			"--simulate makes its films, pictures and sounds with ffmpeg, which is not "
			"installed; install it (on Debian: apt-get install ffmpeg)");
		return -ENOENT;
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0)
		run_simulator(path, state, access(models, F_OK) == 0 ? models : NULL, ends[1]);
	(void)close(ends[1]); /* the child's end */
	url = read_url(ends[0]);
	for (size_t i = 0; i < PROVIDERS && url && child > 0; i++)
		if (point_account(&config->account[i], url) < 0)
			free(TAKE(url));
	if (child < 0 || !url) {
		log_error("the simulator did not start");
		simulate_end(child);
		return -EIO;
	}
	config->caps = (struct caps){0};
	config->simulated = true;
	return child;
}

void simulate_end(pid_t simulator)
{
	if (simulator <= 0)
		return;
	(void)kill(simulator, SIGTERM); /* fails only when it has ended */
	(void)waitpid(simulator, NULL, 0);
}
