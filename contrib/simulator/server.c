/*
 * server.c - libmicrohttpd: collects a request, has it served, sends, spoils or withholds the
 * answer.
 *
 * One thread, epoll. A request is answered in one go under sim.lock; waiting happens in park.c.
 */
#include "contrib/simulator/server.h"
#include "contrib/simulator/api.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK 16384 /* of a body made on the fly */

static struct MHD_Daemon *http;

/* The state of one connection's request across the calls of libmicrohttpd. */
struct exchange {
	struct request *request;
	enum { HEADERS, COLLECTING, DELAYED, STALLED, DONE } stage;
};

/* Called with the request line, before anything else: the one place with the raw query. */
static void *exchange_begin(void *unused, const char *target, struct MHD_Connection *connection)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	struct request *request = calloc(1, sizeof(*request));

	(void)unused;
	if (!exchange || !request) {
		free(exchange);
		free(request);
		return NULL;
	}
	exchange->request = request;
	request->connection = connection;
	request->target = strdup(target);
	request->received = now_seconds();
	request->kind = FAULT_ONS;
	request->reply.file = -1;
	request->reply.code = -1;
	return exchange;
}

/* A request whose client left before it was whole still has its line, with status 0. */
static void exchange_end(void *unused, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode why)
{
	struct exchange *exchange = *state;

	(void)unused, (void)connection, (void)why;
	*state = NULL;
	if (!exchange)
		return;
	if (exchange->stage <= COLLECTING && exchange->request->target) {
		exchange->request->reply.ending = END_RESET;
		log_request(exchange->request);
	}
	request_free(exchange->request);
	free(exchange);
}

static void collect(struct request *request, const char *data, size_t count)
{
	size_t capacity = request->capacity ? request->capacity : 4096;
	char *grown;

	if (request->too_large || request->length + count > SIM_BODY_BYTES) {
		request->too_large = true; /* the rest is read and dropped */
		return;
	}
	while (capacity < request->length + count + 1)
		capacity *= 2;
	if (capacity != request->capacity) {
		grown = realloc(request->body, capacity);
		request->too_large = !grown;
		if (!grown)
			return;
		request->body = grown;
		request->capacity = capacity;
	}
	memcpy(request->body + request->length, data, count);
	request->length += count;
	request->body[request->length] = '\0';
}

/* A body made block by block: cut short in the middle, or without end. */
struct stream {
	char *body; /* or NULL: the file */
	int file;
	off_t offset;
	uint64_t cut; /* 0: never */
};

static ssize_t stream_read(void *cls, uint64_t at, char *buffer, size_t size)
{
	struct stream *stream = cls;
	ssize_t got;

	if (!stream->cut) {
		memset(buffer, ' ', size); /* JSON that never comes to its point */
		return (ssize_t)size;
	}
	if (at >= stream->cut)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (size > stream->cut - at)
		size = stream->cut - at;
	if (stream->body) {
		memcpy(buffer, stream->body + at, size);
		return (ssize_t)size;
	}
	got = pread(stream->file, buffer, size, stream->offset + (off_t)at);
	return got > 0 ? got : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void stream_free(void *cls)
{
	struct stream *stream = cls;

	free(stream->body);
	if (stream->file >= 0)
		(void)close(stream->file); /* only read */
	free(stream);
}

/* Takes the reply's body or file. */
static struct MHD_Response *response_spoilt(struct reply *reply)
{
	struct stream *stream = malloc(sizeof(*stream));
	bool is_endless = reply->ending == END_HUGE;
	struct MHD_Response *response;

	if (!stream)
		return NULL;
	*stream = (struct stream){reply->body, reply->file, reply->offset, 0};
	if (!is_endless)
		stream->cut = reply->length / 2 + (reply->length < 2);
	reply->body = NULL;
	reply->file = -1;
	response = MHD_create_response_from_callback(is_endless ? MHD_SIZE_UNKNOWN : reply->length,
		BLOCK, stream_read, stream, stream_free);
	if (!response)
		stream_free(stream);
	return response;
}

/* Takes the reply's body or file. */
static struct MHD_Response *response_build(struct reply *reply)
{
	struct MHD_Response *response;

	if (reply->ending == END_TRUNCATE || reply->ending == END_HUGE)
		return response_spoilt(reply);
	if (reply->file >= 0) {
		response = MHD_create_response_from_fd_at_offset64(
			reply->length, reply->file, (uint64_t)reply->offset);
		reply->file = response ? -1 : reply->file;
		return response;
	}
	response =
		MHD_create_response_from_buffer(reply->length, reply->body, MHD_RESPMEM_MUST_FREE);
	reply->body = response ? NULL : reply->body;
	return response;
}

static enum MHD_Result send_reply(struct request *request)
{
	struct reply *reply = &request->reply;
	struct MHD_Response *response = response_build(reply);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	if (reply->type)
		(void)MHD_add_response_header(
			response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type); /* else without */
	for (size_t i = 0; i < REPLY_HEADERS; i++)
		if (reply->headers[i].value)
			(void)MHD_add_response_header(response, reply->headers[i].name,
				reply->headers[i].value); /* refuses only CR and LF: left out */
	result = MHD_queue_response(request->connection, (unsigned int)reply->status, response);
	MHD_destroy_response(response);
	return result;
}

/* connect(2): AF_UNSPEC dissolves a connection; Linux then sends RST, as a crashed server would. */
static enum MHD_Result reset(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

	(void)connect(info->connect_fd, &nowhere, sizeof(nowhere)); /* MHD_NO closes it anyway */
	return MHD_NO;
}

static enum MHD_Result finish(struct exchange *exchange)
{
	struct request *request = exchange->request;

	exchange->stage = DONE;
	log_request(request);
	return send_reply(request);
}

static enum MHD_Result deliver(struct exchange *exchange)
{
	struct request *request = exchange->request;
	enum ending ending = request->reply.ending;

	if (ending == END_RESET || ending == END_STALL) {
		exchange->stage = STALLED;
		log_request(request);
		if (ending == END_STALL && park_connection(request->connection, -1))
			return MHD_YES;
		return reset(request->connection);
	}
	if (request->reply.delay > 0) {
		exchange->stage = DELAYED;
		if (park_connection(request->connection, request->reply.delay))
			return MHD_YES;
	}
	return finish(exchange);
}

static enum MHD_Result serve(struct exchange *exchange, const char *path)
{
	struct request *request = exchange->request;
	const char *type = request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);

	request->path = strdup(path);
	if (!request->target || !request->method || !request->path)
		return MHD_NO;
	if (request->body && (!type || strncmp(type, "multipart/", 10) != 0))
		request->json =
			cJSON_ParseWithLengthOpts(request->body, request->length + 1, NULL, true);
	pthread_mutex_lock(&sim.lock);
	route_serve(request);
	pthread_mutex_unlock(&sim.lock);
	free(request->body); /* a parked connection holds little */
	request->body = NULL;
	return deliver(exchange);
}

/* Called once with the headers, once for each piece of the body, once at its end, and once more
 * after a parked connection has been resumed. */
static enum MHD_Result handle(void *unused, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *data, size_t *count, void **state)
{
	struct exchange *exchange = *state;

	(void)unused, (void)connection, (void)version;
	if (!exchange)
		return MHD_NO;
	if (exchange->stage == HEADERS) {
		exchange->stage = COLLECTING;
		exchange->request->method = strdup(method);
		return MHD_YES;
	}
	if (*count) {
		collect(exchange->request, data, *count);
		*count = 0;
		return MHD_YES;
	}
	switch (exchange->stage) {
	case HEADERS:
	case COLLECTING: return serve(exchange, path);
	case DELAYED: return finish(exchange);
	case STALLED: return reset(connection);
	case DONE: return MHD_YES;
	}
	return MHD_NO;
}

/* To the port of the run before where any will do: the links of that run lead there. */
static int bind_again(int fd, struct sockaddr_in address)
{
	struct sockaddr_in again = address;

	again.sin_port = htons((uint16_t)sim.last_port);
	if (!sim.port && sim.last_port && bind(fd, (struct sockaddr *)&again, sizeof(again)) == 0)
		return 0;
	return bind(fd, (struct sockaddr *)&address, sizeof(address));
}

/* Our own socket, so that the address is known before the first request can come in. */
static int listen_on_loopback(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)sim.port)};
	socklen_t length = sizeof(address);
	int yes = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
		bind_again(fd, address) < 0 || listen(fd, 1024) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
		int error = -errno;

		(void)close(fd); /* never used */
		return error;
	}
	sim.port = ntohs(address.sin_port);
	(void)snprintf(sim.base, sizeof(sim.base), "http://127.0.0.1:%d", sim.port);
	return fd;
}

/* As many connections as SIM_CONNECTIONS says, where the system lets us. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* else fewer */
}

/* Without libmicrohttpd's own error log: it reports every connection a rule breaks on purpose. */
static int http_start(int fd)
{
	http = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
		NULL, handle, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK,
		exchange_begin, NULL, MHD_OPTION_NOTIFY_COMPLETED, exchange_end, NULL,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)SIM_CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)SIM_IDLE_SECONDS, MHD_OPTION_END);
	if (http)
		return 0;
	(void)close(fd); /* never used */
	return errno ? -errno : -EIO;
}

int server_start(void)
{
	int error = park_start();
	int fd;

	raise_descriptor_limit();
	if (!error) {
		fd = listen_on_loopback();
		error = fd < 0 ? fd : http_start(fd);
		if (error)
			park_stop();
	}
	if (error)
		(void)fprintf(stderr, "kinofs-sim: cannot listen on port %d: %s\n", sim.port,
			strerror(-error));
	return error ? -1 : 0;
}

void server_stop(void)
{
	park_stop(); /* first: libmicrohttpd must not stop over suspended connections */
	MHD_stop_daemon(http);
}
