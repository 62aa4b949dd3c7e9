#include "spec/media.h"

#include "fs/base/log.h"

#include <errno.h>
#include <magic.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define ENOUGH_BYTES   65536
#define DATABASE_BYTES (24 << 20) /* it is 8 MiB, mapped; what is made of it is less */
#define LOOK_BYTES     (2 << 20)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* innermost: nothing is taken inside */
static magic_t cookie; /* NULL: not open; one serves one thread at a time (libmagic(3)) */

/* libmagic (5.44) that runs out of memory frees twice, or calls itself without end: so it is asked
 * only where there is some. */
static bool is_room(size_t bytes)
{
	/* not by malloc(3), which would learn from it to keep as much */
	void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return room != MAP_FAILED && munmap(room, bytes) == 0;
}

static int open_database(void)
{
	int error;

	if (cookie)
		return 0;
	if (!is_room(DATABASE_BYTES))
		return -ENOMEM;
	cookie = magic_open(MAGIC_MIME_TYPE);
	if (!cookie)
		return -ENOMEM;
	if (magic_load(cookie, NULL) == 0)
		return 0;
	error = magic_errno(cookie);
	log_warn("the database of libmagic cannot be read: %s",
		error ? strerror(error) : "none was found");
	magic_close(cookie);
	cookie = NULL;
	return error == EMFILE || error == ENFILE || error == ENOMEM ? -error : -EIO;
}

int media_open(void)
{
	int error;

	(void)pthread_mutex_lock(&lock); /* cannot fail: neither recursive nor robust */
	error = open_database();
	(void)pthread_mutex_unlock(&lock); /* cannot fail: held */
	return error;
}

/* The type; NULL: not known, and *error says whether for want of memory. */
static const char *look(const void *bytes, size_t have, int *error)
{
	const char *seen = NULL;

	*error = open_database();
	if (*error == 0 && !is_room(LOOK_BYTES))
		*error = -ENOMEM;
	if (*error == 0) {
		seen = magic_buffer(cookie, bytes, have);
		*error = seen ? 0 : -magic_errno(cookie);
	}
	if (*error != -ENOMEM)
		*error = 0;
	return seen;
}

int media_type(const void *bytes, size_t have, char type[64])
{
	const char *seen;
	int error;

	(void)pthread_mutex_lock(&lock); /* cannot fail: neither recursive nor robust */
	seen = look(bytes, have < ENOUGH_BYTES ? have : ENOUGH_BYTES, &error);
	(void)snprintf(type, 64, "%s", seen ? seen : "application/octet-stream");
	(void)pthread_mutex_unlock(&lock); /* cannot fail: held */
	return error;
}

void media_release(void)
{
	(void)pthread_mutex_lock(&lock); /* cannot fail: neither recursive nor robust */
	if (cookie)
		magic_close(cookie);
	cookie = NULL;
	(void)pthread_mutex_unlock(&lock); /* cannot fail: held */
}
