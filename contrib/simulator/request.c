/* request.c - reading a request, filling a reply. */
#include "contrib/simulator/request.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

const char *request_header(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *request_argument(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *request_string(const struct request *request, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(request->json, key));
}

const char *request_key(const struct request *request, bool accept_bare)
{
	const char *key = request_header(request, MHD_HTTP_HEADER_AUTHORIZATION);

	if (!key)
		return NULL;
	if (!strncasecmp(key, "Bearer ", 7))
		key += 7;
	else if (!accept_bare)
		return NULL;
	key += strspn(key, " ");
	return *key && !strcasestr(key, "invalid") ? key : NULL;
}

static void reply_clear(struct reply *reply)
{
	free(reply->body);
	reply->body = NULL;
	reply->length = 0;
	if (reply->file >= 0)
		(void)close(reply->file); /* only read */
	reply->file = -1;
	for (size_t i = 0; i < REPLY_HEADERS; i++) {
		free(reply->headers[i].value);
		reply->headers[i].value = NULL;
	}
}

void request_free(struct request *request)
{
	reply_clear(&request->reply);
	cJSON_Delete(request->json);
	cJSON_Delete(request->body_log);
	free(request->target);
	free(request->method);
	free(request->path);
	free(request->body);
	free(request);
}

void reply_bytes(struct reply *reply, void *bytes, size_t count)
{
	reply_clear(reply);
	reply->body = bytes;
	reply->length = bytes ? count : 0;
}

void reply_text(struct reply *reply, int status, const char *type, const char *text)
{
	reply_bytes(reply, strdup(text), strlen(text));
	reply->status = status;
	reply->code = -1;
	reply->type = type;
}

void reply_json(struct reply *reply, int status, int code, cJSON *value)
{
	char *text = cJSON_PrintUnformatted(value);

	cJSON_Delete(value);
	reply_bytes(reply, text, text ? strlen(text) : 0);
	reply->status = text ? status : 500;
	reply->code = code;
	reply->type = "application/json";
}

void reply_file(struct reply *reply, const char *path, const char *type)
{
	struct stat about;

	reply_clear(reply);
	reply->file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (reply->file < 0 || fstat(reply->file, &about) < 0) {
		reply_text(reply, 404, "text/plain", "no such file\n");
		return;
	}
	reply->status = 200;
	reply->code = -1;
	reply->type = type;
	reply->length = (size_t)about.st_size;
}

void reply_header(struct reply *reply, const char *name, const char *value)
{
	for (size_t i = 0; i < REPLY_HEADERS; i++) {
		if (reply->headers[i].value)
			continue;
		reply->headers[i].name = name;
		reply->headers[i].value = strdup(value);
		return;
	}
}
