/*
 * transfer.h - one request on its way, between the parts of the HTTP client:
 * http.c owns it, request.c gives it to libcurl, receive.c takes in the answer.
 * Private to fs/net; engine thread only.
 */
#ifndef KINOFS_NET_TRANSFER_H
#define KINOFS_NET_TRANSFER_H

#include "fs/net/http.h"

#include <sys/queue.h>

enum answer_goes {
	ANSWER_UNDECIDED, /* nothing of the final answer's body has come yet */
	ANSWER_TO_MEMORY,
	ANSWER_TO_SINK, /* status 200 or 206, and a sink to write to */
};

struct http_transfer {
	LIST_ENTRY(http_transfer) entry; /* in struct http */
	http_done *done;
	http_begin *begin;
	void *context;

	CURL *easy;
	struct curl_slist *headers;
	curl_mime *form;
	char *body;
	struct parts *parts;
	struct digest *form_digest;
	char form_sha256[65]; /* "": any */
	int form_fd, sink_fd; /* ours; -1: none */
	int64_t form_bytes, form_at;
	int64_t resume_at, sink_limit;
	bool once, sent, unfinished;

	enum answer_goes goes;
	char *memory; /* NUL-terminated once there is a byte */
	size_t memory_bytes, memory_space;
	int64_t answer_bytes; /* of a body that goes to memory, also of what was not kept */
	int64_t sink_start;   /* where in the sink this transfer began */
	int64_t received;     /* bytes written from there */
	int local_error;      /* of CURLE_WRITE_ERROR: -errno */
	CURLcode fault;       /* why we ended it ourselves; CURLE_OK: we did not */
	char fault_words[160];
	char error[CURL_ERROR_SIZE];
};

#endif
