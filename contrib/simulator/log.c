/*
 * log.c - the request log: one JSON object a line.
 *
 * A line is written and flushed before the answer leaves, so whoever has an answer also finds its
 * line. Pictures inside a body stand there as size and SHA-256.
 */
#include "contrib/simulator/api.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static FILE *file;

void log_open(void)
{
	if (!sim.log)
		return;
	file = fopen(sim.log, "ae");
	if (file)
		return;
	(void)fprintf(stderr, "kinofs-sim: %s: %s\n", sim.log, strerror(errno));
	exit(1);
}

/* The text of the value shrinks in place. */
static void summarise(cJSON *value, const char *data)
{
	size_t count = 0;
	AUTO_FREE unsigned char *bytes = base64_bytes(data, &count);
	AUTO_FREE char *summary = NULL;
	char sha256[HEX_SHA256];

	if (!bytes)
		count = strlen(data);
	sha256_hex(bytes ? (const void *)bytes : data, count, sha256);
	if (asprintf(&summary, "%.*s<%zu bytes, sha256 %s>", (int)(data - value->valuestring),
		    value->valuestring, count, sha256) < 0)
		return;
	(void)cJSON_SetValuestring(value, summary); /* without memory it stays long */
}

static void shorten(cJSON *value)
{
	const char *text = cJSON_GetStringValue(value);
	const char *data = NULL;

	if (text && !strncasecmp(text, "data:", 5))
		data = strchr(text, ',');
	if (data)
		summarise(value, data + 1);
	else if (text && value->string && !strcmp(value->string, "base64Data"))
		summarise(value, text);
	for (cJSON *member = value ? value->child : NULL; member; member = member->next)
		shorten(member);
}

static cJSON *body_entry(struct request *request)
{
	cJSON *body = request->body_log ? request->body_log : request->json;

	if (body == request->body_log)
		request->body_log = NULL;
	else
		request->json = NULL;
	if (!body)
		return cJSON_CreateNull();
	shorten(body);
	return body;
}

static cJSON *line_build(struct request *request)
{
	const struct reply *reply = &request->reply;
	bool is_dropped = reply->ending == END_RESET || reply->ending == END_STALL;
	const char *query = strchr(request->target, '?');
	const char *range = request_header(request, MHD_HTTP_HEADER_RANGE);
	AUTO_FREE char *path = strndup(request->target, strcspn(request->target, "?"));
	cJSON *line = cJSON_CreateObject();

	cJSON_AddNumberToObject(line, "t", request->received);
	cJSON_AddStringToObject(line, "method", request->method ? request->method : "");
	cJSON_AddStringToObject(line, "path", path ? path : "");
	cJSON_AddStringToObject(line, "query", query ? query + 1 : "");
	cJSON_AddBoolToObject(
		line, "auth", request_header(request, MHD_HTTP_HEADER_AUTHORIZATION) != NULL);
	cJSON_AddItemToObject(line, "body", body_entry(request));
	cJSON_AddNumberToObject(line, "http", is_dropped ? 0 : reply->status);
	cJSON_AddItemToObject(line, "code",
		is_dropped || reply->code < 0 ? cJSON_CreateNull()
					      : cJSON_CreateNumber(reply->code));
	cJSON_AddItemToObject(line, "task",
		request->task ? cJSON_CreateString(request->task->id) : cJSON_CreateNull());
	if (range)
		cJSON_AddStringToObject(line, "range", range);
	return line;
}

void log_request(struct request *request)
{
	AUTO_JSON cJSON *line = NULL;
	AUTO_FREE char *text = NULL;

	if (!file)
		return;
	line = line_build(request);
	text = cJSON_PrintUnformatted(line);
	if (!text || fprintf(file, "%s\n", text) < 0 || fflush(file) != 0)
		(void)fprintf(stderr, "kinofs-sim: %s: cannot write\n", sim.log);
}

void log_close(void)
{
	if (file && fclose(file) != 0)
		(void)fprintf(stderr, "kinofs-sim: %s: %s\n", sim.log, strerror(errno));
	file = NULL;
}
