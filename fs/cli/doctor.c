/* kinofs doctor: looks at everything a mount needs, and says what to do where something is off. */
#include "fs/cli/cli.h"

#include "fs/base/cleanup.h"
#include "fs/base/filesystem.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/memory.h"
#include "fs/base/path.h"
#include "fs/base/program.h"
#include "fs/cli/mounts.h"
#include "fs/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <mntent.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LEFT_DAYS 20 /* what never arrives is given up after 15 */

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

static int check_simulator(void)
{
	if (program_exists("ffmpeg"))
		return well("ffmpeg");
	puts("note  ffmpeg: not installed; --simulate and jobs that go on from a film need it (apt-get install ffmpeg)");
	return CLI_OK;
}

static int check_models(void)
{
	struct model_set models = {0};
	int error = cli_models_load(&models);

	models_free(&models);
	return error ? ill("model files", "see above", "Mend or remove the file named there.")
	             : well("model files");
}

/* file: NULL: the usual configuration. */
static void tell_key(
	const struct provider *provider, const struct account *account, const char *file)
{
	AUTO_FREE char *what =
		format("key for %s%s%s", provider->title, file ? " in " : "", file ? file : "");

	if (!what)
		return;
	if (account->key)
		(void)well(what); /* which it is */
	else if (file)
		printf("note  %s: none; unless its mount was given one in the environment, its models' "
		       "jobs are held\n",
			what);
	else
		printf("note  %s: none; its models' jobs will be held (run kinofs setup, or set "
		       "%s)\n",
			what, provider->key_variables[0]);
}

/* file: NULL: the usual one. */
static int check_config_file(const char *file)
{
	AUTO_FREE char *what = format("configuration%s%s", file ? " " : "", file ? file : "");
	struct config config = {0};
	int status = CLI_FAILED;

	if (what && config_read(file, &config) < 0) {
		status = ill(what, "see above", "Mend it; every key is optional.");
	} else if (what) {
		status = well(what);
		for (size_t i = 0; i < PROVIDERS; i++) /* a missing key is no fault */
			tell_key(provider_at(i), &config.account[i], file);
	}
	config_clear(&config);
	return status;
}

/* The usual one, and those that mounts were started with. */
static int check_config(void)
{
	struct mounts files = {0};
	int status = check_config_file(NULL);

	if (!mounts_configs(&files))
		status = CLI_FAILED;
	for (size_t i = 0; i < files.count; i++)
		if (check_config_file(files.item[i]) != CLI_OK)
			status = CLI_FAILED;
	mounts_free(&files);
	return status;
}

static void tell_damaged(const char *path)
{
	AUTO_FREE char *pattern = format("%s/journal.db.damaged-*[0-9]", path);
	glob_t found = {0};

	if (pattern && glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			printf("note  the journal was damaged, and is kept as %s. kinofs status shows "
			       "what is held since; remove it when nothing is missing\n",
				found.gl_pathv[i]);
	globfree(&found);
}

/* Parts that nobody goes on with: a journal that is gone may come back (from a backup), and only it
 * knows which are its own, so none is removed. */
static void tell_left(const char *path)
{
	AUTO_FREE char *pattern = format("%s/incoming/*.part", path);
	time_t before = time(NULL) - LEFT_DAYS * 24 * 60 * 60;
	glob_t found = {0};
	size_t count = 0;
	double bytes = 0;
	struct stat info;

	if (pattern && glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			if (lstat(found.gl_pathv[i], &info) == 0 && info.st_mtime < before) {
				count++;
				bytes += (double)info.st_size;
			}
	globfree(&found);
	if (count)
		printf("note  %zu parts of results in %s/incoming (%.1f MB) are older than %d days: "
		       "of a journal that is gone, perhaps. When kinofs status shows nothing that "
		       "is downloading, on any machine that uses this store, they may be removed\n",
			count, path, bytes / 1e6, LEFT_DAYS);
}

/* The usual store; where another one is, only its own mount knows. */
static int check_store(void)
{
	AUTO_FREE char *path = xdg_path(XDG_DATA, "kinofs");
	AUTO_FD int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	const char *kind;

	if (fd < 0)
		return CLI_OK; /* the first mount makes it */
	tell_damaged(path);
	tell_left(path);
	if (filesystem_of(fd, &kind) == FILESYSTEM_LOCAL ||
		faccessat(fd, "journals", F_OK, 0) == 0) /* its journal is elsewhere */
		return well(path);
	return ill(path, kind,
		"The journal is not safe there: mount with -o journal=DIR, on a local disk.");
}

static int check_mount(const char *path)
{
	int error = mounts_ask(path);

	if (!error)
		return well(path);
	if (error == -EACCES) { /* the kernel keeps us out, whatever has become of its kinofs */
		printf("note  %s: another user's, who alone may look into it\n", path);
		return CLI_OK;
	}
	if (error == -ETIMEDOUT)
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
	int (*const checks[])(void) = {check_device, check_helper, check_simulator, check_models,
		check_config, check_store, check_mounts};
	int status = CLI_OK;

	if (argc > 1) {
		cli_usage(argv[0]);
		return CLI_USAGE;
	}
	memory_guard();
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		if (checks[i]() != CLI_OK)
			status = CLI_FAILED;
	return status;
}
