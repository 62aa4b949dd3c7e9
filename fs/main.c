/* main.c - the command line: which subcommand, or how to mount. */
#include "fs/base/cleanup.h"
#include "fs/base/log.h"
#include "fs/base/version.h"
#include "fs/cli/cli.h"
#include "fs/cli/commands.h"
#include "fs/serve/mountpoint.h"
#include "fs/serve/serve.h"
#include "fs/serve/words.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>

static const char usage[] =
	"usage: kinofs [-f] [-d] [-o OPT,…] [--simulate] MOUNTPOINT\n"
	"       kinofs check [--model ID] FILE…   what would be sent, and its price; sends "
	"nothing\n"
	"       kinofs wait [--timeout S] PATH…   until the jobs have ended; prints the results\n"
	"       kinofs status [-a] [MOUNTPOINT]   jobs under way, what was spent; --watch, --json\n"
	"       kinofs spend [--month 2026-11]    where the money went; --by, --csv\n"
	"       kinofs show PATH…                 what happened to a job, and what it costs\n"
	"       kinofs retry [-n N] PATH…         another take, or N; each is paid for\n"
	"       kinofs retry --failed [-y] DIR…   of each job below that failed\n"
	"       kinofs cancel|release PATH…       withdraw a job not sent yet; let a held one go\n"
	"       kinofs models [--json]            the models and their directories\n"
	"       kinofs models update [ID…]        asks the provider for new and changed ones\n"
	"       kinofs credits                    what is left on each account\n"
	"       kinofs setup                      asks for a key, checks it, and writes it down\n"
	"       kinofs doctor                     what is not as it should be, and what to do\n"
	"\n"
	"  -f          stay in the foreground        -o store=DIR     where everything is kept\n"
	"  -d          and print FUSE's trace        -o journal=DIR   the journal apart from that\n"
	"                                            -o config=FILE   the configuration\n"
	"  --simulate  nothing is sent or paid:      -o settle=SECS   how long a drop must be "
	"quiet\n"
	"              results come from kinofs-sim  -o lenient       close(2) never says EINVAL\n"
	"                                            -o xattr         keep extended attributes\n"
	"                                            -o nonempty      also on a folder with files\n"
	"\n"
	"Unmount with: fusermount3 -u MOUNTPOINT. More: kinofs COMMAND --help, man kinofs\n";

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

/* ------------------------------------------------------------------ mounting */

/* Whether what stands for SOURCE and MOUNTPOINT, or for the latter alone, may be that: no misspelt
 * subcommand, no second folder. mount(8) names a source first, a word of fstab(5). */
static bool is_mounting(char **words, int count)
{
	bool is_word = !strchr(words[0], '/') && access(words[0], F_OK) < 0;
	const char *near = is_word ? command_near(words[0]) : NULL;

	if (near)
		log_error("there is no command and no folder %s; did you mean: kinofs %s?",
			words[0], near);
	else if (count == 1 && is_word)
		log_error("there is no folder %s (make it: mkdir %s), and no command of that name "
			  "(see: kinofs --help)",
			words[0], words[0]);
	else if (count == 2 && !is_word && strcmp(words[0], "kinofs") != 0)
		log_error("%s and %s are two mount points; one kinofs serves one. (Before it may "
			  "stand a source, as mount(8) does it: a word such as kinofs.)",
			words[0], words[1]);
	else
		return true;
	return false;
}

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
			if (words_read(optarg, options) < 0)
				return CLI_USAGE;
			break;
		case 'S': options->simulate = true; break;
		case 'h': (void)fputs(usage, stdout); exit(flush_output(CLI_OK));
		case 'V': puts("kinofs " VERSION); exit(flush_output(CLI_OK));
		default: return CLI_USAGE;
		}
	}
	if (argc - optind < 1 || argc - optind > 2) {
		(void)fputs(usage, stderr);
		return CLI_USAGE;
	}
	if (!is_mounting(argv + optind, argc - optind))
		return CLI_USAGE;
	options->mountpoint = mountpoint_resolve(argv[argc - 1], options->nonempty);
	options->typed = mountpoint_typed(argv[argc - 1]);
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
	free(options.typed);
	free(options.store);
	free(options.journal);
	free(options.config);
	free(options.fuse_options);
	return status;
}

int main(int argc, char **argv)
{
	int status;

	secure_standard_files();
	if (command_run(argc, argv, &status))
		return flush_output(status);
	return mount_main(argc, argv);
}
