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

/* A file that begins to come, before a byte of it is written. Its validator tells one version of
 * the file from another (RFC 9110, 8.8): a strong ETag, else a Last-Modified that cannot be of two
 * versions; NULL: the server gave none. */
struct http_file {
	int64_t start;  /* where in the sink it goes on; 0: from its beginning */
	int64_t length; /* of the whole file; -1: not said */
	const char *validator;
};

/* Called from http_run(), at most once for a transfer. 0, or -errno: nothing is written, and the
 * reply has it in local_error. */
typedef int http_begin(void *context, const struct http_file *file);

/* A part of a body that is read as it is sent. */
struct http_part {
	char *text;      /* freed by http; NULL: a file, in base64 */
	int64_t bytes;   /* of the text, or of the file */
	int fd;          /* of the file, closed by http; -1 beside a text */
	char sha256[65]; /* of the file, which is not empty: with other bytes the request is broken
	                    off (unfinished) */
};

/* What to send. All strings are copied by http_start(), but for body and part, which are taken over
 * and freed whatever it returns. */
struct http_request {
	const char *url;
	const char *bearer; /* sent as "Authorization: Bearer …"; NULL: none (result links) */
	const char *content_type; /* of body; NULL: application/json */
	char *body;               /* POST it; NULL: GET, or a form. Freed by http. */
	size_t body_bytes;
	struct http_part *part; /* or POST these one after the other, whose length is promised */
	size_t parts;
	/* a multipart POST: these fields, then this file as "file"; form_fd is duplicated */
	int form_fd; /* -1: no form */
	const char *form_file_name, *form_mime;
	const char *form_sha256; /* of the file; another ends the upload as unfinished. NULL: any */
	const struct http_field *form_field; /* form_fields of them, copied */
	size_t form_fields;
	/* where the answer goes: memory up to LIMIT_REPLY_BYTES, or, of a 200 or 206, a file */
	int sink_fd;           /* -1: memory; else written at resume_at, duplicated */
	int64_t resume_at;     /* >0: ask for the rest with Range */
	const char *validator; /* of what is there, for If-Range; NULL: none */
	http_begin *begin;     /* or NULL: with the context of done */
	int64_t sink_limit;    /* bytes allowed in the file; 0: LIMIT_VIDEO_BYTES */
	bool once;             /* never on the wire twice: createTask */
	bool follow;           /* follow up to 5 redirects, http(s) only; never with a bearer */
	int64_t timeout_ms; /* of the whole exchange; 0: none, but a stall of 60 s ends it, and for
	                       a file less than 1 KiB/s over 60 s does */
};

/* What came. Valid during the callback only. */
struct http_reply {
	CURLcode result;   /* CURLE_OK: an answer was read whole. CURLE_FILESIZE_EXCEEDED: over its
	                      limit; CURLE_WRITE_ERROR: the local file, or begin() refused it;
	                      CURLE_RANGE_ERROR: not the bytes asked for */
	int local_error;   /* of CURLE_WRITE_ERROR: -errno */
	const char *error; /* curl's words for result, "" when CURLE_OK */
	bool sent;         /* a byte of the request may have reached the server */
	bool unfinished;   /* a file of its body could not be read to its end, or was not the one
	                      promised: the last bytes of the request never left */
	long status;       /* 0: no answer */
	const char *body; /* NUL-terminated; with a file sink the start of an error page, else "" */
	size_t body_bytes;
	const char *secret; /* the bearer that was sent, which is shown nowhere: answer_open() hides
	                       it in what it decodes, as the body has it hidden; NULL: none */
	char content_type[128]; /* lower case, without parameters; "" when absent */
	int64_t content_length; /* of the whole resource (Content-Range counts); -1: not said */
	int64_t received;       /* bytes written to the sink by this transfer */
	bool end_marked;        /* the server said where the answer ends: a length that was
	                           reached, a last chunk, a stream of HTTP/2 that was closed. Else
	                           the connection just ended, as a broken one does as well */
	bool resumed;           /* 206: the bytes were appended at resume_at; else written from 0 */
	int64_t retry_after_ms; /* -1: none; Retry-After in seconds or as a date */
};

typedef void http_done(void *context, const struct http_reply *reply);

/* NULL: no memory. curl_global_init() must have been called (after fork, before threads). */
struct http *http_new(void);
/* Ends every transfer without calling back. */
void http_free(struct http *http);

/* Starts a transfer; done is called once from http_run(), never from inside http_start().
 * There are at most 64 connections to one host, as many for each provider. Further transfers wait
 * in the order they were started, and cost some 13 KB each; a caller with thousands should keep
 * them back, and so decide itself what goes first. 0, -ENOMEM, -errno of duplicating a descriptor,
 * -ESTALE: the file of a form that has a digest is empty, or -EINVAL: for a URL that is not
 * http(s), plain http to anything but loopback when a bearer goes with it, `follow` with a bearer
 * or `once`, a control character in what becomes a header. */
int http_start(struct http *http, struct http_request *request, http_done *done, void *context,
	struct http_transfer **transfer);
/* Frees the body of a request that is not started after all. */
void http_drop_body(struct http_request *request);
/* Ends a transfer without calling back. */
void http_cancel(struct http *http, struct http_transfer *transfer);

/* Works for at most wait_ms (-1: until something happens), calls back what has ended, returns. */
void http_run(struct http *http, int64_t wait_ms);
void http_wake(struct http *http); /* any thread: makes http_run() return */

#endif
