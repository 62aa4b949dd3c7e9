#include "fs/mount/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STREAM_BYTES (32 << 10)
#define MAX_AHEAD    256
#define MAX_ENTRY    (offsetof(struct dirent64, d_name) + NAME_MAX + 1 + 8) /* 8: alignment */

struct look {
	struct fuse_entry_param entry;
	int error; /* of the lookup; 1: nothing is held */
};

struct stream {
	int fd;
	struct stream_lookup lookup;
	off_t at;             /* where the next entry stands */
	size_t first, end;    /* the entries in hand, in bytes */
	struct look *look;    /* MAX_AHEAD of them, when first needed */
	size_t seen, looked;  /* look[seen … looked - 1] are of the next entries in hand */
	unsigned long moment; /* when they were taken */
	_Alignas(struct dirent64) char bytes[STREAM_BYTES];
};

struct stream *stream_new(int fd, const struct stream_lookup *lookup)
{
	struct stream *stream = malloc(sizeof(*stream)); /* zeroing the buffer would fault it in */

	if (!stream)
		return NULL;
	memset(stream, 0, offsetof(struct stream, bytes));
	stream->fd = fd;
	stream->lookup = *lookup;
	return stream;
}

void stream_forget(struct stream *stream)
{
	for (; stream->seen < stream->looked; stream->seen++) {
		const struct look *look = &stream->look[stream->seen];

		if (look->error == 0)
			stream->lookup.leave(stream->lookup.context, &look->entry);
	}
	stream->seen = stream->looked = 0;
}

void stream_free(struct stream *stream)
{
	if (!stream)
		return;
	(void)close(stream->fd); /* only read */
	free(stream->look);
	free(stream);
}

void stream_seek(struct stream *stream, off_t at)
{
	if (at == stream->at)
		return;
	(void)lseek(stream->fd, at, SEEK_SET); /* a bad position: the listing ends there */
	stream->at = at;
	stream->first = stream->end = 0;
	stream_forget(stream);
}

static const struct dirent64 *entry_at(const struct stream *stream, size_t byte)
{
	return (const void *)(stream->bytes + byte);
}

/* Reads more behind the entries in hand, which move to the front. 0 or -errno. */
static int fill(struct stream *stream)
{
	ssize_t got;

	memmove(stream->bytes, stream->bytes + stream->first, stream->end - stream->first);
	stream->end -= stream->first;
	stream->first = 0;
	got = getdents64(stream->fd, stream->bytes + stream->end, STREAM_BYTES - stream->end);
	if (got < 0)
		return -errno;
	stream->end += (size_t)got;
	return 0;
}

int stream_peek(struct stream *stream, const struct dirent64 **entry)
{
	int error = stream->first == stream->end ? fill(stream) : 0;

	*entry = stream->first == stream->end ? NULL : entry_at(stream, stream->first);
	return error;
}

static int enter(struct stream *stream, size_t byte, struct fuse_entry_param *entry)
{
	const struct dirent64 *next = entry_at(stream, byte);

	return stream->lookup.enter(stream->lookup.context, stream->fd, next->d_name, entry);
}

int stream_enter(struct stream *stream, unsigned long now, struct fuse_entry_param *entry)
{
	int error = 1;

	if (stream->moment != now)
		stream_forget(stream);
	if (stream->seen < stream->looked) {
		struct look *look = &stream->look[stream->seen];

		*entry = look->entry;
		error = look->error;
		look->error = 1;
	}
	return error <= 0 ? error : enter(stream, stream->first, entry);
}

void stream_next(struct stream *stream)
{
	const struct dirent64 *entry = entry_at(stream, stream->first);

	stream->at = entry->d_off;
	stream->first += entry->d_reclen;
	if (stream->seen == stream->looked)
		return;
	if (stream->look[stream->seen].error == 0) /* it was not asked for */
		stream->lookup.leave(stream->lookup.context, &stream->look[stream->seen].entry);
	stream->seen++;
}

/* Moves the looks not yet used to the front, if they are still good. */
static void keep_looks(struct stream *stream, unsigned long now)
{
	size_t kept;

	if (stream->moment != now)
		stream_forget(stream);
	kept = stream->looked - stream->seen;
	memmove(stream->look, stream->look + stream->seen, kept * sizeof(*stream->look));
	stream->seen = 0;
	stream->looked = kept;
	stream->moment = now;
}

/* Where the entry after the one that ends at byte begins, or -1. */
static ssize_t more(struct stream *stream, size_t byte)
{
	if (byte < stream->end)
		return (ssize_t)byte;
	byte -= stream->first;
	if (byte + MAX_ENTRY > STREAM_BYTES || fill(stream) < 0 || byte == stream->end)
		return -1;
	return (ssize_t)byte;
}

void stream_look_ahead(struct stream *stream, size_t count, unsigned long now)
{
	ssize_t byte = (ssize_t)stream->first;

	if (!stream->look)
		stream->look = malloc(MAX_AHEAD * sizeof(*stream->look));
	if (!stream->look)
		return; /* then each is looked up in its turn */
	keep_looks(stream, now);
	if (count > MAX_AHEAD)
		count = MAX_AHEAD;
	for (size_t i = 0; i < count; i++) {
		byte = more(stream, (size_t)byte);
		if (byte < 0)
			break;
		if (i == stream->looked) {
			stream->look[i].error = enter(stream, (size_t)byte, &stream->look[i].entry);
			stream->looked++;
		}
		byte += entry_at(stream, (size_t)byte)->d_reclen;
	}
}
