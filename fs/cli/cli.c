#include "fs/cli/cli.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/path.h"
#include "fs/base/read.h"
#include "fs/config/models_load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define JSON_MAX_BYTES (256L * 1024 * 1024) /* jobs.json of ten thousand jobs is some 10 MB */

/* The folder part of a path that need not exist itself, made absolute; the caller frees. */
static char *absolute(const char *path)
{
	AUTO_FREE char *copy = strdup(path), *folder = NULL;
	char *whole = realpath(path, NULL);
	char *slash;

	if (whole || !copy)
		return whole;
	while (strlen(copy) > 1 && copy[strlen(copy) - 1] == '/')
		copy[strlen(copy) - 1] = '\0';
	slash = strrchr(copy, '/');
	if (slash)
		*slash = '\0';
	folder = realpath(slash ? (*copy ? copy : "/") : ".", NULL);
	return folder ? format("%s/%s", folder, slash ? slash + 1 : copy) : NULL;
}

/* A kinofs mount has .kinofs/ctl at its root, which is another device than what it is mounted on.
 */
static bool is_mount(const char *path)
{
	AUTO_FREE char *control = path_join(path, ".kinofs/ctl");

	return control && access(control, F_OK) == 0;
}

bool cli_find_mount(const char *path, char **mount, char **inside)
{
	AUTO_FREE char *whole = absolute(path);
	AUTO_FREE char *root = whole ? strdup(whole) : NULL;

	while (root && *root && !is_mount(root)) {
		char *slash = strrchr(root, '/');

		*(slash ? slash : root) = '\0';
	}
	if (!root || !*root) {
		(void)fprintf(stderr, "kinofs: %s: %s\n", path,
			whole ? "is in no mounted kinofs" : strerror(errno));
		return false;
	}
	*inside = strdup(whole[strlen(root)] ? whole + strlen(root) + 1 : "");
	*mount = TAKE(root);
	return *inside;
}

int cli_models_load(struct model_set *models)
{
	int error = models_load(models);

	if (error == -ENOMEM)
		(void)fputs("kinofs: no memory\n", stderr);
	return error;
}

const char *cli_text(const cJSON *object, const char *key)
{
	const char *text = json_text(object, key);

	return text ? text : "";
}

cJSON *cli_read_json(const char *directory, const char *name)
{
	AUTO_FREE char *path = path_join(directory, name), *text = NULL;
	size_t bytes;

	if (!path || read_whole_at(AT_FDCWD, path, JSON_MAX_BYTES, &text, &bytes) < 0)
		return NULL;
	return cJSON_ParseWithLength(text, bytes);
}
