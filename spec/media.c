#include "spec/media.h"

#include "fs/base/log.h"

#include <errno.h>
#include <magic.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define ENOUGH_BYTES 65536

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* innermost: nothing is taken inside */
static magic_t cookie; /* NULL: not open; one serves one thread at a time (libmagic(3)) */

static int open_database(void)
{
	int error;

	if (cookie)
		return 0;
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

static const char *look(const void *bytes, size_t have)
{
	return open_database() == 0 ? magic_buffer(cookie, bytes, have) : NULL;
}

void media_type(const void *bytes, size_t have, char type[64])
{
	const char *seen;

	(void)pthread_mutex_lock(&lock); /* cannot fail: neither recursive nor robust */
	seen = look(bytes, have < ENOUGH_BYTES ? have : ENOUGH_BYTES);
	(void)snprintf(type, 64, "%s", seen ? seen : "application/octet-stream");
	(void)pthread_mutex_unlock(&lock); /* cannot fail: held */
}

void media_release(void)
{
	(void)pthread_mutex_lock(&lock); /* cannot fail: neither recursive nor robust */
	if (cookie)
		magic_close(cookie);
	cookie = NULL;
	(void)pthread_mutex_unlock(&lock); /* cannot fail: held */
}
