#include "fs/net/parts.h"

#include "fs/base/cleanup.h"
#include "fs/base/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#define PIECE (3 * 4096) /* of a file: three bytes become four characters */
#define CODED (PIECE / 3 * 4)

struct parts {
	struct http_part *part;
	size_t count, at; /* the one that is being read */
	int64_t offset;   /* in it */
	struct digest *digest;
	unsigned char coded[CODED + 1]; /* of a file, not given away yet; and a NUL */
	size_t coded_at, coded_end;
};

static void drop(struct http_part *part, size_t count)
{
	for (size_t i = 0; part && i < count; i++) {
		free(part[i].text);
		cleanup_fd(&part[i].fd);
	}
	free(part);
}

void http_drop_body(struct http_request *request)
{
	free(TAKE(request->body));
	drop(TAKE(request->part), request->parts);
}

struct parts *parts_new(struct http_part *part, size_t count)
{
	struct parts *parts = calloc(1, sizeof(*parts));

	if (!parts) {
		drop(part, count);
		return NULL;
	}
	parts->part = part;
	parts->count = count;
	return parts;
}

void parts_free(struct parts *parts)
{
	if (!parts)
		return;
	digest_end(parts->digest, NULL);
	drop(parts->part, parts->count);
	free(parts);
}

int64_t parts_bytes(const struct parts *parts)
{
	int64_t bytes = 0;

	for (size_t i = 0; i < parts->count; i++)
		bytes += parts->part[i].text ? parts->part[i].bytes
		                             : (parts->part[i].bytes + 2) / 3 * 4;
	return bytes;
}

/* The next piece of a file, which may be shorter only at its end. 0 or -errno. */
static int read_piece(int fd, char *piece, size_t count, int64_t offset)
{
	size_t have = 0;

	while (have < count) {
		ssize_t got = pread(fd, piece + have, count - have, offset + (int64_t)have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -ESTALE; /* it became shorter */
		have += (size_t)got;
	}
	return 0;
}

static int code_piece(struct parts *parts, const struct http_part *part)
{
	char piece[PIECE], hex[DIGEST_HEX_BYTES];
	int64_t left = part->bytes - parts->offset;
	size_t count = left < PIECE ? (size_t)left : PIECE;
	int error = read_piece(part->fd, piece, count, parts->offset);

	if (!error && !parts->digest)
		parts->digest = digest_begin();
	if (!error && !parts->digest)
		error = -ENOMEM;
	if (error)
		return error;
	digest_add(parts->digest, piece, count);
	parts->offset += (int64_t)count;
	if (parts->offset == part->bytes) {
		digest_end(TAKE(parts->digest), hex);
		if (strcmp(hex, part->sha256) != 0)
			return -ESTALE;
	}
	parts->coded_at = 0;
	parts->coded_end =
		(size_t)EVP_EncodeBlock(parts->coded, (const unsigned char *)piece, (int)count);
	return 0;
}

/* What there is at once of the part that is being read; 0: it has ended. */
static int have(struct parts *parts, const char **bytes, size_t *count)
{
	const struct http_part *part = &parts->part[parts->at];
	int error = 0;

	if (part->text) {
		*bytes = part->text + parts->offset;
		*count = (size_t)(part->bytes - parts->offset);
		return 0;
	}
	if (!part->bytes)
		return -ESTALE; /* there is nothing to compare, and it was not empty */
	if (parts->coded_at == parts->coded_end && parts->offset < part->bytes)
		error = code_piece(parts, part);
	*bytes = (const char *)parts->coded + parts->coded_at;
	*count = parts->coded_end - parts->coded_at;
	return error;
}

static void took(struct parts *parts, size_t count)
{
	if (parts->part[parts->at].text)
		parts->offset += (int64_t)count;
	else
		parts->coded_at += count;
}

ssize_t parts_read(struct parts *parts, char *buffer, size_t room)
{
	size_t given = 0;

	while (given < room && parts->at < parts->count) {
		const char *bytes;
		size_t count;
		int error = have(parts, &bytes, &count);

		if (error)
			return error;
		if (!count) {
			parts->at++;
			parts->offset = 0;
			parts->coded_at = parts->coded_end = 0;
			continue;
		}
		if (count > room - given)
			count = room - given;
		memcpy(buffer + given, bytes, count);
		given += count;
		took(parts, count);
	}
	return (ssize_t)given;
}
