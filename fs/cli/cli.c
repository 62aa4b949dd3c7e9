#include "fs/cli/cli.h"

#include "fs/base/cleanup.h"
#include "fs/base/json.h"
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
	if (!folder || asprintf(&whole, "%s/%s", folder, slash ? slash + 1 : copy) < 0)
		return NULL;
	return whole;
}

/* A kinofs mount has .kinofs/ctl at its root, which is another device than what it is mounted on.
 */
static bool is_mount(const char *path)
{
	AUTO_FREE char *control = NULL;

	return asprintf(&control, "%s/.kinofs/ctl", path) >= 0 && access(control, F_OK) == 0;
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
	AUTO_FREE char *path = NULL, *text = NULL;
	AUTO_FILE FILE *file = NULL;
	AUTO_FILE FILE *copy = NULL;
	char buffer[65536];
	size_t bytes = 0, got;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return NULL;
	file = fopen(path, "re");
	copy = open_memstream(&text, &bytes);
	if (!file || !copy)
		return NULL;
	while ((got = fread(buffer, 1, sizeof(buffer), file)) > 0 && bytes < JSON_MAX_BYTES)
		if (fwrite(buffer, 1, got, copy) != got || fflush(copy) != 0)
			return NULL;
	return cJSON_ParseWithLength(text, bytes);
}
