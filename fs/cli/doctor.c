/* kinofs doctor: looks at everything a mount needs, and says what to do where something is off. */
#include "fs/cli/cli.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

#define ANSWER_MS 3000 /* a mount that needs longer to answer a stat is stuck */

static int well(const char *what)
{
	printf("ok    %s\n", what);
	return CLI_OK;
}

static int ill(const char *what, const char *why, const char *advice)
{
	printf("WRONG %s: %s\n      %s\n", what, why, advice);
	return CLI_FAILED;
}

static int check_device(void)
{
	if (access("/dev/fuse", F_OK) < 0)
		return ill("/dev/fuse", strerror(errno),
			"Load the module (modprobe fuse); in a container: --device /dev/fuse.");
	if (access("/dev/fuse", R_OK | W_OK) < 0)
		return ill(
			"/dev/fuse", strerror(errno), "Install fuse3, whose udev rule opens it.");
	return well("/dev/fuse");
}

static int check_helper(void)
{
	static const char *const places[] = {"/usr/bin/fusermount3", "/bin/fusermount3"};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (access(places[i], X_OK) == 0)
			return well("fusermount3");
	return ill("fusermount3", "not installed", "apt-get install fuse3");
}

static int check_models(void)
{
	struct model_set models = {0};
	int error = cli_models_load(&models);

	models_free(&models);
	return error ? ill("model files", "see above", "Mend or remove the file named there.")
	             : well("model files");
}

static int check_key(const struct provider *provider, const struct account *account)
{
	AUTO_FREE char *what = format("key for %s", provider->title);

	if (!what)
		return CLI_FAILED;
	if (account->key)
		return well(what);
	printf("note  %s: none; its models' jobs will be held (set %s)\n", what,
		provider->key_variables[0]);
	return CLI_OK;
}

static int check_config(void)
{
	struct config config = {0};
	int status;

	if (config_read(NULL, &config) < 0) {
		status = ill("configuration", "see above", "Mend it; every key is optional.");
	} else {
		status = well("configuration");
		for (size_t i = 0; i < PROVIDERS; i++) /* a missing key is no fault */
			(void)check_key(provider_at(i), &config.account[i]);
	}
	config_clear(&config);
	return status;
}

/* Asks from a child, which may hang on a mount that does not answer; -1: it did not. */
static int ask_mount(const char *path)
{
	int ends[2], result = -1;
	pid_t child;
	struct pollfd answer;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		AUTO_FREE char *control = path_join(path, ".kinofs/ctl");

		_exit(!control || access(control, F_OK) < 0 ? (errno & 0x7f) | 1 : 0);
	}
	(void)close(ends[1]); /* the child's end: closed when it exits */
	answer = (struct pollfd){.fd = ends[0], .events = POLLIN};
	if (child > 0 && poll(&answer, 1, ANSWER_MS) == 1 && waitpid(child, &result, 0) == child)
		result = WEXITSTATUS(result);
	(void)close(ends[0]); /* nothing was sent */
	return result;
}

static int check_mount(const char *path)
{
	int result = ask_mount(path);

	if (result == 0)
		return well(path);
	if (result < 0)
		return ill(path, "does not answer",
			"Its kinofs hangs. Find it with: pgrep -a kinofs; the last resort is: "
			"fusermount3 -u -z MOUNTPOINT");
	return ill(path, "its kinofs has ended",
		"Mount it again, which clears it; the jobs go on where they were.");
}

static int check_mounts(void)
{
	FILE *table = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	int status = CLI_OK, count = 0;

	while (table && (entry = getmntent(table))) {
		if (strcmp(entry->mnt_type, "fuse.kinofs") != 0)
			continue;
		count++;
		if (check_mount(entry->mnt_dir) != CLI_OK)
			status = CLI_FAILED;
	}
	if (table)
		(void)endmntent(table); /* always 1 */
	if (!count)
		puts("note  nothing is mounted");
	return status;
}

int cli_doctor(int argc, char **argv)
{
	int (*const checks[])(void) = {
		check_device, check_helper, check_models, check_config, check_mounts};
	int status = CLI_OK;

	(void)argv;
	if (argc > 1) {
		(void)fputs("usage: kinofs doctor\n", stderr);
		return CLI_USAGE;
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		if (checks[i]() != CLI_OK)
			status = CLI_FAILED;
	return status;
}
