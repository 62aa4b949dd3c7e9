/* main.c - the command line: which subcommand, or how to mount. */
#include "fs/base/cleanup.h"
#include "fs/base/log.h"
#include "fs/cli/cli.h"
#include "fs/serve/mountpoint.h"
#include "fs/serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>

#define VERSION "1.0"

static const char usage[] =
	"usage: kinofs [-f] [-d] [-o OPT,…] [--simulate] MOUNTPOINT\n"
	"       kinofs check [--model ID] FILE…   what would be sent, and its price; sends "
	"nothing\n"
	"       kinofs wait [--timeout S] PATH…   until the jobs have ended; prints the results\n"
	"       kinofs status [--json] [MOUNTPOINT]   every job and what it waits for\n"
	"       kinofs retry [-n N] PATH…         another take, or N; each is paid for\n"
	"       kinofs cancel|release PATH…       withdraw a job not sent yet; let a held one go\n"
	"       kinofs models [--json]            the models and their directories\n"
	"       kinofs credits                    what is left on each account\n"
	"       kinofs doctor                     what is not as it should be, and what to do\n"
	"\n"
	"  -f          stay in the foreground        -o store=DIR     where everything is kept\n"
	"  -d          and print FUSE's trace        -o config=FILE   the configuration\n"
	"  --simulate  nothing is sent or paid:      -o settle=SECS   how long a drop must be "
	"quiet\n"
	"              videos come from kinofs-sim   -o lenient       close(2) never says EINVAL\n"
	"                                            -o xattr         keep extended attributes\n"
	"\n"
	"Unmount with: fusermount3 -u MOUNTPOINT. The manual: man kinofs\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"check", cli_check},
	{"wait", cli_wait},
	{"status", cli_status},
	{"retry", cli_order},
	{"cancel", cli_order},
	{"release", cli_order},
	{"models", cli_models},
	{"credits", cli_credits},
	{"doctor", cli_doctor},
};

/* Output that was lost (a full disk, say) is a failure. */
static int flush_output(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	log_error("cannot write the output: %s", strerror(errno));
	return CLI_FAILED;
}

/* A library that opens a file must never get 0, 1 or 2. */
static void secure_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		(void)close(fd); /* nothing was written */
}

/* ------------------------------------------------------------------ -o */

/* fstab's own words, which mount(8) passes on (fstab(5)). */
static bool is_ignored(const char *word)
{
	static const char *const words[] = {"user", "users", "nouser", "owner", "group", "auto",
		"noauto", "nofail", "_netdev", "defaults",
		/* mount.fuse3 passes these on to root; a mount of ours never has either */
		"suid", "dev"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(word, words[i]))
			return true;
	return !strncmp(word, "x-", 2) || !strncmp(word, "comment=", 8);
}

/* Adds a word to the list for libfuse. */
static int pass_on(struct serve_options *options, const char *word)
{
	char *list;

	if (asprintf(&list, "%s%s%s", options->fuse_options ? options->fuse_options : "",
		    options->fuse_options ? "," : "", word) < 0)
		return -ENOMEM;
	free(options->fuse_options);
	options->fuse_options = list;
	return 0;
}

static int read_settle(const char *text, struct serve_options *options)
{
	char *rest;
	double seconds = strtod(text, &rest);

	if (*rest || rest == text || !(seconds >= 0 && seconds <= 3600)) {
		log_error("-o settle=%s: must be a number of seconds, 0 to 3600", text);
		return -EINVAL;
	}
	options->settle_seconds = seconds;
	return 0;
}

static int set_path(char **member, const char *text)
{
	free(*member);
	*member = strdup(text);
	return *member ? 0 : -ENOMEM;
}

static int read_option(char *word, struct serve_options *options)
{
	if (!*word || is_ignored(word))
		return 0;
	if (!strncmp(word, "store=", 6))
		return set_path(&options->store, word + 6);
	if (!strncmp(word, "config=", 7))
		return set_path(&options->config, word + 7);
	if (!strncmp(word, "settle=", 7))
		return read_settle(word + 7, options);
	if (!strcmp(word, "lenient")) {
		options->lenient = true;
		return 0;
	}
	return pass_on(options, word);
}

static int read_options(char *list, struct serve_options *options)
{
	char *rest;
	int error = 0;

	for (char *word = strtok_r(list, ",", &rest); word && !error;
		word = strtok_r(NULL, ",", &rest))
		error = read_option(word, options);
	return error;
}

/* ------------------------------------------------------------------ mounting */

static int parse(int argc, char **argv, struct serve_options *options)
{
	static const struct option long_options[] = {{"simulate", no_argument, NULL, 'S'},
		{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0}};
	int letter;

	while ((letter = getopt_long(argc, argv, "fdo:hV", long_options, NULL)) != -1) {
		switch (letter) {
		case 'd': options->debug = options->foreground = true; break;
		case 'f': options->foreground = true; break;
		case 'o':
			if (read_options(optarg, options) < 0)
				return CLI_USAGE;
			break;
		case 'S': options->simulate = true; break;
		case 'h': (void)fputs(usage, stdout); exit(flush_output(CLI_OK));
		case 'V': puts("kinofs " VERSION); exit(flush_output(CLI_OK));
		default: return CLI_USAGE;
		}
	}
	/* mount(8) names a source first: kinofs SOURCE MOUNTPOINT -o … */
	if (argc - optind < 1 || argc - optind > 2) {
		(void)fputs(usage, stderr);
		return CLI_USAGE;
	}
	options->mountpoint = mountpoint_resolve(argv[argc - 1]);
	return options->mountpoint ? CLI_OK : CLI_FAILED;
}

static int mount_main(int argc, char **argv)
{
	struct serve_options options = {.settle_seconds = -1};
	int status = parse(argc, argv, &options);

	log_set_debug(options.debug);
	if (status == CLI_OK)
		status = serve(&options);
	free(options.mountpoint);
	free(options.store);
	free(options.config);
	free(options.fuse_options);
	return status;
}

int main(int argc, char **argv)
{
	secure_standard_files();
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return flush_output(commands[i].run(argc - 1, argv + 1));
	return mount_main(argc, argv);
}
