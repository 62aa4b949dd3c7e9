/* fs/engine/body.h and fs/net/parts.h: a body read as it is sent says the same as one that was
 * built whole. */
#include "fs/base/cleanup.h"
#include "fs/base/digest.h"
#include "fs/base/format.h"
#include "fs/engine/body.h"
#include "fs/net/parts.h"
#include "spec/spec.h"

#include <openssl/evp.h>

#include "tests/unit/folder.h"

#define PICTURES 4
#define ROUNDS   60

static struct folder folder;
static struct tree tree;
static unsigned dice;

static unsigned below(unsigned limit)
{
	dice = dice * 1103515245 + 12345;
	return (dice >> 8) % limit;
}

static int set_up(void **state)
{
	(void)state;
	folder_make(&folder);
	tree = (struct tree){.fd = folder.fd};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	folder_remove(&folder);
	return 0;
}

/* A picture of this name with random bytes, as it was judged; some were uploaded. */
static struct picture random_picture(unsigned number)
{
	static char bytes[70000];
	size_t count = 1 + below(below(2) ? 100 : sizeof(bytes) - 1);
	struct picture picture = {
		.field = format("image%u", number), .path = format("p%u", number)};
	char hex[DIGEST_HEX_BYTES];

	for (size_t i = 0; i < count; i++)
		bytes[i] = (char)below(256);
	folder_write(&folder, picture.path, bytes, count);
	assert_int_equal(digest_bytes(bytes, count, hex), 0);
	picture.sha256 = strdup(hex);
	picture.type = strdup(below(2) ? "image/png" : "image/jpeg");
	picture.bytes = (int64_t)count;
	if (below(4) == 0)
		picture.url = format("https://h.example/\"%u\"", number);
	return picture;
}

/* A request with the fields in any order, and texts that look like what is put in their place. */
static char *random_request(size_t npictures)
{
	static const char *const texts[] = {"a \"cat\"\n\\", "kinofs-0-", "kinofs-0-1kinofs-1-0",
		"\xe7\x8c\xab", "data:image/png;base64,"};
	AUTO_JSON cJSON *body = cJSON_CreateObject();

	for (unsigned i = 0; i < 6; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "image%u", i);
		if (below(2) && i < npictures)
			(void)cJSON_AddStringToObject(body, name, texts[below(5)]);
		(void)snprintf(name, sizeof(name), "text%u", i);
		(void)cJSON_AddStringToObject(body, name, texts[below(5)]);
	}
	return cJSON_PrintUnformatted(body);
}

static char *data_uri(const struct picture *picture)
{
	static unsigned char bytes[70000], coded[100000];
	AUTO_FD int fd = openat(folder.fd, picture->path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(read(fd, bytes, sizeof(bytes)), picture->bytes);
	assert_true(EVP_EncodeBlock(coded, bytes, (int)picture->bytes) > 0);
	return format("data:%s;base64,%s", picture->type, (const char *)coded);
}

static char *built(const struct job_row *row, const struct model *model, const char *text)
{
	AUTO_JSON cJSON *body = cJSON_Parse(text);

	for (size_t i = 0; i < row->npictures; i++) {
		const struct picture *picture = &row->picture[i];
		AUTO_FREE char *value = picture->url ? strdup(picture->url) : data_uri(picture);

		assert_int_equal(spec_set_string(model, body, picture->field, value), 0);
	}
	return cJSON_PrintUnformatted(body);
}

/* Reads it in pieces of any size; the caller frees. NULL: it was broken off. *got: how far. */
static char *read_all(struct http_request *request, size_t *got)
{
	struct parts *parts;
	AUTO_FREE char *body = NULL;
	ssize_t more = 1;

	*got = 0;
	if (!request->part)
		return TAKE(request->body);
	parts = parts_new(TAKE(request->part), request->parts);
	assert_non_null(parts);
	body = calloc(1, (size_t)parts_bytes(parts) + 1);
	while (more > 0) {
		more = parts_read(parts, body + *got, 1 + below(below(2) ? 10 : 70000));
		*got += more > 0 ? (size_t)more : 0;
		assert_true(*got <= (size_t)parts_bytes(parts));
	}
	if (more < 0)
		assert_true(*got < (size_t)parts_bytes(parts));
	else
		assert_int_equal(*got, parts_bytes(parts));
	parts_free(parts);
	return more < 0 ? NULL : TAKE(body);
}

static void make_row(struct job_row *row)
{
	*row = (struct job_row){.npictures = below(PICTURES + 1)};
	row->picture = calloc(PICTURES, sizeof(*row->picture));
	for (unsigned i = 0; i < row->npictures; i++)
		row->picture[i] = random_picture(i);
}

static void a_body_in_parts_is_the_one_built_whole(void **state)
{
	static const struct model flat;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct http_request request = {0};
		AUTO_FREE char *text = NULL, *whole = NULL, *sent = NULL;
		struct job_row row;
		size_t got;

		dice = round;
		make_row(&row);
		text = random_request(row.npictures);
		whole = built(&row, &flat, text);
		assert_int_equal(body_to_send(&tree, &row, &flat, text, &request), 0);
		sent = read_all(&request, &got);
		assert_string_equal(sent, whole);
		pictures_free(row.picture, row.npictures);
	}
}

/* Longer, shorter, or another byte, the last one too. */
static void a_picture_that_changed_never_goes_out_whole(void **state)
{
	static const struct model flat;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct http_request request = {0};
		struct job_row row = {.npictures = 1};
		AUTO_FREE char *sent = NULL;
		AUTO_FD int fd = -1;
		size_t got;
		char byte;
		off_t at;

		dice = round;
		row.picture = calloc(1, sizeof(*row.picture));
		row.picture[0] = random_picture(0);
		free(TAKE(row.picture[0].url));
		at = below(3) ? below((unsigned)row.picture[0].bytes) : row.picture[0].bytes - 1;
		assert_int_equal(body_to_send(&tree, &row, &flat, "{\"a\":1}", &request), 0);
		fd = openat(folder.fd, row.picture[0].path, O_RDWR | O_CLOEXEC);
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 1;
		if (below(2))
			assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		else
			assert_int_equal(ftruncate(fd, at), 0);
		sent = read_all(&request, &got);
		assert_null(sent);
		pictures_free(row.picture, row.npictures);
	}
}

static void a_picture_that_is_gone_is_no_body(void **state)
{
	static const struct model flat;
	char field[] = "a", path[] = "gone", type[] = "image/png", sha256[] = "00";
	struct picture picture = {
		.field = field, .path = path, .type = type, .sha256 = sha256, .bytes = 1};
	struct job_row row = {.npictures = 1, .picture = &picture};
	struct http_request request = {0};

	(void)state;
	assert_int_equal(body_to_send(&tree, &row, &flat, "{}", &request), -ENOENT);
	http_drop_body(&request);
}

/* The frame that was made goes, never the film. */
static void a_frame_goes_in_place_of_its_film(void **state)
{
	static const struct model flat;
	char field[] = "a", path[] = "film.mp4", type[] = "image/png", sha256[] = "00";
	struct still still = {.fd = -1, .bytes = 3};
	struct picture picture = {.field = field,
		.path = path,
		.type = type,
		.sha256 = sha256,
		.bytes = 9,
		.frame = FRAME_LAST};
	struct job_row row = {.npictures = 1, .picture = &picture};
	struct http_request request = {0};
	AUTO_FREE char *sent = NULL;
	AUTO_FD int fd = -1;
	size_t got;

	(void)state;
	folder_write(&folder, path, "the film", 9);
	assert_int_equal(body_to_send(&tree, &row, &flat, "{\"a\":1}", &request), -ESTALE);
	http_drop_body(&request);
	folder_write(&folder, "frame", "abc", 3);
	fd = still.fd = openat(folder.fd, "frame", O_RDONLY | O_CLOEXEC);
	assert_int_equal(digest_bytes("abc", 3, still.sha256), 0);
	picture.still = &still;
	assert_int_equal(body_to_send(&tree, &row, &flat, "{\"a\":1}", &request), 0);
	sent = read_all(&request, &got);
	assert_string_equal(sent, "{\"a\":\"data:image/png;base64,YWJj\"}");
	assert_true(fcntl(still.fd, F_GETFD) >= 0); /* for another try */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_in_parts_is_the_one_built_whole),
		cmocka_unit_test(a_picture_that_changed_never_goes_out_whole),
		cmocka_unit_test(a_picture_that_is_gone_is_no_body),
		cmocka_unit_test(a_frame_goes_in_place_of_its_film),
	};

	return RUN_TESTS(argc, argv, tests, set_up, tear_down);
}
