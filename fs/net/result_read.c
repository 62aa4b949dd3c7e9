#include "fs/net/result_read.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int reader_bad(struct reader *in, const char *why)
{
	*in->why = why;
	return -EBADMSG;
}

int reader_copy(struct reader *in, void *to, size_t count, int64_t at)
{
	ssize_t got = pread(in->fd, to, count, at);

	if (got < 0)
		return -errno;
	return (size_t)got == count ? 0 : reader_bad(in, "The file ends too early.");
}

int reader_look(struct reader *in, int64_t at, size_t count, const uint8_t **bytes)
{
	int64_t left = in->bytes - at;
	ssize_t got;

	if (count > READER_BYTES || left < (int64_t)count)
		return reader_bad(in, "The file ends too early.");
	if (at < in->at || at + (int64_t)count > in->at + (int64_t)in->have) {
		in->have = 0;
		got = pread(
			in->fd, in->buffer, left < READER_BYTES ? (size_t)left : READER_BYTES, at);
		if (got < 0)
			return -errno;
		in->at = at;
		in->have = (size_t)got;
		if (in->have < count)
			return reader_bad(in, "The file ends too early.");
	}
	*bytes = in->buffer + (at - in->at);
	return 0;
}

int reader_rest(struct reader *in, int64_t at, size_t least, const uint8_t **bytes, size_t *count)
{
	int error = reader_look(in, at, least, bytes);

	if (error == 0)
		*count = in->have - (size_t)(at - in->at);
	return error;
}
