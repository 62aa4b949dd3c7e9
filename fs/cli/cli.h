/*
 * cli.h - the subcommands. Each reads its own arguments, prints, and returns
 * the exit status: 0 well, 1 not, 2 used wrongly, 3 timed out. They speak to a
 * running kinofs only through the files of its mount.
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

/* The mount that a path lies in, and the path inside it; the caller frees both. false: said why. */
bool cli_find_mount(const char *path, char **mount, char **inside);

/* Built-in models and those of the configuration. 0 or -errno, said. models_free() either way. */
int cli_models_load(struct model_set *models);

/* The text of a member, "" when there is none: for printing. */
const char *cli_text(const cJSON *object, const char *key);

/* A whole small file as JSON; NULL when it is not there or is no JSON. */
cJSON *cli_read_json(const char *directory, const char *file);

#endif
