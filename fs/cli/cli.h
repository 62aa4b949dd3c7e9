/*
 * cli.h - the subcommands. Each reads its own arguments, prints, and returns
 * the exit status: 0 success, 1 failure, 2 wrong usage, 3 timeout. They speak
 * to a running kinofs only through the files of its mount.
 */
#ifndef KINOFS_CLI_CLI_H
#define KINOFS_CLI_CLI_H

#include "spec/model.h"

#include <stdio.h>

struct account;
struct config;
struct http;
struct provider;

enum { CLI_OK, CLI_FAILED, CLI_USAGE, CLI_TIMEOUT };

/* argv[0] is the subcommand's name. */
int cli_check(int argc, char **argv);
int cli_wait(int argc, char **argv);
int cli_status(int argc, char **argv);
int cli_spend(int argc, char **argv);
int cli_show(int argc, char **argv);
int cli_order(int argc, char **argv); /* retry [-n N], cancel, release */
int cli_models(int argc, char **argv);
int cli_credits(int argc, char **argv);
int cli_doctor(int argc, char **argv);
int cli_setup(int argc, char **argv);

/* Says on standard error how a subcommand is used. */
void cli_usage(const char *name);

/* Says on standard error what is wrong, in a line; names in it are shown as they can be. */
void __attribute__((format(printf, 1, 2))) cli_complain(const char *format, ...);

/* The mount that a path is in, and the path inside it. The caller frees both. false: the reason was
 * printed. */
bool cli_find_mount(const char *path, char **mount, char **inside);

/* The same without a word: 0, or -ENODEV (in no mount), -ENOTCONN (of a kinofs that was killed), or
 * another -errno. */
int cli_in_mount(const char *path, char **mount, char **inside);

/* Writes one order ("retry -n 3") about a path inside the mount to .kinofs/ctl. 0 or -errno;
 * *answer: what is answered, which the caller frees, or NULL. */
int cli_tell(const char *mount, const char *order, const char *inside, char **answer);

/* In place of a file in some out/, the path of the record of the job that it came of; every other
 * path stays. The caller frees. false: the reason was printed. */
bool cli_find_job(const struct model_set *models, const char *mount, char **inside);

/* The built-in models and the user's. 0, or -errno with the reason printed. models_free() either
 * way. */
int cli_models_load(struct model_set *models);

/* Reads the configuration with its keys, guarded (memory.h), and makes ready to ask providers.
 * config_clear() either way, http_free(). NULL: it failed. Once, by one thread. */
struct http *cli_online(struct config *config);

/* Asks a provider for what is left on the account, and prints it, or what it said. The exit status;
 * without a key there is nothing to ask. */
int cli_ask_balance(
	struct http *http, const struct provider *provider, const struct account *account);

/* The text of a member, "" when there is none: for printing. */
const char *cli_text(const cJSON *object, const char *key);

/* The name of a record's job: its bytes, or as a terminal shows it (quote.h). The caller frees.
 * NULL: no memory. */
char *cli_job_bytes(const cJSON *job);
char *cli_job_shown(const cJSON *job);
/* A sentence of a record, as a terminal shows it. */
void cli_print(FILE *out, const char *before, const cJSON *words, const char *behind);

/* A whole small file as JSON. NULL: it is not there, or it is not JSON. */
cJSON *cli_read_json(const char *directory, const char *file);

#endif
