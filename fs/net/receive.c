/* receive.c - the answer: into memory, or into a file that may be half there already. */
#include "fs/net/receive.h"

#include "fs/base/cleanup.h"
#include "fs/base/limits.h"
#include "fs/net/secret.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define VALIDATOR_CHARS  255
#define ERROR_PAGE_BYTES 4096  /* kept of an answer that should have been a file */
#define RETRY_AFTER_MAX  86400 /* s; a server's slip must not park a job for years */

static size_t refuse(struct http_transfer *transfer, CURLcode fault, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Ends the transfer for a reason of ours, which the reply gives in place of libcurl's. */
static size_t refuse(struct http_transfer *transfer, CURLcode fault, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(transfer->fault_words, sizeof(transfer->fault_words), format, arguments);
	va_end(arguments);
	transfer->fault = fault;
	return CURL_WRITEFUNC_ERROR;
}

static const char *header(const struct http_transfer *transfer, const char *name)
{
	struct curl_header *found;

	if (curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1, &found))
		return NULL;
	return found->value;
}

static long status_of(const struct http_transfer *transfer)
{
	long status = 0;

	/* before our request is out, the status would be a proxy's answer to CONNECT */
	if (transfer->sent)
		(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static int64_t number_or_unknown(const char *text)
{
	return isdigit((unsigned char)*text) ? strtoll(text, NULL, 10) : -1;
}

/* "bytes 5-9/100", "bytes 5-9/" followed by "*", "bytes " followed by "*" and "/100" (RFC 9110,
 * 14.4). What is not said is -1. */
static void read_content_range(const struct http_transfer *transfer, int64_t *start, int64_t *total)
{
	const char *range = header(transfer, "Content-Range");
	const char *slash;

	*start = *total = -1;
	if (!range || strncasecmp(range, "bytes", 5) != 0)
		return;
	range += 5 + strspn(range + 5, " \t");
	*start = number_or_unknown(range);
	slash = strchr(range, '/');
	if (slash)
		*total = number_or_unknown(slash + 1);
}

static int64_t content_length(const struct http_transfer *transfer)
{
	curl_off_t length = -1;
	int64_t start, total;

	read_content_range(transfer, &start, &total);
	if (total >= 0 || status_of(transfer) == 206)
		return total;
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	return length;
}

/* What can be compared byte by byte, and goes into a header again. */
static bool is_plain(const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return length > 0 && length <= VALIDATOR_CHARS;
}

/* A file may change twice in the second that its time is told in (RFC 9110, 8.8.2.2). */
static bool is_old(const char *modified, const char *date)
{
	time_t then = modified ? curl_getdate(modified, NULL) : -1;
	time_t now = date ? curl_getdate(date, NULL) : -1;

	return then >= 0 && now >= 0 && now - then >= 60;
}

static const char *validator_of(const struct http_transfer *transfer)
{
	const char *tag = header(transfer, "ETag"), *modified;

	if (tag && *tag == '"' && is_plain(tag)) /* a weak one begins with W/ */
		return tag;
	modified = header(transfer, "Last-Modified");
	return is_old(modified, header(transfer, "Date")) && is_plain(modified) ? modified : NULL;
}

static int64_t sink_limit(const struct http_transfer *transfer)
{
	return transfer->sink_limit > 0 ? transfer->sink_limit : LIMIT_VIDEO_BYTES;
}

static size_t too_large(struct http_transfer *transfer, int64_t limit)
{
	return refuse(transfer, CURLE_FILESIZE_EXCEEDED,
		"The answer is larger than the %lld bytes allowed.", (long long)limit);
}

static size_t cannot_write(struct http_transfer *transfer, int error)
{
	transfer->local_error = -error;
	return refuse(
		transfer, CURLE_WRITE_ERROR, "Writing the local file failed: %s.", strerror(error));
}

static bool refused_by_owner(struct http_transfer *transfer)
{
	const struct http_file file = {.start = transfer->sink_start,
		.length = content_length(transfer),
		.validator = validator_of(transfer)};

	if (transfer->begin)
		transfer->local_error = transfer->begin(transfer->context, &file);
	return transfer->local_error < 0;
}

/* 206 goes on where we asked it to or is refused: bytes in the wrong place make a broken file. */
static size_t open_sink(struct http_transfer *transfer, long status)
{
	int64_t start, total;
	struct stat info;

	read_content_range(transfer, &start, &total);
	if (status == 206 && (start != transfer->resume_at || (total >= 0 && start > total)))
		return refuse(transfer, CURLE_RANGE_ERROR,
			"The server sent another part of the file than was asked for.");
	if (content_length(transfer) > sink_limit(transfer))
		return too_large(transfer, sink_limit(transfer));
	transfer->sink_start = status == 206 ? start : 0;
	if (refused_by_owner(transfer))
		return refuse(transfer, CURLE_WRITE_ERROR, "The file was not wanted: %s.",
			strerror(-transfer->local_error));
	/* not to the size it has: that gives back the room its owner has just taken behind it */
	if (fstat(transfer->sink_fd, &info) < 0 ||
		(info.st_size != transfer->sink_start &&
			ftruncate(transfer->sink_fd, transfer->sink_start) < 0))
		return cannot_write(transfer, errno);
	return 0;
}

/* Redirects' bodies never come here, so this first byte belongs to the final answer. */
static size_t decide(struct http_transfer *transfer)
{
	long status = status_of(transfer);

	if (transfer->sink_fd < 0 || (status != 200 && status != 206)) {
		transfer->goes = ANSWER_TO_MEMORY;
		return 0;
	}
	transfer->goes = ANSWER_TO_SINK;
	return open_sink(transfer, status);
}

static size_t write_sink(struct http_transfer *transfer, const char *bytes, size_t count)
{
	size_t done = 0;
	ssize_t wrote;

	if ((int64_t)count > sink_limit(transfer) - transfer->sink_start - transfer->received)
		return too_large(transfer, sink_limit(transfer));
	while (done < count) {
		wrote = pwrite(transfer->sink_fd, bytes + done, count - done,
			transfer->sink_start + transfer->received);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return cannot_write(transfer, wrote < 0 ? errno : ENOSPC);
		done += (size_t)wrote;
		transfer->received += wrote;
	}
	return count;
}

static bool make_room(struct http_transfer *transfer, size_t more)
{
	size_t need = transfer->memory_bytes + more + 1;
	size_t space = transfer->memory_space ? transfer->memory_space : 1024;
	char *grown;

	if (need <= transfer->memory_space)
		return true;
	while (space < need)
		space *= 2;
	grown = realloc(transfer->memory, space);
	if (!grown)
		return false;
	transfer->memory = grown;
	transfer->memory_space = space;
	return true;
}

static size_t keep_in_memory(struct http_transfer *transfer, const char *bytes, size_t count)
{
	size_t limit = transfer->sink_fd < 0 ? LIMIT_REPLY_BYTES : ERROR_PAGE_BYTES;
	size_t room = limit - transfer->memory_bytes;
	size_t kept = count < room ? count : room;

	transfer->answer_bytes += (int64_t)count;
	if (transfer->answer_bytes > LIMIT_REPLY_BYTES)
		return too_large(transfer, LIMIT_REPLY_BYTES);
	if (!make_room(transfer, kept))
		return refuse(transfer, CURLE_OUT_OF_MEMORY, "No memory for the answer.");
	memcpy(transfer->memory + transfer->memory_bytes, bytes, kept);
	transfer->memory_bytes += kept;
	transfer->memory[transfer->memory_bytes] = '\0';
	return count;
}

size_t receive_bytes(char *bytes, size_t size, size_t count, void *context)
{
	struct http_transfer *transfer = context;

	if (transfer->goes == ANSWER_UNDECIDED && decide(transfer) != 0)
		return CURL_WRITEFUNC_ERROR;
	if (transfer->goes == ANSWER_TO_SINK)
		return write_sink(transfer, bytes, size * count);
	return keep_in_memory(transfer, bytes, size * count);
}

static void read_content_type(const struct http_transfer *transfer, char *type, size_t space)
{
	const char *said = NULL;
	size_t length = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &said);
	if (!said)
		said = "";
	for (; length + 1 < space && said[length] && !strchr("; \t", said[length]); length++)
		type[length] = (char)tolower((unsigned char)said[length]);
	type[length] = '\0';
}

/* libcurl gives seconds for both forms of the header, 0 for none and negative ones for the past. */
static int64_t retry_after_ms(const struct http_transfer *transfer)
{
	curl_off_t seconds = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds <= 0)
		return -1;
	return (seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX) * 1000;
}

static bool is_end_marked(const struct http_transfer *transfer)
{
	long version = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
	return version >= CURL_HTTP_VERSION_2_0 || header(transfer, "Content-Length") ||
	       header(transfer, "Transfer-Encoding");
}

static const char *error_words(const struct http_transfer *transfer, CURLcode result)
{
	if (result == CURLE_OK)
		return "";
	if (transfer->fault)
		return transfer->fault_words;
	return transfer->error[0] ? transfer->error : curl_easy_strerror(result);
}

#define BEARER "Authorization: Bearer "

/* The key that went with the request; NULL: none. */
static const char *bearer_of(const struct http_transfer *transfer)
{
	const struct curl_slist *line = transfer->headers;

	while (line && strncmp(line->data, BEARER, strlen(BEARER)) != 0)
		line = line->next;
	return line ? line->data + strlen(BEARER) : NULL;
}

void receive_reply(struct http_transfer *transfer, CURLcode result, struct http_reply *reply)
{
	if (result == CURLE_OK && transfer->goes == ANSWER_UNDECIDED)
		(void)decide(transfer); /* an empty file; what goes wrong is in fault */
	if (transfer->fault)
		result = transfer->fault;
	*reply = (struct http_reply){
		.result = result,
		.error = error_words(transfer, result),
		.sent = transfer->sent,
		.unfinished = transfer->unfinished,
		.status = status_of(transfer),
		.body = transfer->memory ? transfer->memory : "",
		.body_bytes = transfer->memory_bytes,
		.secret = bearer_of(transfer),
		.content_length = content_length(transfer),
		.received = transfer->received,
		.local_error = transfer->local_error,
		.end_marked = result == CURLE_OK && is_end_marked(transfer),
		.resumed = transfer->goes == ANSWER_TO_SINK && transfer->sink_start > 0,
		.retry_after_ms = retry_after_ms(transfer),
	};
	secret_hide(transfer->memory, transfer->memory_bytes, reply->secret);
	read_content_type(transfer, reply->content_type, sizeof(reply->content_type));
}
