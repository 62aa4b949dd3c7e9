#include "fs/cli/commands.h"

#include "fs/base/array.h"
#include "fs/cli/cli.h"
#include "spec/nearest.h"

#include <stdio.h>
#include <string.h>

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage; /* a line for each form */
	const char *text;
};

static const struct command commands[] = {
	{"check", cli_check, "kinofs check [--model ID] FILE…\n",
		"Prints the request that a drop of FILE would send, and its price, or all that is\n"
		"wrong with it. Sends nothing.\n\n"
		"  --model ID   the model, for a FILE outside of a mount: kinofs models\n"},
	{"wait", cli_wait, "kinofs wait [--timeout SECONDS] PATH…\n",
		"Waits until the jobs have ended, and prints the paths of their results. PATH is a\n"
		"job's file, its video or its note, a batch, or a folder: all jobs below it.\n\n"
		"  --timeout SECONDS   give up after that; the jobs go on\n"},
	{"status", cli_status,
		"kinofs status [-a] [--state STATE,…] [--model ID] [MOUNTPOINT]\n"
		"kinofs status [-a] [--state STATE,…] [--model ID] --watch | --json | --paths …\n",
		"Prints the jobs under way, why one does not go on, and what was spent. Without\n"
		"MOUNTPOINT: of the mount that this folder is in, else of all that you mounted.\n\n"
		"  -a              also those that have ended: the last 1,000\n"
		"  --state STATE   only those, ended or not: waiting, held, queued, uploading,\n"
		"                  submitting, running, downloading, done, rejected, failed,\n"
		"                  unknown, cancelled\n"
		"  --model ID      only those of a model, or of a folder of models\n"
		"  --watch         drawn again each second, until Ctrl-C\n"
		"  --json          all of them, for programs\n"
		"  --paths         a file of each, for other commands\n"},
	{"spend", cli_spend, "kinofs spend [--month YYYY-MM] [--by WHAT] [--csv] [MOUNTPOINT]\n",
		"Prints what was ordered in a month, what it was estimated to cost and what was\n"
		"taken, in credits and dollars. Without MOUNTPOINT: as status does it.\n\n"
		"  --month YYYY-MM   not this one\n"
		"  --by WHAT         model, folder, day or user: who dropped it\n"
		"  --csv             for a spreadsheet\n"},
	{"show", cli_show, "kinofs show PATH…\n",
		"Prints what happened to a job, what can be done, and what another take costs.\n"},
	{"retry", cli_order, "kinofs retry [-n TAKES] [--failed] [-y] PATH…\n",
		"Orders another take of the jobs, which is paid for like any other.\n\n"
		"  -n TAKES   so many, 1 to 100\n"
		"  --failed   only what failed; of a folder, every job below it that did\n"
		"  -y         pays for more than one without a question\n"},
	{"cancel", cli_order, "kinofs cancel PATH…\n",
		"Withdraws jobs that were not sent yet; of a folder, all below it. No provider takes\n"
		"back one that was.\n"},
	{"release", cli_order, "kinofs release [-y] PATH…\n",
		"Lets held jobs go: over a cap, as a copy, without a known price, or found at\n"
		"start; of a folder, all below it.\n\n"
		"  -y         pays for more than one without a question\n"},
	{"models", cli_models, "kinofs models [--json]\nkinofs models update [ID…]\n",
		"Prints the models: folder, what goes in, what comes out, price.\n\n"
		"  --json   their files\n"
		"  update   asks the provider for new and changed ones, or for these; it is free\n"},
	{"credits", cli_credits, "kinofs credits\n",
		"Asks each provider that there is a key for what is left on the account.\n"},
	{"setup", cli_setup, "kinofs setup\n",
		"Asks for the key of a provider, asks the provider with it what is left on the\n"
		"account, and writes the key's file and the configuration that names it.\n"},
	{"doctor", cli_doctor, "kinofs doctor\n",
		"Looks at everything a mount needs, and says what to do where something is wrong.\n"},
};

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COUNT(commands); i++)
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	return NULL;
}

static void print_usage(FILE *out, const struct command *command)
{
	const char *before = "usage: ";

	for (const char *line = command->usage; *line; line = strchr(line, '\n') + 1) {
		(void)fprintf(out, "%s%.*s\n", before, (int)strcspn(line, "\n"), line);
		before = "       ";
	}
}

void cli_usage(const char *name)
{
	const struct command *command = find(name);

	if (command)
		print_usage(stderr, command);
}

/* Before the paths, or among them: only behind "--" it is a file's name. */
static bool wants_help(int argc, char **argv)
{
	for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "--help"))
			return true;
	return false;
}

bool command_run(int argc, char **argv, int *status)
{
	const struct command *command = argc > 1 ? find(argv[1]) : NULL;

	if (!command)
		return false;
	if (wants_help(argc, argv)) {
		print_usage(stdout, command);
		(void)printf("\n%s\nMore: man kinofs\n", command->text);
		*status = CLI_OK;
	} else {
		*status = command->run(argc - 1, argv + 1);
	}
	return true;
}

const char *command_near(const char *word)
{
	const char *names[COUNT(commands)];

	for (size_t i = 0; i < COUNT(commands); i++)
		names[i] = commands[i].name;
	return nearest_name(word, names, COUNT(names));
}
