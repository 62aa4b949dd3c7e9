/*
 * http.h - HTTP over libcurl's multi interface. One thread, the engine, owns a
 * struct http and every transfer in it; only http_wake() may be called from
 * another thread.
 *
 * Money rule (fs/README.md 2, invariant 1): libcurl re-sends a request by
 * itself when a reused connection dies before the first byte of the answer
 * (Curl_retry_request), even a POST. A request with `once` set therefore runs on a fresh
 * connection, with no redirect and no Expect: 100-continue, so it goes on
 * the wire at most once.
 */
#ifndef KINOFS_NET_HTTP_H
#define KINOFS_NET_HTTP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http;
struct http_transfer;

/* A field of a form beside its file. */
struct http_field {
	const char *name, *value;
};

/* What to send. All strings are copied by http_start(), but for body, which is taken over and
 * freed whatever it returns. */
struct http_request {
	const char *url;
	const char *bearer; /* sent as "Authorization: Bearer …"; NULL: none (result links) */
	const char *content_type; /* of body; NULL: application/json */
	char *body;               /* POST it; NULL: GET, or a form. Freed by http. */
	size_t body_bytes;
	/* a multipart POST: these fields, then this file as "file"; form_fd is duplicated */
	int form_fd; /* -1: no form */
	const char *form_file_name, *form_mime;
	const struct http_field *form_field; /* form_fields of them, copied */
	size_t form_fields;
	/* where the answer goes: memory up to LIMIT_REPLY_BYTES, or, of a 200 or 206, a file */
	int sink_fd;        /* -1: memory; else written at resume_at, duplicated */
	int64_t resume_at;  /* >0: ask for the rest with Range */
	int64_t sink_limit; /* bytes allowed in the file; 0: LIMIT_VIDEO_BYTES */
	bool once;          /* never on the wire twice: createTask */
	bool follow;        /* follow up to 5 redirects, http(s) only; never with a bearer */
	int64_t timeout_ms; /* of the whole exchange; 0: none, but a stall of 60 s ends it */
};

/* What came. Valid during the callback only. */
struct http_reply {
	CURLcode result;   /* CURLE_OK: an answer was read whole. CURLE_FILESIZE_EXCEEDED: over its
	                      limit; CURLE_WRITE_ERROR: the local file; CURLE_RANGE_ERROR: not the
	                      bytes asked for */
	const char *error; /* curl's words for result, "" when CURLE_OK */
	bool sent;         /* a byte of the request may have reached the server */
	long status;       /* 0: no answer */
	const char *body; /* NUL-terminated; with a file sink the start of an error page, else "" */
	size_t body_bytes;
	char content_type[128]; /* lower case, without parameters; "" when absent */
	int64_t content_length; /* of the whole resource (Content-Range counts); -1: not said */
	int64_t received;       /* bytes written to the sink by this transfer */
	bool resumed;           /* 206: the bytes were appended at resume_at; else written from 0 */
	int64_t retry_after_ms; /* -1: none; Retry-After in seconds or as a date */
};

typedef void http_done(void *context, const struct http_reply *reply);

/* NULL: no memory. curl_global_init() must have been called (after fork, before threads). */
struct http *http_new(void);
/* Ends every transfer without calling back. */
void http_free(struct http *http);

/* Starts a transfer; done is called once from http_run(), never from inside http_start().
 * There are at most 32 connections, 24 to one host. Further transfers wait in the order they were
 * started, and cost some 13 KB each; a caller with thousands should keep them back,
 * and so decide itself what goes first.
 * 0, -ENOMEM, -errno of duplicating a descriptor, or -EINVAL: for a URL that is not http(s), plain
 * http to anything but loopback when a bearer goes with it, `follow` with a bearer or `once`, a
 * control character in what becomes a header. */
int http_start(struct http *http, struct http_request *request, http_done *done, void *context,
	struct http_transfer **transfer);
/* Ends a transfer without calling back. */
void http_cancel(struct http *http, struct http_transfer *transfer);

/* Works for at most wait_ms (-1: until something happens), calls back what has ended, returns. */
void http_run(struct http *http, int64_t wait_ms);
void http_wake(struct http *http); /* any thread: makes http_run() return */

#endif
