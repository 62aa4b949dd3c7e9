#include "fs/engine/hashing.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/log.h"
#include "fs/engine/inbox.h"

#include <errno.h>
#include <search.h>
#include <string.h>

#define SMALL_BYTES 65536 /* hashed faster than handed over */
#define KNOWN_MAX   4096  /* the oldest goes; a job is judged long before */
#define TICK_MS     50    /* a file changed less than this ago may change again at the same time */

/* What a file looks like, so that it need not be read again. */
struct look {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec modified, changed;
};

struct known {
	struct look look;
	int error; /* why it could not be hashed, and then it is told once; 0: it was */
	char hex[DIGEST_HEX_BYTES];
	STAILQ_ENTRY(known) entry;
};

struct request {
	struct look look;
	char *path, *model, *dir, *stem;
	int64_t at_ms; /* not before, wall */
	STAILQ_ENTRY(request) entry;
};

struct hashing {
	struct inbox *inbox;
	const struct tree *tree; /* opened in it alone */
	struct job_key who;      /* the engine's */
	pthread_t thread;
	bool running, deferred;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t more;
	bool stop;
	void *known; /* tsearch, by look */
	size_t nknown;
	STAILQ_HEAD(, known) ages; /* oldest first */
	STAILQ_HEAD(, request) requests;
};

/* ------------------------------------------------------------------ what is known */

static struct look look_of(const struct stat *info)
{
	struct look look;

	memset(&look, 0, sizeof(look)); /* compared as bytes */
	look.dev = info->st_dev;
	look.ino = info->st_ino;
	look.size = info->st_size;
	look.modified = info->st_mtim;
	look.changed = info->st_ctim;
	return look;
}

static int compare(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct look)); /* the first member of a struct known */
}

static void forget(struct hashing *hashing, struct known *known)
{
	STAILQ_REMOVE(&hashing->ages, known, known, entry);
	(void)tdelete(known, &hashing->known, compare); /* returns the parent */
	free(known);
	hashing->nknown--;
}

/* 1: it is known, 0: it is not, or why it could not be: whoever hears of it asks again later. */
static int find(struct hashing *hashing, const struct look *look, char hex[DIGEST_HEX_BYTES])
{
	struct known **node;
	int found = 0;

	pthread_mutex_lock(&hashing->lock);
	node = tfind(look, &hashing->known, compare);
	if (node && (*node)->error) {
		found = (*node)->error;
		forget(hashing, *node);
	} else if (node) {
		memcpy(hex, (*node)->hex, DIGEST_HEX_BYTES);
		found = 1;
	}
	pthread_mutex_unlock(&hashing->lock);
	return found;
}

/* Without memory it is hashed once more. */
static void remember(struct hashing *hashing, const struct look *look, int error, const char *hex)
{
	struct known *known = malloc(sizeof(*known));
	struct known **node;

	if (!known)
		return;
	known->look = *look;
	known->error = error;
	(void)snprintf(known->hex, sizeof(known->hex), "%s", hex); /* of this size */
	pthread_mutex_lock(&hashing->lock);
	node = tsearch(known, &hashing->known, compare);
	if (node && *node == known) {
		STAILQ_INSERT_TAIL(&hashing->ages, known, entry);
		if (++hashing->nknown > KNOWN_MAX)
			forget(hashing, STAILQ_FIRST(&hashing->ages));
	} else {
		free(known);
	}
	pthread_mutex_unlock(&hashing->lock);
}

void hashing_clear(struct hashing *hashing)
{
	pthread_mutex_lock(&hashing->lock);
	while (hashing->nknown)
		forget(hashing, STAILQ_FIRST(&hashing->ages));
	pthread_mutex_unlock(&hashing->lock);
}

/* ------------------------------------------------------------------ asking */

static void request_free(struct request *request)
{
	free(request->path);
	free(request->model);
	free(request->dir);
	free(request->stem);
	free(request);
}

static struct request *request_new(
	const char *path, const struct look *look, const struct job_key *who, int64_t at_ms)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->look = *look;
	request->at_ms = at_ms;
	request->path = strdup(path);
	request->model = strdup(who->model);
	request->dir = strdup(who->dir);
	request->stem = strdup(who->stem);
	if (request->path && request->model && request->dir && request->stem)
		return request;
	request_free(request);
	return NULL;
}

void hashing_for(struct hashing *hashing, const struct job_key *key)
{
	hashing->who = key ? *key : (struct job_key){0};
}

int hashing_digest(void *context, const char *path, int fd, char hex[DIGEST_HEX_BYTES])
{
	struct hashing *hashing = context;
	struct request *request;
	struct look look;
	struct stat info;
	int found;

	if (fstat(fd, &info) < 0)
		return -errno;
	look = look_of(&info);
	found = find(hashing, &look, hex);
	if (found)
		return found < 0 ? found : 0;
	if (!hashing->who.model || !(hashing->running || hashing->deferred) ||
		(info.st_size < SMALL_BYTES && !hashing->deferred))
		return digest_fd(fd, hex);
	request = request_new(path, &look, &hashing->who,
		info.st_ctim.tv_sec * INT64_C(1000) + info.st_ctim.tv_nsec / 1000000 + TICK_MS);
	if (!request)
		return -ENOMEM;
	pthread_mutex_lock(&hashing->lock);
	STAILQ_INSERT_TAIL(&hashing->requests, request, entry);
	pthread_cond_signal(&hashing->more);
	pthread_mutex_unlock(&hashing->lock);
	return -EINPROGRESS;
}

/* ------------------------------------------------------------------ doing it */

/* A file that changed meanwhile is not known: it is judged again, and asked for again. */
static int hash(struct hashing *hashing, const struct request *request)
{
	int64_t bytes;
	AUTO_FD int fd = tree_open(hashing->tree, request->path, &bytes);
	struct look before, after;
	char hex[DIGEST_HEX_BYTES];
	struct stat info;
	int error;

	if (fd < 0 || fstat(fd, &info) < 0)
		return fd < 0 ? fd : -errno;
	before = look_of(&info);
	error = find(hashing, &before, hex);
	if (error)
		return error < 0 ? error : 0;
	error = digest_fd(fd, hex);
	if (error < 0 || fstat(fd, &info) < 0)
		return error < 0 ? error : -errno;
	after = look_of(&info);
	if (compare(&before, &after) == 0)
		remember(hashing, &before, 0, hex);
	return 0;
}

static void answer(struct hashing *hashing, struct request *request)
{
	const struct message message = {.kind = MESSAGE_HASHED,
		.first = request->model,
		.second = request->dir,
		.third = request->stem};
	int error = hash(hashing, request);

	if (error < 0)
		remember(hashing, &request->look, error, "");
	/* without memory it is looked at again later; when the engine has ended, at its start */
	(void)inbox_post(hashing->inbox, &message);
	request_free(request);
}

static struct request *take(struct hashing *hashing, bool wait)
{
	struct request *request;

	pthread_mutex_lock(&hashing->lock);
	while (wait && !hashing->stop && STAILQ_EMPTY(&hashing->requests))
		pthread_cond_wait(&hashing->more, &hashing->lock);
	request = hashing->stop ? NULL : STAILQ_FIRST(&hashing->requests);
	if (request)
		STAILQ_REMOVE_HEAD(&hashing->requests, entry);
	pthread_mutex_unlock(&hashing->lock);
	return request;
}

bool hashing_work(struct hashing *hashing)
{
	struct request *request = take(hashing, false);

	if (request)
		answer(hashing, request);
	return request;
}

static void *work(void *argument)
{
	struct hashing *hashing = argument;
	struct request *request;

	while ((request = take(hashing, true))) {
		int64_t wait_ms = request->at_ms - clock_wall_ms();

		if (wait_ms > 0 && wait_ms <= TICK_MS)
			(void)usleep((useconds_t)wait_ms * 1000); /* no harm if cut short */
		answer(hashing, request);
	}
	return NULL;
}

/* ------------------------------------------------------------------ life */

struct hashing *hashing_new(struct inbox *inbox, const struct tree *tree)
{
	struct hashing *hashing = calloc(1, sizeof(*hashing));

	if (!hashing)
		return NULL;
	hashing->inbox = inbox;
	hashing->tree = tree;
	pthread_mutex_init(&hashing->lock, NULL);
	pthread_cond_init(&hashing->more, NULL);
	STAILQ_INIT(&hashing->ages);
	STAILQ_INIT(&hashing->requests);
	return hashing;
}

int hashing_start(struct hashing *hashing)
{
	int error = pthread_create(&hashing->thread, NULL, work, hashing);

	hashing->running = !error;
	return -error;
}

void hashing_defer(struct hashing *hashing)
{
	hashing->deferred = true;
}

void hashing_stop(struct hashing *hashing)
{
	if (!hashing->running)
		return;
	pthread_mutex_lock(&hashing->lock);
	hashing->stop = true;
	pthread_cond_signal(&hashing->more);
	pthread_mutex_unlock(&hashing->lock);
	(void)pthread_join(hashing->thread, NULL); /* fails only for a thread not there */
	hashing->running = false;
}

void hashing_free(struct hashing *hashing)
{
	struct request *request;

	if (!hashing)
		return;
	hashing_clear(hashing);
	while ((request = STAILQ_FIRST(&hashing->requests))) {
		STAILQ_REMOVE_HEAD(&hashing->requests, entry);
		request_free(request);
	}
	pthread_cond_destroy(&hashing->more);
	pthread_mutex_destroy(&hashing->lock);
	free(hashing);
}
