/*
 * loopback.h - a tiny HTTP server inside a test: each connection has a thread,
 * each request is kept and answered by the test's own function.
 */
#ifndef KINOFS_TESTS_UNIT_LOOPBACK_H
#define KINOFS_TESTS_UNIT_LOOPBACK_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOPBACK_REQUESTS    64
#define LOOPBACK_CONNECTIONS 96

enum then { KEEP, CLOSE, RESET, HOLD };

struct loopback;
/* number: 1 for the first request of the server, whatever its connection. */
typedef enum then loopback_answer(struct loopback *server, int fd, int number);

struct loopback {
	int listener, port;
	loopback_answer *answer;
	pthread_t thread;
	pthread_mutex_t lock;
	char *request[LOOPBACK_REQUESTS]; /* head and body, NUL-terminated */
	int requests, connections;
	int fd[LOOPBACK_CONNECTIONS];
	pthread_t worker[LOOPBACK_CONNECTIONS];
	int next_worker;
};

static inline void loopback_say(int fd, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static inline void loopback_say(int fd, const char *format, ...)
{
	char text[8192];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (send(fd, text, (size_t)length, MSG_NOSIGNAL) < 0)
		return; /* the client is gone: what it made of that is the test's question */
}

/* Reads a request whole: its head, then as much as Content-Length says. NULL: no more come. */
static char *loopback_read(int fd)
{
	size_t have = 0, want = 0, space = 4 << 20;
	char *text = calloc(1, space), *end, *length;
	ssize_t got;

	while (have + 1 < space && (got = recv(fd, text + have, space - 1 - have, 0)) > 0) {
		have += (size_t)got;
		text[have] = '\0';
		end = want ? NULL : strstr(text, "\r\n\r\n");
		if (end) {
			length = strcasestr(text, "\r\nContent-Length:");
			want = (size_t)(end + 4 - text) +
			       (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
		}
		if (want && have >= want)
			return text;
	}
	free(text);
	return NULL;
}

static inline int loopback_keep(struct loopback *server, char *text)
{
	int number;

	pthread_mutex_lock(&server->lock);
	number = ++server->requests;
	if (number <= LOOPBACK_REQUESTS)
		server->request[number - 1] = text;
	else
		free(text);
	pthread_mutex_unlock(&server->lock);
	return number;
}

static inline void loopback_end(struct loopback *server, int slot, enum then then)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	pthread_mutex_lock(&server->lock);
	if (then == RESET)
		setsockopt(server->fd[slot], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(server->fd[slot]);
	server->fd[slot] = -1;
	pthread_mutex_unlock(&server->lock);
}

static inline void *loopback_serve(void *context)
{
	struct loopback *server = context;
	enum then then = KEEP;
	char *text, byte;
	int slot, fd;

	pthread_mutex_lock(&server->lock);
	slot = server->next_worker++;
	fd = server->fd[slot];
	pthread_mutex_unlock(&server->lock);
	while (then == KEEP && (text = loopback_read(fd)))
		then = server->answer(server, fd, loopback_keep(server, text));
	while (then == HOLD && recv(fd, &byte, 1, 0) > 0)
		;
	loopback_end(server, slot, then);
	return NULL;
}

static inline void *loopback_listen(void *context)
{
	struct loopback *server = context;
	int fd;

	while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
		pthread_mutex_lock(&server->lock);
		if (server->connections == LOOPBACK_CONNECTIONS)
			abort();
		server->fd[server->connections] = fd;
		pthread_create(
			&server->worker[server->connections++], NULL, loopback_serve, server);
		pthread_mutex_unlock(&server->lock);
	}
	return NULL;
}

static inline void loopback_open(struct loopback *server, loopback_answer *answer)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);

	*server = (struct loopback){.answer = answer, .lock = PTHREAD_MUTEX_INITIALIZER};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(server->listener, (struct sockaddr *)&address, size) ||
		listen(server->listener, 64) ||
		getsockname(server->listener, (struct sockaddr *)&address, &size))
		abort();
	server->port = ntohs(address.sin_port);
	pthread_create(&server->thread, NULL, loopback_listen, server);
}

/* How many requests have come whole. */
static inline int loopback_count(struct loopback *server)
{
	int count;

	pthread_mutex_lock(&server->lock);
	count = server->requests;
	pthread_mutex_unlock(&server->lock);
	return count;
}

static inline int loopback_connections(struct loopback *server)
{
	int count;

	pthread_mutex_lock(&server->lock);
	count = server->connections;
	pthread_mutex_unlock(&server->lock);
	return count;
}

/* The n-th request; "" when there were fewer. */
static inline const char *loopback_request(struct loopback *server, int number)
{
	const char *text = "";

	pthread_mutex_lock(&server->lock);
	if (number <= server->requests)
		text = server->request[number - 1];
	pthread_mutex_unlock(&server->lock);
	return text;
}

static inline void loopback_close(struct loopback *server)
{
	shutdown(server->listener, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->listener);
	pthread_mutex_lock(&server->lock);
	for (int i = 0; i < server->connections; i++)
		if (server->fd[i] >= 0)
			shutdown(server->fd[i], SHUT_RDWR);
	pthread_mutex_unlock(&server->lock);
	for (int i = 0; i < server->connections; i++)
		pthread_join(server->worker[i], NULL);
	for (int i = 0; i < server->requests && i < LOOPBACK_REQUESTS; i++)
		free(server->request[i]);
}

#endif
