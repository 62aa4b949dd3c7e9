#include "fs/input/assemble.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "fs/base/path.h"
#include "fs/input/access.h"
#include "fs/input/look.h"
#include "fs/input/reading.h"
#include "spec/order.h"

#include <errno.h>
#include <string.h>

/* ------------------------------------------------------------------ texts */

/* One line of what the files are known by. */
static int note_bytes(struct reading *reading, const char *role, const char *text, size_t bytes)
{
	char hex[DIGEST_HEX_BYTES];
	int error = digest_bytes(text, bytes, hex);

	if (!error)
		(void)fprintf(reading->bytes, "%s %s\n", role, hex); /* see struct reading */
	return error;
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
		error = tree_stat_end(reading->tree, path, &info);
		if (error)
			return error;
		problems_add(&reading->assembly->problems, path_last(path),
			"%lld bytes; the limit is %d", (long long)info.st_size, LIMIT_SPEC_BYTES);
		*bytes = 0; /* only its start was read */
	}
	return role ? note_bytes(reading, role, *text, *bytes) : 0;
}

static int read_line(struct reading *reading)
{
	const struct job_files *files = &reading->assembly->files;

	if (!files->line)
		return 0;
	reading->json = copy_bytes(files->line, files->line_bytes);
	reading->source.json_bytes = files->line_bytes;
	return reading->json ? note_bytes(reading, "spec", files->line, files->line_bytes)
	                     : -ENOMEM;
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
	source->beside = files->beside;
	source->nbeside = files->nbeside;
	source->defaults_path = files->defaults;
	source->dir = reading->folder;
	return error;
}

/* ------------------------------------------------------------------ what it is known by */

/* The digest of a spec as an order, its pictures being among those of the assembly. */
static int digest_spec(
	const struct reading *reading, const struct spec *spec, char hex[DIGEST_HEX_BYTES])
{
	const struct assembly *assembly = reading->assembly;
	AUTO_FREE struct spec_digest *digest = calloc(spec->nfiles + 1, sizeof(*digest));
	AUTO_FREE char *text = NULL;
	size_t count = 0;
	int error;

	if (!digest)
		return -ENOMEM;
	for (size_t i = 0; i < spec->nfiles; i++)
		for (size_t j = 0; j < assembly->npictures; j++)
			if (assembly->picture[j].sha256 &&
				!strcmp(assembly->picture[j].path, spec->file[i].path) &&
				!strcmp(assembly->picture[j].field, spec->file[i].address))
				digest[count++] = (struct spec_digest){
					assembly->picture[j].field, assembly->picture[j].sha256};
	error = spec_order_text(reading->model, spec->body, digest, count, &text);
	return error ? error : digest_bytes(text, strlen(text), hex);
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

/* Only that they are there: what is in them changes with every word that is typed. */
static void note_locks(const struct job_files *files, FILE *seen)
{
	for (size_t i = 0; i < files->locks.count; i++)
		(void)fprintf(seen, "open %s\n", files->locks.item[i]); /* as in look_note() */
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
	if (!error)
		error = reading_media(reading);
	note_locks(&assembly->files, reading->seen);
	return error;
}

/* What is wrong with files that their user may not read is not for him to know. */
static int check_access(struct reading *reading)
{
	struct assembly *assembly = reading->assembly;
	struct problems refused = {0};
	int may = access_judge(reading->tree, &assembly->files, assembly->picture,
		assembly->npictures, &refused, assembly->rights);

	if (may == 0) {
		problems_clear(&assembly->problems);
		problems_clear(&assembly->missing);
		assembly->problems = refused;
	} else {
		problems_clear(&refused);
	}
	return may < 0 ? may : 0;
}

/* Closes the stream; its digest. 0 or -ENOMEM. */
static int close_digest(FILE *stream, char **text, const size_t *bytes, char hex[DIGEST_HEX_BYTES])
{
	AUTO_FREE char *whole = stream ? stream_text(stream, text) : NULL;

	return whole ? digest_bytes(whole, *bytes, hex) : -ENOMEM;
}

int assemble(const struct tree *tree, const struct model *model, const char *dir, const char *stem,
	struct assembly *assembly)
{
	struct reading reading = {.tree = tree, .model = model, .assembly = assembly};
	char *bytes_text = NULL, *seen_text = NULL;
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
	if (!error && tree->shared)
		error = check_access(&reading);
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
	const char *path[FILES_MAX + LIMIT_MEDIA];
	size_t count = files_list(files, path), bytes = 0;
	char *text = NULL;
	FILE *notes = open_memstream(&text, &bytes);
	int error = notes ? 0 : -ENOMEM, closing;

	for (size_t i = 0; i < npictures && count < sizeof(path) / sizeof(*path); i++)
		path[count++] = picture[i].path;
	for (size_t i = 0; i < count && !error; i++)
		error = look_note(tree, path[i], notes);
	if (notes)
		note_locks(files, notes);
	closing = close_digest(notes, &text, &bytes, hex);
	return error ? error : closing;
}
