/* test_engine_frames.c - films in place of pictures: what is made of them, when, and what is known
 * of it. ffmpeg is a script here. */
#include "fs/base/cleanup.h"
#include "fs/base/clock.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/config/config.h"
#include "fs/engine/core.h"
#include "fs/engine/intake.h"
#include "fs/input/film.h"
#include "spec/kind.h"
#include "tests/unit/engine.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRAMED 2 /* the model that begins with a picture, which is uploaded */

static const char spec_of_film[] = "{\"prompt\":\"on\",\"image_url\":\"film.mp4#last\"}";
static char programs[96];

static void write_at(int folder, const char *path, const void *bytes, size_t count, mode_t mode)
{
	int fd = openat(folder, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0 && write(fd, bytes, count) == (ssize_t)count);
	(void)close(fd);
}

/* What there is of ffmpeg: a script; NULL: nothing. */
static void install(const char *script)
{
	AUTO_FREE char *path = format("%s/ffmpeg", programs);

	(void)unlink(path);
	if (script)
		write_at(AT_FDCWD, path, script, strlen(script), 0755);
}

/* One that makes the same of any film: a result of this letter. The script, which install() takes;
 * the caller frees. */
static char *maker_of(char letter)
{
	AUTO_FREE char *made = format("%s/made", programs);
	char bytes[RESULT_BYTES];

	write_at(AT_FDCWD, made, bytes, results_bytes(letter, "frame", 0, bytes), 0644);
	return format("#!/bin/sh\nexec /bin/cat %s >/proc/self/fd/4\n", made);
}

static void install_good(void)
{
	AUTO_FREE char *script = maker_of('p');

	install(script);
}

static int open_programs(void **state)
{
	(void)engine_open(state);
	(void)snprintf(programs, sizeof(programs), "%s/bin", sim.root);
	(void)mkdir(programs, 0700);
	return setenv("PATH", programs, 1);
}

static void put_film(const char *name, int version)
{
	char bytes[RESULT_BYTES];

	put_file(FRAMED, name, bytes, results_bytes('g', "film", version, bytes));
}

static const struct job_row *row_of(const char *stem)
{
	const struct job_row *row = shown_at(FRAMED, stem);

	if (!row)
		fail_msg("no %s: %s", stem, sim.failure);
	return row;
}

/* What was uploaded for the model as this frame, or NULL; the caller frees. */
static char *link_of(const char *frame)
{
	const struct model_field *field = model_field(sim.model[FRAMED], "image_url");
	const char *host = config_account(life_config(), provider_find("kie"))->upload_url;
	char hex[DIGEST_HEX_BYTES];

	assert_int_equal(film_still_digest(frame, true, true, (int64_t)media_limit(field), hex), 0);
	return journal_upload(life_journal(), host, hex, 0);
}

/* The order that is sent is none that the provider here knows of, so the history ends with it. */
static void a_film_stands_for_its_frame(void **state)
{
	char bytes[RESULT_BYTES], film[DIGEST_HEX_BYTES], hex[DIGEST_HEX_BYTES];
	size_t count = results_bytes('g', "film", 0, bytes);
	AUTO_FREE char *link = NULL;
	const struct picture *picture;

	(void)state;
	install_good();
	put_film("film.mp4", 0);
	put_file(FRAMED, "b.json", spec_of_film, strlen(spec_of_film));
	life_run(LONG_MS);
	assert_int_equal(row_of("b")->state, JOB_SUBMITTING);
	assert_int_equal(provider_uploads, 1);
	picture = &row_of("b")->picture[0];
	assert_int_equal(picture->frame, FRAME_LAST);
	assert_string_equal(picture->type, "image/png");
	/* whatever ffmpeg makes of it, and wherever the film is */
	assert_int_equal(digest_bytes(bytes, count, film), 0);
	assert_int_equal(film_digest(film, FRAME_LAST, hex), 0);
	assert_string_equal(picture->sha256, hex);
	link = link_of(hex);
	assert_non_null(link);
}

static void without_ffmpeg_it_is_held_until_there_is_one(void **state)
{
	(void)state;
	install(NULL);
	put_film("film.mp4", 0);
	put_file(FRAMED, "b.json", spec_of_film, strlen(spec_of_film));
	life_run(LONG_MS);
	assert_int_equal(row_of("b")->hold, HOLD_PROVIDER);
	assert_non_null(strstr(row_of("b")->problem, "the last frame of "));
	assert_non_null(strstr(row_of("b")->advice, "apt install ffmpeg"));
	install_good();
	life_run(HOUR_MS);
	assert_int_equal(row_of("b")->state, JOB_SUBMITTING);
	assert_int_equal(provider_uploads, 1);
}

static void assert_refused(const char *script, const char *why)
{
	install(script);
	put_film("film.mp4", 0);
	put_file(FRAMED, "b.json", spec_of_film, strlen(spec_of_film));
	life_run(LONG_MS);
	assert_int_equal(row_of("b")->state, JOB_REJECTED);
	if (!strstr(row_of("b")->problem, why))
		fail_msg("%s", row_of("b")->problem);
	assert_int_equal(provider_uploads, 0);
}

static void what_ffmpeg_says_last_is_why_it_is_rejected(void **state)
{
	(void)state;
	assert_refused("#!/bin/sh\necho first >&2; printf 'no \\033[1mframe\\n\\n' >&2; exit 1\n",
		"film.mp4: no  [1mframe");
	assert_refused("#!/bin/sh\nexit 0\n", "there is no picture in it");
}

static void what_ffmpeg_makes_is_looked_at(void **state)
{
	AUTO_FREE char *film = maker_of('g');

	(void)state;
	assert_refused(film, "cannot read the last frame");
	assert_refused("#!/bin/sh\necho what >/proc/self/fd/4\n", "cannot read the last frame");
}

/* Underneath the mount, which tells nothing of it: what is uploaded is not kept as of the film that
 * was judged. */
static void a_frame_of_another_film_is_not_sent(void **state)
{
	char bytes[RESULT_BYTES], path[96];
	AUTO_FREE char *judged = NULL, *link = NULL;

	(void)state;
	install(NULL);
	put_film("film.mp4", 0);
	put_file(FRAMED, "b.json", spec_of_film, strlen(spec_of_film));
	life_run(LONG_MS);
	judged = strdup(row_of("b")->picture[0].sha256);
	install_good();
	(void)snprintf(path, sizeof(path), "%s/film.mp4", sim.model[FRAMED]->id);
	write_at(sim.tree_fd, path, bytes, results_bytes('g', "film", 1, bytes), 0644);
	life_run(HOUR_MS);
	assert_int_equal(row_of("b")->state, JOB_SUBMITTING);
	assert_string_not_equal(row_of("b")->picture[0].sha256, judged);
	assert_int_equal(provider_uploads, 1);
	link = link_of(judged);
	assert_null(link);
}

/* A picture that the first may have can be too large for the second. Over the cap, neither is sent.
 */
static void a_frame_is_made_anew_where_less_is_allowed(void **state)
{
	static const char path[] = "recraft/remove-background/b.json";
	AUTO_FREE char *spec =
		format("{\"image\":\"../../%s/film.mp4#last\"}", sim.model[FRAMED]->id);

	(void)state;
	install_good();
	life_config()->caps.credits_per_job = 0.1;
	put_film("film.mp4", 0);
	put_file(FRAMED, "b.json", spec_of_film, strlen(spec_of_film));
	life_run(LONG_MS);
	assert_int_equal(row_of("b")->hold, HOLD_JOB_CAP);
	assert_int_equal(provider_uploads, 1);
	put_file(FRAMED, "c.json", "{\"prompt\":\"c\",\"image_url\":\"film.mp4#last\"}",
		strlen("{\"prompt\":\"c\",\"image_url\":\"film.mp4#last\"}"));
	life_run(LONG_MS);
	assert_int_equal(row_of("c")->hold, HOLD_JOB_CAP);
	assert_int_equal(provider_uploads, 1);
	assert_int_equal(folders_make(sim.tree_fd, "recraft/remove-background", 0755, 0), 0);
	write_at(sim.tree_fd, path, spec, strlen(spec), 0644);
	intake_changed(engine_intake(engine), path, clock_wall_ms());
	life_run(LONG_MS);
	assert_int_equal(provider_uploads, 2);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(a_film_stands_for_its_frame),
		CASE(without_ffmpeg_it_is_held_until_there_is_one),
		CASE(what_ffmpeg_says_last_is_why_it_is_rejected),
		CASE(what_ffmpeg_makes_is_looked_at),
		CASE(a_frame_of_another_film_is_not_sent),
		CASE(a_frame_is_made_anew_where_less_is_allowed),
	};

	return RUN_TESTS(argc, argv, tests, open_programs, engine_close);
}
