/* api.h - the handlers behind each path, and each API's own way to say an error. */
#ifndef KINOFS_CONTRIB_SIMULATOR_API_H
#define KINOFS_CONTRIB_SIMULATOR_API_H

#include "contrib/simulator/request.h"

/* How a fault of a rule is worded. Both fill the whole reply. */
struct api {
	void (*http)(struct reply *reply, int status);
	void (*code)(struct reply *reply, const struct fault *fault);
};

extern const struct api kie_api, upload_api, ppinfra_api, result_api;

/* kie.ai's envelope {code, msg, data}; takes data, NULL: null. */
void kie_say(struct reply *reply, int code, const char *text, cJSON *data);
/* Whether the request has a key; otherwise it has its answer. */
bool kie_is_allowed(struct request *request);
#define KIE_UNKNOWN_MODEL                                                                          \
	"The model name you specified is not supported. Please verify your input and use one of "  \
	"the supported models provided by KIE."

void kie_create(struct request *request);
void kie_poll(struct request *request);
void kie_credit(struct request *request);
void kie_fresh_link(struct request *request);
void kie_unknown_path(struct request *request, int status); /* 404 or 405 */

void ppinfra_create(struct request *request);
void ppinfra_poll(struct request *request);
void ppinfra_user(struct request *request);
void ppinfra_unknown_path(struct request *request, int status);

void upload_stream(struct request *request);
void upload_base64(struct request *request);
void upload_url(struct request *request);
void upload_get(struct request *request);
/* The uploaded file behind a link of ours, NULL: there is none. The table keeps its reference. */
struct picture *upload_find(const char *url);
bool upload_is_ours(const char *url);
/* A second one to the same path replaces the first. Keeps a reference; false: no memory. */
bool upload_keep(const char *path, struct picture *picture);
void upload_free(void);

void result_get(struct request *request);
/* Path of a task's result of this number on disk; malloc'ed. */
char *result_path(const struct task *task, size_t number);
/* A link to it, malloc'ed. seconds > 0: looks presigned and stops working then. */
char *result_link(const struct task *task, size_t number, int seconds);
/* The task behind a path or link of ours, or NULL; ret_number may be NULL. */
struct task *result_task(const char *path, size_t *ret_number);

void control_stats(struct request *request);
void control_tasks(struct request *request);
void control_faults(struct request *request);
void control_count(enum fault_on kind); /* one more request of this kind, FAULT_ONS: other */
void control_accepted(void);            /* one more task created */

/* What both providers do alike once a request has been checked. */
enum refusal {
	ACCEPTED,
	NO_BALANCE,
	PICTURE_MISSING, /* a link of ours that leads nowhere */
	PICTURE_TYPE,
	PICTURE_SIZE,
	TASK_MISSING,
	NO_ROOM,
	REFUSALS,
};

/* Takes param. Files may have up to limit bytes where their field does not say. *ret_task only when
 * ACCEPTED. */
enum refusal create_task(const struct job *job, size_t limit, char *param, struct task **ret_task);

void log_open(void);                       /* exits when the file cannot be opened */
void log_request(struct request *request); /* once for each request, before it is answered */
void log_close(void);

/* route.c: decides and fills the reply. */
void route_serve(struct request *request);

#endif
