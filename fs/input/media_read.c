/* media_read.c - the pictures, films and sounds that a job names: are they there, whole, and what
 * they should be? */
#include "fs/input/reading.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/input/film.h"
#include "fs/input/look.h"
#include "fs/net/result.h"
#include "spec/kind.h"
#include "spec/media.h"
#include "spec/media_field.h"

#include <errno.h>
#include <string.h>

#define HEAD_BYTES 65536 /* enough for libmagic (media.h) */

#define LATEST "/out/.latest/" /* links that only the mount shows */

/* A picture that is not there is named without a digest, so that its coming is noticed. What never
 * comes is not waited for. */
static void add_missing(struct assembly *assembly, const struct spec_file *named,
	const struct picture *picture, bool empty)
{
	const char *end = picture->nway ? picture->way[picture->nway - 1] : NULL;

	if (strstr(end ? end : named->path, LATEST))
		problems_add(&assembly->problems, named->path,
			"is one of the links in out/.latest, which are to be looked at only; "
			"name the file itself, in out/");
	else
		problems_add(&assembly->missing, named->address, "the %s %s%s%s, which is %s",
			named->frame ? "film" : media_noun(named->field->media), named->path,
			end ? ", a symbolic link to " : "", end ? end : "",
			empty ? "empty so far" : "not there yet");
}

void media_check_whole(int fd, const char *path, const char *head, size_t have, int64_t bytes,
	struct problems *problems)
{
	size_t room = bytes < MEDIA_TAIL_BYTES ? (size_t)bytes : MEDIA_TAIL_BYTES;
	AUTO_FREE char *tail = malloc(room);
	ssize_t got = tail ? pread(fd, tail, room, bytes - (off_t)room) : -1;

	if (got >= 0)
		spec_check_whole(path, head, have, tail, (size_t)got, (size_t)bytes, problems);
}

/* Films and sounds are checked to their ends, and say how long they last. 0 or -errno. */
static int look_at_length(
	struct reading *reading, const char *path, int fd, int64_t bytes, struct picture *picture)
{
	struct result result = {0};
	const char *why = NULL;
	int error = result_check(fd, bytes, &result, &why);

	if (error == -EBADMSG) {
		problems_add(
			&reading->assembly->problems, path, "is not whole; copy it again. %s", why);
		return 0;
	}
	picture->seconds = result.seconds;
	return error;
}

/* It is what it is for the order. 0 or -ENOMEM. */
static int note_picture(struct reading *reading, const struct spec_file *named, const char *hex,
	const char *type, int64_t bytes, struct picture *picture)
{
	(void)fprintf(
		reading->bytes, "picture %s %s\n", named->address, hex); /* see struct reading */
	picture->bytes = bytes;
	picture->sha256 = strdup(hex);
	picture->type = strdup(type);
	return picture->sha256 && picture->type ? 0 : -ENOMEM;
}

/* Judges one film of which a frame is to be sent. */
static int read_film(struct reading *reading, const struct spec_file *named, int fd, int64_t bytes,
	struct picture *picture)
{
	char film[DIGEST_HEX_BYTES], hex[DIGEST_HEX_BYTES];
	int error = tree_digest(reading->tree, named->path, fd, film);

	if (!error)
		error = media_open();
	if (!error)
		error = film_check(fd, named->path, bytes, &reading->assembly->problems);
	if (!error)
		error = film_digest(film, named->frame, hex);
	return error ? error
	             : note_picture(
			       reading, named, hex, media_frame_type(named->field), bytes, picture);
}

/* Judges one local picture by its content. */
static int read_picture(struct reading *reading, const struct spec_file *named, int fd,
	int64_t bytes, struct picture *picture)
{
	struct problems *problems = &reading->assembly->problems;
	AUTO_FREE char *head = malloc(HEAD_BYTES);
	char hex[DIGEST_HEX_BYTES], type[64];
	ssize_t have = head ? pread(fd, head, HEAD_BYTES, 0) : -1;
	int error = have < 0 ? -errno : tree_digest(reading->tree, named->path, fd, hex);

	if (!head || error)
		return head ? error : -ENOMEM;
	error = media_open();
	if (error)
		return error;
	error = media_type(head, (size_t)have, type);
	if (error)
		return error;
	if (!named->field->is_job) { /* else it stands for the task that made it */
		media_check_whole(fd, named->path, head, (size_t)have, bytes, problems);
		error = spec_check_media(
			named->field, named->path, head, (size_t)have, (size_t)bytes, problems);
	}
	if (!error && !named->field->is_job &&
		media_kind_of_type(type) & (MEDIA_FILM | MEDIA_SOUND))
		error = look_at_length(reading, named->path, fd, bytes, picture);
	return error ? error : note_picture(reading, named, hex, type, bytes, picture);
}

/* Where it lies behind symbolic links, that which comes on their way is noticed, too. */
static int find_way(const struct tree *tree, struct picture *picture)
{
	struct way way = {0};
	int error = tree_way(tree, picture->path, &way);

	if (error && tree_is_absence(error))
		error = 0;
	if (!error && way.end && ARRAY_ROOM(way.link, way.count, way.room) < 0)
		error = -ENOMEM;
	if (!error && way.end)
		way.link[way.count++] = TAKE(way.end);
	if (!error) {
		picture->nway = way.count;
		picture->way = TAKE(way.link);
		way.count = 0;
	}
	way_clear(&way);
	return error;
}

static int add_picture(struct reading *reading, const struct spec_file *named)
{
	struct assembly *assembly = reading->assembly;
	struct picture *picture = &assembly->picture[assembly->npictures++];
	int64_t bytes = 0;
	int error = look_note(reading->tree, named->path, reading->seen);
	AUTO_FD int fd = error ? -1 : tree_open(reading->tree, named->path, &bytes);

	*picture = (struct picture){.field = strdup(named->address),
		.path = strdup(named->path),
		.frame = named->frame};
	if (error || !picture->field || !picture->path)
		return error ? error : -ENOMEM;
	error = find_way(reading->tree, picture);
	if (error)
		return error;
	if (tree_why_astray(fd)) {
		problems_add(&assembly->problems, named->path, "%s", tree_why_astray(fd));
		return 0;
	}
	if (fd < 0 && !tree_is_absence(fd))
		return fd;
	if (fd >= 0 && bytes > 0)
		return named->frame ? read_film(reading, named, fd, bytes, picture)
		                    : read_picture(reading, named, fd, bytes, picture);
	add_missing(assembly, named, picture, fd >= 0);
	return 0;
}

int reading_media(struct reading *reading)
{
	const struct spec *spec = &reading->assembly->spec;
	int error = 0;

	reading->assembly->picture = calloc(spec->nfiles + 1, sizeof(struct picture));
	if (!reading->assembly->picture)
		return -ENOMEM;
	for (size_t i = 0; i < spec->nfiles && !error; i++)
		error = add_picture(reading, &spec->file[i]);
	return error;
}
