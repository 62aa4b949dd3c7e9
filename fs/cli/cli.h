/*
 * cli.h - the subcommands. Each reads its own arguments, prints, and returns
 * the exit status: 0 success, 1 failure, 2 wrong usage, 3 timeout. They speak
 * to a running kinofs only through the files of its mount.
 */
#ifndef KINOFS_CLI_CLI_H
#define KINOFS_CLI_CLI_H

#include "spec/model.h"

enum { CLI_OK, CLI_FAILED, CLI_USAGE, CLI_TIMEOUT };

/* argv[0] is the subcommand's name. */
int cli_check(int argc, char **argv);
int cli_wait(int argc, char **argv);
int cli_status(int argc, char **argv);
int cli_order(int argc, char **argv); /* retry [-n N], cancel, release */
int cli_models(int argc, char **argv);
int cli_credits(int argc, char **argv);
int cli_doctor(int argc, char **argv);

/* The mount that a path is in, and the path inside it. The caller frees both. false: the reason was
 * printed. */
bool cli_find_mount(const char *path, char **mount, char **inside);

/* The built-in models and the user's. 0, or -errno with the reason printed. models_free() either
 * way. */
int cli_models_load(struct model_set *models);

/* The text of a member, "" when there is none: for printing. */
const char *cli_text(const cJSON *object, const char *key);

/* A whole small file as JSON. NULL: it is not there, or it is not JSON. */
cJSON *cli_read_json(const char *directory, const char *file);

#endif
