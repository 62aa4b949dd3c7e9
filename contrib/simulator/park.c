/*
 * park.c - connections that wait without costing a thread.
 *
 * libmicrohttpd does not watch a suspended connection, and must not be stopped while one is
 * suspended. So one thread here resumes each when its time has come or its client has hung up.
 */
#include "contrib/simulator/server.h"
#include "contrib/simulator/sim.h"

#include <math.h>
#include <microhttpd.h>
#include <poll.h>
#include <time.h>

#define LOOK_SECONDS 0.5 /* how often hang-ups are looked for while any connection is parked */

struct parked {
	struct MHD_Connection *connection;
	double due; /* CLOCK_MONOTONIC */
	struct parked *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_t thread;
static struct parked *all;
static bool is_ending;

static double monotonic(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool has_hung_up(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct pollfd socket = {.fd = info->connect_fd, .events = POLLRDHUP};

	return poll(&socket, 1, 0) > 0 && (socket.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* Resumes what is due; returns when to look again. */
static double resume_due(void)
{
	double now = monotonic();
	double next = INFINITY;

	for (struct parked **link = &all; *link;) {
		struct parked *parked = *link;

		if (!is_ending && now < parked->due && !has_hung_up(parked->connection)) {
			next = fmin(next, fmin(parked->due, now + LOOK_SECONDS));
			link = &parked->next;
			continue;
		}
		*link = parked->next;
		MHD_resume_connection(parked->connection);
		free(parked);
	}
	return next;
}

static void *park_run(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	while (!is_ending || all) {
		double next = resume_due();
		struct timespec when = {0};

		if (is_ending)
			continue;
		if (isinf(next)) {
			pthread_cond_wait(&changed, &lock);
			continue;
		}
		when.tv_sec = (time_t)next;
		when.tv_nsec = (long)((next - floor(next)) * 1e9);
		(void)pthread_cond_timedwait(&changed, &lock, &when); /* then looks again */
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

int park_start(void)
{
	pthread_condattr_t attributes;

	(void)pthread_condattr_init(&attributes); /* these three cannot fail on Linux */
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&changed, &attributes);
	return -pthread_create(&thread, NULL, park_run, NULL);
}

bool park_connection(struct MHD_Connection *connection, double seconds)
{
	struct parked *parked = malloc(sizeof(*parked));
	bool is_parked = false;

	pthread_mutex_lock(&lock);
	if (parked && !is_ending) {
		*parked = (struct parked){connection, INFINITY, all};
		if (seconds >= 0)
			parked->due = monotonic() + seconds;
		MHD_suspend_connection(connection);
		all = parked;
		is_parked = true;
		pthread_cond_signal(&changed);
	}
	pthread_mutex_unlock(&lock);
	if (!is_parked)
		free(parked);
	return is_parked;
}

void park_stop(void)
{
	pthread_mutex_lock(&lock);
	is_ending = true;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	(void)pthread_join(thread, NULL); /* fails only on misuse */
}
