/*
 * transfer.h - one request on its way, between the parts of the HTTP client:
 * http.c owns it, request.c gives it to libcurl, receive.c takes in the answer.
 * Private to fs/net; engine thread only.
 */
#ifndef KINOFS_NET_TRANSFER_H
#define KINOFS_NET_TRANSFER_H

#include "fs/net/http.h"

enum answer_goes {
	ANSWER_UNDECIDED, /* nothing of the final answer's body has come yet */
	ANSWER_TO_MEMORY,
	ANSWER_TO_SINK, /* status 200 or 206, and a sink to write to */
};

struct http_transfer {
	struct http_transfer *previous, *next; /* in struct http */
	http_done *done;
	void *context;

	CURL *easy;
	struct curl_slist *headers;
	curl_mime *form;
	char *body;
	int form_fd, sink_fd; /* ours; -1: none */
	int64_t form_bytes, form_at;
	int64_t resume_at, sink_limit;
	bool once, sent;

	enum answer_goes goes;
	char *memory; /* NUL-terminated once there is a byte */
	size_t memory_bytes, memory_space;
	int64_t answer_bytes; /* of a body that goes to memory, also of what was not kept */
	int64_t sink_start;   /* where in the sink this transfer began */
	int64_t received;     /* bytes written from there */
	CURLcode fault;       /* why we ended it ourselves; CURLE_OK: we did not */
	char fault_words[160];
	char error[CURL_ERROR_SIZE];
};

/* Whether the request keeps the rules of http.h: 0 or -EINVAL. */
int request_check(const struct http_request *request);

/* Makes transfer->easy and what it refers to. Before the call, body is set and the descriptors are
 * -1. 0, -ENOMEM, or -errno of a descriptor; after an error the transfer owns what was made. */
int request_prepare(struct http_transfer *transfer, struct http_request *request);

/* libcurl's write callback. */
size_t receive_bytes(char *bytes, size_t size, size_t count, void *transfer);

/* The finished transfer as its owner sees it; points into the transfer. */
void receive_reply(struct http_transfer *transfer, CURLcode result, struct http_reply *reply);

#endif
