#include "fs/cli/cli.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/limits.h"
#include "fs/base/memory.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/base/read.h"
#include "fs/config/config.h"
#include "fs/config/models_load.h"
#include "fs/net/http.h"
#include "spec/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#define JSON_MAX_BYTES (256L * 1024 * 1024) /* jobs.json of ten thousand jobs is some 10 MB */

void cli_complain(const char *format, ...)
{
	AUTO_FREE char *plain = NULL, *line = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&plain, format, arguments) < 0)
		plain = NULL;
	va_end(arguments);
	line = plain ? quote_line(plain) : NULL;
	(void)fprintf(stderr, "kinofs: %s\n", line ? line : format);
}

/* The path of a name that need not be there, made absolute; a link is not followed. The caller
 * frees. */
static char *absolute_name(const char *path)
{
	AUTO_FREE char *copy = strdup(path), *folder = NULL;
	char *slash;

	if (!copy)
		return NULL;
	while (strlen(copy) > 1 && copy[strlen(copy) - 1] == '/')
		copy[strlen(copy) - 1] = '\0';
	slash = strrchr(copy, '/');
	if (slash)
		*slash = '\0';
	folder = realpath(slash ? (*copy ? copy : "/") : ".", NULL);
	return folder ? format("%s/%s", folder, slash ? slash + 1 : copy) : NULL;
}

static bool is_link(const char *path)
{
	struct stat info;

	return lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
}

/* The same, through links; where there is no such file its name alone need not be there. */
static char *absolute(const char *path)
{
	char *whole = realpath(path, NULL);

	return whole ? whole : absolute_name(path);
}

/* A kinofs mount has .kinofs/ctl at its root, which is another device than what it is mounted on.
 */
static bool is_mount(const char *path)
{
	AUTO_FREE char *control = path_join(path, ".kinofs/ctl");

	return control && access(control, F_OK) == 0;
}

/* The mount that an absolute path is in; the caller frees. NULL: it is in none, or (*error) that
 * cannot be seen. */
static char *mount_of(const char *whole, int *error)
{
	AUTO_FREE char *root = whole ? strdup(whole) : NULL;

	while (root && *root && !is_mount(root)) {
		char *slash = strrchr(root, '/');

		if (errno == ENOTCONN) /* FUSE: nobody serves it any more */
			*error = -errno;
		*(slash ? slash : root) = '\0';
	}
	return root && *root ? TAKE(root) : NULL;
}

static bool is_made_by_mount(const char *inside)
{
	return path_below(inside, "out") || strstr(inside, "/out/.latest/");
}

/* A link in a mount stands for a job by its own name, but for those that the mount makes. */
int cli_in_mount(const char *path, char **mount, char **inside)
{
	AUTO_FREE char *whole = is_link(path) ? absolute_name(path) : NULL;
	int error = -ENODEV;
	AUTO_FREE char *root = mount_of(whole, &error);

	if (!root || !whole[strlen(root)] || is_made_by_mount(whole + strlen(root) + 1)) {
		free(whole);
		free(TAKE(root));
		whole = absolute(path);
		error = whole ? -ENODEV : -errno;
		root = mount_of(whole, &error);
	}
	if (!root)
		return error;
	*inside = strdup(whole[strlen(root)] ? whole + strlen(root) + 1 : "");
	*mount = TAKE(root);
	return *inside ? 0 : -ENOMEM;
}

bool cli_find_mount(const char *path, char **mount, char **inside)
{
	int error = cli_in_mount(path, mount, inside);

	if (error < 0)
		cli_complain("%s: %s", path,
			error == -ENOTCONN ? "its kinofs was killed; mount it again, and it goes on"
			: error == -ENODEV ? "is in no mounted kinofs"
					   : strerror(-error));
	return error == 0;
}

/* "ORDER PATH" and a line's end. As it is, unless a line cannot hold it. NULL: no memory. */
static char *order_line(const char *order, const char *inside)
{
	AUTO_FREE char *quoted = quote_name(inside);

	if (!quoted)
		return NULL;
	return strcmp(quoted, inside) == 0 ? format("%s %s\n", order, inside)
	                                   : format("%s \"%s\"\n", order, quoted);
}

int cli_tell(const char *mount, const char *order, const char *inside, char **answer)
{
	AUTO_FREE char *control = path_join(mount, ".kinofs/ctl"),
		       *line = order_line(order, inside);
	AUTO_FD int fd = control && line ? open(control, O_RDWR | O_CLOEXEC) : -1;
	char text[LIMIT_COMMAND_BYTES];
	ssize_t got;
	int error = 0;

	*answer = NULL;
	if (!control || !line)
		return -ENOMEM;
	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		error = -errno;
	got = fd < 0 ? 0 : read(fd, text, sizeof(text));
	if (got > 0 && text[got - 1] == '\n')
		got--;
	if (got > 0)
		*answer = strndup(text, (size_t)got);
	return error;
}

/* Whether something came of a job by this name, or nothing is there: no folder is. */
static bool is_made(const struct model_set *models, const char *mount, const char *inside)
{
	AUTO_FREE char *path = path_join(mount, inside);
	struct place place;
	struct stat info;
	bool made;

	if (!path || place_of(models, inside, &place) < 0)
		return false;
	made = path_below(inside, "out") || place.area == AREA_OUT;
	place_clear(&place);
	return made && (stat(path, &info) < 0 || !S_ISDIR(info.st_mode));
}

bool cli_find_job(const struct model_set *models, const char *mount, char **inside)
{
	AUTO_FREE char *answer = NULL;
	char *record;
	int error;

	if (!is_made(models, mount, *inside))
		return true;
	error = cli_tell(mount, "find", *inside, &answer);
	record = error || !answer ? NULL : unquote_name(answer);
	if (record) {
		free(*inside);
		*inside = record;
	} else {
		(void)fprintf(stderr, "kinofs: %s\n", answer ? answer : strerror(-error));
	}
	return record;
}

int cli_models_load(struct model_set *models)
{
	int error = models_load(models);

	if (error == -ENOMEM)
		(void)fputs("kinofs: no memory\n", stderr);
	return error;
}

struct http *cli_online(struct config *config)
{
	memory_guard();
	if (config_read(NULL, config) < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return NULL;
	return http_new();
}

const char *cli_text(const cJSON *object, const char *key)
{
	const char *text = json_text(object, key);

	return text ? text : "";
}

char *cli_job_bytes(const cJSON *job)
{
	const char *quoted = json_text(job, "job_quoted");

	return quoted ? unquote_name(quoted) : strdup(cli_text(job, "job"));
}

char *cli_job_shown(const cJSON *job)
{
	AUTO_FREE char *name = cli_job_bytes(job);

	return name ? quote_name(name) : NULL;
}

void cli_print(FILE *out, const char *before, const cJSON *words, const char *behind)
{
	AUTO_FREE char *shown = cJSON_IsString(words) ? quote_line(words->valuestring) : NULL;

	(void)fprintf(out, "%s%s%s", before, shown ? shown : "", behind);
}

cJSON *cli_read_json(const char *directory, const char *name)
{
	AUTO_FREE char *path = path_join(directory, name), *text = NULL;
	size_t bytes;

	if (!path || read_whole_at(AT_FDCWD, path, JSON_MAX_BYTES, &text, &bytes) < 0)
		return NULL;
	return cJSON_ParseWithLength(text, bytes);
}
