/*
 * kinofs setup: asks for a provider and its key, asks the provider for the
 * balance with it, and writes the key's file and the configuration that names
 * it. The key is not shown while it is typed, and nothing is overwritten unasked.
 */
#include "fs/cli/cli.h"

#include "fs/base/cleanup.h"
#include "fs/base/folders.h"
#include "fs/base/format.h"
#include "fs/base/json.h"
#include "fs/base/memory.h"
#include "fs/base/path.h"
#include "fs/cli/replace.h"
#include "fs/config/config.h"
#include "fs/config/keys.h"
#include "fs/net/http.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>

#define ANSWER_BYTES 1024 /* more than any key has */

struct setup {
	const struct provider *provider;
	struct config config; /* without keys */
	char *path;           /* of the configuration */
	cJSON *document;      /* what it says; NULL: there is none */
	char *key_file;       /* where the key goes */
	bool is_named;        /* by the configuration already */
	char key[ANSWER_BYTES];
};

/* ------------------------------------------------------------------ asking */

/* false: there are no more answers. */
static bool read_answer(char answer[ANSWER_BYTES])
{
	(void)fflush(stdout); /* whoever is asked sees whether it went well */
	if (!fgets(answer, ANSWER_BYTES, stdin))
		return false;
	answer[strcspn(answer, "\r\n")] = '\0';
	return true;
}

static bool ask_leave(const char *question)
{
	char answer[ANSWER_BYTES];

	printf("%s [y/N] ", question);
	return read_answer(answer) && (answer[0] == 'y' || answer[0] == 'Y');
}

static struct termios as_it_was; /* for the signal handler alone */

/* So that the terminal echoes again whatever ends us. */
static void give_back(int number)
{
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &as_it_was); /* signal-safety(7) */
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

static bool ask_secretly(const char *question, char answer[ANSWER_BYTES])
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct termios silent;
	bool answered;

	if (tcgetattr(STDIN_FILENO, &as_it_was) < 0)
		return false;
	silent = as_it_was;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		(void)signal(signals[i], give_back); /* fails only for a bad number */
	(void)signal(SIGTSTP, SIG_IGN);              /* or it would go on with an echo */
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &silent);
	printf("%s", question);
	answered = read_answer(answer);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &as_it_was);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		(void)signal(signals[i], SIG_DFL);
	(void)signal(SIGTSTP, SIG_DFL);
	(void)putchar('\n');
	return answered;
}

/* ------------------------------------------------------------------ what is asked */

/* By number or name. */
static bool choose_provider(struct setup *setup)
{
	char answer[ANSWER_BYTES];

	puts("Whose key is it?");
	for (size_t i = 0; i < PROVIDERS; i++)
		printf("  %zu  %s\n", i + 1, provider_at(i)->title);
	for (;;) {
		printf("Number or name: ");
		if (!read_answer(answer) || !*answer)
			return false;
		for (size_t i = 0; i < PROVIDERS; i++)
			if ((answer[0] == (char)('1' + i) && !answer[1]) ||
				!strcasecmp(answer, provider_at(i)->name) ||
				!strcasecmp(answer, provider_at(i)->title)) {
				setup->provider = provider_at(i);
				return true;
			}
	}
}

static bool ask_key(struct setup *setup)
{
	AUTO_FREE char *question = format(
		"The key for %s (it is not shown while you paste it): ", setup->provider->title);

	if (!question || !ask_secretly(question, setup->key) || !*setup->key)
		return false;
	return key_check(setup->provider, setup->key) == 0;
}

/* Whether it is good, or the user knows better. */
static bool try_key(const struct setup *setup)
{
	struct account account = *config_account(&setup->config, setup->provider);
	struct http *http;
	int status = CLI_FAILED;

	account.key = strdup(setup->key);
	http = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? http_new() : NULL;
	if (http && account.key) {
		puts("Asking what is left on the account; this is free.");
		status = cli_ask_balance(http, setup->provider, &account);
		http_free(http);
	}
	key_wipe(account.key);
	return status == CLI_OK || ask_leave("That was not answered. Write the key all the same?");
}

/* ------------------------------------------------------------------ writing */

static bool say(const char *path, int error)
{
	if (error)
		(void)fprintf(stderr, "kinofs: %s: %s\n", path, strerror(-error));
	else
		printf("%s is written\n", path);
	return !error;
}

static bool write_key(const struct setup *setup)
{
	AUTO_FREE char *question = format("%s is there already. Overwrite it?", setup->key_file);
	AUTO_FREE char *text = format("%s\n", setup->key);
	int error = text ? 0 : -ENOMEM;

	if (access(setup->key_file, F_OK) == 0 && (!question || !ask_leave(question))) {
		puts("It stays as it is.");
		return false;
	}
	if (!error)
		error = file_replace(setup->key_file, text, 0600);
	if (text)
		explicit_bzero(text, strlen(text));
	return say(setup->key_file, error);
}

/* The member, an object; made if it is not there. */
static cJSON *member(cJSON *object, const char *key)
{
	cJSON *found = json_object(object, key);

	return found ? found : cJSON_AddObjectToObject(object, key);
}

/* Names the key's file; all else stays. A link is followed: such files are kept elsewhere. */
static bool write_config(struct setup *setup)
{
	AUTO_FREE char *target = realpath(setup->path, NULL), *json = NULL, *text = NULL;
	AUTO_FREE char *question =
		format("%s is there already. Add the key's file to it?", setup->path);
	struct stat info = {.st_mode = 0600};
	cJSON *account;

	if (setup->is_named)
		return true;
	if (target && (!question || !ask_leave(question))) {
		puts("It stays as it is, and names no key.");
		return false;
	}
	if (target)
		(void)stat(target, &info);
	if (!setup->document)
		setup->document = cJSON_CreateObject();
	account = member(member(setup->document, "providers"), setup->provider->name);
	cJSON_DeleteItemFromObjectCaseSensitive(account, "key_file");
	cJSON_AddStringToObject(account, "key_file", path_last(setup->key_file));
	json = cJSON_Print(setup->document);
	text = json ? format("%s\n", json) : NULL;
	return say(setup->path,
		text ? file_replace(target ? target : setup->path, text, info.st_mode & 0777)
		     : -ENOMEM);
}

/* ------------------------------------------------------------------ all of it */

/* What is there, and that it is right. */
static bool look(struct setup *setup)
{
	AUTO_FREE char *folder = NULL;

	setup->path = xdg_path(XDG_CONFIG, "kinofs/config.json");
	folder = setup->path ? path_folder(setup->path) : NULL;
	if (!folder || config_read_keyless(NULL, &setup->config) < 0)
		return false;
	setup->document = cli_read_json(folder, "config.json");
	return true;
}

/* The file that the configuration names, else one beside it. */
static bool place_key(struct setup *setup)
{
	const cJSON *accounts = json_get(setup->document, "providers");
	const char *named = json_text(json_get(accounts, setup->provider->name), "key_file");
	AUTO_FREE char *usual = format("%s.key", setup->provider->name);

	setup->is_named = named;
	if (usual)
		setup->key_file = key_path(setup->path, named ? named : usual);
	return setup->key_file;
}

static void warn_of_variables(const struct provider *provider)
{
	for (const char *const *name = provider->key_variables; *name; name++)
		if (getenv(*name))
			printf("note: the variable %s is set, and wins over the file\n", *name);
}

static int run(struct setup *setup)
{
	if (!look(setup))
		return CLI_FAILED;
	if (!choose_provider(setup) || !place_key(setup) || !ask_key(setup) || !try_key(setup) ||
		!write_key(setup) || !write_config(setup)) {
		puts("That is all; setup can be run again.");
		return CLI_FAILED;
	}
	warn_of_variables(setup->provider);
	printf("Now mount: mkdir ~/Kino; kinofs ~/Kino\n"
	       "What is mounted already takes the key when it is mounted again. At most %d jobs a "
	       "day are ordered, unless the configuration says otherwise: man kinofs.conf\n",
		DEFAULT_JOBS_PER_DAY);
	return CLI_OK;
}

int cli_setup(int argc, char **argv)
{
	struct setup setup = {.provider = NULL};
	int status;

	if (argc > 1) {
		cli_usage(argv[0]);
		return CLI_USAGE;
	}
	if (!isatty(STDIN_FILENO)) {
		(void)fputs(
			"kinofs: setup asks questions: run it in a terminal; without one, write "
			"the files by hand, see kinofs.conf(5)\n",
			stderr);
		return CLI_USAGE;
	}
	memory_guard();
	(void)setvbuf(stdin, NULL, _IONBF, 0); /* so that no buffer keeps the key */
	status = run(&setup);
	explicit_bzero(setup.key, sizeof(setup.key));
	config_clear(&setup.config);
	cJSON_Delete(setup.document);
	free(setup.path);
	free(setup.key_file);
	return status;
}
