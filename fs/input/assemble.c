#include "fs/input/assemble.h"

#include "fs/base/cleanup.h"
#include "fs/base/limits.h"
#include "fs/base/path.h"
#include "fs/input/look.h"
#include "spec/media.h"
#include "spec/order.h"

#include <errno.h>
#include <string.h>

#define HEAD_BYTES 65536 /* enough for libmagic (media.h) */

/* A job being read. The texts live as long as the specs built from them are wanted. */
struct reading {
	const struct tree *tree;
	const struct model *model;
	struct assembly *assembly;
	char *json, *prompt, *defaults, *folder;
	struct spec_source source;
	FILE *bytes,
		*seen; /* what the digests are taken from; memory streams, checked when closed */
};

/* ------------------------------------------------------------------ texts */

/* One line of what the files are known by. */
static void note_bytes(struct reading *reading, const char *role, const char *text, size_t bytes)
{
	char hex[DIGEST_HEX_BYTES];

	digest_bytes(text, bytes, hex);
	(void)fprintf(reading->bytes, "%s %s\n", role, hex); /* see struct reading */
}

/* Reads a text file of the job (path NULL: none); role: it counts among the job's own bytes. */
static int read_text(
	struct reading *reading, const char *path, const char *role, char **text, size_t *bytes)
{
	struct stat info;
	int error;

	if (!path)
		return 0;
	error = tree_read(reading->tree, path, LIMIT_SPEC_BYTES, text, bytes);
	if (error)
		return error; /* also -ENOENT: it was there a moment ago, so look again */
	if (*bytes > LIMIT_SPEC_BYTES) {
		error = tree_stat(reading->tree, path, &info);
		if (error)
			return error;
		problems_add(&reading->assembly->problems, path_last(path),
			"%lld bytes; the limit is %d", (long long)info.st_size, LIMIT_SPEC_BYTES);
		*bytes = 0; /* only its start was read */
	}
	if (role)
		note_bytes(reading, role, *text, *bytes);
	return 0;
}

static int read_line(struct reading *reading)
{
	const struct job_files *files = &reading->assembly->files;

	if (!files->line)
		return 0;
	note_bytes(reading, "spec", files->line, files->line_bytes);
	reading->json = strndup(files->line, files->line_bytes);
	reading->source.json_bytes = files->line_bytes;
	return reading->json ? 0 : -ENOMEM;
}

static int read_texts(struct reading *reading)
{
	const struct job_files *files = &reading->assembly->files;
	struct spec_source *source = &reading->source;
	int error = read_text(reading, files->spec, "spec", &reading->json, &source->json_bytes);

	if (!error)
		error = read_text(
			reading, files->prompt, "prompt", &reading->prompt, &source->prompt_bytes);
	if (!error)
		error = read_text(reading, files->defaults, NULL, &reading->defaults,
			&source->defaults_bytes);
	if (!error)
		error = read_line(reading);
	/* an empty file is one being made, not an empty prompt (fs/mount/FUSE.md B1) */
	source->json = source->json_bytes ? reading->json : NULL;
	source->prompt = source->prompt_bytes ? reading->prompt : NULL;
	source->defaults = source->defaults_bytes ? reading->defaults : NULL;
	source->first_frame = files->first_frame;
	source->last_frame = files->last_frame;
	source->defaults_path = files->defaults;
	source->dir = reading->folder;
	return error;
}

/* ------------------------------------------------------------------ pictures */

/* A picture that is not there is named without a digest, so that its coming is noticed. */
static void add_missing(struct assembly *assembly, const struct spec_picture *picture, bool empty)
{
	problems_add(&assembly->missing, picture->field->name, "the picture %s, which is %s",
		picture->path, empty ? "empty so far" : "not there yet");
}

void picture_check_whole(int fd, const char *path, const char *head, size_t have, int64_t bytes,
	struct problems *problems)
{
	size_t room = bytes < PICTURE_TAIL_BYTES ? (size_t)bytes : PICTURE_TAIL_BYTES;
	AUTO_FREE char *tail = malloc(room);
	ssize_t got = tail ? pread(fd, tail, room, bytes - (off_t)room) : -1;

	if (got >= 0)
		spec_check_whole(path, head, have, tail, (size_t)got, (size_t)bytes, problems);
}

/* Judges one local picture by its content. */
static int read_picture(struct reading *reading, const struct spec_picture *named, int fd,
	int64_t bytes, struct picture *picture)
{
	struct problems *problems = &reading->assembly->problems;
	AUTO_FREE char *head = malloc(HEAD_BYTES);
	char hex[DIGEST_HEX_BYTES], type[64];
	ssize_t have = head ? pread(fd, head, HEAD_BYTES, 0) : -1;
	int error = have < 0 ? -errno : digest_fd(fd, hex);

	if (!head || error)
		return head ? error : -ENOMEM;
	error = media_open();
	if (error)
		return error;
	media_type(head, (size_t)have, type);
	picture_check_whole(fd, named->path, head, (size_t)have, bytes, problems);
	spec_check_picture(named->field, named->path, head, (size_t)have, (size_t)bytes, problems);
	(void)fprintf(reading->bytes, "picture %s %s\n", named->field->name, hex); /* as above */
	picture->bytes = bytes;
	picture->sha256 = strdup(hex);
	picture->type = strdup(type);
	return picture->sha256 && picture->type ? 0 : -ENOMEM;
}

static int add_picture(struct reading *reading, const struct spec_picture *named)
{
	struct assembly *assembly = reading->assembly;
	struct picture *picture = &assembly->picture[assembly->npictures++];
	int64_t bytes = 0;
	int error = look_note(reading->tree, named->path, reading->seen);
	AUTO_FD int fd = error ? -1 : tree_open(reading->tree, named->path, &bytes);

	*picture =
		(struct picture){.field = strdup(named->field->name), .path = strdup(named->path)};
	if (error || !picture->field || !picture->path)
		return error ? error : -ENOMEM;
	if (fd == -ELOOP) {
		problems_add(&assembly->problems, named->path,
			"lies behind a symbolic link; put the picture itself there");
		return 0;
	}
	if (fd < 0 && !tree_is_absence(fd))
		return fd;
	if (fd >= 0 && bytes > 0)
		return read_picture(reading, named, fd, bytes, picture);
	add_missing(assembly, named, fd >= 0);
	return 0;
}

static int read_pictures(struct reading *reading)
{
	const struct spec *spec = &reading->assembly->spec;
	int error = 0;

	reading->assembly->picture = calloc(spec->npictures + 1, sizeof(struct picture));
	if (!reading->assembly->picture)
		return -ENOMEM;
	for (size_t i = 0; i < spec->npictures && !error; i++)
		error = add_picture(reading, &spec->picture[i]);
	return error;
}

/* ------------------------------------------------------------------ what it is known by */

/* The digest of a spec as an order, its pictures being among those of the assembly. */
static int digest_spec(
	const struct reading *reading, const struct spec *spec, char hex[DIGEST_HEX_BYTES])
{
	const struct assembly *assembly = reading->assembly;
	struct spec_digest digest[sizeof(spec->picture) / sizeof(*spec->picture)];
	AUTO_FREE char *text = NULL;
	size_t count = 0;
	int error;

	for (size_t i = 0; i < spec->npictures; i++)
		for (size_t j = 0; j < assembly->npictures; j++)
			if (assembly->picture[j].sha256 &&
				!strcmp(assembly->picture[j].path, spec->picture[i].path) &&
				!strcmp(assembly->picture[j].field, spec->picture[i].field->name))
				digest[count++] = (struct spec_digest){
					assembly->picture[j].field, assembly->picture[j].sha256};
	error = spec_order_text(reading->model, spec->body, digest, count, &text);
	if (!error)
		digest_bytes(text, strlen(text), hex);
	return error;
}

/* What the job's own files say, whatever the defaults are. */
static int digest_without_defaults(struct reading *reading, char hex[DIGEST_HEX_BYTES])
{
	struct spec_source source = reading->source;
	struct problems problems = {0};
	struct spec spec;
	int error;

	source.defaults = NULL;
	error = spec_build(reading->model, &source, &spec, &problems, NULL);
	if (!error)
		error = digest_spec(reading, &spec, hex);
	spec_clear(&spec);
	problems_clear(&problems); /* nothing is wrong with the whole */
	return error;
}

static int digest(struct reading *reading)
{
	struct assembly *assembly = reading->assembly;
	int error = 0;

	if (assembly->problems.count) {
		(void)snprintf(assembly->fingerprint, DIGEST_HEX_BYTES, "%s",
			assembly->bytes); /* of the same size */
		return 0;
	}
	if (!assembly->missing.count)
		error = digest_spec(reading, &assembly->spec, assembly->order);
	return error ? error : digest_without_defaults(reading, assembly->fingerprint);
}

/* ------------------------------------------------------------------ all of it */

static int note_files(struct reading *reading)
{
	const char *path[FILES_MAX];
	size_t count = files_list(&reading->assembly->files, path);
	int error = 0;

	for (size_t i = 0; i < count && !error; i++)
		error = look_note(reading->tree, path[i], reading->seen);
	return error;
}

static int read_all(struct reading *reading)
{
	struct assembly *assembly = reading->assembly;
	int error = note_files(reading);

	for (size_t i = 0; i < assembly->files.ambiguous.count; i++)
		problems_add(&assembly->problems, assembly->files.ambiguous.item[i].field, "%s",
			assembly->files.ambiguous.item[i].text);
	if (!error)
		error = read_texts(reading);
	if (!error)
		error = spec_build(reading->model, &reading->source, &assembly->spec,
			&assembly->problems, &assembly->missing);
	return error ? error : read_pictures(reading);
}

/* Closes the stream; its digest. 0 or -ENOMEM. */
static int close_digest(FILE *stream, char **text, const size_t *bytes, char hex[DIGEST_HEX_BYTES])
{
	if (!stream || fclose(stream) != 0)
		return -ENOMEM;
	digest_bytes(*text, *bytes, hex);
	return 0;
}

int assemble(const struct tree *tree, const struct model *model, const char *dir, const char *stem,
	struct assembly *assembly)
{
	struct reading reading = {.tree = tree, .model = model, .assembly = assembly};
	AUTO_FREE char *bytes_text = NULL, *seen_text = NULL;
	size_t bytes_count = 0, seen_count = 0;
	int error = files_find(tree, model, dir, stem, &assembly->files);
	int closing;

	if (error || assembly->files.count == 0)
		return error;
	reading.source.stem = stem;
	reading.folder = path_join(model->id, dir);
	reading.bytes = open_memstream(&bytes_text, &bytes_count);
	reading.seen = open_memstream(&seen_text, &seen_count);
	error = reading.folder && reading.bytes && reading.seen ? read_all(&reading) : -ENOMEM;
	closing = close_digest(reading.bytes, &bytes_text, &bytes_count, assembly->bytes);
	if (!error)
		error = closing;
	closing = close_digest(reading.seen, &seen_text, &seen_count, assembly->seen);
	if (!error)
		error = closing;
	if (!error)
		error = digest(&reading);
	free(reading.json);
	free(reading.prompt);
	free(reading.defaults);
	free(reading.folder);
	return error;
}

void assembly_clear(struct assembly *assembly)
{
	files_clear(&assembly->files);
	spec_clear(&assembly->spec);
	problems_clear(&assembly->problems);
	problems_clear(&assembly->missing);
	pictures_free(assembly->picture, assembly->npictures);
	*assembly = (struct assembly){0};
}

int assembly_look(const struct tree *tree, const struct job_files *files,
	const struct picture *picture, size_t npictures, char hex[DIGEST_HEX_BYTES])
{
	const char *
		path[FILES_MAX + sizeof(((struct spec *)0)->picture) / sizeof(struct spec_picture)];
	size_t count = files_list(files, path);

	for (size_t i = 0; i < npictures && count < sizeof(path) / sizeof(*path); i++)
		path[count++] = picture[i].path;
	return look_at(tree, path, count, hex);
}
