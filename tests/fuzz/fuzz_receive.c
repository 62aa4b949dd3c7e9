/*
 * fuzz_receive.c - any headers and any body of an answer, into memory or behind the part of a file.
 * The first byte picks the status, the second what was asked for. Then lines "Name: value", an
 * empty line, the body. What libcurl would say of them is said here.
 */
#define CURL_DISABLE_TYPECHECK
#include "fs/net/receive.h"

#include "fs/base/cleanup.h"
#include "fs/base/limits.h"
#include "tests/fuzz/fuzz_folder.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

#undef curl_easy_getinfo

#define LINES_MAX 16
#define CHUNK     700

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *line[LINES_MAX];
static int lines;
static long status;

static const char *value_of(const char *name)
{
	for (int i = 0; i < lines; i++) {
		size_t length = strlen(name);

		if (!strncasecmp(line[i], name, length) && line[i][length] == ':')
			return line[i] + length + 1 + strspn(line[i] + length + 1, " \t");
	}
	return NULL;
}

CURLHcode curl_easy_header(CURL *easy, const char *name, size_t at, unsigned int origin,
	int request, struct curl_header **found)
{
	static struct curl_header header;

	(void)easy, (void)at, (void)origin, (void)request;
	header.value = (char *)(uintptr_t)value_of(name);
	*found = &header;
	return header.value ? CURLHE_OK : CURLHE_MISSING;
}

CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	const char *value;
	va_list more;
	void *to;

	(void)easy;
	va_start(more, info);
	to = va_arg(more, void *);
	va_end(more);
	switch (info) {
	case CURLINFO_RESPONSE_CODE: *(long *)to = status; break;
	case CURLINFO_CONTENT_TYPE: *(const char **)to = value_of("Content-Type"); break;
	case CURLINFO_RETRY_AFTER:
		value = value_of("Retry-After");
		*(curl_off_t *)to = value ? strtoll(value, NULL, 10) : 0;
		break;
	case CURLINFO_CONTENT_LENGTH_DOWNLOAD_T:
		value = value_of("Content-Length");
		*(curl_off_t *)to = value && *value != '-' ? strtoll(value, NULL, 10) : -1;
		break;
	default: break;
	}
	return CURLE_OK;
}

static void take_lines(char *text, size_t *at, size_t size)
{
	lines = 0;
	while (*at < size) {
		char *end = memchr(text + *at, '\n', size - *at);
		size_t length = end ? (size_t)(end - text) - *at : size - *at;

		text[*at + length] = '\0';
		if (length && lines < LINES_MAX)
			line[lines++] = text + *at;
		*at += length + 1;
		if (!length)
			break;
	}
	*at = *at < size ? *at : size;
}

static void check(const struct http_transfer *transfer, const struct http_reply *reply)
{
	off_t end = transfer->sink_fd < 0 ? 0 : lseek(transfer->sink_fd, 0, SEEK_END);

	demand(reply->status == status && reply->body && reply->body[reply->body_bytes] == '\0');
	demand(reply->retry_after_ms == -1 ||
		(reply->retry_after_ms > 0 && reply->retry_after_ms <= 86400 * 1000LL));
	demand(strlen(reply->content_type) < sizeof(reply->content_type));
	demand(reply->result == CURLE_OK || reply->error[0]);
	if (transfer->goes == ANSWER_TO_SINK && reply->result == CURLE_OK) {
		demand(end == transfer->sink_start + reply->received);
		demand(status == 206 ? transfer->sink_start == transfer->resume_at
				     : transfer->sink_start == 0);
		demand(end <= transfer->sink_limit);
	}
	if (transfer->goes != ANSWER_TO_SINK) /* what is there of the file stays */
		demand(transfer->sink_fd < 0 || end == transfer->resume_at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const long all[] = {200, 206, 206, 200, 416, 404, 429, 302, 500, 204};
	AUTO_FREE char *text = malloc(size + 1);
	struct http_transfer transfer = {.form_fd = -1, .sink_fd = -1, .sent = true};
	struct http_reply reply;
	CURLcode result = CURLE_OK;
	size_t at = 2;

	if (size < 2)
		return 0;
	demand(text != NULL);
	memcpy(text, data, size);
	status = all[data[0] % (sizeof(all) / sizeof(*all))];
	if (data[1] & 1) {
		transfer.sink_fd = memfd_create("part", MFD_CLOEXEC);
		transfer.resume_at = data[1] & 2 ? data[1] >> 2 : 0;
		transfer.sink_limit = transfer.resume_at + 1 + 40 * (data[1] >> 4);
		demand(transfer.sink_fd >= 0 &&
			ftruncate(transfer.sink_fd, transfer.resume_at) == 0);
	}
	take_lines(text, &at, size);
	for (size_t count; at < size && result == CURLE_OK; at += count) {
		count = size - at < CHUNK ? size - at : CHUNK;
		if (receive_bytes(text + at, 1, count, &transfer) != count)
			result = CURLE_WRITE_ERROR;
	}
	receive_reply(&transfer, result, &reply);
	check(&transfer, &reply);
	free(transfer.memory);
	if (transfer.sink_fd >= 0)
		(void)close(transfer.sink_fd);
	return 0;
}
