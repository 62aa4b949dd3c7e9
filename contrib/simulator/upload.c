/*
 * upload.c - kie.ai's upload host (fs/net/API.md 3), and the files it serves.
 *
 * Uploads are known by their path as a client may write it in any percent-encoding: the table
 * holds it decoded. A second upload to the same path replaces the first.
 */
#include "contrib/simulator/api.h"
#include "contrib/simulator/picture.h"
#include "contrib/simulator/state.h"

#include <math.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define FOLDER      "/kieai/sim/"
#define NAME_BYTES  512 /* of uploadPath and of fileName */
#define FORM_BUFFER 65536

struct upload {
	char *path; /* decoded, from the first slash of the URL on */
	struct picture *picture;
};

/* What a client sent, whatever the endpoint. */
struct form {
	char folder[NAME_BYTES];
	char name[NAME_BYTES];
	char sent_name[NAME_BYTES]; /* of the file part itself */
	char *bytes;
	size_t count;
	bool has_file;
	bool is_bad; /* a field too long, or no memory */
};

static void *tree;

static int compare(const void *a, const void *b)
{
	const struct upload *left = a;
	const struct upload *right = b;

	return strcmp(left->path, right->path);
}

/* The path inside a URL of this server, or NULL. */
static const char *own_path(const char *url)
{
	char local[48];
	size_t length = strlen(sim.base);

	(void)snprintf(local, sizeof(local), "http://localhost:%d", sim.port);
	if (!strncmp(url, sim.base, length) && url[length] == '/')
		return url + length;
	length = strlen(local);
	return !strncmp(url, local, length) && url[length] == '/' ? url + length : NULL;
}

bool upload_is_ours(const char *url)
{
	return own_path(url) != NULL;
}

static int compare_path(const void *path, const void *upload)
{
	return strcmp(path, ((const struct upload *)upload)->path);
}

static struct upload *find_path(const char *path)
{
	struct upload **found = tfind(path, &tree, compare_path);

	return found ? *found : NULL;
}

struct picture *upload_find(const char *url)
{
	const char *path = own_path(url);
	AUTO_FREE char *decoded = path ? strndup(path, strcspn(path, "?#")) : NULL;
	struct upload *upload;

	if (!decoded)
		return NULL;
	(void)MHD_http_unescape(decoded);
	upload = find_path(decoded);
	return upload ? upload->picture : NULL;
}

bool upload_keep(const char *path, struct picture *picture)
{
	struct upload *upload = find_path(path);

	if (upload) {
		picture_unref(upload->picture);
		upload->picture = picture_ref(picture);
		return true;
	}
	upload = calloc(1, sizeof(*upload));
	if (!upload)
		return false;
	upload->path = strdup(path);
	upload->picture = picture;
	if (!upload->path || !tsearch(upload, &tree, compare)) {
		free(upload->path);
		free(upload);
		return false;
	}
	(void)picture_ref(picture);
	return true;
}

static void refuse(struct reply *reply, int code, const char *text)
{
	cJSON *body = cJSON_CreateObject();

	cJSON_AddFalseToObject(body, "success");
	cJSON_AddNumberToObject(body, "code", code);
	cJSON_AddStringToObject(body, "msg", text);
	reply_json(reply, 200, code, body);
}

/* RFC 3986: everything but the unreserved characters and the slash. */
static char *encode_path(const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~/";
	char *encoded = NULL;
	size_t size;
	FILE *stream = open_memstream(&encoded, &size);

	if (!stream)
		return NULL;
	for (; *path; path++)
		(void)fprintf(stream, strchr(plain, *path) ? "%c" : "%%%02X", (unsigned char)*path);
	if (fclose(stream) != 0) {
		free(encoded);
		return NULL;
	}
	return encoded;
}

static void iso_time(double now, char text[40])
{
	time_t second = (time_t)now;
	struct tm parts;
	char stamp[24];

	(void)gmtime_r(&second, &parts); /* fails only beyond the year 2^31 */
	(void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &parts);
	(void)snprintf(text, 40, "%s.%03dZ", stamp, (int)((now - floor(now)) * 1000));
}

/* The fields that are on the wire, not those of the quick-start page (fs/net/API.md 3). */
static void say_uploaded(struct reply *reply, const char *path, const struct picture *picture)
{
	AUTO_FREE char *encoded = encode_path(path);
	AUTO_FREE char *url = NULL;
	cJSON *body = cJSON_CreateObject();
	cJSON *data;
	char stamp[40];

	if (!encoded || asprintf(&url, "%s%s", sim.base, encoded) < 0)
		url = NULL;
	iso_time(now_seconds(), stamp);
	cJSON_AddTrueToObject(body, "success");
	cJSON_AddNumberToObject(body, "code", 200);
	cJSON_AddStringToObject(body, "msg", "File uploaded successfully");
	data = cJSON_AddObjectToObject(body, "data");
	cJSON_AddTrueToObject(data, "success");
	cJSON_AddStringToObject(data, "fileName", strrchr(path, '/') + 1);
	cJSON_AddStringToObject(data, "filePath", path + 1);
	cJSON_AddStringToObject(data, "downloadUrl", url ? url : "");
	cJSON_AddNumberToObject(data, "fileSize", (double)picture->bytes);
	cJSON_AddStringToObject(data, "mimeType", picture->mime);
	cJSON_AddStringToObject(data, "uploadedAt", stamp);
	reply_json(reply, 200, 200, body);
	reply_header(reply, "Access-Control-Allow-Origin", "*");
}

/* "no leading/trailing slash" (fs/net/API.md 3); a name is one step, a path has no "..". */
static const char *form_problem(const struct form *form)
{
	size_t length = strlen(form->folder);

	if (form->is_bad)
		return "a field is too long";
	if (!length)
		return "uploadPath is required";
	if (form->folder[0] == '/' || form->folder[length - 1] == '/' || strstr(form->folder, ".."))
		return "uploadPath is invalid";
	if (strchr(form->name, '/') || !strcmp(form->name, "..") || !strcmp(form->name, "."))
		return "fileName is invalid";
	return NULL;
}

/* Without the dot. */
static const char *extension(const struct form *form, const struct picture *picture)
{
	const char *dot = strrchr(form->sent_name, '.');

	if (dot && !strchr(dot, '/'))
		return dot + 1;
	if (!picture->demuxer)
		return "bin";
	return strcmp(picture->mime, "image/jpeg") != 0 ? strrchr(picture->mime, '/') + 1 : "jpg";
}

/* fileName absent: <epochms>-<rand>.<ext> (fs/net/API.md 3). Takes picture. */
static void form_keep(struct request *request, struct form *form, struct picture *picture)
{
	AUTO_FREE char *path = NULL;
	char random[12];

	if (!picture) {
		refuse(&request->reply, 500, "File upload failed");
		return;
	}
	random_hex(random, 11);
	if (!form->name[0])
		(void)snprintf(form->name, sizeof(form->name), "%.0f-%s.%s",
			floor(now_seconds() * 1000), random, extension(form, picture));
	if (asprintf(&path, FOLDER "%s/%s", form->folder, form->name) < 0)
		path = NULL;
	if (path && upload_keep(path, picture)) {
		state_upload(path, picture);
		say_uploaded(&request->reply, path, picture);
	} else {
		refuse(&request->reply, 500, "File upload failed");
	}
	picture_unref(picture);
}

static bool is_allowed(struct request *request)
{
	if (request_key(request, false))
		return true;
	refuse(&request->reply, 401, "Unauthorized");
	return false;
}

static void put_text(struct form *form, char *field, const char *data, uint64_t at, size_t count)
{
	if (at + count >= NAME_BYTES) {
		form->is_bad = true;
		return;
	}
	memcpy(field + at, data, count);
	field[at + count] = '\0';
}

static void put_file(struct form *form, const char *data, size_t count)
{
	char *grown = realloc(form->bytes, form->count + count + 1);

	form->has_file = true;
	if (!grown) {
		form->is_bad = true;
		return;
	}
	form->bytes = grown;
	memcpy(form->bytes + form->count, data, count);
	form->count += count;
}

static enum MHD_Result take_part(void *cls, enum MHD_ValueKind kind, const char *key,
	const char *filename, const char *content_type, const char *transfer_encoding,
	const char *data, uint64_t at, size_t count)
{
	struct form *form = cls;

	(void)kind, (void)content_type, (void)transfer_encoding; /* nothing depends on them */
	if (!strcmp(key, "uploadPath"))
		put_text(form, form->folder, data, at, count);
	else if (!strcmp(key, "fileName"))
		put_text(form, form->name, data, at, count);
	else if (!strcmp(key, "file"))
		put_file(form, data, count);
	if (!strcmp(key, "file") && filename)
		(void)snprintf(form->sent_name, sizeof(form->sent_name), "%s", filename);
	return MHD_YES;
}

/* For the log: the parts by size and digest, the names as they are. */
static cJSON *form_log(const struct form *form)
{
	cJSON *log = cJSON_CreateObject();
	cJSON *file = form->has_file ? cJSON_AddObjectToObject(log, "file") : NULL;
	char sha256[HEX_SHA256];

	if (file) {
		sha256_hex(form->bytes ? form->bytes : "", form->count, sha256);
		cJSON_AddStringToObject(file, "filename", form->sent_name);
		cJSON_AddNumberToObject(file, "bytes", (double)form->count);
		cJSON_AddStringToObject(file, "sha256", sha256);
	}
	cJSON_AddStringToObject(log, "uploadPath", form->folder);
	cJSON_AddStringToObject(log, "fileName", form->name);
	return log;
}

static bool form_read(struct request *request, struct form *form)
{
	struct MHD_PostProcessor *reader =
		MHD_create_post_processor(request->connection, FORM_BUFFER, take_part, form);
	bool is_whole;

	if (!reader)
		return false; /* not a form, or no boundary */
	is_whole = MHD_post_process(reader, request->body ? request->body : "", request->length) ==
	           MHD_YES;
	is_whole &= MHD_destroy_post_processor(reader) == MHD_YES;
	request->body_log = form_log(form);
	return is_whole;
}

void upload_stream(struct request *request)
{
	struct form *form = calloc(1, sizeof(*form));
	const char *problem = NULL;

	if (form && is_allowed(request)) {
		if (!form_read(request, form))
			problem = "the body is not a multipart form";
		else if (!form->has_file)
			problem = "file is required";
		else
			problem = form_problem(form);
		if (problem)
			refuse(&request->reply, 400, problem);
		else
			form_keep(request, form, picture_store(form->bytes, form->count));
	}
	free(form ? form->bytes : NULL);
	free(form);
}

/* The names of a JSON upload; false and an answer when they are not good. */
static bool form_from_json(struct request *request, struct form *form)
{
	const char *folder = request_string(request, "uploadPath");
	const char *name = request_string(request, "fileName");
	const char *problem;

	*form = (struct form){.count = 0};
	if (!is_allowed(request))
		return false;
	if (folder)
		put_text(form, form->folder, folder, 0, strlen(folder));
	if (name)
		put_text(form, form->name, name, 0, strlen(name));
	problem = form_problem(form);
	if (problem)
		refuse(&request->reply, 400, problem);
	return !problem;
}

void upload_base64(struct request *request)
{
	const char *text = request_string(request, "base64Data");
	const char *data = text && !strncasecmp(text, "data:", 5) ? strchr(text, ',') : NULL;
	AUTO_FREE unsigned char *bytes = NULL;
	struct form form;
	size_t count = 0;

	if (!form_from_json(request, &form))
		return;
	if (!text || !*text) {
		refuse(&request->reply, 400, "base64Data is required");
		return;
	}
	bytes = base64_bytes(data ? data + 1 : text, &count);
	if (bytes)
		form_keep(request, &form, picture_store(bytes, count));
	else
		refuse(&request->reply, 400, "base64Data is invalid");
}

/* Nothing outside is ever fetched: only a link of ours can be copied. */
void upload_url(struct request *request)
{
	const char *url = request_string(request, "fileUrl");
	struct picture *picture;
	struct form form;

	if (!form_from_json(request, &form))
		return;
	if (!url || !*url) {
		refuse(&request->reply, 400, "fileUrl is required");
		return;
	}
	picture = upload_find(url);
	if (picture)
		form_keep(request, &form, picture_ref(picture));
	else
		refuse(&request->reply, 500, "File download failed");
}

void upload_get(struct request *request)
{
	struct upload *upload = find_path(request->path);
	AUTO_FREE char *path = upload ? picture_path(upload->picture) : NULL;

	reply_file(&request->reply, path, upload ? upload->picture->mime : NULL);
}

static void upload_drop(void *pointer)
{
	struct upload *upload = pointer;

	picture_unref(upload->picture);
	free(upload->path);
	free(upload);
}

void upload_free(void)
{
	tdestroy(tree, upload_drop);
	tree = NULL;
}

static void fault_http(struct reply *reply, int status)
{
	refuse(reply, status, "File upload failed");
	reply->status = status;
}

static void fault_code(struct reply *reply, const struct fault *fault)
{
	refuse(reply, fault->text ? 500 : (int)fault->number,
		fault->text ? fault->text : "File upload failed");
}

const struct api upload_api = {fault_http, fault_code};
