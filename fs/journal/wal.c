#include "fs/journal/wal.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"

#include <endian.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC          0x377f0682 /* +1: checksums of big-endian words */
#define HEADER_BYTES   32
#define FRAME_BYTES    24 /* and a page */
#define PAGE_BYTES_MAX 65536

struct sum {
	uint32_t a, b;
};

struct log {
	int fd;
	bool big_endian;
	uint32_t page_bytes;
	unsigned char salt[8];
	struct sum sum;     /* of the frames so far */
	uint32_t frames;    /* that are whole, one behind the other */
	uint32_t committed; /* of those, up to the last that ends a transaction */
};

/* The index that all connections share: how far the log had been written and synced. */
struct index_header {
	uint32_t version, unused, change;
	uint8_t is_init, big_endian;
	uint16_t page_bytes;
	uint32_t frames, pages;
	struct sum frame_sum;
	unsigned char salt[8];
	struct sum sum;
};

static uint32_t word_at(const void *bytes, bool big_endian)
{
	uint32_t word;

	(void)memcpy(&word, bytes, sizeof(word));
	return big_endian ? be32toh(word) : le32toh(word);
}

static void add(struct sum *sum, const unsigned char *bytes, size_t count, bool big_endian)
{
	for (size_t i = 0; i + 8 <= count; i += 8) {
		sum->a += word_at(bytes + i, big_endian) + sum->b;
		sum->b += word_at(bytes + i + 4, big_endian) + sum->a;
	}
}

static bool is_sum(const struct sum *sum, const unsigned char *bytes)
{
	return sum->a == word_at(bytes, true) && sum->b == word_at(bytes + 4, true);
}

static bool read_header(struct log *log)
{
	unsigned char header[HEADER_BYTES];
	uint32_t magic;

	if (pread(log->fd, header, sizeof(header), 0) != sizeof(header))
		return false;
	magic = word_at(header, true);
	log->big_endian = magic & 1;
	log->page_bytes = word_at(header + 8, true);
	(void)memcpy(log->salt, header + 16, sizeof(log->salt));
	add(&log->sum, header, 24, log->big_endian);
	return (magic & ~1U) == MAGIC && is_sum(&log->sum, header + 24) && log->page_bytes >= 512 &&
	       log->page_bytes <= PAGE_BYTES_MAX;
}

static bool read_frame(const struct log *log, uint32_t number, unsigned char *frame)
{
	size_t bytes = FRAME_BYTES + (size_t)log->page_bytes;

	return pread(log->fd, frame, bytes, HEADER_BYTES + (off_t)number * (off_t)bytes) ==
	       (ssize_t)bytes;
}

static bool is_of(const struct log *log, const unsigned char *frame)
{
	return memcmp(frame + 8, log->salt, sizeof(log->salt)) == 0;
}

static bool ends_transaction(const unsigned char *frame)
{
	return word_at(frame + 4, true) != 0;
}

/* Up to the first that is not whole, as SQLite does. */
static void read_frames(struct log *log, unsigned char *frame)
{
	while (read_frame(log, log->frames, frame) && is_of(log, frame)) {
		struct sum sum = log->sum;

		add(&sum, frame, 8, log->big_endian);
		add(&sum, frame + FRAME_BYTES, log->page_bytes, log->big_endian);
		if (!is_sum(&sum, frame + 16))
			return;
		log->sum = sum;
		log->frames++;
		if (ends_transaction(frame))
			log->committed = log->frames;
	}
}

/* Each transaction is synced before the next begins. So a loss of power leaves one behind the good
 * ones at most; where there are the ends of two, the first was once whole. */
static bool is_more_behind(const struct log *log, unsigned char *frame)
{
	int ends = 0;

	for (uint32_t i = log->frames; read_frame(log, i, frame); i++)
		ends += is_of(log, frame) && ends_transaction(frame);
	return ends > 1;
}

/* Written after the log was synced, and itself never: never ahead of what the log had. */
static uint32_t frames_known(const struct log *log, const char *path)
{
	AUTO_FREE char *name = format("%s-shm", path);
	AUTO_FD int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	struct index_header header[2];
	struct sum sum = {0};

	if (fd < 0 || pread(fd, header, sizeof(header), 0) != sizeof(header) ||
		memcmp(&header[0], &header[1], sizeof(header[0])) != 0)
		return 0;
	add(&sum, (const unsigned char *)header, offsetof(struct index_header, sum),
		BYTE_ORDER == BIG_ENDIAN);
	if (sum.a != header->sum.a || sum.b != header->sum.b || !header->is_init ||
		memcmp(header->salt, log->salt, sizeof(log->salt)) != 0)
		return 0;
	return header->frames;
}

bool wal_is_whole(const char *path)
{
	AUTO_FREE char *name = format("%s-wal", path);
	AUTO_FREE unsigned char *frame = malloc(FRAME_BYTES + PAGE_BYTES_MAX);
	AUTO_FD int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	struct log log = {.fd = fd};
	struct stat info;

	if (!frame || fd < 0 || fstat(fd, &info) < 0 || info.st_size < HEADER_BYTES)
		return true;
	if (!read_header(&log)) /* it is synced before the first frame is written */
		return info.st_size == HEADER_BYTES;
	read_frames(&log, frame);
	return log.committed >= frames_known(&log, path) && !is_more_behind(&log, frame);
}
