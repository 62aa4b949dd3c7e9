#include "fs/input/film.h"

#include "fs/base/array.h"
#include "fs/base/child.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/limits.h"
#include "fs/net/result.h"
#include "spec/text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* As the child has them (child.h): the kernel leads each to the very file that is open here,
 * whatever became of its name, and ffmpeg can seek in it. */
#define FILM_PATH  "/proc/self/fd/3"
#define STILL_PATH "/proc/self/fd/4"

#define WORDS_MAX 64

/* ------------------------------------------------------------------ is it one? */

int film_check(int fd, const char *path, int64_t bytes, struct problems *problems)
{
	static const char *const suffixes[] = {"mp4", "mov", "webm", "mkv"};
	struct result result = {0};
	const char *why = NULL;
	int error;

	if (bytes > LIMIT_FILM_BYTES)
		problems_add(problems, path, "%.1f MB; the limit of a film is %d MB",
			(double)bytes / (1 << 20), LIMIT_FILM_BYTES >> 20);
	error = result_check(fd, bytes, &result, &why);
	if (error == -EBADMSG)
		problems_add(problems, path, "is no whole film; copy it again. %s", why);
	if (error)
		return error == -EBADMSG ? 0 : error;
	for (size_t i = 0; i < COUNT(suffixes); i++)
		if (result.kinds & RESULT_VIDEO && !strcmp(result.suffix, suffixes[i]))
			return 0;
	problems_add(problems, path,
		"its content is %s; a frame can be taken of MP4, MOV, WebM and MKV", result.type);
	return 0;
}

int film_digest(const char *film, enum film_frame frame, char hex[DIGEST_HEX_BYTES])
{
	AUTO_FREE char *text = format("%s#%s", film, film_frame_name(frame));

	return text ? digest_bytes(text, strlen(text), hex) : -ENOMEM;
}

int film_still_digest(
	const char *frame, bool png, bool jpeg, int64_t limit, char hex[DIGEST_HEX_BYTES])
{
	AUTO_FREE char *text = format("%s %d %d %" PRId64, frame, png, jpeg, limit);

	return text ? digest_bytes(text, strlen(text), hex) : -ENOMEM;
}

/* ------------------------------------------------------------------ ffmpeg */

/* What to begin with: of a long film the end alone, unless there is no picture in it, as where the
 * sound lasts longer, or where a frame stands for long. Then more of it, then all. */
static const char *const from[] = {"-0.3", "-5", NULL};

struct attempt {
	const struct film_order *order;
	const char *format; /* the only one that is tried, so that nothing else is read */
	const char *from;   /* NULL: from its beginning */
	const char *type;
	int fd;
	char words[CHILD_WORDS];
};

static void add(const char **words, size_t *count, const char *const *more, size_t nmore)
{
	for (size_t i = 0; i < nmore; i++)
		words[(*count)++] = more[i];
}
#define ADD(...)                                                                                   \
	add(words, &count, (const char *const[]){__VA_ARGS__},                                     \
		COUNT(((const char *const[]){__VA_ARGS__})))

/* Its frames go one after the other into one file, which the next makes empty: the last stays. One
 * a second, as by their own times frames may be left out or doubled. */
static void set_words(const struct attempt *attempt, const char *words[WORDS_MAX])
{
	size_t count = 0;

	ADD("ffmpeg", "-nostdin", "-v", "error", "-xerror", "-protocol_whitelist", "file");
	ADD("-f", attempt->format);
	if (attempt->from)
		ADD("-sseof", attempt->from);
	ADD("-i", FILM_PATH, "-map", "0:V:0", "-vf", "setpts=N/TB", "-r", "1");
	if (attempt->order->frame == FRAME_FIRST)
		ADD("-frames:v", "1");
	if (strcmp(attempt->type, "image/png") == 0)
		ADD("-c:v", "png", "-pix_fmt", "rgb24");
	else
		ADD("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "2");
	ADD("-f", "image2", "-update", "1", "-y", STILL_PATH);
	words[count] = NULL;
}

/* 0: there is a picture, or (*bytes 0) none in this part of the film; or as film_take(). */
static int try_once(struct attempt *attempt, int64_t *bytes)
{
	const struct film_order *order = attempt->order;
	const int given[] = {order->fd, attempt->fd};
	const char *words[WORDS_MAX];
	const struct child child = {.words = words,
		.given = given,
		.ngiven = COUNT(given),
		.stop_fd = order->stop_fd,
		.limit_ms = FILM_TAKE_MS,
		.file_limit = order->limit + 1};
	struct stat info;
	int error;

	if (ftruncate(attempt->fd, 0) < 0)
		return -errno;
	set_words(attempt, words);
	error = child_run(&child, attempt->words);
	if (fstat(attempt->fd, &info) < 0)
		return -errno;
	*bytes = info.st_size;
	if ((!error || error == -EBADMSG) && info.st_size > order->limit)
		return -EFBIG;
	return error;
}

/* In this format. 0 or as film_take(). */
static int take(struct attempt *attempt, int64_t *bytes)
{
	size_t first = attempt->order->frame == FRAME_FIRST ? COUNT(from) - 1 : 0;
	int error = -EBADMSG;

	for (size_t i = first; i < COUNT(from); i++) {
		attempt->from = from[i];
		error = try_once(attempt, bytes);
		if ((!error && *bytes) || (error && error != -EBADMSG))
			return error;
	}
	return error ? error : -EBADMSG;
}

/* ------------------------------------------------------------------ what came of it */

/* The last line that says something. NULL: no memory. */
static char *last_line(const char *words)
{
	size_t end = strlen(words), start;

	while (end && strchr(" \t\r\n", words[end - 1]))
		end--;
	for (start = end; start && words[start - 1] != '\n'; start--)
		;
	if (start == end)
		return strdup("there is no picture in it");
	return text_printable(words + start, end - start, LIMIT_MESSAGE_CHARS);
}

/* ffmpeg is not believed either. 0 or as film_take(). */
static int finish(const struct attempt *attempt, int64_t bytes, struct still *made)
{
	struct result result = {0};
	const char *why = NULL;
	int error = result_check(attempt->fd, bytes, &result, &why);

	if (!error && strcmp(result.type, attempt->type) != 0)
		error = -EBADMSG;
	made->bytes = bytes;
	return error ? error : digest_fd(attempt->fd, made->sha256);
}

/* Nothing but the formats that film_check() lets through. */
static const char *format_of(int fd)
{
	char head[4] = "";

	return pread(fd, head, sizeof(head), 0) == sizeof(head) &&
	                       !memcmp(head, "\x1a\x45\xdf\xa3", 4)
	               ? "matroska"
	               : "mov";
}

int film_take(const struct film_order *order, struct still **still, const char **type, char **words)
{
	static const char *const types[] = {"image/png", "image/jpeg"};
	const bool wanted[] = {order->png, order->jpeg};
	struct attempt attempt = {.order = order, .format = format_of(order->fd)};
	/* of memory: it goes with the process, whatever becomes of that */
	AUTO_FD int fd = memfd_create("frame", MFD_CLOEXEC);
	struct still *made = fd < 0 ? NULL : calloc(1, sizeof(*made));
	int error = fd < 0 ? -errno : made ? -EFBIG : -ENOMEM;
	int64_t bytes = 0;

	attempt.fd = fd;
	for (size_t i = 0; i < COUNT(types) && error == -EFBIG; i++) {
		if (!wanted[i])
			continue;
		*type = attempt.type = types[i];
		error = take(&attempt, &bytes);
		if (!error)
			error = finish(&attempt, bytes, made);
	}
	if (error) {
		free(made);
		*words = error == -EBADMSG ? last_line(attempt.words) : NULL;
		return error;
	}
	made->fd = TAKE_FD(fd);
	*still = made;
	return 0;
}
