#include "fs/net/http.h"

#include "fs/base/cleanup.h"
#include "fs/base/digest.h"
#include "fs/base/log.h"
#include "fs/net/parts.h"
#include "fs/net/receive.h"
#include "fs/net/request.h"

#include <limits.h>
#include <string.h>
#include <time.h>

/* What waits for a connection waits inside libcurl, in order. Idle connections are kept for the
 * next poll, but few: a quiet kinofs is a small one. */
#define CONNECTIONS_PER_HOST 64L  /* all that the engine does with one provider at once */
#define CONNECTIONS_TOTAL    128L /* so one that is slow leaves the other its own */
#define CONNECTIONS_IDLE     8L

struct http {
	CURLM *multi;
	LIST_HEAD(, http_transfer) transfers;
};

static void transfer_free(struct http_transfer *transfer)
{
	curl_easy_cleanup(transfer->easy); /* first: it refers to all the rest */
	curl_mime_free(transfer->form);
	for (struct curl_slist *line = transfer->headers; line; line = line->next)
		explicit_bzero(line->data, strlen(line->data)); /* one of them holds the key */
	curl_slist_free_all(transfer->headers);
	cleanup_fd(&transfer->form_fd);
	cleanup_fd(&transfer->sink_fd);
	free(transfer->body);
	parts_free(transfer->parts);
	digest_end(transfer->form_digest, NULL);
	free(transfer->memory);
	free(transfer);
}

/* Takes a transfer away from libcurl and from us; a result libcurl has queued for it is dropped. */
static void detach(struct http *http, struct http_transfer *transfer)
{
	CURLMcode failed = curl_multi_remove_handle(http->multi, transfer->easy);

	if (failed)
		log_error("http: removing a transfer: %s", curl_multi_strerror(failed));
	LIST_REMOVE(transfer, entry);
}

struct http *http_new(void)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return NULL;
	http->multi = curl_multi_init();
	if (!http->multi ||
		curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_TOTAL) ||
		curl_multi_setopt(
			http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, CONNECTIONS_PER_HOST) ||
		curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_IDLE)) {
		http_free(http);
		return NULL;
	}
	return http;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	while (!LIST_EMPTY(&http->transfers))
		http_cancel(http, LIST_FIRST(&http->transfers));
	(void)curl_multi_cleanup(http->multi); /* fails only for what is no handle */
	free(http);
}

int http_start(struct http *http, struct http_request *request, http_done *done, void *context,
	struct http_transfer **transfer)
{
	int error = request_check(request);
	struct http_transfer *made = error < 0 ? NULL : calloc(1, sizeof(*made));

	if (!made) {
		http_drop_body(request);
		return error < 0 ? error : -ENOMEM;
	}
	made->form_fd = made->sink_fd = -1;
	made->done = done;
	made->context = context;
	made->body = TAKE(request->body);
	if (request->part && !(made->parts = parts_new(TAKE(request->part), request->parts)))
		error = -ENOMEM;
	if (error == 0)
		error = request_prepare(made, request);
	if (error == 0 && curl_multi_add_handle(http->multi, made->easy))
		error = -ENOMEM;
	if (error < 0) {
		transfer_free(made);
		return error;
	}
	LIST_INSERT_HEAD(&http->transfers, made, entry);
	*transfer = made;
	return 0;
}

void http_cancel(struct http *http, struct http_transfer *transfer)
{
	detach(http, transfer);
	transfer_free(transfer);
}

static void finish(struct http *http, struct http_transfer *transfer, CURLcode result)
{
	struct http_reply reply;

	receive_reply(transfer, result, &reply);
	detach(http, transfer);
	transfer->done(transfer->context, &reply);
	transfer_free(transfer);
}

/* Calls back what has ended, one at a time: a callback may start and cancel transfers, and the
 * queue it changes is libcurl's. What it starts cannot end before the next perform(). */
static bool deliver(struct http *http)
{
	struct http_transfer *transfer;
	bool any = false;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		transfer = NULL;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		finish(http, transfer, message->data.result);
		any = true;
	}
	return any;
}

static bool perform(struct http *http)
{
	int running;
	CURLMcode failed = curl_multi_perform(http->multi, &running);

	if (failed)
		log_error("http: %s", curl_multi_strerror(failed));
	return deliver(http);
}

void http_run(struct http *http, int64_t wait_ms)
{
	static const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
	int wait = wait_ms < 0 || wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
	CURLMcode failed;

	if (perform(http))
		return;
	failed = curl_multi_poll(http->multi, NULL, 0, wait, NULL);
	if (failed) { /* no memory or descriptors: the caller's loop must not spin on that */
		log_error("http: waiting: %s", curl_multi_strerror(failed));
		(void)nanosleep(&pause, NULL);
	}
	(void)perform(http);
}

void http_wake(struct http *http)
{
	/* fails only once its socket is gone; and the publisher must not log (publish.c) */
	(void)curl_multi_wakeup(http->multi);
}
