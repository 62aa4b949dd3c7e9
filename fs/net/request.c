/*
 * request.c - from a struct http_request to a libcurl handle.
 *
 * What can put one request on the wire twice, in libcurl 7.88.1 (the version
 * of Debian 12), and what stops it for `once`:
 *
 *   Curl_retry_request (lib/transfer.c), called from MSTATE_DO and
 *   MSTATE_PERFORMING of lib/multi.c, starts over
 *     - when a *reused* connection ends before a byte of the answer, POST or
 *       not: CURLOPT_FRESH_CONNECT (lib/url.c: reuse_fresh);
 *     - on REFUSED_STREAM and HTTP_1_1_REQUIRED, both HTTP/2 only:
 *       CURL_HTTP_VERSION_1_1.
 *   Curl_follow is also reached through data->req.newurl, which is set
 *     - by a Location: no CURLOPT_FOLLOWLOCATION;
 *     - by 417 after Expect: 100-continue (lib/http.c): no Expect header;
 *     - by 401 and 407 when libcurl holds credentials and may try another
 *       method with them (lib/http.c, Curl_http_auth_act): it holds none for
 *       the host, the key being a plain header, and for a proxy it may use
 *       Basic only, which goes along at once and is not tried again.
 *   421, 408 and 5xx start nothing. Happy eyeballs races connections, never
 *   requests. A broken CONNECT to a proxy starts over before the request.
 *
 * Whatever a later libcurl adds: every request, also one started over, passes
 * CURLOPT_PREREQFUNCTION just before its first byte is written (MSTATE_DO),
 * and there a second time of a `once` request is refused. The same callback is
 * how `sent` is known: while it has not run, not a byte of the request has
 * left; CURLINFO_REQUEST_SIZE cannot tell, it counts CONNECT as well.
 */
#include "fs/net/request.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/digest.h"
#include "fs/base/format.h"
#include "fs/net/parts.h"
#include "fs/net/receive.h"
#include "fs/net/url.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define CONNECT_SECONDS 20L
#define STALL_SECONDS   60L
#define SLOW_BYTES      1024L /* a second: slower than that a file never comes */
#define REDIRECTS       5L
#define DOWNLOAD_BUFFER (128L * 1024)

struct option {
	CURLoption name;
	long value;
};

/* Some are libcurl's defaults: what safety rests on stands here all the same. */
static const struct option always[] = {
	{CURLOPT_NOSIGNAL, 1L},
	{CURLOPT_SSL_VERIFYPEER, 1L},
	{CURLOPT_SSL_VERIFYHOST, 2L},
	{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
	{CURLOPT_NETRC, CURL_NETRC_IGNORED},
	{CURLOPT_DISALLOW_USERNAME_IN_URL, 1L},
	{CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS},
};

static const struct option when_once[] = {
	{CURLOPT_FRESH_CONNECT, 1L},
	{CURLOPT_FORBID_REUSE, 1L},
	{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
	{CURLOPT_FOLLOWLOCATION, 0L},
};

static const struct option when_following[] = {
	{CURLOPT_FOLLOWLOCATION, 1L},
	{CURLOPT_MAXREDIRS, REDIRECTS},
};

/* Without a deadline of its own a transfer may take hours, but not stand still. */
static const struct option when_unhurried[] = {
	{CURLOPT_LOW_SPEED_LIMIT, 1L},
	{CURLOPT_LOW_SPEED_TIME, STALL_SECONDS},
};

/* A download has its connection to itself anyway. */
static const struct option when_sink[] = {
	{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
	{CURLOPT_BUFFERSIZE, DOWNLOAD_BUFFER},
	{CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES},
	{CURLOPT_LOW_SPEED_TIME, STALL_SECONDS},
};

static int set_options(CURL *easy, const struct option *option, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (curl_easy_setopt(easy, option[i].name, option[i].value))
			return -ENOMEM;
	return 0;
}

static bool fits_header(const char *text)
{
	for (; text && *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text >= 0x7f)
			return false;
	return true;
}

int request_check(const struct http_request *request)
{
	bool form = request->form_fd >= 0;

	if (!request->url || !url_is_http(request->url))
		return -EINVAL;
	if (request->bearer && (!request->bearer[0] || !url_may_carry_key(request->url)))
		return -EINVAL;
	if (request->follow && (request->bearer || request->once))
		return -EINVAL;
	if (form && (request->body || request->part || !request->form_file_name))
		return -EINVAL;
	if (request->body && request->part)
		return -EINVAL;
	if (request->resume_at < 0 || request->sink_limit < 0 || request->timeout_ms < 0 ||
		(request->resume_at > 0 && request->sink_fd < 0))
		return -EINVAL;
	if (!fits_header(request->bearer) || !fits_header(request->content_type) ||
		!fits_header(request->form_mime) || !fits_header(request->validator))
		return -EINVAL;
	return 0;
}

static int on_wire(void *context, char *to, char *from, int to_port, int from_port)
{
	struct http_transfer *transfer = context;

	(void)to, (void)from, (void)to_port, (void)from_port;
	if (transfer->once && transfer->sent)
		return CURL_PREREQFUNC_ABORT;
	transfer->sent = true;
	return CURL_PREREQFUNC_OK;
}

static int add_header(struct http_transfer *transfer, const char *name, const char *value)
{
	AUTO_FREE char *line = format("%s%s", name, value);
	struct curl_slist *longer;

	if (!line)
		return -ENOMEM;
	longer = curl_slist_append(transfer->headers, line);
	explicit_bzero(line, strlen(line)); /* it may hold the key */
	if (!longer)
		return -ENOMEM;
	transfer->headers = longer;
	return 0;
}

static int set_headers(struct http_transfer *transfer, const struct http_request *request)
{
	const char *type = request->content_type ? request->content_type : "application/json";

	if (add_header(transfer, "Expect:", "") < 0) /* none: see the top of this file */
		return -ENOMEM;
	if (request->bearer && add_header(transfer, "Authorization: Bearer ", request->bearer) < 0)
		return -ENOMEM;
	if ((transfer->body || transfer->parts) && add_header(transfer, "Content-Type: ", type) < 0)
		return -ENOMEM;
	if (request->resume_at > 0 && request->validator &&
		add_header(transfer, "If-Range: ", request->validator) < 0)
		return -ENOMEM;
	return curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers) ? -ENOMEM
	                                                                               : 0;
}

/* The request ends here, before its last byte. */
static size_t break_off(struct http_transfer *transfer, const char *why)
{
	transfer->unfinished = true;
	transfer->fault = CURLE_READ_ERROR;
	(void)snprintf(transfer->fault_words, sizeof(transfer->fault_words),
		"Reading a file to send failed: %s.", why);
	return CURL_READFUNC_ABORT;
}

static size_t read_parts(char *buffer, size_t size, size_t count, void *context)
{
	struct http_transfer *transfer = context;
	ssize_t got = parts_read(transfer->parts, buffer, size * count);

	if (got < 0)
		return break_off(transfer, got == -ESTALE ? "it has changed" : strerror((int)-got));
	return (size_t)got;
}

/* What was read is gone, and a body in parts is not sent twice. */
static int seek_nowhere(void *context, curl_off_t offset, int origin)
{
	(void)context, (void)offset, (void)origin;
	return CURL_SEEKFUNC_FAIL;
}

static int set_parts(struct http_transfer *transfer)
{
	curl_off_t bytes = parts_bytes(transfer->parts);
	CURL *easy = transfer->easy;

	if (curl_easy_setopt(easy, CURLOPT_POST, 1L) ||
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, bytes) ||
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_parts) ||
		curl_easy_setopt(easy, CURLOPT_READDATA, transfer) ||
		curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek_nowhere))
		return -ENOMEM;
	return 0;
}

/* Whether the bytes of the file read last, up to its end, are what was promised of it. */
static bool is_promised(struct http_transfer *transfer, const char *bytes, size_t count)
{
	char hex[DIGEST_HEX_BYTES];

	if (!*transfer->form_sha256)
		return true;
	if (!transfer->form_digest)
		transfer->form_digest = digest_begin();
	if (!transfer->form_digest)
		return false;
	digest_add(transfer->form_digest, bytes, count);
	if (transfer->form_at + (int64_t)count < transfer->form_bytes)
		return true;
	digest_end(TAKE(transfer->form_digest), hex);
	return !strcmp(hex, transfer->form_sha256);
}

static size_t read_form_file(char *buffer, size_t size, size_t count, void *context)
{
	struct http_transfer *transfer = context;
	size_t want = size * count;
	ssize_t got;

	if (transfer->form_at >= transfer->form_bytes)
		return 0;
	if ((int64_t)want > transfer->form_bytes - transfer->form_at)
		want = (size_t)(transfer->form_bytes - transfer->form_at);
	got = pread(transfer->form_fd, buffer, want, transfer->form_at);
	/* 0: shorter than the length already promised to the server */
	if (got <= 0)
		return break_off(transfer, got < 0 ? strerror(errno) : "it became shorter");
	if (!is_promised(transfer, buffer, (size_t)got))
		return break_off(transfer, "it has changed");
	transfer->form_at += got;
	return (size_t)got;
}

/* libcurl rewinds when it starts an upload over on another connection. */
static int seek_form_file(void *context, curl_off_t offset, int origin)
{
	struct http_transfer *transfer = context;

	if (origin != SEEK_SET || offset < 0)
		return CURL_SEEKFUNC_FAIL;
	if (offset && *transfer->form_sha256)
		return CURL_SEEKFUNC_FAIL;
	digest_end(TAKE(transfer->form_digest), NULL);
	transfer->form_at = offset;
	return CURL_SEEKFUNC_OK;
}

static int add_field(curl_mime *form, const struct http_field *field)
{
	curl_mimepart *part = curl_mime_addpart(form);

	if (!part || curl_mime_name(part, field->name) ||
		curl_mime_data(part, field->value, CURL_ZERO_TERMINATED))
		return -ENOMEM;
	return 0;
}

/* The file is read as it is sent, so that no picture is held in memory. */
static int set_form(struct http_transfer *transfer, const struct http_request *request)
{
	curl_mimepart *file;
	struct stat status;

	transfer->form_fd = fcntl(request->form_fd, F_DUPFD_CLOEXEC, 3);
	if (transfer->form_fd < 0 || fstat(transfer->form_fd, &status) < 0)
		return -errno;
	if (request->form_sha256 && !status.st_size)
		return -ESTALE; /* nothing of it would be read, and so compared */
	transfer->form_bytes = status.st_size;
	if (request->form_sha256)
		(void)snprintf(transfer->form_sha256, sizeof(transfer->form_sha256), "%s",
			request->form_sha256); /* of this size */
	transfer->form = curl_mime_init(transfer->easy);
	if (!transfer->form)
		return -ENOMEM;
	for (size_t i = 0; i < request->form_fields; i++)
		if (add_field(transfer->form, &request->form_field[i]) < 0)
			return -ENOMEM;
	file = curl_mime_addpart(transfer->form);
	if (!file || curl_mime_name(file, "file") ||
		curl_mime_filename(file, request->form_file_name) ||
		(request->form_mime && curl_mime_type(file, request->form_mime)) ||
		curl_mime_data_cb(file, transfer->form_bytes, read_form_file, seek_form_file, NULL,
			transfer) ||
		curl_easy_setopt(transfer->easy, CURLOPT_MIMEPOST, transfer->form))
		return -ENOMEM;
	return 0;
}

static int set_body(struct http_transfer *transfer, const struct http_request *request)
{
	curl_off_t bytes = (curl_off_t)request->body_bytes;

	if (curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, bytes) ||
		curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, transfer->body))
		return -ENOMEM;
	return 0;
}

static int set_sink(struct http_transfer *transfer, const struct http_request *request)
{
	char rest[32];

	transfer->sink_fd = fcntl(request->sink_fd, F_DUPFD_CLOEXEC, 3);
	if (transfer->sink_fd < 0)
		return -errno;
	/* not CURLOPT_RESUME_FROM: with that libcurl refuses a 200, which starts the file over */
	(void)snprintf(rest, sizeof(rest), "%lld-", (long long)request->resume_at);
	if (request->resume_at > 0 && curl_easy_setopt(transfer->easy, CURLOPT_RANGE, rest))
		return -ENOMEM;
	return set_options(transfer->easy, when_sink, COUNT(when_sink));
}

static int set_transport(CURL *easy, const struct http_request *request)
{
	int error = set_options(easy, always, COUNT(always));

	if (error == 0 && request->once)
		error = set_options(easy, when_once, COUNT(when_once));
	if (error == 0 && request->follow)
		error = set_options(easy, when_following, COUNT(when_following));
	if (error == 0 && request->timeout_ms == 0)
		error = set_options(easy, when_unhurried, COUNT(when_unhurried));
	if (error < 0)
		return error;
	if (curl_easy_setopt(easy, CURLOPT_URL, request->url) ||
		curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") ||
		curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") ||
		curl_easy_setopt(easy, CURLOPT_USERAGENT, "kinofs") ||
		curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms))
		return -ENOMEM;
	/* a key that may only travel inside this machine must not go to $http_proxy instead */
	if (url_is_loopback(request->url) && curl_easy_setopt(easy, CURLOPT_PROXY, ""))
		return -ENOMEM;
	return 0;
}

static int set_callbacks(struct http_transfer *transfer)
{
	CURL *easy = transfer->easy;

	if (curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) ||
		curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error) ||
		curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_wire) ||
		curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer) ||
		curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive_bytes) ||
		curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer))
		return -ENOMEM;
	return 0;
}

int request_prepare(struct http_transfer *transfer, struct http_request *request)
{
	int error;

	transfer->once = request->once;
	transfer->begin = request->begin;
	transfer->resume_at = request->resume_at;
	transfer->sink_limit = request->sink_limit;
	transfer->easy = curl_easy_init();
	if (!transfer->easy)
		return -ENOMEM;
	error = set_callbacks(transfer);
	if (error == 0)
		error = set_transport(transfer->easy, request);
	if (error == 0)
		error = set_headers(transfer, request);
	if (error == 0 && transfer->body)
		error = set_body(transfer, request);
	if (error == 0 && transfer->parts)
		error = set_parts(transfer);
	if (error == 0 && request->form_fd >= 0)
		error = set_form(transfer, request);
	if (error < 0)
		return error;
	if (request->sink_fd >= 0)
		return set_sink(transfer, request);
	/* every coding libcurl can undo; a file is stored as it is on the server */
	return curl_easy_setopt(transfer->easy, CURLOPT_ACCEPT_ENCODING, "") ? -ENOMEM : 0;
}
