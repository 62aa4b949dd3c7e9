#include "fs/input/files.h"

#include "fs/base/cleanup.h"
#include "fs/base/limits.h"
#include "spec/media.h"

#include <errno.h>
#include <string.h>

#define HEAD_BYTES 65536 /* enough for libmagic (media.h) */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* One line of what the fingerprint is taken from. */
static void note_print(FILE *prints, const char *role, const char *text, size_t bytes)
{
	char hex[DIGEST_HEX_BYTES];

	digest_bytes(text, bytes, hex);
	(void)fprintf(prints, "%s %s\n", role, hex); /* a memory stream: checked when closed */
}

static void add_too_long(const struct tree *tree, const char *path, struct problems *problems)
{
	int64_t size = 0;
	AUTO_FD int fd = files_open(tree, path, &size);

	problems_add(problems, base_name(path), "%lld bytes; the limit is %d",
		fd < 0 ? 0LL : (long long)size, LIMIT_SPEC_BYTES);
}

/* Reads a text file of the job (NULL: none). What is wrong with it becomes a problem. */
static int read_text(const struct tree *tree, const char *path, struct problems *problems,
	char **text, size_t *bytes, FILE *prints, const char *role)
{
	int error;

	if (!path)
		return 0;
	error = files_read(tree, path, LIMIT_SPEC_BYTES, text, bytes);
	if (error == -ENOMEM)
		return error;
	if (error) {
		problems_add(problems, base_name(path), "cannot be read: %s", strerror(-error));
		return 0;
	}
	if (*bytes > LIMIT_SPEC_BYTES) {
		add_too_long(tree, path, problems);
		*bytes = 0; /* only its start was read */
	}
	if (!role)
		return 0;
	note_print(prints, role, *text, *bytes);
	return 0;
}

static int add_picture(cJSON *pictures, const struct spec_picture *picture, int64_t bytes,
	const char *hex, const char *type)
{
	cJSON *item = cJSON_CreateObject();

	if (!item || !cJSON_AddItemToArray(pictures, item))
		return -ENOMEM;
	if (!cJSON_AddStringToObject(item, "field", picture->field->name) ||
		!cJSON_AddStringToObject(item, "path", picture->path) ||
		!cJSON_AddStringToObject(item, "sha256", hex) ||
		!cJSON_AddNumberToObject(item, "bytes", (double)bytes) ||
		!cJSON_AddStringToObject(item, "type", type))
		return -ENOMEM;
	return 0;
}

/* A picture that is not there: named without a digest, so that its coming is noticed. */
static int add_missing(struct assembly *assembly, const struct spec_picture *picture, bool empty)
{
	cJSON *item = cJSON_CreateObject();

	problems_add(&assembly->missing, picture->field->name, "the picture %s, which is %s",
		picture->path, empty ? "empty so far" : "not there yet");
	if (!item || !cJSON_AddItemToArray(assembly->pictures, item) ||
		!cJSON_AddStringToObject(item, "field", picture->field->name) ||
		!cJSON_AddStringToObject(item, "path", picture->path))
		return -ENOMEM;
	return 0;
}

void files_check_whole(int fd, const char *path, const char *head, size_t have, int64_t bytes,
	struct problems *problems)
{
	size_t room = bytes < PICTURE_TAIL_BYTES ? (size_t)bytes : PICTURE_TAIL_BYTES;
	AUTO_FREE char *tail = malloc(room);
	ssize_t got = tail ? pread(fd, tail, room, bytes - (off_t)room) : -1;

	if (got >= 0)
		spec_check_whole(path, head, have, tail, (size_t)got, (size_t)bytes, problems);
}

/* Judges one local picture by its content. */
static int judge_picture(const struct tree *tree, const struct spec_picture *picture,
	struct assembly *assembly, FILE *prints)
{
	int64_t bytes = 0;
	AUTO_FD int fd = files_open(tree, picture->path, &bytes);
	AUTO_FREE char *head = NULL;
	char hex[DIGEST_HEX_BYTES], type[64];
	ssize_t have;

	if (fd == -ENOENT || fd == -ENOTDIR || (fd >= 0 && bytes == 0))
		return add_missing(assembly, picture, fd >= 0);
	if (fd == -ELOOP || fd == -EXDEV) {
		problems_add(&assembly->problems, picture->path,
			"lies behind a symbolic link; put the picture itself there");
		return 0;
	}
	head = malloc(HEAD_BYTES);
	if (!head)
		return -ENOMEM;
	have = fd < 0 ? fd : pread(fd, head, HEAD_BYTES, 0);
	if (have < 0 || digest_fd(fd, hex) < 0) {
		problems_add(&assembly->problems, picture->path, "cannot be read: %s",
			strerror(fd < 0 ? -fd : errno));
		return 0;
	}
	media_type(head, (size_t)have, type);
	files_check_whole(fd, picture->path, head, (size_t)have, bytes, &assembly->problems);
	spec_check_picture(picture->field, picture->path, head, (size_t)have, (size_t)bytes,
		&assembly->problems);
	(void)fprintf(prints, "picture %s %s\n", picture->field->name, hex); /* as above */
	return add_picture(assembly->pictures, picture, bytes, hex, type);
}

static int judge_pictures(const struct tree *tree, struct assembly *assembly, FILE *prints)
{
	int error = 0;

	assembly->pictures = cJSON_CreateArray();
	if (!assembly->pictures)
		return -ENOMEM;
	for (size_t i = 0; i < assembly->spec.npictures && !error; i++)
		error = judge_picture(tree, &assembly->spec.picture[i], assembly, prints);
	return error;
}

/* Reads the texts, builds the spec from them, judges the pictures it names. */
static int build(const struct tree *tree, const struct model *model, const char *dir,
	const char *stem, struct assembly *assembly, FILE *prints)
{
	const struct job_files *files = &assembly->files;
	AUTO_FREE char *json = NULL, *prompt = NULL, *defaults = NULL, *folder = NULL;
	struct spec_source source = {.stem = stem,
		.first_frame = files->first_frame,
		.last_frame = files->last_frame,
		.defaults_path = files->defaults};
	struct problems *problems = &assembly->problems;
	int error;

	if (asprintf(&folder, "%s%s%s", model->id, *dir ? "/" : "", dir) < 0)
		return -ENOMEM;
	source.dir = folder;
	error = read_text(tree, files->spec, problems, &json, &source.json_bytes, prints, "spec");
	if (!error)
		error = read_text(tree, files->prompt, problems, &prompt, &source.prompt_bytes,
			prints, "prompt");
	/* defaults are no part of the fingerprint: a change of them alone orders nothing */
	if (!error)
		error = read_text(tree, files->defaults, problems, &defaults,
			&source.defaults_bytes, prints, NULL);
	if (error)
		return error;
	if (files->line) {
		json = strndup(files->line, files->line_bytes);
		source.json_bytes = files->line_bytes;
		note_print(prints, "spec", files->line, files->line_bytes);
		if (!json)
			return -ENOMEM;
	}
	/* an empty file is one being made, not an empty prompt (fuse.md B1) */
	source.json = source.json_bytes ? json : NULL;
	source.prompt = source.prompt_bytes ? prompt : NULL;
	source.defaults = source.defaults_bytes ? defaults : NULL;
	error = spec_build(model, &source, &assembly->spec, problems, &assembly->missing);
	return error ? error : judge_pictures(tree, assembly, prints);
}

int assemble(const struct tree *tree, const struct model *model, const char *dir, const char *stem,
	struct assembly *assembly)
{
	AUTO_FREE char *print_text = NULL;
	size_t print_bytes = 0;
	FILE *prints;
	int error = files_find(tree, model, dir, stem, &assembly->files);

	if (error || assembly->files.count == 0)
		return error;
	prints = open_memstream(&print_text, &print_bytes);
	if (!prints)
		return -ENOMEM;
	for (size_t i = 0; i < assembly->files.ambiguous.count; i++)
		problems_add(&assembly->problems, assembly->files.ambiguous.item[i].field, "%s",
			assembly->files.ambiguous.item[i].text);
	error = build(tree, model, dir, stem, assembly, prints);
	if (fclose(prints) != 0)
		return -ENOMEM;
	digest_bytes(print_text, print_bytes, assembly->fingerprint);
	return error;
}

void assembly_clear(struct assembly *assembly)
{
	files_clear(&assembly->files);
	spec_clear(&assembly->spec);
	problems_clear(&assembly->problems);
	problems_clear(&assembly->missing);
	cJSON_Delete(assembly->pictures);
	*assembly = (struct assembly){0};
}
