/* The configuration: what the file may say, what wins, and what is refused. */
#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "fs/config/config.h"
#include "fs/config/models_load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/run.h"

static char path[] = "/tmp/kinofs-config-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	cleanup_fd(&fd);
	return 0;
}

static int drop_file(void **state)
{
	(void)state;
	return unlink(path);
}

/* What config_read() says of a file with this text; config_clear() it. */
static int read_text(const char *text, struct config *config)
{
	AUTO_FD int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return config_read(path, config);
}

static void nothing_said_is_the_usual(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(read_text("{}", &config), 0);
	assert_int_equal(config.settle_ms, 2000);
	assert_int_equal(config.settle_alone_ms, 15000);
	assert_int_equal(config.provenance, PROVENANCE_MARK);
	assert_int_equal(config.caps.jobs_per_day, DEFAULT_JOBS_PER_DAY);
	for (size_t i = 0; i < PROVIDERS; i++) {
		const struct provider *provider = provider_at(i);

		assert_ptr_equal(config_account(&config, provider), &config.account[i]);
		assert_string_equal(config.account[i].base_url, provider->default_base_url);
		assert_int_equal(config.account[i].creates, provider->default_creates);
		assert_null(config.account[i].key);
	}
	config_clear(&config);
}

static void what_others_may_write_is_refused(void **state)
{
	static const mode_t modes[] = {0620, 0602, 0666};
	struct config config;

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_int_equal(read_text("{}", &config), -EPERM);
		config_clear(&config);
	}
	assert_int_equal(chmod(path, 0644), 0);
	if (geteuid() == 0) { /* another user's */
		assert_int_equal(chown(path, 1234, 0), 0);
		assert_int_equal(read_text("{}", &config), -EPERM);
		config_clear(&config);
		assert_int_equal(chown(path, 0, 0), 0);
	}
	assert_int_equal(read_text("{}", &config), 0);
	config_clear(&config);
}

static void all_of_it_is_read(void **state)
{
	const struct account *kie, *ppinfra;
	struct config config;

	(void)state;
	assert_int_equal(
		read_text(
			"{\"providers\":{\"kie\":{\"base_url\":\"https://a/\",\"upload_url\":"
			"\"https://b\",\"creates_per_10s\":3},\"ppinfra\":{\"base_url\":"
			"\"https://c\",\"creates_per_minute\":0}},\"caps\":{\"jobs_per_day\":null,"
			"\"credits_per_job\":2.5},\"settle_seconds\":0.5,"
			"\"settle_alone_seconds\":0,\"provenance\":\"full\"}",
			&config),
		0);
	kie = config_account(&config, &provider_kie);
	ppinfra = config_account(&config, &provider_ppinfra);
	assert_string_equal(kie->base_url, "https://a");
	assert_string_equal(kie->upload_url, "https://b");
	assert_int_equal(kie->creates, 3);
	assert_string_equal(ppinfra->base_url, "https://c");
	assert_null(ppinfra->upload_url);
	assert_int_equal(ppinfra->creates, 0);
	assert_int_equal(config.caps.jobs_per_day, 0);
	assert_true(config.caps.credits_per_job == 2.5);
	assert_int_equal(config.settle_ms, 500);
	assert_int_equal(config.settle_alone_ms, 0);
	assert_int_equal(config.provenance, PROVENANCE_FULL);
	config_clear(&config);
}

/* The hook that a configuration gets which names it so. */
static int read_hook(const char *hook, struct config *config)
{
	AUTO_FREE char *text = format("{\"hook\":%s}", hook);

	return read_text(text, config);
}

static void a_hook_is_a_list_of_strings(void **state)
{
	static const char *const wrong[] = {"\"/bin/true\"", "[]", "[\"\"]", "[\"/bin/true\",1]",
		"[[\"/bin/true\"]]", "{\"a\":\"/bin/true\"}", "null"};
	struct config config;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(read_hook(wrong[i], &config), -EINVAL);
		assert_null(config.hook);
		config_clear(&config);
	}
	assert_int_equal(read_hook("[\"/bin/true\",\"\",\"~/a b\"]", &config), 0);
	assert_string_equal(config.hook[0], "/bin/true");
	assert_string_equal(config.hook[1], "");
	assert_string_equal(config.hook[2], "~/a b");
	assert_null(config.hook[3]);
	config_clear(&config);
}

static void a_hook_is_a_program_that_nobody_else_may_write(void **state)
{
	char program[] = "/tmp/kinofs-hook-XXXXXX";
	AUTO_FD int fd = mkstemp(program);
	AUTO_FREE char *whole = format("[\"%s\"]", program);
	AUTO_FREE char *beside = format("[\"%s\"]", path_last(program));
	AUTO_FREE char *home = format("[\"~/%s\"]", path_last(program));
	AUTO_FREE char *old = strdup(getenv("HOME") ?: "/");
	const char *const names[] = {whole, beside, home};
	struct config config;

	(void)state;
	assert_int_equal(setenv("HOME", "/tmp", 1), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_int_equal(chmod(program, 0600), 0);
		assert_int_equal(read_hook(names[i], &config), -EACCES);
		config_clear(&config);
		assert_int_equal(chmod(program, 0720), 0);
		assert_int_equal(read_hook(names[i], &config), -EPERM);
		config_clear(&config);
		assert_int_equal(chmod(program, 0700), 0);
		assert_int_equal(read_hook(names[i], &config), 0);
		assert_string_equal(config.hook[0], program);
		config_clear(&config);
	}
	assert_int_equal(setenv("HOME", old, 1), 0);
	assert_int_equal(read_hook("[\"/tmp\"]", &config), -EACCES);
	config_clear(&config);
	(void)unlink(program);
	assert_int_equal(read_hook(beside, &config), -ENOENT);
	config_clear(&config);
}

static void the_environment_wins(void **state)
{
	struct config config;

	(void)state;
	setenv("KINOFS_PPINFRA_URL", "https://d/", 1);
	setenv("KINOFS_KIE_UPLOAD_URL", "https://e", 1);
	setenv("NOVITA_API_KEY", "abc", 1);
	assert_int_equal(
		read_text("{\"providers\":{\"ppinfra\":{\"base_url\":\"https://c\"}}}", &config),
		0);
	assert_string_equal(config_account(&config, &provider_ppinfra)->base_url, "https://d");
	assert_string_equal(config_account(&config, &provider_kie)->upload_url, "https://e");
	assert_string_equal(config_account(&config, &provider_ppinfra)->key, "abc");
	assert_null(getenv("NOVITA_API_KEY"));
	unsetenv("KINOFS_PPINFRA_URL");
	unsetenv("KINOFS_KIE_UPLOAD_URL");
	config_clear(&config);
}

/* What is read with this key_file, when the key is in a file of that path. */
static void assert_key_is_found(const char *name, const char *place)
{
	AUTO_FREE char *text = format("{\"providers\":{\"kie\":{\"key_file\":\"%s\"}}}", name);
	AUTO_FD int fd = open(place, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct config config;

	assert_int_equal(write(fd, "abc\n", 4), 4);
	assert_int_equal(read_text(text, &config), 0);
	assert_string_equal(config_account(&config, &provider_kie)->key, "abc");
	config_clear(&config);
	assert_int_equal(unlink(place), 0);
	assert_int_equal(read_text(text, &config), -ENOENT);
	config_clear(&config);
}

static void a_key_file_is_beside_the_configuration_or_in_the_home_folder(void **state)
{
	AUTO_FREE char *beside = format("%s.key", path);
	AUTO_FREE char *in_home = format("~/%s", path_last(beside));
	const char *home = getenv("HOME");
	AUTO_FREE char *before = home ? strdup(home) : NULL;

	(void)state;
	assert_key_is_found(beside, beside);
	assert_key_is_found(path_last(beside), beside);
	setenv("HOME", "/tmp", 1);
	assert_key_is_found(in_home, beside);
	(void)(before ? setenv("HOME", before, 1) : unsetenv("HOME")); /* it was so before */
}

static void what_is_wrong_is_refused(void **state)
{
	static const char *const wrong[] = {"", "[]", "{\"caps\":5}", "{\"settle_seconds\":1,}",
		"{\"settle_seconds\":1,\"settle_seconds\":1}", "{\"settle_alone\":1}",
		"{\"settle_alone_seconds\":\"1\"}", "{\"settle_alone_seconds\":-1}",
		"{\"provenance\":\"on\"}", "{\"provenance\":false}",
		"{\"providers\":{\"acme\":{}}}", "{\"providers\":{\"kie\":5}}",
		"{\"providers\":{\"kie\":{\"creates_per_minute\":5}}}",
		"{\"providers\":{\"kie\":{\"creates_per_10s\":10001}}}",
		"{\"providers\":{\"ppinfra\":{\"upload_url\":\"https://b\"}}}"};
	struct config config;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(read_text(wrong[i], &config), -EINVAL);
		config_clear(&config);
	}
	assert_int_equal(config_read("/nonexistent/config.json", &config), -ENOENT);
	config_clear(&config);
}

static int load_model(const char *keys)
{
	char folder[] = "/tmp/kinofs-models-XXXXXX";
	struct model_set models = {0};
	AUTO_FREE char *file = NULL, *models_folder = NULL;
	int error;
	FILE *out;

	assert_non_null(mkdtemp(folder));
	setenv("XDG_CONFIG_HOME", folder, 1);
	models_folder = xdg_path(XDG_CONFIG, "kinofs/models");
	assert_int_equal(folders_make(AT_FDCWD, models_folder, 0755, 0), 0);
	file = path_join(models_folder, "x.json");
	out = fopen(file, "we");
	assert_non_null(out);
	(void)fprintf(out,
		"{\"$id\":\"x\",\"title\":\"X\",\"x-kinofs-prompt\":\"p\",%s,"
		"\"properties\":{\"p\":{\"type\":\"string\"}}}",
		keys);
	assert_int_equal(fclose(out), 0);
	error = models_load(&models);
	if (!error)
		assert_non_null(models_find(&models, "x"));
	models_free(&models);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(models_folder), 0);
	*strrchr(models_folder, '/') = '\0';
	assert_int_equal(rmdir(models_folder), 0);
	assert_int_equal(rmdir(folder), 0);
	return error;
}

static void models_fit_their_provider(void **state)
{
	(void)state;
	assert_int_equal(load_model("\"x-kinofs-provider\":\"kie\""), 0);
	assert_int_equal(load_model("\"x-kinofs-provider\":\"acme\""), -EINVAL);
	assert_int_equal(load_model("\"x-kinofs-provider\":\"ppinfra\""), -EINVAL);
	assert_int_equal(
		load_model("\"x-kinofs-provider\":\"kie\",\"x-kinofs-endpoint\":\"x\""), -EINVAL);
	assert_int_equal(
		load_model("\"x-kinofs-provider\":\"ppinfra\",\"x-kinofs-endpoint\":\"x\""), 0);
}

/* Reads keys for both providers with this URL for kie's, and takes them over. */
static void renew_from(const char *file, struct config *config)
{
	struct config fresh;

	assert_int_equal(config_read(file, &fresh), 0);
	config_renew(config, &fresh);
	config_clear(&fresh);
}

static void a_renewed_key_goes_to_no_other_place_and_no_file_replaces_a_given_one(void **state)
{
	char key[] = "/tmp/kinofs-test-key-XXXXXX";
	AUTO_FD int fd = mkstemp(key);
	AUTO_FREE char *first = format("{\"providers\":{\"kie\":{\"key_file\":\"%s\"},"
				       "\"ppinfra\":{\"key_file\":\"%s\"}}}",
		key, key);
	AUTO_FREE char *moved = format("{\"providers\":{\"kie\":{\"key_file\":\"%s\","
				       "\"base_url\":\"https://elsewhere\"},"
				       "\"ppinfra\":{\"key_file\":\"%s\"}},"
				       "\"caps\":{\"jobs_per_day\":7}}",
		key, key);
	struct config config, unused;

	(void)state;
	assert_int_equal(write(fd, "old-key\n", 8), 8);
	setenv("PPINFRA_API_KEY", "given-key", 1);
	assert_int_equal(read_text(first, &config), 0);
	assert_string_equal(config.file, path);
	assert_string_equal(config.account[0].key, "old-key");
	assert_string_equal(config.account[1].key, "given-key");

	assert_int_equal(pwrite(fd, "new-key\n", 8, 0), 8);
	renew_from(path, &config);
	assert_string_equal(config.account[0].key, "new-key");
	assert_string_equal(config.account[1].key, "given-key");

	assert_int_equal(pwrite(fd, "for-him\n", 8, 0), 8);
	assert_int_equal(read_text(moved, &unused), 0);
	config_clear(&unused);
	renew_from(path, &config);
	assert_string_equal(config.account[0].key, "new-key");
	assert_int_equal(config.caps.jobs_per_day, 7);
	config_clear(&config);
	assert_int_equal(unlink(key), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_said_is_the_usual),
		cmocka_unit_test(what_others_may_write_is_refused),
		cmocka_unit_test(all_of_it_is_read),
		cmocka_unit_test(a_hook_is_a_list_of_strings),
		cmocka_unit_test(a_hook_is_a_program_that_nobody_else_may_write),
		cmocka_unit_test(the_environment_wins),
		cmocka_unit_test(a_key_file_is_beside_the_configuration_or_in_the_home_folder),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(models_fit_their_provider),
		cmocka_unit_test(
			a_renewed_key_goes_to_no_other_place_and_no_file_replaces_a_given_one),
	};

	return RUN_TESTS(argc, argv, tests, make_file, drop_file);
}
