#include "fs/mount/readahead.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READAHEAD_BYTES (32 << 10)
#define MAX_AHEAD       256
#define MAX_ENTRY       (offsetof(struct dirent64, d_name) + NAME_MAX + 1 + 8) /* 8: alignment */

struct look {
	struct fuse_entry_param entry;
	int error; /* of the lookup; 1: nothing is held */
};

struct readahead {
	int fd;
	struct readahead_lookup lookup;
	off_t at;                 /* where the next entry stands */
	off_t read_at;            /* where lookup.read goes on */
	size_t first, end;        /* the entries in hand, in bytes */
	struct look *look;        /* MAX_AHEAD of them, when first needed */
	size_t seen, looked;      /* look[seen … looked - 1] are of the next entries in hand */
	unsigned long generation; /* when they were taken */
	_Alignas(struct dirent64) char bytes[READAHEAD_BYTES];
};

struct readahead *readahead_new(int fd, const struct readahead_lookup *lookup)
{
	struct readahead *ahead = malloc(sizeof(*ahead)); /* zeroing the buffer would fault it in */

	if (!ahead)
		return NULL;
	memset(ahead, 0, offsetof(struct readahead, bytes));
	ahead->fd = fd;
	ahead->lookup = *lookup;
	return ahead;
}

void readahead_forget(struct readahead *ahead)
{
	for (; ahead->seen < ahead->looked; ahead->seen++) {
		const struct look *look = &ahead->look[ahead->seen];

		if (look->error == 0)
			ahead->lookup.leave(ahead->lookup.context, &look->entry);
	}
	ahead->seen = ahead->looked = 0;
}

void readahead_free(struct readahead *ahead)
{
	if (!ahead)
		return;
	if (ahead->fd >= 0)
		(void)close(ahead->fd); /* only read */
	free(ahead->look);
	free(ahead);
}

void readahead_seek(struct readahead *ahead, off_t at)
{
	if (at == ahead->at)
		return;
	(void)lseek(ahead->fd, at, SEEK_SET); /* a bad position: the listing ends there */
	ahead->at = ahead->read_at = at;
	ahead->first = ahead->end = 0;
	readahead_forget(ahead);
}

static const struct dirent64 *entry_at(const struct readahead *ahead, size_t byte)
{
	return (const void *)(ahead->bytes + byte);
}

static ssize_t read_entries(struct readahead *ahead, void *bytes, size_t size)
{
	ssize_t got;

	if (ahead->lookup.read)
		return ahead->lookup.read(ahead->lookup.context, &ahead->read_at, bytes, size);
	got = getdents64(ahead->fd, bytes, size);
	return got < 0 ? -errno : got;
}

/* Reads more behind the entries in hand, which move to the front. 0 or -errno. */
static int fill(struct readahead *ahead)
{
	ssize_t got;

	memmove(ahead->bytes, ahead->bytes + ahead->first, ahead->end - ahead->first);
	ahead->end -= ahead->first;
	ahead->first = 0;
	got = read_entries(ahead, ahead->bytes + ahead->end, READAHEAD_BYTES - ahead->end);
	if (got < 0)
		return (int)got;
	ahead->end += (size_t)got;
	return 0;
}

int readahead_peek(struct readahead *ahead, const struct dirent64 **entry)
{
	int error = ahead->first == ahead->end ? fill(ahead) : 0;

	*entry = ahead->first == ahead->end ? NULL : entry_at(ahead, ahead->first);
	return error;
}

bool readahead_is_long(const struct readahead *ahead)
{
	return ahead->end - ahead->first >= READAHEAD_BYTES / 2;
}

void readahead_read(struct readahead *ahead)
{
	if (!readahead_is_long(ahead))
		(void)fill(ahead); /* an error comes again when it is asked for more */
}

static int enter(struct readahead *ahead, size_t byte, struct fuse_entry_param *entry)
{
	const struct dirent64 *next = entry_at(ahead, byte);

	return ahead->lookup.enter(ahead->lookup.context, ahead->fd, next->d_name, entry);
}

int readahead_enter(
	struct readahead *ahead, unsigned long generation, struct fuse_entry_param *entry)
{
	int error = 1;

	if (ahead->generation != generation)
		readahead_forget(ahead);
	if (ahead->seen < ahead->looked) {
		struct look *look = &ahead->look[ahead->seen];

		*entry = look->entry;
		error = look->error;
		look->error = 1;
	}
	return error <= 0 ? error : enter(ahead, ahead->first, entry);
}

void readahead_next(struct readahead *ahead)
{
	const struct dirent64 *entry = entry_at(ahead, ahead->first);

	ahead->at = entry->d_off;
	ahead->first += entry->d_reclen;
	if (ahead->seen == ahead->looked)
		return;
	if (ahead->look[ahead->seen].error == 0) /* it was not asked for */
		ahead->lookup.leave(ahead->lookup.context, &ahead->look[ahead->seen].entry);
	ahead->seen++;
}

/* Moves the looks not yet used to the front, if they are still good. */
static void keep_looks(struct readahead *ahead, unsigned long generation)
{
	size_t kept;

	if (ahead->generation != generation)
		readahead_forget(ahead);
	kept = ahead->looked - ahead->seen;
	memmove(ahead->look, ahead->look + ahead->seen, kept * sizeof(*ahead->look));
	ahead->seen = 0;
	ahead->looked = kept;
	ahead->generation = generation;
}

/* Where the entry after the one that ends at byte begins, or -1. */
static ssize_t more(struct readahead *ahead, size_t byte)
{
	if (byte < ahead->end)
		return (ssize_t)byte;
	byte -= ahead->first;
	if (byte + MAX_ENTRY > READAHEAD_BYTES || fill(ahead) < 0 || byte == ahead->end)
		return -1;
	return (ssize_t)byte;
}

void readahead_prepare(struct readahead *ahead, size_t count, unsigned long generation)
{
	ssize_t byte = (ssize_t)ahead->first;

	if (!ahead->look)
		ahead->look = malloc(MAX_AHEAD * sizeof(*ahead->look));
	if (!ahead->look)
		return; /* then each is looked up in its turn */
	keep_looks(ahead, generation);
	if (count > MAX_AHEAD)
		count = MAX_AHEAD;
	for (size_t i = 0; i < count; i++) {
		byte = more(ahead, (size_t)byte);
		if (byte < 0)
			break;
		if (i == ahead->looked) {
			ahead->look[i].error = enter(ahead, (size_t)byte, &ahead->look[i].entry);
			ahead->looked++;
		}
		byte += entry_at(ahead, (size_t)byte)->d_reclen;
	}
}
